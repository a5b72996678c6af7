"""One thread's accumulators, which live on from update to update."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from offby.engine.compiled import run_loop
from offby.engine.evaluate import (
    Floats,
    addresses_of,
    compute,
    loop_arguments,
    singles_of,
)
from offby.engine.keytables import KeyTables, window_of
from offby.engine.order import BUDGET, finest_drop, ordered_bits
from offby.engine.plan import Plan
from offby.engine.sums import Sums
from offby.formula.expression import Expression

Columns = Mapping[Expression, Floats]
_NO_OUTPUTS = np.zeros(0, np.int64)
_FIRST_ANCHOR = 67  # about 1.0
_LOOKED_AT = 2 * BUDGET  # rows
_ROWS_A_CELL = 16
_BY_CHANCE = 20  # values that come twice, where far more differ than are looked at
_SPARE = 1.5  # times as many keys as the budget are surely too many, with what a guess errs by
_RUN = 1024  # neighbouring rows are cheaper to look at than scattered ones


class UnfitRows(Exception):  # noqa: N818  # a signal between two rooms, never seen by a user
    """Some row has a value that no measure can use."""


class Batch:
    """Columns in memory, how their rows are numbered, and what is known of their keys."""

    def __init__(self, columns: Columns, plan: Plan, offset: int, ids: NDArray[np.int64]) -> None:
        self.columns, self.offset, self.ids = columns, offset, ids
        given = [columns[name] for name in plan.inputs]
        self.inputs, self.singles = addresses_of(given), singles_of(given)
        self.program = plan.program.reading(self.singles)
        self.levels: list[int] = []  # of each counter's keys, and where their windows begin
        self.windows: list[int | None] = []

    def look_ahead(self, plan: Plan, rows: int) -> None:
        """Learn from some of the rows how coarse the keys must be, and where most of them lie."""
        if not plan.counters or rows <= max(counter.budget for counter in plan.counters):
            return
        step = max(_RUN, rows * _RUN // _LOOKED_AT)
        starts = range(0, rows - _RUN, step)
        some = {
            name: np.concatenate([x[at : at + _RUN] for at in starts])
            for name, x in self.columns.items()
        }
        found = compute([counter.key for counter in plan.counters], some)
        keys = [np.sort(ordered_bits(values)) for values in found]
        pairs = list(zip(keys, (counter.budget for counter in plan.counters), strict=True))
        self.levels = [_expected_drop(some, budget, rows) for some, budget in pairs]
        self.windows = [
            window_of(level, some >> level, np.ones_like(some), budget)
            for level, (some, budget) in zip(self.levels, pairs, strict=True)
        ]


def _expected_drop(some: NDArray[np.int64], budget: int, rows: int) -> int:
    """About the fewest bits that many more rows like these will have to drop, rather one less.

    Where the budget exceeds what was looked at, cells that hold several rows each are taken to be
    filled evenly, unless more of the values come twice than would then.
    """
    proven = finest_drop(some, budget)  # of a part of the rows: never more than of all
    if budget <= some.size or rows < 2 * budget:
        return proven
    drop = finest_drop(some, some.size // _ROWS_A_CELL)
    _, held = np.unique(some >> drop, return_counts=True)
    finest = min(drop, _common_zeros(some))
    twice = np.count_nonzero(some[1:] == some[:-1])
    if twice > _BY_CHANCE + 4 * np.sum(held**2) / 2 ** (drop - finest + 1):
        return proven

    def enough(finer: int) -> bool:
        parts = 2.0**finer
        expected = held * (rows / some.size / parts)
        return bool(-parts * np.expm1(-expected).sum() > _SPARE * budget)

    finer = bisect_left(range(drop - finest + 1), True, key=enough)
    return drop - finer if finer <= drop - finest else proven


def _common_zeros(keys: NDArray[np.int64]) -> int:
    """How many low bits no key uses: 29 of those of single precision."""
    used = int(np.bitwise_or.reduce(keys ^ (keys >> 63)))
    return (used & -used).bit_length() - 1 if used else 0


class Lane:
    """Runs the plan's program over slices of rows and keeps the sums."""

    def __init__(self, plan: Plan, pilot: dict[int, float]) -> None:
        self.plan = plan
        self.sums = Sums.zero(plan)
        self.registers = plan.program.fresh_registers(pilot)
        self.anchors = np.full(plan.exact_sums, _FIRST_ANCHOR, np.int64)
        self.tables = KeyTables(plan, 0)

    def add(self, batch: Batch, start: int, stop: int) -> None:
        """Add rows start to stop; raises `UnfitRows` half way, so look at them first."""
        self._make_room(batch, stop - start)
        sums, tables, at = self.sums, self.tables, start
        while at < stop:
            arguments = loop_arguments(
                batch.program, batch.inputs, _NO_OUTPUTS, at, stop,
                self.registers, offset=batch.offset, ids=batch.ids, limbs=sums.limbs,
                special=sums.special, anchors=self.anchors, sums=sums.moments, sizes=sums.sizes,
                rows=sums.places, tables=tables.slots, starts=tables.starts, pairs=tables.pairs,
                direct=tables.direct, windows=tables.windows, bases=tables.bases,
                levels=tables.levels, used=tables.used, room=tables.room,
            )  # fmt: skip
            at = run_loop(*arguments)
            if at < stop and not tables.any_full():
                raise UnfitRows
            tables.empty_full_into(sums.counted)
        sums.rows += stop - start
        tables.rows += stop - start

    def taken(self) -> Sums:
        """What was summed; the lane starts anew."""
        self.tables.empty_all_into(self.sums.counted)
        taken, self.sums = self.sums, Sums.zero(self.plan)
        return taken

    def _make_room(self, batch: Batch, rows: int) -> None:
        """Tables as large as these rows need, and as coarse as the batch already asks for."""
        if not self.plan.counters or self.tables.have_room(rows):
            return
        self.tables.empty_all_into(self.sums.counted)
        if not self.tables.full_size:
            levels = self.tables.levels
            self.tables = KeyTables(self.plan, max(rows, 2 * int(self.tables.room.max())))
            self.tables.levels[:] = levels
        if batch.levels:
            self.tables.expect(batch.levels, batch.windows)
