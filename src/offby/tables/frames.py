"""Frames that hand over Arrow data: polars, pyarrow, duckdb, and whatever speaks its protocol."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

import pyarrow as pa

from offby.errors import TableError
from offby.tables.arrow_file import sliced
from offby.tables.floats import Kind, kind_of
from offby.tables.memory import open_pandas
from offby.tables.table import Chunk, Table, Wanted, damage_named

Pick: TypeAlias = Callable[[Sequence[str]], Any]

_ADVICE = {
    "polars": "call `.collect()` on it first",
    "dask": "call `.compute()` on it first",
    "pyspark": "call `.toArrow()` on it first",
    "pyarrow": "call `.to_table()` on it, or `.scanner().to_reader()` to stream it",
    "numpy": "give the columns themselves (y_true, y_pred)",
}


@final
@dataclass(frozen=True, eq=False)
class FrameTable(Table):
    """A frame of Arrow columns; `pick` gives a reader over some of them."""

    pick: Pick
    schema: Callable[[str], Any]

    def kind(self, column: str) -> Kind:
        """Say what the frame's schema says of a column."""
        self.check(column)
        return kind_of(self.schema(column).field(column).type)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        done = 0
        with damage_named(self.source, "broke off"), self.pick(wanted.names) as reader:
            for batch in reader:
                for chunk in sliced(batch, wanted, None):
                    done += chunk.rows
                    yield replace(chunk, progress=done / self.rows if self.rows else None)


def open_frame(frame: Any) -> Table:
    """Open a frame of any library that speaks Arrow.

    Raises `TableError` for one that does not, saying how to make it one that does.
    """
    libraries = _libraries(frame)
    if "pandas" in libraries and hasattr(frame, "iloc") and hasattr(frame, "columns"):
        return open_pandas(frame)
    if isinstance(frame, pa.RecordBatch) or _speaks_only_array(frame):
        return _open_batch(frame)
    if isinstance(frame, pa.Table):
        return _open_arrow(frame, _named(frame))
    if not hasattr(frame, "__arrow_c_stream__"):
        raise _no_stream(frame, libraries)
    if "polars" in libraries and hasattr(frame, "columns"):
        return _open_polars(frame)
    if "duckdb" in libraries and hasattr(frame, "project"):
        return _open_duckdb(frame)
    return _open_stream(frame)


def _open_arrow(table: Any, source: str) -> FrameTable:
    def pick(columns: Sequence[str]) -> Any:
        return table.select(list(columns)).to_reader()

    return FrameTable(
        source, tuple(table.column_names), len(table), True, pick, lambda _: table.schema
    )


def _open_batch(batch: Any) -> FrameTable:
    source = _named(batch)
    with _columns_expected(source):
        return _open_arrow(pa.Table.from_batches([pa.record_batch(batch)]), source)


def _open_polars(frame: Any) -> FrameTable:
    def pick(columns: Sequence[str]) -> Any:
        return _reader(frame[list(columns)], _named(frame))

    return FrameTable(
        _named(frame),
        tuple(frame.columns),
        len(frame),
        True,
        pick,
        lambda column: pick([column]).schema,
    )


def _open_duckdb(relation: Any) -> FrameTable:
    def pick(columns: Sequence[str]) -> Any:
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        return _reader(relation.project(quoted), "duckdb relation")

    return FrameTable(
        "duckdb relation",
        tuple(relation.columns),
        None,
        False,
        pick,
        lambda _: _reader(relation.limit(0), "duckdb relation").schema,
    )


def _open_stream(frame: Any) -> FrameTable:
    """Open anything else; the reader that told the columns serves the first read."""
    source = _named(frame)
    readers = [_reader(frame, source)]
    schema = readers[0].schema
    once = isinstance(frame, pa.RecordBatchReader)

    def pick(columns: Sequence[str]) -> Any:
        if not readers and once:
            raise TableError(f"{source} can be read only once; give a table to read it again")
        return readers.pop() if readers else _reader(frame, source)

    return FrameTable(source, tuple(schema.names), None, False, pick, lambda _: schema, once=once)


def _reader(frame: Any, source: str) -> Any:
    with _columns_expected(source):
        return pa.RecordBatchReader.from_stream(frame)


@contextmanager
def _columns_expected(source: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, TypeError, ValueError, RuntimeError) as error:
        raise TableError(
            f"{source} does not hand over Arrow columns ({error}); a table with named columns "
            "was expected"
        ) from error


def _speaks_only_array(frame: Any) -> bool:
    return hasattr(frame, "__arrow_c_array__") and not hasattr(frame, "__arrow_c_stream__")


def _libraries(frame: Any) -> set[str]:
    return {kind.__module__.partition(".")[0] for kind in type(frame).__mro__}


def _named(frame: Any) -> str:
    kind = type(frame)
    return f"{kind.__module__.partition('.')[0]} {kind.__qualname__}"


def _no_stream(frame: Any, libraries: set[str]) -> TableError:
    advice = next(
        (advice for library, advice in _ADVICE.items() if library in libraries),
        "give a path, a dict of columns, or a frame that has `__arrow_c_stream__` "
        "(pandas, polars, pyarrow, duckdb ...)",
    )
    return TableError(f"a {_named(frame)} is not a table that offby can read; {advice}")
