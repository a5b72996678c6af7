"""Labels of any type as text, so that a label is the same one in every source."""

import re
from typing import Any

import pyarrow as pa

from offby.errors import DataError
from offby.tables.floats import EXACT

_FLOATED = re.compile(r"-?\d+\.0")


def texts_of(values: Any) -> list[str | None]:
    """Write each value of an Arrow array without nulls as its label; NaN is None.

    Integers, and floats and decimals equal to one, are written as integers; other floats in their
    shortest form; booleans as `true` and `false`; dates and times as in ISO 8601: an instant with
    a time zone in UTC, one without at midnight as its date. Text is kept letter by letter, save
    that `1.0` is `1`: so do other programs write integers that have missing ones among them.

    >>> texts_of(pa.array([1.0, 0.5])), texts_of(pa.array(["1.0", " A", "True"]))
    (['1', '0.5'], ['1', ' A', 'True'])
    """
    types, type_ = pa.types, values.type
    if types.is_floating(type_):
        return _floats(values)
    if types.is_timestamp(type_) and type_.tz is not None:
        values = values.cast(pa.timestamp(type_.unit, "UTC"))
    words: list[Any] = values.cast(pa.large_string()).to_pylist()
    if types.is_integer(type_) or types.is_null(type_):
        return words
    if types.is_decimal(type_):
        return [_without_zeros(word) for word in words]
    if types.is_timestamp(type_):
        return [_instant(word) for word in words]
    if types.is_time(type_):
        return [_without_zeros(word) for word in words]
    return [_integer(word) if word.endswith(".0") else word for word in words]


def label_text(value: object) -> str:
    """Write one value as its label; raises `DataError` for what is none.

    >>> label_text(True), label_text(3.0), label_text("AA")
    ('true', '3', 'AA')
    """
    try:
        known = pa.array([value], from_pandas=True).drop_null()
        texts = texts_of(known) if are_labels(known.type) else []
    except (pa.ArrowException, UnicodeDecodeError, OverflowError) as error:
        raise _no_label(value) from error
    if not texts or texts[0] is None:
        raise _no_label(value)
    return texts[0]


def are_labels(type_: pa.DataType) -> bool:
    """Say whether values of an Arrow type can be labels.

    >>> are_labels(pa.date32()), are_labels(pa.list_(pa.int8()))
    (True, False)
    """
    types = pa.types
    if types.is_dictionary(type_):
        return are_labels(type_.value_type)
    no_labels = types.is_nested(type_) or types.is_duration(type_) or types.is_interval(type_)
    return not no_labels


def _floats(values: Any) -> list[str | None]:
    """Write floats; Arrow alone would write 1e15 as 1e+15, and minus zero as -0."""
    import pyarrow.compute as pc

    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    whole = pc.and_(pc.equal(pc.trunc(values), values), pc.less(pc.abs(values), EXACT))
    integers = pc.if_else(whole, values, pa.scalar(0, values.type)).cast(pa.int64())
    words = pc.if_else(whole, integers.cast(pa.string()), values.cast(pa.string()))
    known: list[str | None] = pc.if_else(pc.is_nan(values), None, words).to_pylist()
    return known


def _integer(word: str) -> str:
    return str(int(word[:-2])) if _FLOATED.fullmatch(word) else word


def _without_zeros(word: str) -> str:
    return word.rstrip("0").rstrip(".") if "." in word else word


def _instant(word: str) -> str:
    day, _, clock = word.partition(" ")
    zone = "Z" if clock.endswith("Z") else ""
    time = _without_zeros(clock.removesuffix("Z"))
    return day if time == "00:00:00" and not zone else f"{day}T{time}{zone}"


def _no_label(value: object) -> DataError:
    return DataError(
        f"{str(value)[:60]!r} is not a label; text, a number, true or false, or a date was expected"
    )
