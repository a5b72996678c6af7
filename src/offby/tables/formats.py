"""Which format a file is in: by its first bytes, then by its name."""

from pathlib import PurePath
from typing import Literal, TypeAlias

from offby.errors import TableError
from offby.tables.arrow_file import FILE_MAGIC, STREAM_MAGIC

Format: TypeAlias = Literal["csv", "parquet", "arrow"]

_MAGIC: dict[bytes, Format] = {b"PAR1": "parquet", FILE_MAGIC: "arrow", STREAM_MAGIC: "arrow"}
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_COMPRESSED = (".gz", ".zst", ".bz2", ".lz4")
_FOREIGN = {
    b"PK\x03\x04": "a zip or Excel file; save the table as CSV or Parquet",
    b"PARE": "an encrypted Parquet file; save it without encryption",
    b"FEA1": "Feather version 1; save it as version 2, or as Parquet",
    b"\xfd7zXZ": "compressed by xz; compress it by gzip or zstd",
    b"{": "JSON; save the table as CSV or Parquet",
}


def format_of(head: bytes, name: str) -> Format:
    """Tell a file's format from its first bytes, its name, or else take it for CSV.

    Raises `TableError` for a known format that offby does not read.

    >>> format_of(b"PAR1...", "scores.csv"), format_of(b"y,p", "scores.txt")
    ('parquet', 'csv')
    """
    for magic, format_ in _MAGIC.items():
        if head.startswith(magic):
            return format_
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise TableError(f"{name} is {what}")
    return format_of_name(name) or "csv"


def format_of_name(name: str) -> Format | None:
    """Tell a format from a name's ending, None where it is not one of a table.

    >>> format_of_name("scores.csv.gz"), format_of_name("README.md")
    ('csv', None)
    """
    return _SUFFIXES.get(_suffix(name))


def expects_tabs(name: str) -> bool:
    """Say whether the name is one of a tab-separated file."""
    return _suffix(name) in (".tsv", ".tab")


def _suffix(name: str) -> str:
    path = PurePath(name.lower())
    return PurePath(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix
