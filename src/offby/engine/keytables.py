"""The tables in which the loop counts keys: a hash table, and a plain window for coarse keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offby.engine.order import BUDGET, KeyCounts
from offby.engine.plan import Plan

WINDOW = 1 << 17
"""Keys that are counted by their place: 64 powers of two at 11 bits each."""
_HEADROOM = 2  # powers of two above the largest value that was looked at
_MOST_ROWS = 1 << 30  # what a 32-bit count surely holds


def window_of(level: int, keys: NDArray[np.int64], rows: NDArray[np.int64]) -> int | None:
    """Where a window up to a little above the largest sorted key begins, if that serves most."""
    base = int(keys[-1]) + (_HEADROOM << max(52 - level, 0)) - WINDOW
    return base if 2 * rows[np.searchsorted(keys, base) :].sum() >= rows.sum() else None


class KeyTables:
    """Tables for each counter of a plan; `rows` counts what came since they were last emptied."""

    def __init__(self, plan: Plan, rows: int) -> None:
        counters, self.columns = len(plan.counters), plan.program.columns.shape[1]
        self.budget = min(BUDGET, max(256, rows))
        self.rows = 0
        self.looked_ahead = False
        slots = max(1024, 1 << (4 * self.budget - 1).bit_length())
        self.slots = np.zeros((counters, 2 * slots), np.int64)  # key, count, key, count ...
        self.pairs = np.zeros((counters, slots, 2 * self.columns))
        self.direct = np.zeros((counters, 0), np.int32)
        self.bases = np.zeros(counters, np.int64)
        self.levels = np.zeros(counters, np.int64)
        self.used = np.zeros(counters, np.int64)

    def have_room(self, rows: int) -> bool:
        """Whether so many more rows can be counted in the tables as they are."""
        if self.looked_ahead:
            return self.rows + rows < _MOST_ROWS
        return rows + int(self.used.max()) <= self.budget

    def expect(self, levels: Sequence[int], bases: Sequence[int | None]) -> None:
        """Be as coarse as this, with windows from these keys on."""
        self.looked_ahead = True
        for k, (level, base) in enumerate(zip(levels, bases, strict=True)):
            if level >= self.levels[k]:
                self.levels[k] = level
                self._place_window(k, base)

    def _place_window(self, k: int, base: int | None) -> None:
        if base is None or self.columns:
            return
        if not self.direct.shape[1]:
            self.direct = np.zeros((len(self.levels), WINDOW), np.int32)
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
        """Whether a hash table holds more keys than the budget allows."""
        return bool(np.any(self.used > self.budget))

    def empty_full_into(self, counted: list[KeyCounts]) -> None:
        """Move out what the full tables hold; they go on as coarse as that turned out."""
        for k in np.flatnonzero(self.used > self.budget).tolist():
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
            self.slots[k], self.used[k], self.pairs[k] = 0, 0, 0.0
        if self.direct.shape[1]:
            merged = merged.merge(self._windowed(k))
            self.direct[k] = 0
        if merged.keys.size:
            self.levels[k] = merged.level
            self._place_window(k, window_of(merged.level, merged.keys, merged.counts))
        return merged

    def _hashed(self, k: int) -> KeyCounts:
        keys, counts = self.slots[k, ::2], self.slots[k, 1::2]
        filled = np.flatnonzero(counts)
        filled = filled[np.argsort(keys[filled])]
        return KeyCounts(int(self.levels[k]), keys[filled], counts[filled], self.pairs[k, filled])

    def _windowed(self, k: int) -> KeyCounts:
        places = np.flatnonzero(self.direct[k])
        counts = self.direct[k, places].astype(np.int64)
        none = np.zeros((places.size, 0))
        return KeyCounts(int(self.levels[k]), places + self.bases[k], counts, none)
