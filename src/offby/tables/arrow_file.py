"""Arrow IPC, also known as Feather: the file and the stream format, memory-mapped."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import pyarrow as pa

from offby.errors import TableError
from offby.tables.floats import Kind, kind_of
from offby.tables.table import SLICE_ROWS, Chunk, Table, Wanted, damage_named

FILE_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"

_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


@final
@dataclass(frozen=True, eq=False)
class ArrowFileTable(Table):
    """An Arrow IPC file or stream on disk.

    Uncompressed columns are handed on from the mapped file without a copy; the pages belong to
    the system's file cache, which takes them back when memory is short.
    """

    path: Path
    schema: Any

    def kind(self, column: str) -> Kind:
        """Say what the file's schema says of a column."""
        self.check(column)
        return kind_of(self.schema.field(column).type)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        positions = [self.columns.index(name) for name in wanted.names]
        with damage_named(self.source), _opened(self.path, positions) as (reader, file):
            for batch, progress in _batches(reader, file):
                yield from sliced(batch, wanted, progress)


def open_arrow_file(path: Path, name: str) -> ArrowFileTable:
    """Open an Arrow IPC file of either format.

    Raises `TableError` where its schema cannot be read, or the end of a stream is missing.
    """
    with damage_named(name):
        _check_end(path, name)
        with _opened(path, None) as (reader, _):
            schema = reader.schema
            rows = reader.count_rows() if hasattr(reader, "count_rows") else None
            return ArrowFileTable(name, tuple(schema.names), rows, False, path, schema)


def sliced(batch: Any, wanted: Wanted, progress: float | None) -> Iterator[Chunk]:
    """Cut a record batch into chunks that are not too large, without a copy."""
    for start in range(0, batch.num_rows, SLICE_ROWS):
        yield wanted.chunk(batch.slice(start, SLICE_ROWS).column, progress)


@contextmanager
def _opened(path: Path, wanted: list[int] | None) -> Iterator[tuple[Any, Any]]:
    """Open a reader of some columns (by position), and the file below it."""
    from pyarrow import ipc

    options = ipc.IpcReadOptions(included_fields=wanted)
    with pa.memory_map(str(path)) as file:
        if file.read(len(FILE_MAGIC)) == FILE_MAGIC:
            yield ipc.open_file(file, options=options), file
        else:
            file.seek(0)
            yield ipc.open_stream(file, options=options), file


def _batches(reader: Any, file: Any) -> Iterator[tuple[Any, float]]:
    if hasattr(reader, "num_record_batches"):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index), (index + 1) / reader.num_record_batches
    else:
        for batch in reader:
            yield batch, file.tell() / file.size()


def _check_end(path: Path, name: str) -> None:
    """Refuse a stream without its end mark: Arrow would take what is there for the whole."""
    with path.open("rb") as file:
        if file.read(len(STREAM_MAGIC)) != STREAM_MAGIC:
            return
        file.seek(-len(_END_OF_STREAM), 2)
        if file.read() != _END_OF_STREAM:
            raise TableError(
                f"{name} is cut short: it lacks the mark that ends an Arrow stream "
                "(or its writer was not closed)"
            )
