"""The totals of many groups of rows under one plan: what segments are measured from.

A state of its own for each group would cost a call from Python, registers and tables a group. Here
rows are sorted by group, and one compiled call runs the plan's program over all groups, which share
its registers. Order statistics are counted beside it, from sorted keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offby.engine.compiled import run_other
from offby.engine.evaluate import Floats, addresses_of
from offby.engine.group_counts import counting
from offby.engine.lane import Columns
from offby.engine.loop import OPERATIONS, TILE
from offby.engine.pilots import pilots_of
from offby.engine.plan import Plan
from offby.engine.program import aligned
from offby.engine.state import State
from offby.engine.sums import Sums, integers

_HELD = 1 << 21  # rows that are waited for, so that a group has a few tiles of them
_FIRST_ANCHOR = 67  # about 1.0
Codes = NDArray[np.int32]
Ids = NDArray[np.int64]
_Held = tuple[Columns, Codes, Ids | range]
_NONE = np.zeros(0, np.int64)
_NO_FLOATS = np.zeros((0, 0))


class Groups:
    """Totals a group: `add` columns with the code of each row's group, then ask for a `state`.

    >>> from offby.engine.planning import plan_for
    >>> from offby.formula.aggregates import Mean
    >>> from offby.formula.words import p, r, y
    >>> groups = Groups(plan_for((Mean(abs(r)),), False))
    >>> columns = {y: np.array([1.0, 2.0, 3.0]), p: np.array([1.5, 2.0, 5.0])}
    >>> groups.add(columns, np.array([1, 0, 1], np.int32), np.arange(3))
    >>> groups.count, groups.state(1).sums.rows
    (2, 2)
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.count = 0
        self._code = plan.program.code[plan.program.code[:, 0] != OPERATIONS["count"]]
        self._registers = plan.program.fresh_registers()
        self._shifts = np.array(plan.shifts, np.int64).reshape(-1, 2)
        self._anchors = np.full(plan.exact_sums, _FIRST_ANCHOR, np.int64)
        self._counters = [counting(counter, plan) for counter in plan.counters]
        self._held: list[_Held] = []
        self._sorted = np.empty((len(plan.inputs), 0))
        self._arrays(0)

    def _arrays(self, size: int) -> None:
        zero = Sums.zero(self.plan)
        self.rows = np.zeros(size, np.int64)
        self.pilots = np.zeros((size, len(self._shifts), 2))  # shift and scale of linear terms
        self.limbs = np.repeat(zero.limbs[None], size, 0)
        self.special = np.repeat(zero.special[None], size, 0)
        self.moments = np.repeat(zero.moments[None], size, 0)
        self.sizes = np.repeat(zero.sizes[None], size, 0)

    def _grow(self, count: int) -> None:
        """Room for so many groups."""
        self.count = max(self.count, count)
        if count <= self.rows.size:
            return
        names = ("rows", "pilots", "limbs", "special", "moments", "sizes")
        before = {name: getattr(self, name) for name in names}
        self._arrays(max(16, 2 * count))
        for name, array in before.items():
            getattr(self, name)[: len(array)] = array

    def add(self, columns: Columns, codes: Codes, ids: Ids | range) -> None:
        """Add rows that are known to be fit; `ids` are their numbers in the stream, ascending."""
        for start in range(0, codes.size, _HELD):  # so that what is sorted stays in caches
            part = slice(start, start + _HELD)
            some = {name: column[part] for name, column in columns.items()}
            self._hold(some, codes[part], ids[part])

    def _hold(self, columns: Columns, codes: Codes, ids: Ids | range) -> None:
        self._grow(int(codes.max()) + 1)
        self._held.append((columns, codes, ids))
        if sum(part.size for _, part, _ in self._held) >= min(_HELD, 4 * TILE * self.count):
            self._flush()

    def _flush(self) -> None:
        held, self._held = self._held, []
        if not held:
            return
        names, size = self.plan.inputs, self.rows.size
        sizes = np.sum([np.bincount(codes, minlength=size) for _, codes, _ in held], axis=0)
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        if self._sorted.shape[1] < bounds[-1]:  # used again: new memory costs page faults
            self._sorted = np.empty((len(names), bounds[-1]))
        outputs, cursors = list(self._sorted[:, : bounds[-1]]), bounds[:-1].copy()
        for columns, codes, _ in held:
            inputs = _addresses([columns[name] for name in names])
            run_other("sort_rows", codes, inputs, _addresses(outputs), cursors)
        self._add_sorted(dict(zip(names, outputs, strict=True)), bounds, int(held[0][2][0]))
        self._number(bounds, held)

    def _add_sorted(self, columns: Columns, bounds: Ids, first: int) -> None:
        plan, sizes = self.plan, np.diff(bounds)
        new = np.flatnonzero((self.rows == 0) & (sizes > 0))
        if len(self._shifts) and new.size:
            self.pilots[new] = pilots_of(plan, columns, bounds[new], sizes[new])
        shift, scale = self.pilots[..., 0], self.pilots[..., 1]
        inputs = addresses_of([columns[name] for name in plan.inputs])
        scratch = aligned((2, TILE)).view(np.int64)
        run_other(
            "run_groups", self._code, self._registers, inputs, bounds, first,
            np.stack([scale, -shift * scale], axis=-1), self._shifts, self.limbs, self.special,
            self._anchors, self.moments, self.sizes, np.zeros(self.sizes.shape, np.int64),
            plan.program.columns, _NONE, _NO_FLOATS, np.zeros(0, np.int32), *scratch,
        )  # fmt: skip
        for counter in self._counters:
            counter.add(columns, bounds, self.count)
        self.rows += sizes

    def _number(self, bounds: Ids, held: Sequence[_Held]) -> None:
        """Turn places among the sorted rows into row numbers, where a term had no finite value."""
        first = int(held[0][2][0])
        for g, term in np.argwhere(self.special[:, :, 3] >= first).tolist():
            rank = self.special[g, term, 3] - first - bounds[g]
            numbers = np.concatenate([np.asarray(ids)[codes == g] for _, codes, ids in held])
            self.special[g, term, 3] = numbers[rank]

    def finished(self) -> Self:
        """Itself, with what was held back counted, without the memory that only adding needs."""
        self._flush()
        self._sorted = np.empty((len(self.plan.inputs), 0))
        for counter in self._counters:
            counter.finish()
        return self

    def state(self, group: int) -> State:
        """The totals of one group; those of a group without rows are empty."""
        self._flush()
        sums = Sums(
            int(self.rows[group]),
            self.limbs[group].copy(),
            self.special[group].copy(),
            self.moments[group].copy(),
            self.sizes[group].copy(),
            np.full(self.sizes[group].shape, -1, np.int64),
            [counter.counts(group, self.count) for counter in self._counters],
            integers(self.limbs[group]),
        )
        shift, scale = self.pilots[group].T
        return State.of(self.plan, sums, shift.copy(), scale.copy())


def _addresses(arrays: Sequence[Floats]) -> Ids:
    return np.array([array.ctypes.data for array in arrays], np.int64)
