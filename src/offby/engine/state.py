"""The mergeable state of a pass: an algebra of updates and merges that no order can change."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from offby.engine.compiled import run_loop
from offby.engine.evaluate import Floats, compute, in_slices, loop_arguments
from offby.engine.moments import rebased
from offby.engine.order import BUDGET, KeyCounts, finest_drop, ordered_bits
from offby.engine.plan import Plan
from offby.engine.sums import Sums, merge_sums
from offby.formula.expression import Expression

_PILOT_ROWS = 1024


class UnfitRows(Exception):
    """Some row has a value that no measure can use; the pass was not counted."""


@dataclass
class State:
    """The totals of a plan: `update` with columns, `merge` with another state of the same plan."""

    plan: Plan
    sums: Sums = field(init=False)
    shift: Floats = field(init=False)  # the pilot: (term - shift) * scale, a linear basis term
    scale: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.sums = Sums.zero(self.plan)
        self.shift = np.zeros(len(self.plan.linear))
        self.scale = np.zeros(len(self.plan.linear))

    def update(self, columns: dict[Expression, Floats], rows: int) -> None:
        """Add rows; raises `UnfitRows`, with nothing added, if one is not finite."""
        if rows == 0:
            return
        if self.sums.rows == 0:
            self._take_pilot(columns, rows)
        added = in_slices(rows, _Slice(self, columns, rows).sums)
        together = reduce(merge_sums, added)
        self.sums = merge_sums(self.sums, together) if self.sums.rows else together

    def _take_pilot(self, columns: dict[Expression, Floats], rows: int) -> None:
        step = max(1, rows // _PILOT_ROWS)
        sample = {name: np.ascontiguousarray(x[::step]) for name, x in columns.items()}
        for place, values in enumerate(compute(self.plan.linear, sample)):
            self.shift[place], self.scale[place] = _pilot(values[np.isfinite(values)])

    def merge(self, other: State) -> None:
        """Add another state's rows after one's own."""
        if self.sums.rows == 0:
            self.shift, self.scale = other.shift.copy(), other.scale.copy()
            self.sums = other.sums
        elif other.sums.rows:
            theirs, ours = (other.shift, other.scale), (self.shift, self.scale)
            moved = rebased(self.plan, other.sums, theirs, ours)
            self.sums = merge_sums(self.sums, moved)


def _pilot(values: Floats) -> tuple[float, float]:
    """A centre, and a power of two that brings the spread near 1."""
    if not values.size:
        return 0.0, 1.0
    centre = float(np.mean(values / values.size) * values.size)
    spread = float(np.max(np.abs(values - centre))) or abs(centre) or 1.0
    exponent = int(np.clip(-np.frexp(spread)[1], -1000, 1000))
    return centre, float(np.ldexp(1.0, exponent))


class _Slice:
    """Runs the plan's program over slices of an update."""

    def __init__(self, state: State, columns: dict[Expression, Floats], rows: int) -> None:
        self.state, self.columns = state, columns
        self.inputs = np.array(
            [[columns[name].ctypes.data, 1] for name in state.plan.inputs], np.int64
        )
        scaled = -state.shift * state.scale
        self.registers = {
            register: float(value)
            for places, values in zip(state.plan.shifts, zip(state.scale, scaled, strict=True),
                                      strict=True)
            for register, value in zip(places, values, strict=True)
        }  # fmt: skip

    def sums(self, start: int, stop: int) -> Sums:
        """The sums over rows start to stop."""
        plan = self.state.plan
        filled = Sums.zero(plan)
        tables = Tables(len(plan.counters), plan.program.columns.shape[1], stop - start)
        tables.levels[:] = self._first_levels(start, stop)
        registers = plan.program.fresh_registers(self.registers)
        anchors = np.full(plan.exact_sums, 67, np.int64)
        at = start
        while at < stop:
            arguments = loop_arguments(
                plan.program, self.inputs, np.zeros(0, np.int64), at, stop,
                tables.budget, registers, limbs=filled.limbs, special=filled.special,
                anchors=anchors, sums=filled.moments, sizes=filled.sizes, rows=filled.places,
                tables=tables.keys, counts=tables.counts, pairs=tables.pairs,
                levels=tables.levels, used=tables.used,
            )  # fmt: skip
            reached = run_loop(*arguments)
            if reached < stop and not tables.full():
                raise UnfitRows
            at = reached
            tables.empty_into(filled.counted, all_of_them=at >= stop)
        filled.rows = stop - start
        filled.special[:, 3] -= np.where(filled.special[:, 3] >= 0, start, 0)
        filled.places -= np.where(filled.places >= 0, start, 0)
        return filled

    def _first_levels(self, start: int, stop: int) -> list[int]:
        """How coarse the keys will be at least: as coarse as those of some of the rows."""
        counters = self.state.plan.counters
        levels = [counted.level for counted in self.state.sums.counted]
        if stop - start <= 2 * BUDGET or not counters:
            return levels
        step = max(1, (stop - start) // (4 * BUDGET))
        sample = {n: np.ascontiguousarray(x[start:stop:step]) for n, x in self.columns.items()}
        keys = [np.sort(ordered_bits(k)) for k in compute([c.key for c in counters], sample)]
        return [max(a, finest_drop(k)) for a, k in zip(levels, keys, strict=True)]


class Tables:
    """The hash tables in which the loop counts keys."""

    def __init__(self, counters: int, columns: int, rows: int) -> None:
        self.budget = min(BUDGET, max(256, rows))
        slots = 1 << (2 * self.budget + 512).bit_length() - 1
        self.keys = np.zeros((counters, slots), np.int64)
        self.counts = np.zeros((counters, slots), np.int64)
        self.pairs = np.zeros((counters, slots, 2 * columns))
        self.levels = np.zeros(counters, np.int64)
        self.used = np.zeros(counters, np.int64)

    def full(self) -> bool:
        return bool(np.any(self.used > self.budget))

    def empty_into(self, counted: list[KeyCounts], *, all_of_them: bool) -> None:
        """Move what was counted out of the tables that are full (or out of all)."""
        for k in range(len(counted)):
            if all_of_them or self.used[k] > self.budget:
                slots = np.flatnonzero(self.counts[k])
                keys = self.keys[k, slots]
                order = np.argsort(keys)
                found = KeyCounts(
                    int(self.levels[k]), keys[order],
                    self.counts[k, slots][order], self.pairs[k, slots][order],
                )  # fmt: skip
                counted[k] = counted[k].merge(found)
                self.levels[k] = counted[k].level
                self.counts[k], self.used[k] = 0, 0
                self.pairs[k] = 0.0


def worst_rows(state: State) -> list[tuple[int, float]]:
    """The rows with the largest |r|, and that |r|, the largest first."""
    found: list[Any] = [state.sums.places[0].tolist(), state.sums.sizes[0].tolist()]
    return [(row, size) for row, size in zip(*found, strict=True) if row >= 0]
