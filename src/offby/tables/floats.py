"""Columns of any numeric type become float64, exactly or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["number", "text", "boolean", "time", "other", "unknown"]

EXACT = 2.0**53  # every integer up to here is a float64
EXACT_POWER = 22  # 10.0**22 is the last exact power of ten

_ADVICE: dict[str, str] = {
    "text": "turn it into numbers first (in pandas: `pandas.to_numeric`)",
    "time": "turn it into a number first, such as hours since a fixed start",
    "other": "give one number a row; several outputs are several columns",
}


@dataclass(frozen=True)
class Place:
    """Where a piece of a column stands, for messages; rows are counted from 1 in them."""

    source: str
    column: str
    first_row: int = 0

    def row(self, index: int) -> str:
        """Name the row that stands at `index` of the piece."""
        return f"row {self.first_row + index + 1:,} of column {self.column!r} in {self.source}"


def to_float64(values: Any, place: Place) -> Floats:
    """Convert a NumPy or Arrow array to contiguous float64, without a copy where it is that.

    Nulls become NaN. Integers beyond 2**53 that no float64 equals, and types that are not
    numbers, raise `DataError`.

    >>> to_float64(pa.array([1, None, 3]), Place("a list", "y"))
    array([ 1., nan,  3.])
    """
    if isinstance(values, np.ndarray):
        return _from_numpy(values, place)
    return _from_arrow(_plain(values), place)


def kind_of(type_: pa.DataType) -> Kind:
    """Say in one word what an Arrow type holds.

    >>> kind_of(pa.dictionary(pa.int8(), pa.string()))
    'text'
    """
    types = pa.types
    if isinstance(type_, pa.BaseExtensionType):
        return kind_of(type_.storage_type)
    if types.is_dictionary(type_) or types.is_run_end_encoded(type_):
        return kind_of(type_.value_type)
    if types.is_boolean(type_):
        return "boolean"
    if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_temporal(type_):
        return "time"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    return "unknown" if types.is_null(type_) else "other"


def stored(array: Any) -> Any:
    """Undo the extension types and run lengths of an Arrow array."""
    if isinstance(array, pa.ExtensionArray):
        return stored(array.storage)
    if pa.types.is_run_end_encoded(array.type):
        import pyarrow.compute as pc

        return stored(pc.run_end_decode(array))
    return array


def refuse_rounded(suspects: Iterable[tuple[int, int]], floats: Floats, place: Place) -> None:
    """Raise `DataError` at the first (index, integer) that its float64 does not equal."""
    for index, whole in suspects:
        if not np.isfinite(floats[index]) or int(floats[index]) != whole:
            raise DataError(
                f"{place.row(index)} is the integer {str(whole)[:40]}, beyond 2**53, where float64 "
                "skips integers and would change it; scale or shift the column first"
            )


def beyond_exact(floats: Floats) -> NDArray[np.intp]:
    """Find the values so large that float64 may have rounded an integer."""
    return np.flatnonzero(np.abs(floats) >= EXACT)


def _from_numpy(values: NDArray[Any], place: Place) -> Floats:
    if values.dtype.kind not in "biuf":
        return to_float64(pa.array(values, from_pandas=True), place)
    floats = np.ascontiguousarray(values, dtype=np.float64)
    if values.dtype.kind in "iu":
        large = beyond_exact(floats)
        refuse_rounded(zip(large, values[large].tolist(), strict=True), floats, place)
    return floats


def _plain(array: Any) -> Any:
    """Undo dictionaries, run lengths and extension types."""
    array = stored(array)
    return _plain(array.dictionary_decode()) if pa.types.is_dictionary(array.type) else array


def _from_arrow(array: Any, place: Place) -> Floats:
    types, type_ = pa.types, array.type
    if types.is_floating(type_) or types.is_boolean(type_) or types.is_null(type_):
        return without_nulls(array.cast(pa.float64()))
    if types.is_integer(type_):
        return _from_integers(array, place)
    if types.is_decimal(type_):
        return _from_decimals(array)
    raise _not_numbers(array, place)


def _from_integers(array: Any, place: Place) -> Floats:
    floats = without_nulls(array.cast(pa.float64(), safe=False))
    large = beyond_exact(floats)
    refuse_rounded(zip(large, array.take(pa.array(large)).to_pylist(), strict=True), floats, place)
    return floats


def _from_decimals(array: Any) -> Floats:
    """Take the nearest float64 (Arrow's own cast is off by an ulp in one value of eight)."""
    if pa.types.is_decimal128(array.type) and 0 <= array.type.scale <= EXACT_POWER:
        words = _words(array)
        if not array.null_count and _are_exact(words):
            return words[:, 0] / float(10**array.type.scale)  # two exact numbers: rounds once
    return without_nulls(array.cast(pa.string()).cast(pa.float64()))


def _words(array: Any) -> NDArray[np.int64]:
    """See decimals as (low, high) halves of their 128-bit integers."""
    words = np.frombuffer(array.buffers()[1] or b"", dtype="<i8").reshape(-1, 2)
    return words[array.offset : array.offset + len(array)]


def _are_exact(words: NDArray[np.int64]) -> bool:
    low, high = words[:, 0], words[:, 1]
    small = (low <= int(EXACT)) & (low >= -int(EXACT))
    return bool(np.all(small & (high == low >> 63)))


def _not_numbers(array: Any, place: Place) -> DataError:
    kind = kind_of(array.type)
    seen = ", ".join(f"{str(value)[:40]!r}" for value in array[:3])
    advice = _ADVICE.get(kind, _ADVICE["other"])
    return DataError(
        f"column {place.column!r} of {place.source} holds {array.type} "
        f"(its values begin {seen}), not numbers; {advice}"
    )


def without_nulls(array: Any) -> Floats:
    """A float64 array with NaN for null; Arrow's own way would import pandas."""
    if array.null_count:
        import pyarrow.compute as pc

        array = pc.fill_null(array, float("nan"))
    data = array.buffers()[1]
    if data is None:
        return np.zeros(0)
    return np.frombuffer(data, np.float64, len(array), array.offset * 8)
