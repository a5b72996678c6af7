"""Columns of times become float64 in order of time."""

from typing import Any

import numpy as np
import pyarrow as pa

from offby.errors import DataError
from offby.tables.floats import Floats, Place, kind_of, stored, to_float64, without_nulls

_READINGS = (pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))


def to_times(values: Any, place: Place) -> Floats:
    """Numbers as they are, dates and times in microseconds since 1970; NaN where there is none.

    Text is read as numbers, or as dates and times of ISO 8601. Raises `DataError` for what is
    neither.

    >>> to_times(pa.array(["1970-01-01 00:00:01", None]), Place("a list", "when"))
    array([1000000.,      nan])
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return to_float64(values, place)
    array = stored(pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = kind_of(array.type)
    if kind == "text":
        return _in_microseconds(_read(array, place))
    return _in_microseconds(array) if kind == "time" else to_float64(array, place)


def _read(array: Any, place: Place) -> Any:
    """Text in the first reading that all of it has."""
    for reading in _READINGS:
        try:
            return array.cast(reading)
        except pa.ArrowInvalid:
            continue
    seen = ", ".join(f"{str(value)[:40]!r}" for value in array.drop_null()[:3])
    raise DataError(
        f"column {place.column!r} of {place.source} (its values begin {seen}) holds no times; give "
        "numbers, or dates and times such as 2013-11-01 or 2013-11-01 09:00"
    )


def _in_microseconds(array: Any) -> Floats:
    if pa.types.is_floating(array.type):
        return without_nulls(array)
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        zone = getattr(array.type, "tz", None)
        array = array.cast(pa.timestamp("us", zone), safe=False)
    whole = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
    return without_nulls(whole.cast(pa.float64(), safe=False))
