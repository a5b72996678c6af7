"""Columns that are in memory one by one: a dict, a structured array, a pandas frame."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.errors import DataError, TableError
from offby.tables.floats import Kind, kind_of
from offby.tables.table import SLICE_ROWS, Chunk, Table, Wanted

Column: TypeAlias = Callable[[], Any]

_SAMPLE = 100  # values looked at to say what an object column holds
_NUMBERS = ("numbers", "numbers, booleans or missing")
_LABELS = ("labels", "text, all numbers or all booleans; missing ones may stand among them")


@final
@dataclass(frozen=True, eq=False)
class MemoryTable(Table):
    """Columns side by side, each looked at only when it is asked for."""

    parts: tuple[Column, ...]

    def kind(self, column: str) -> Kind:
        """Say what the first values of a column are."""
        self.check(column)
        try:
            part = self._part(column)
            values = as_array(getattr(part, "iloc", part)[:_SAMPLE], column, self.source, _NUMBERS)
        except DataError:
            return "other"
        array = pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values
        return kind_of(array.type)

    def _part(self, column: str) -> Any:
        return self.parts[self.columns.index(column)]()

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        arrays = {name: self._array(name, name in wanted.numbers) for name in wanted.names}
        rows = self._same_length(arrays)
        for start in range(0, rows, SLICE_ROWS):
            stop = min(start + SLICE_ROWS, rows)
            pieces = {name: part[start:stop] for name, part in arrays.items()}
            yield wanted.chunk(pieces.__getitem__, stop / rows)

    def _array(self, column: str, numbers: bool) -> Any:
        return as_array(self._part(column), column, self.source, _NUMBERS if numbers else _LABELS)

    def _same_length(self, arrays: Mapping[str, Any]) -> int:
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name!r} has {rows:,}" for name, rows in lengths.items())
            raise TableError(f"the columns of {self.source} differ in length: {told} rows")
        return next(iter(lengths.values()), 0)


def open_mapping(columns: Mapping[Any, Any]) -> MemoryTable:
    """Open a dict of names to sequences."""
    lengths = {len(part) if hasattr(part, "__len__") else None for part in columns.values()}
    rows = lengths.pop() if len(lengths) == 1 else None  # bystanders may differ in length
    return _table("dict of columns", columns, rows, [_same(part) for part in columns.values()])


def open_structured(array: NDArray[Any]) -> MemoryTable:
    """Open a structured or record array, a column for each field."""
    names = array.dtype.names
    if names is None or array.ndim != 1:
        raise TableError(
            f"a NumPy array of shape {array.shape} has no named columns; give the columns "
            "themselves (y_true, y_pred), or a dict of names to columns"
        )
    source = "NumPy structured array"
    return _table(source, names, len(array), [_same(array[name]) for name in names])


def open_pandas(frame: Any) -> MemoryTable:
    """Open a pandas DataFrame, column by column: numeric ones without a copy."""
    parts = [_pandas_column(frame, position) for position in range(frame.shape[1])]
    return _table("pandas DataFrame", frame.columns, len(frame), parts)


def as_array(values: Any, column: str, source: str, what: tuple[str, str]) -> Any:
    """Make a one-dimensional NumPy array of numbers, or an Arrow array of anything.

    `what` says what the column should hold, and what of, where it is of no one type.
    """
    try:
        array = _as_array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise DataError(
            f"column {column!r} of {source} does not hold {what[0]} of one type ({error}); "
            f"its values must all be {what[1]}"
        ) from error
    if getattr(array, "ndim", 1) != 1:
        raise DataError(f"column {column!r} of {source} has shape {array.shape}, not (rows,)")
    return array


def _as_array(values: Any) -> Any:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    if _is_numeric(values) and not isinstance(values, np.ma.MaskedArray):
        array = np.asarray(values)
        return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if hasattr(values, "__arrow_c_stream__") and not hasattr(values, "__arrow_array__"):
        return pa.chunked_array(values).combine_chunks()
    array = pa.array(values, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _is_numeric(values: Any) -> bool:
    """Tell NumPy numbers, and what turns into them, such as a tensor, from everything else."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biuf"
    return type(values).__module__.partition(".")[0] == "torch"


def _table(source: str, labels: Any, rows: int | None, parts: list[Column]) -> MemoryTable:
    return MemoryTable(source, tuple(map(str, labels)), rows, True, tuple(parts))


def _same(values: Any) -> Column:
    return lambda: values


def _pandas_column(frame: Any, position: int) -> Column:
    return lambda: frame.iloc[:, position]
