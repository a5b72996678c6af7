"""The mergeable state of a pass: an algebra of updates and merges that no order can change."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.compiled import run_loop
from offby.engine.evaluate import Floats, at_once, compute, in_slices, loop_arguments
from offby.engine.lane import Batch, Columns, Lane, UnfitRows
from offby.engine.moments import Comoments, rebased
from offby.engine.order import KeyCounts
from offby.engine.plan import Plan
from offby.engine.sums import WORST, Sums, merge_sums
from offby.engine.waiting import Waiting

_PILOT_ROWS = 1024
Places = NDArray[np.int64]
_NONE = np.zeros(0, np.int64)


class State:
    """The totals of a plan: `update` with columns, `merge` with another state of the same plan."""

    def __init__(self, plan: Plan, settled: Sums | None = None) -> None:
        self.plan = plan
        self.span = 0  # rows seen, with those left out: what rows are numbered by
        self.shift = np.zeros(len(plan.linear))  # the pilot: a linear basis term is
        self.scale = np.zeros(len(plan.linear))  # (term - shift) * scale
        self._settled = settled or Sums.zero(plan)
        self._comoments: Comoments | None = None
        self._lanes: list[Lane] = []
        self._waiting = Waiting(plan)

    @property
    def sums(self) -> Sums:
        """All that was added so far."""
        self._count_waiting()
        if not self._lanes:
            return self._settled
        busy = [lane for lane in self._lanes if lane.sums.rows]
        for lane in busy[1:]:
            lane.tables.hand_over(busy[0].tables)
        filled = at_once([lane.taken for lane in busy])
        if filled:
            self._settle(reduce(merge_sums, filled, self._settled))
        return self._settled

    def _settle(self, sums: Sums) -> None:
        self._settled, self._comoments = sums, None

    def comoments(self) -> Comoments:
        """The products that standard errors are made of, and the means of the basis terms."""
        sums = self.sums
        if self._comoments is None:
            self._comoments = Comoments.of(self.plan, sums, (self.shift, self.scale))
        return self._comoments

    def worst_places(self) -> list[int]:
        """The rows with the largest |r|, the largest first, and -1 where there are fewer."""
        found = [lane.sums for lane in self._lanes] + [self._settled]
        sizes = np.concatenate([self._waiting.sizes, *(sums.sizes[0] for sums in found)])
        places = np.concatenate([self._waiting.places, *(sums.places[0] for sums in found)])
        order = np.lexsort((places, -sizes))[:WORST]
        return [int(place) for place in places[order]]

    @property
    def _looked_ahead(self) -> bool:
        return bool(self._lanes) and all(lane.tables.looked_ahead for lane in self._lanes)

    @property
    def empty(self) -> bool:
        """Whether no row was added yet."""
        return self._settled.rows == 0 and all(lane.sums.rows == 0 for lane in self._lanes)

    def update(
        self,
        columns: Columns,
        rows: int,
        ids: Places = _NONE,
        span: int | None = None,
        *,
        careful: bool = True,
    ) -> None:
        """Add rows; raises `UnfitRows` if one is not finite.

        `ids` numbers the rows within `span`, where some were left out. If `careful`, nothing is
        added then; if not, the state is spoilt, which saves looking at the rows beforehand.
        """
        if rows:
            self._take(columns, rows, ids + self.span if ids.size else ids, careful)
        self.span += rows if span is None else span

    def _take(self, columns: Columns, rows: int, numbers: Places, careful: bool) -> None:
        """Count the rows, or have them wait: those of a first update are most often all."""
        first, foreseen = self.empty, self._looked_ahead or not self.plan.counters
        if first:
            self._take_pilot(columns, rows)
        elif careful or not foreseen:
            self._check(columns, rows)
        if first or foreseen or not self._waiting.have_room(rows):
            self._count_waiting()
            self._count(Batch(columns, self.plan, self.span, numbers), rows)
        else:
            places = numbers if numbers.size else np.arange(self.span, self.span + rows)
            self._waiting.add(columns, rows, places)

    def _count_waiting(self) -> None:
        waiting = self._waiting
        if waiting.rows:
            self._waiting = Waiting(self.plan)
            self._count(waiting.batch(), waiting.rows)

    def _count(self, batch: Batch, rows: int) -> None:
        if not self._looked_ahead:
            batch.look_ahead(self.plan, rows)
        try:
            in_slices(rows, partial(self._add, batch, list(self._lanes)))
        except UnfitRows:  # only where nothing had been counted before
            self._lanes = []
            raise

    def _add(self, batch: Batch, free: list[Lane], start: int, stop: int) -> None:
        """Add a slice in a lane that no other thread is using."""
        try:
            lane = free.pop()
        except IndexError:
            lane = Lane(self.plan, self.plan.pilot_registers(self.shift, self.scale))
            self._lanes.append(lane)
        try:
            lane.add(batch, start, stop)
        finally:
            free.append(lane)

    def _check(self, columns: Columns, rows: int) -> None:
        batch = Batch(columns, self.plan, 0, _NONE)
        program = self.plan.checks.reading(batch.singles)

        def check(start: int, stop: int) -> None:
            arguments = loop_arguments(program, batch.inputs, _NONE, start, stop)
            if run_loop(*arguments) < stop:
                raise UnfitRows

        in_slices(rows, check)

    def _take_pilot(self, columns: Columns, rows: int) -> None:
        step = max(1, rows // _PILOT_ROWS)
        sample = {name: np.ascontiguousarray(x[::step]) for name, x in columns.items()}
        for place, values in enumerate(compute(self.plan.linear, sample)):
            self.shift[place], self.scale[place] = _pilot(values[np.isfinite(values)])

    @classmethod
    def of(
        cls, plan: Plan, sums: Sums, shift: Floats, scale: Floats, known: Comoments | None = None
    ) -> State:
        """The state that these sums, taken about this pilot, make."""
        state = cls(plan, sums)
        state.span, state.shift, state.scale = sums.rows, shift, scale
        state._comoments = known
        return state

    def to_tree(self) -> dict[str, Any]:
        """Numbers and arrays, for `storage.pack`."""
        return (
            {"span": self.span, "shift": self.shift, "scale": self.scale}
            | {name: part for name, part in vars(self.sums).items() if name != "known"}
            | {"counted": [vars(counts) for counts in self.sums.counted]}
        )

    @classmethod
    def from_tree(cls, plan: Plan, tree: dict[str, Any]) -> State:
        """The state that `to_tree` wrote down."""
        state = cls(plan)
        state.span, state.shift, state.scale = (tree.pop(k) for k in ("span", "shift", "scale"))
        counted = [KeyCounts(**counts) for counts in tree.pop("counted")]
        state._settle(Sums(**tree, counted=counted))
        return state

    def merge(self, other: State) -> None:
        """Add another state's rows after one's own."""
        if self.empty:
            self.shift, self.scale = other.shift.copy(), other.scale.copy()
        theirs, ours = (other.shift, other.scale), (self.shift, self.scale)
        if not other.empty:
            moved = rebased(self.plan, other.sums.moved(self.span), theirs, ours)
            self._settle(merge_sums(self.sums, moved))
        self.span += other.span


def _pilot(values: Floats) -> tuple[float, float]:
    """A centre, and a power of two that brings the spread near 1."""
    if not values.size:
        return 0.0, 1.0
    centre = float(np.mean(values / values.size) * values.size)
    spread = float(np.max(np.abs(values / 2 - centre / 2))) or abs(centre) or 1.0
    exponent = int(np.clip(-1 - np.frexp(spread)[1], -1000, 1000))
    return centre, float(np.ldexp(1.0, exponent))
