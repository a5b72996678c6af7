"""CSV: the needed columns come as words and are parsed here, so that a bad one can be named."""

import csv
import io
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import pyarrow as pa

from offby.errors import TableError
from offby.tables.byte_source import HEAD, PipeSource, Source, read_fully
from offby.tables.floats import Kind, Place
from offby.tables.table import Batch, Chunk, Table, Wanted, damage_named
from offby.tables.text import NULLS, parse_numbers

BLOCK = 1 << 20  # bytes parsed at a time (Arrow reads 32 ahead); no row may be longer

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEPARATORS = (",", ";", "\t", "|")


@final
@dataclass(frozen=True)
class Header:
    """The names in the first row, the separator between them, and the row's length in bytes."""

    names: tuple[str, ...]
    separator: str
    length: int


@final
@dataclass(frozen=True, eq=False)
class CsvTable(Table):
    """A CSV file or stream, compressed or not."""

    bytes: Source
    header: Header

    def kind(self, column: str) -> Kind:
        """Say nothing: a CSV column has no type until it is read."""
        self.check(column)
        return "unknown"

    def peek(self, labels: Sequence[str]) -> Iterator[Batch]:
        """The first rows as labels; of a pipe, those in the bytes that were looked at."""
        if not self.once:
            return self.read((), labels)
        head = self.bytes.head()
        whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1]
        source = PipeSource(io.BytesIO(whole), self.source)
        first = CsvTable(self.source, self.columns, self.rows, False, source, self.header)
        return first.read((), labels)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        keys = {name: str(self.columns.index(name)) for name in wanted.names}
        if self.rows == 0:
            return
        row = 0
        with self._damage_named(), self.bytes.open() as stream:
            read_fully(stream.bytes, self.header.length)
            for batch in _parsed(stream.bytes, self.header, list(keys.values())):
                words = {name: batch.column(key) for name, key in keys.items()}
                numbers = {
                    name: parse_numbers(words[name], Place(self.source, name, row))
                    for name in wanted.numbers
                }
                labels = {name: words[name] for name in wanted.labels}
                yield Chunk(numbers, labels, stream.progress())
                row += batch.num_rows

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        with damage_named(self.source):
            try:
                yield
            except pa.ArrowInvalid as error:
                raise TableError(_explain(str(error), self.source)) from error


def open_csv(source: Source, head: bytes, tabs: bool) -> CsvTable:
    """Open a CSV whose first bytes are `head`; `tabs` says that tabs are to be expected.

    Raises `TableError` where there is no header to read.
    """
    header = _read_header(head, source.name, tabs)
    ends_here = len(head) < HEAD and not head[header.length :].strip()
    rows = 0 if ends_here else None
    once = isinstance(source, PipeSource)
    return CsvTable(source.name, header.names, rows, False, source, header, once=once)


def _parsed(stream: Any, header: Header, keys: list[str]) -> Iterator[Any]:
    """Parse the rows; columns are named by position, since names may occur twice."""
    from pyarrow import csv as arrow_csv

    reader = arrow_csv.open_csv(
        stream,
        # one thread: as fast here, numbers the rows in its errors, and leaves nothing running
        read_options=arrow_csv.ReadOptions(
            use_threads=False,
            block_size=BLOCK,
            column_names=[str(position) for position in range(len(header.names))],
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=header.separator, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=keys,
            column_types=dict.fromkeys(keys, pa.string()),
            strings_can_be_null=True,
            null_values=list(NULLS),
        ),
    )
    with reader:
        yield from reader


def _read_header(head: bytes, name: str, tabs: bool) -> Header:
    mark = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
    if not head[mark:].strip():
        raise TableError(f"{name} is empty; a header row with the names of columns was expected")
    text = _decoded(head[mark:], name)
    separator = _separator(text, tabs)
    try:
        names, used = _first_row(text, separator)
    except csv.Error as error:
        raise TableError(f"the first line of {name} cannot be read as CSV ({error})") from error
    if len(head) == HEAD and used == len(text):
        raise TableError(f"the first line of {name} is longer than {HEAD:,} bytes; is it CSV?")
    if any("\udc80" <= letter <= "\udcff" for label in names for letter in label):
        raise TableError(f"the header of {name} is not UTF-8; save the file as UTF-8")
    length = mark + len(text[:used].encode("utf-8", "surrogateescape"))
    return Header(names, separator, length)


def _decoded(head: bytes, name: str) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableError(f"{name} is UTF-16; save it as UTF-8")
    if b"\0" in head:
        raise TableError(f"{name} is binary, and neither Parquet nor Arrow; give one, or CSV")
    return head.decode("utf-8", "surrogateescape")


def _separator(text: str, tabs: bool) -> str:
    """Choose the first usual separator that the first line has outside of quotes."""
    line = re.sub(r'"[^"]*"', "", text).lstrip().partition("\n")[0]
    usual = ("\t", *_SEPARATORS) if tabs else _SEPARATORS
    return next((separator for separator in usual if separator in line), usual[0])


def _first_row(text: str, separator: str) -> tuple[tuple[str, ...], int]:
    """Read the first row that is not blank, and count the characters up to its end."""
    used = 0

    def lines() -> Iterator[str]:
        nonlocal used
        for line in io.StringIO(text, newline=""):
            used += len(line)
            yield line

    row = next(filter(None, csv.reader(lines(), delimiter=separator)))
    return tuple(name.strip() for name in row), used


def _explain(message: str, source: str) -> str:
    """Say what Arrow's parser found wrong."""
    counts = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", message, re.DOTALL)
    if counts:
        row, expected, got, text = counts.groups()
        short = "; is the file cut short?" if int(got) < int(expected) else ""
        return (
            f"row {int(row):,} of {source} has {got} fields where the header has {expected}: "
            f"{text[:80]!r}{short}"
        )
    if "straddl" in message:
        return f"{source} has a row longer than {BLOCK:,} bytes, or a quote that is not closed"
    if "UTF8" in message:
        return f"{source} is not UTF-8 in a column that is needed; save the file as UTF-8"
    return f"{source} cannot be read as CSV ({message[:200]})"
