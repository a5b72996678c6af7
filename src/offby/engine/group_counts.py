"""Order statistics of many groups: keys a group, sorted, as coarse as a budget asks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from offby.engine.compiled import run_other
from offby.engine.evaluate import Floats, compute
from offby.engine.lane import Columns
from offby.engine.order import KeyCounts, ordered_bits
from offby.engine.plan import Counter, Plan
from offby.formula.aggregates import MOST_CLASSES
from offby.formula.words import y

KEYS = 1 << 20
"""Different keys that all groups together keep, a counter."""
_CELLS = 1 << 24  # of confusion matrices, which are of no use if they are not whole
_WINDOW = 4096  # keys that are counted by their place: four times what a thousand groups may keep
Ids = NDArray[np.int64]


class GroupCounts(Protocol):
    """What a counter of the plan counted, a group."""

    def add(self, columns: Columns, bounds: Ids, groups: int) -> None:
        """Count rows that are sorted by group; there are so many groups by now."""

    def counts(self, group: int, groups: int) -> KeyCounts:
        """What was counted of one group, in as many keys as a whole table may have when merged."""

    def finish(self) -> None:
        """Let go of memory that only adding needs."""


def counting(counter: Counter, plan: Plan) -> GroupCounts:
    """The counts of a counter, of no rows yet."""
    if counter.columns or plan.program.columns.shape[1]:
        return _Weighed(counter, plan.program.columns.shape[1])
    return _Plain(counter)


def _budget(counter: Counter, groups: int) -> int:
    """How many different keys each of so many groups may keep."""
    key = counter.key
    cells = key.op == "add" and key.args[0] is y * MOST_CLASSES  # see `Confused`
    return max(min(counter.budget, (_CELLS if cells else KEYS) // max(groups, 1)), 16)


class _Plain:
    """Keys and how many rows have each: one array for all groups.

    A merge writes into the spare pair of arrays: memory that was used before costs no page faults.
    """

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.used = 0
        self.held = self.spare = np.zeros((2, 0), np.int64)  # keys, and rows of each
        self.bounds, self.levels = np.zeros(1, np.int64), np.zeros(0, np.int64)

    def add(self, columns: Columns, bounds: Ids, groups: int) -> None:
        """Sort the keys of each group and merge them in."""
        (values,) = compute([self.counter.key], columns)
        fresh, starts = ordered_bits(values), bounds[: groups + 1]
        if self.levels.any():
            fresh, starts = self._by_place(fresh, starts, groups)
        for start, stop in pairwise(starts.tolist()):
            fresh[start:stop].sort()
        self._make_room(self.used + fresh.size, groups)
        self._pass("merge_keys", groups, fresh, starts, _budget(self.counter, groups),
                   np.zeros(65, np.int64))  # fmt: skip

    def _by_place(self, fresh: Ids, starts: Ids, groups: int) -> tuple[Ids, Ids]:
        """Count what lies in the groups' windows; the keys that are left, and where they start."""
        left, left_starts = np.empty_like(fresh), np.zeros(groups + 1, np.int64)
        self._make_room(self.used + fresh.size, groups)
        self._pass("count_keys_by_place", groups, fresh, starts, np.zeros(_WINDOW, np.int64),
                   after=(left, left_starts))  # fmt: skip
        return left[: left_starts[-1]], left_starts

    def _pass(self, name: str, groups: int, *what: Any, after: tuple[Ids, ...] = ()) -> None:
        """Run over what is held, into the spare arrays, which are then the ones that are held."""
        into, to = self.spare, np.zeros(groups + 1, np.int64)
        self.used = run_other(name, *self.held, self.bounds, self.levels, *what, *into, to, *after)
        self.held, self.spare, self.bounds = into, self.held, to

    def _make_room(self, keys: int, groups: int) -> None:
        more = groups - self.levels.size
        self.levels = np.append(self.levels, np.zeros(more, np.int64))
        self.bounds = np.append(self.bounds, np.full(more, self.used))
        if self.spare.shape[1] <= keys:  # a pass may write one place further than it keeps
            self.spare = np.empty((2, keys + keys // 4 + 1), np.int64)

    def counts(self, group: int, groups: int) -> KeyCounts:
        """What was counted of one group."""
        budget = self.counter.budget
        if group >= self.levels.size:
            return KeyCounts.empty(0, budget)
        keys, rows = self.held[:, slice(*self.bounds[group : group + 2])].copy()
        return KeyCounts(int(self.levels[group]), keys, rows, np.zeros((keys.size, 0)), budget)

    def finish(self) -> None:
        """Keep no more than is used."""
        self.held = self.held[:, : self.used].copy()
        self.spare = np.zeros((2, 0), np.int64)


class _Weighed:
    """Keys with sums beside their counts; slower, as each group is merged by itself."""

    def __init__(self, counter: Counter, width: int) -> None:
        self.counter, self.width = counter, width
        self.found: dict[int, KeyCounts] = {}

    def add(self, columns: Columns, bounds: Ids, groups: int) -> None:
        """Count the rows of each group."""
        key, *beside = compute([self.counter.key, *self.counter.columns], columns)
        beside += [np.ones_like(key)] * (self.width - len(beside))
        fresh, budget = ordered_bits(key), _budget(self.counter, groups)
        for group, (start, stop) in enumerate(pairwise(bounds[: groups + 1].tolist())):
            if start < stop:
                sums = [column[start:stop] for column in beside]
                here = KeyCounts.of(fresh[start:stop], _pairs(sums), budget)
                before = self.found.get(group)
                self.found[group] = here if before is None else before.within(budget).merge(here)

    def counts(self, group: int, groups: int) -> KeyCounts:
        """What was counted of one group."""
        found = self.found.get(group, KeyCounts.empty(self.width))
        fit = found.within(_budget(self.counter, groups))
        return replace(fit, budget=self.counter.budget)

    def finish(self) -> None:
        """Nothing is held that is not needed."""


def _pairs(columns: list[Floats]) -> Floats:
    """Each column with a correction of 0 beside it."""
    return np.stack([part for column in columns for part in (column, np.zeros_like(column))], 1)
