"""Rows by their group, for the compiled loop: sorted by code, and keys counted group by group."""

from __future__ import annotations

from typing import Any

from offby.engine.memory import load_float, store_float
from offby.formula.bits import bit_length, kernel


@kernel
def sort_by_group(codes: Any, inputs: Any, outputs: Any, cursors: Any) -> int:
    """Copy columns so that the rows of a group lie side by side, in their order.

    The next row of group g goes to place `cursors[g]`, which moves on.
    """
    for i in range(codes.size):
        at = cursors[codes[i]]
        cursors[codes[i]] = at + 1
        for k in range(inputs.size):
            store_float(outputs[k], at, load_float(inputs[k], i))
    return 0


@kernel
def count_in_windows(
    keys: Any, counts: Any, bounds: Any, levels: Any, fresh: Any, starts: Any, window: Any,
    to_keys: Any, to_counts: Any, to_bounds: Any, left: Any, left_starts: Any,
) -> int:  # fmt: skip
    """Count fresh keys by their place, up to a little above the largest known, where that pays.

    It pays for groups that dropped bits before: most of their keys were seen. What is below the
    window, and the keys of other groups, is copied to `left`; returns how many keys are known.
    """
    room = behind = 0
    for g in range(levels.size):
        start, stop, level = bounds[g], bounds[g + 1], levels[g]
        pays = level > 0 and 8 * (starts[g + 1] - starts[g]) >= window.size
        base = keys[stop - 1] + window.size // 16 - window.size + 1 if pays else 0
        for i in range(start, stop):
            if not pays or keys[i] < base:
                to_keys[room], to_counts[room] = keys[i], counts[i]
                room += 1
            else:
                window[keys[i] - base] += counts[i]
        for i in range(starts[g], starts[g + 1]):
            place = (fresh[i] >> level) - base
            if pays and 0 <= place < window.size:
                window[place] += 1
            else:
                left[behind] = fresh[i]
                behind += 1
        if pays:
            for place in range(window.size):  # no branch: written, and kept if there are rows
                to_keys[room], to_counts[room] = base + place, window[place]
                room += window[place] != 0
                window[place] = 0
        to_bounds[g + 1], left_starts[g + 1] = room, behind
    return room


@kernel
def merge_runs(
    keys: Any, counts: Any, bounds: Any, levels: Any, fresh: Any, starts: Any, budget: int,
    steps: Any, to_keys: Any, to_counts: Any, to_bounds: Any,
) -> int:  # fmt: skip
    """Count the sorted `fresh` keys of each group beside those counted before.

    Where more than `budget` keys of a group differ, the fewest low bits are dropped that make them
    fit, and its level rises by so many. Returns how many keys there are in all.
    """
    room = 0
    for g in range(levels.size):
        first = room
        room = _merge(keys, counts, bounds[g], bounds[g + 1], fresh, starts[g], starts[g + 1],
                      levels[g], to_keys, to_counts, room)  # fmt: skip
        if room - first > budget:
            _look(to_keys, first, room, steps)
            drop = _finest_drop(steps, budget)
            room = _coarsen(to_keys, to_counts, first, room, drop)
            levels[g] += drop
        to_bounds[g + 1] = room
    return room


@kernel
def _merge(
    keys: Any, counts: Any, a: int, stop: int, fresh: Any, b: int, end: int, level: int,
    to_keys: Any, to_counts: Any, to: int,
) -> int:  # fmt: skip
    """Write two sorted runs as one from place `to` on, each key once; returns where it ends."""
    first = to
    while a < stop or b < end:
        if b == end or (a < stop and keys[a] <= fresh[b] >> level):
            key, count = keys[a], counts[a]
            a += 1
        else:
            key, count = fresh[b] >> level, 1
            b += 1
        if to > first and to_keys[to - 1] == key:
            to_counts[to - 1] += count
        else:
            to_keys[to], to_counts[to] = key, count
            to += 1
    return to


@kernel
def _look(keys: Any, first: int, stop: int, steps: Any) -> None:
    """Count in steps[b] the neighbours whose highest different bit is the b-th."""
    for k in range(65):
        steps[k] = 0
    for i in range(first + 1, stop):
        steps[bit_length(keys[i] ^ keys[i - 1])] += 1


@kernel
def _coarsen(keys: Any, counts: Any, first: int, stop: int, drop: int) -> int:
    """Drop low bits where the keys stand; returns where they end then."""
    to = first
    for i in range(first, stop):
        key, count = keys[i] >> drop, counts[i]
        if to > first and keys[to - 1] == key:
            counts[to - 1] += count
        else:
            keys[to], counts[to] = key, count
            to += 1
    return to


@kernel
def _finest_drop(steps: Any, budget: int) -> int:
    """The fewest bits to drop, where steps[b] neighbours differ in bit b and none above."""
    drop, left = 64, 1
    while drop > 0 and left + steps[drop] <= budget:
        left += steps[drop]
        drop -= 1
    return drop
