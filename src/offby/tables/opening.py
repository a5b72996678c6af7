"""The one way in: whatever is given becomes a `Table`."""

import glob
import os
import sys
import weakref
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from offby.errors import TableError
from offby.tables.arrow_file import open_arrow_file
from offby.tables.byte_source import PipeSource, Source, source_of, spooled
from offby.tables.csv_table import open_csv
from offby.tables.formats import Format, expects_tabs, format_of, format_of_name
from offby.tables.frames import open_frame
from offby.tables.many import open_many
from offby.tables.memory import open_mapping, open_structured
from offby.tables.parquet_table import open_parquet
from offby.tables.table import Table, damage_named, listed


def open_table(source: object) -> Table:
    """Open anything tabular: a file, a folder, standard input, a frame or a dict of columns.

    `source` is a path to CSV (also compressed), Parquet or Arrow IPC; a pattern such as
    `"scores/*.parquet"`, or a folder, of such files; `"-"` for standard input; a pandas, polars,
    pyarrow or duckdb frame, or anything else with `__arrow_c_stream__`; a dict of names to
    columns; or a structured NumPy array.

    Raises `TableError` for what is none of these.

    >>> table = open_table({"y_true": [1, 2], "y_pred": [1.5, 2.0]})
    >>> table.columns, table.rows
    (('y_true', 'y_pred'), 2)
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | os.PathLike):
        return _open_path(os.fspath(source))
    if isinstance(source, Mapping):
        return open_mapping(source)
    if isinstance(source, np.ndarray):
        return open_structured(source)
    return open_frame(source)


def _open_path(text: str) -> Table:
    if text == "-":
        with damage_named("standard input"):
            return _open_source(PipeSource(sys.stdin.buffer, "standard input"))
    path = Path(text).expanduser()
    if path.is_dir():
        return _open_many(_files_in(path), f"folder {text}")
    if path.exists():
        return _open_file(path, path.name if path.is_file() else text)
    if glob.has_magic(text):
        found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
        return _open_many([name for name in found if name.is_file()], text)
    raise _missing(text, path)


def _open_file(path: Path, name: str) -> Table:
    with damage_named(name):
        return _open_source(source_of(path, name))


def _open_many(paths: list[Path], where: str) -> Table:
    if not paths:
        raise TableError(f"{where} holds no CSV, Parquet or Arrow files; give the path of a table")
    if len(paths) == 1:
        return _open_file(paths[0], str(paths[0]))
    sizes = tuple(path.stat().st_size for path in paths)
    parts = tuple(_open_file(path, str(path)) for path in paths)
    return open_many(f"{len(paths)} files in {where}", parts, sizes)


def _files_in(folder: Path) -> list[Path]:
    """List a folder's tables by name; names that begin with . or _ are hidden."""
    seen = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "_"))]
    formats = {path: format_of_name(path.name) for path in seen if path.is_file()}
    tables = [path for path, format_ in formats.items() if format_]
    several = sorted({format_ for format_ in formats.values() if format_})
    if len(several) > 1:
        raise TableError(
            f"folder {folder} holds files of several formats ({', '.join(several)}); "
            f"choose with a pattern, such as '{folder}/*{tables[0].suffix}'"
        )
    if not tables and any(path.is_dir() for path in seen):
        raise TableError(
            f"folder {folder} holds folders but no tables; give a pattern, such as "
            f"'{folder}/**/*.parquet'"
        )
    return tables


def _open_source(source: Source) -> Table:
    head = source.head()
    if not head:
        raise TableError(f"{source.name} is empty; a table was expected")
    found = format_of(head, source.name)
    if found == "csv":
        return open_csv(source, head, expects_tabs(source.name))
    if source.plain_path:
        return _ON_DISK[found](source.plain_path, source.name)
    path = spooled(source)
    table = _ON_DISK[found](path, source.name)
    weakref.finalize(table, path.unlink, missing_ok=True)
    return table


_ON_DISK: dict[Format, Callable[[Path, str], Table]] = {
    "parquet": open_parquet,
    "arrow": open_arrow_file,
}


def _missing(text: str, path: Path) -> TableError:
    if "://" in text:
        return TableError(f"{text} is an address; download it first, and give the file's path")
    folder = path.parent
    if not folder.is_dir():
        return TableError(f"there is no file {path}, nor a folder {folder}; check the path")
    here = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    close = get_close_matches(path.name, here, n=3, cutoff=0.6)
    near = f"did you mean {listed(close)}?" if close else f"the folder holds {listed(here, 5)}"
    return TableError(f"there is no file {path}; {near}")
