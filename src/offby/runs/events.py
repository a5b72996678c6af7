"""The compiled pass over a block of an event file: every scalar with its tag, step and time."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from offby.formula.kept import kept
from offby.runs.wire import (
    FIXED32,
    FOOT,
    HEAD,
    LEAST_VALUE,
    Bytes,
    crc_table,
    field,
    little,
    masked_crc,
    scalar,
    varint,
)

Ints: TypeAlias = npt.NDArray[np.int64]
CONSUMED, VALUES, TAGS, BAD_RECORDS, LOST_BYTES, UNREAD = range(6)
"""Places in the counts: bytes done with, what was found, and what could not be read."""


class Found(NamedTuple):
    """The scalars of a block: a row each, with the number of its tag, and what went wrong."""

    steps: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    tag: Ints
    tags: list[str]
    counts: Ints


def scan(block: bytes) -> Found:
    """Read the whole records of a block; what is cut at its end is left.

    A record whose event does not match its checksum is dropped and counted. Where a length does
    not, the next record is looked for byte by byte.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    room = len(data) // LEAST_VALUE + 1
    steps, values, times = np.empty((3, room))
    tag, starts, stops = np.empty((3, room), dtype=np.int64)
    counts = np.zeros(6, dtype=np.int64)
    _scan(data, crc_table(), steps, values, times, tag, starts, stops, counts)
    count = counts[VALUES]
    tags = [bytes(data[starts[i] : stops[i]]).decode(errors="replace") for i in range(counts[TAGS])]
    return Found(steps[:count], values[:count], times[:count], tag[:count], tags, counts)


@kept
def _scan(data: Bytes, table: Any, steps: Any, values: Any, times: Any, tag: Any, starts: Any,
          stops: Any, counts: Any) -> None:  # fmt: skip
    at, size = 0, len(data)
    while at + HEAD <= size:
        if masked_crc(data, at, at + 8, table) != little(data, at + 8, 4):
            following = _next_record(data, at + 1, table)
            if following < 0:
                break  # nothing good is left: looked at again when there is more
            counts[LOST_BYTES] += following - at
            at = following
        start = at + HEAD
        length = little(data, at, 8)
        if length > size - start - FOOT:
            break
        stop = start + length
        if masked_crc(data, start, stop, table) == little(data, stop, 4):
            _event(data, start, stop, steps, values, times, tag, starts, stops, counts)
        else:
            counts[BAD_RECORDS] += 1
        at = stop + FOOT
    counts[CONSUMED] = at


@kept
def _next_record(data: Bytes, at: int, table: Any) -> int:
    """Where the next whole length stands, or -1."""
    while at + HEAD <= len(data):
        if masked_crc(data, at, at + 8, table) == little(data, at + 8, 4):
            return at
        at += 1
    return -1


@kept
def _event(data: Bytes, at: int, stop: int, steps: Any, values: Any, times: Any, tag: Any,
           starts: Any, stops: Any, counts: Any) -> None:  # fmt: skip
    wall, step, first, last = np.zeros(1), 0, 0, 0
    while at < stop:
        number, _, start, end = field(data, at, stop)
        if end > stop:
            counts[UNREAD] += 1
            return
        if number == 1 and end - start == 8:
            wall.view(np.int64)[0] = little(data, start, 8)
        elif number == 2:
            step, _ = varint(data, start, end)
        elif number == 5:
            first, last = start, end
        at = end
    count = counts[VALUES]
    _summary(data, first, last, values, tag, starts, stops, counts)
    for i in range(count, counts[VALUES]):
        steps[i], times[i] = step, wall[0]


@kept
def _summary(data: Bytes, at: int, stop: int, values: Any, tag: Any, starts: Any, stops: Any,
             counts: Any) -> None:  # fmt: skip
    while at < stop:
        number, _, start, end = field(data, at, stop)
        if end > stop:
            counts[UNREAD] += 1
            return
        if number == 1:
            _value(data, start, end, values, tag, starts, stops, counts)
        at = end


@kept
def _value(data: Bytes, at: int, stop: int, values: Any, tag: Any, starts: Any, stops: Any,
           counts: Any) -> None:  # fmt: skip
    """One value of a summary: kept if it is a number with a tag."""
    first, last, found = 0, 0, False
    number_of = np.empty(1)
    while at < stop:
        number, wire, start, end = field(data, at, stop)
        if end > stop:
            counts[UNREAD] += 1
            return
        if number == 1:
            first, last = start, end
        elif number == 2 and wire == FIXED32:
            bits = np.empty(1, np.int64)
            bits[0] = little(data, start, 4)
            number_of[0], found = bits.view(np.float32)[0], True
        elif number == 8:
            found = scalar(data, start, end, number_of)
        at = end
    if found and last > first:
        i = counts[VALUES]
        tag[i] = _tag(data, first, last, starts, stops, counts, tag[i - 1] if i > 0 else -1)
        values[i] = number_of[0]
        counts[VALUES] += 1


@kept
def _tag(data: Bytes, first: int, last: int, starts: Any, stops: Any, counts: Any,
         before: int) -> Any:  # fmt: skip
    """The number of a tag: most often the one that follows the last one found."""
    known = counts[TAGS]
    for turn in range(known):
        i = (before + 1 + turn) % known
        if stops[i] - starts[i] == last - first:
            same = True
            for j in range(last - first):
                if data[starts[i] + j] != data[first + j]:
                    same = False
                    break
            if same:
                return i
    starts[known], stops[known] = first, last
    counts[TAGS] += 1
    return known
