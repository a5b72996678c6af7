"""The words of a CSV column become numbers, or an error that names the row and the word."""

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from offby.errors import DataError
from offby.tables.floats import Floats, Place, beyond_exact, refuse_rounded, without_nulls

NULLS = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "#N/A")

_LONGEST_INTEGER = 400  # digits; the largest float64 has 309
_HINTS = (
    (r"[$€£¥]", "remove the currency sign"),
    (r"%$", "write percentages as plain numbers"),
    (r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$", "remove the thousands separators"),
    (r"^[+-]?\d{1,3}([ '_.]\d{3})+(,\d*)?$", "remove the thousands separators"),
    (r"^[+-]?\d*,\d+$", "write a decimal point, not a decimal comma"),
)


def parse_numbers(words: Any, place: Place) -> Floats:
    """Read an Arrow array of strings as float64, each rounded to the nearest.

    Spaces around a word are trimmed, true and false are 1 and 0, and the usual words for a
    missing value are NaN. Any other word, and an integer that no float64 equals, raises
    `DataError`.

    >>> parse_numbers(pa.array(["1.5", " 2 ", "true", "NA"]), Place("a.csv", "y"))
    array([1.5, 2. , 1. , nan])
    """
    try:
        numbers = words.cast(pa.float64())
    except pa.ArrowInvalid:
        numbers = _parse_carefully(words, place)
    floats = without_nulls(numbers)
    refuse_rounded(_large_integers(words, floats), floats, place)
    return floats


def _parse_carefully(words: Any, place: Place) -> Any:
    tidy = _tidy(words)
    try:
        return tidy.cast(pa.float64())
    except pa.ArrowInvalid as error:
        index = _first_bad(tidy)
        raise _not_a_number(place.row(index), words[index].as_py()) from error


def _tidy(words: Any) -> Any:
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(words)
    lower = pc.utf8_lower(trimmed)
    nulls = pa.array(sorted({word.lower() for word in NULLS}), words.type)
    known = pc.if_else(pc.is_in(lower, value_set=nulls), pa.scalar(None, words.type), trimmed)
    known = pc.if_else(pc.equal(lower, "true"), "1", known)
    return pc.if_else(pc.equal(lower, "false"), "0", known)


def _first_bad(words: Any) -> int:
    """Halve until one word is left that cannot be cast."""
    start, stop = 0, len(words)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            words.slice(start, middle - start).cast(pa.float64())
            start = middle
        except pa.ArrowInvalid:
            stop = middle
    return start


def _not_a_number(row: str, word: str) -> DataError:
    hints = [hint for pattern, hint in _HINTS if re.search(pattern, word.strip())]
    advice = f"; {hints[0]}" if hints else ""
    return DataError(f"{row} is {word[:60]!r}, not a number{advice}")


def _large_integers(words: Any, floats: Floats) -> Iterator[tuple[int, int]]:
    for index in beyond_exact(floats):
        word = words[int(index)].as_py().strip()
        if re.fullmatch(r"[+-]?\d+", word, re.ASCII):
            yield int(index), int(word[:_LONGEST_INTEGER])
