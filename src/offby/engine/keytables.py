"""The tables in which the loop counts keys: a hash table each, and a plain window where it pays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offby.engine.order import KeyCounts
from offby.engine.plan import Plan

_FOLDS = 1 << 8  # windows begin where keys with so many fewer different values begin
_MOST_ROWS = 1 << 30  # what a 32-bit count surely holds


def window(budget: int) -> int:
    """Keys that are counted by their place, on each side of 0: for 2^15, 64 powers of two."""
    return 4 * budget


def window_of(
    level: int, keys: NDArray[np.int64], rows: NDArray[np.int64], budget: int
) -> int | None:
    """Where a window up to the largest key begins, if that serves most rows.

    Of a key and its complement (a float's and its negative's) the one that is not negative counts.
    """
    sizes = keys ^ (keys >> 63)
    base = max(int(sizes.max()) + _FOLDS - window(budget), _FOLDS) & -_FOLDS
    return base if 2 * rows[sizes >= base].sum() >= rows.sum() else None


class KeyTables:
    """Tables for each counter of a plan; `rows` counts what came since they were last emptied.

    Those of all counters stand behind one another: table k begins at `starts[k]`, and window k at
    `windows[k]`.
    """

    def __init__(self, plan: Plan, rows: int) -> None:
        counters, self.columns = len(plan.counters), plan.program.columns.shape[1]
        self.budgets = [counter.budget for counter in plan.counters]
        self.room = np.array([min(b, max(256, rows)) for b in self.budgets], np.int64)
        self.rows = 0
        self.looked_ahead = False
        slots = [max(1024, 1 << (4 * room - 1).bit_length()) for room in self.room.tolist()]
        self.starts = np.cumsum([0, *slots])
        self.slots = np.zeros(2 * self.starts[-1], np.int64)  # key, count, key, count ...
        self.pairs = np.zeros((self.starts[-1], 2 * self.columns))
        self.windows = np.zeros(counters + 1, np.int64)
        self.direct = np.zeros(0, np.int32)
        self.bases = np.zeros(counters, np.int64)  # the first key of a window; 0 without one
        self.levels = np.zeros(counters, np.int64)
        self.used = np.zeros(counters, np.int64)

    def have_room(self, rows: int) -> bool:
        """Whether so many more rows can be counted in the tables as they are."""
        if self.looked_ahead:
            return self.rows + rows < _MOST_ROWS
        fits = rows + self.used <= self.room
        return bool(np.all(fits | (self.room == self.budgets)))  # larger they do not get

    @property
    def full_size(self) -> bool:
        """Whether the tables are as large as they get."""
        return bool(self.room.tolist() == self.budgets)

    def expect(self, levels: Sequence[int], bases: Sequence[int | None]) -> None:
        """Be as coarse as this, with windows from these keys on."""
        self.looked_ahead = True
        for k, (level, base) in enumerate(zip(levels, bases, strict=True)):
            if level >= self.levels[k]:
                self.levels[k] = level
                self._place_window(k, base)

    def _place_window(self, k: int, base: int | None) -> None:
        self.bases[k] = 0
        if base is None or self.columns:
            return
        if not self.direct.size:
            self.windows = np.cumsum([0, *(2 * window(budget) for budget in self.budgets)])
            self.direct = np.zeros(self.windows[-1], np.int32)
        self.bases[k] = base

    def hand_over(self, other: KeyTables) -> None:
        """Add the windows to another's where both cover the same keys: cheaper than merging."""
        if not self.direct.size or self.direct.shape != other.direct.shape:
            return
        same = np.array_equal(self.bases, other.bases) and np.array_equal(self.levels, other.levels)
        if same and self.rows + other.rows < _MOST_ROWS:
            other.direct += self.direct
            other.rows += self.rows
            self.direct[:] = 0

    def any_full(self) -> bool:
        """Whether a hash table holds more keys than it has room for."""
        return bool(np.any(self.used > self.room))

    def empty_full_into(self, counted: list[KeyCounts]) -> None:
        """Move out what the full tables hold; they go on as coarse as that turned out."""
        for k in np.flatnonzero(self.used > self.room).tolist():
            counted[k] = self._emptied(k, counted[k])

    def empty_all_into(self, counted: list[KeyCounts]) -> None:
        """Move out what all tables hold."""
        for k in range(len(counted)):
            counted[k] = self._emptied(k, counted[k])
        self.rows = 0

    def _emptied(self, k: int, before: KeyCounts) -> KeyCounts:
        merged = before
        if self.used[k]:  # a table that nothing was put in was never even given memory
            merged = merged.merge(self._hashed(k))
        if self.bases[k]:
            merged = merged.merge(self._windowed(k))
        if merged.keys.size:
            self.levels[k] = merged.level
            base = window_of(merged.level, merged.keys, merged.counts, self.budgets[k])
            self._place_window(k, base)
        return merged

    def _hashed(self, k: int) -> KeyCounts:
        """What the hash table held; it is empty then."""
        start, stop = self.starts[k], self.starts[k + 1]
        slots, pairs = self.slots[2 * start : 2 * stop].reshape(-1, 2), self.pairs[start:stop]
        filled = np.flatnonzero(slots[:, 1])
        filled = filled[np.argsort(slots[filled, 0])]
        keys, counts = slots[filled].T.copy()
        found = KeyCounts(int(self.levels[k]), keys, counts, pairs[filled], self.budgets[k])
        slots[filled], pairs[filled], self.used[k] = 0, 0.0, 0
        return found

    def _windowed(self, k: int) -> KeyCounts:
        """What the window held, as coarse as its budget asks; it is empty then."""
        counted = self.direct[self.windows[k] : self.windows[k + 1]]
        if not counted.any():  # it was handed over
            return KeyCounts.empty(0, self.budgets[k])
        drop, (above, below) = _folded(np.split(counted, 2), self.budgets[k])
        base = self.bases[k] >> drop
        places = [np.flatnonzero(half) for half in (above, below)]
        counts = np.concatenate([below[places[1]][::-1], above[places[0]]]).astype(np.int64)
        keys = np.concatenate([~(places[1] + base)[::-1], places[0] + base])
        counted[:] = 0
        none = np.zeros((keys.size, 0))
        return KeyCounts(int(self.levels[k]) + drop, keys, counts, none, self.budgets[k])


def _folded(sides: list[NDArray[np.int32]], budget: int) -> tuple[int, list[NDArray[np.int32]]]:
    """The fewest low bits of the keys to drop until they fit a budget, and the rows a key then.

    Adding up neighbours costs far less than taking out keys of which few remain.
    """
    drop = 0
    while 1 << drop < _FOLDS and sum(map(np.count_nonzero, sides)) > budget:
        sides = [side[::2] + side[1::2] for side in sides]
        drop += 1
    return drop, sides
