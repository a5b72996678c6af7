"""Rows that wait until there are enough to foresee how coarse their keys must be.

Keys that fit their budget are counted in tables far larger than a cache, and most of that is in
vain if the budget is exceeded in the end. Whether it will be, a batch does not tell; twice as many
rows as the budget has keys do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import Floats, compute
from offby.engine.lane import Batch, Columns
from offby.engine.plan import Plan
from offby.engine.sums import WORST
from offby.formula.expression import Expression


class Waiting:
    """A copy of rows, in their order, the numbers they are known by, and which are the worst."""

    def __init__(self, plan: Plan) -> None:
        self.rows = 0
        self._most = 3 * max((counter.budget for counter in plan.counters), default=0)
        self._plan = plan
        self._columns: dict[Expression, Floats] = {}
        self._numbers = np.empty(0, np.int64)
        self.sizes, self.places = np.empty(0), np.empty(0, np.int64)  # of the worst so far

    def have_room(self, rows: int) -> bool:
        """Whether so many more may wait."""
        return self.rows + rows <= self._most

    def add(self, columns: Columns, rows: int, numbers: NDArray[np.int64]) -> None:
        """Copy rows behind those that wait."""
        if not self.rows:  # room for all, at once: memory costs where it is written, not here
            self._columns = {name: np.empty(self._most) for name in self._plan.inputs}
            self._numbers = np.empty(self._most, np.int64)
        before, self.rows = self.rows, self.rows + rows
        for name, column in self._columns.items():
            column[before : self.rows] = columns[name]
        self._numbers[before : self.rows] = numbers
        self._find_worst(columns, numbers)

    def batch(self) -> Batch:
        """The rows as one batch."""
        columns = {name: column[: self.rows] for name, column in self._columns.items()}
        return Batch(columns, self._plan, 0, self._numbers[: self.rows])

    def _find_worst(self, columns: Columns, numbers: NDArray[np.int64]) -> None:
        """What is known of the worst rows must not wait: their callers have them at hand now."""
        (sizes,) = compute([self._plan.worst], {name: columns[name] for name in self._columns})
        if sizes.size > WORST:
            least = np.partition(sizes, sizes.size - WORST)[sizes.size - WORST]
            sizes, numbers = sizes[sizes >= least], numbers[sizes >= least]
        sizes, places = np.append(self.sizes, sizes), np.append(self.places, numbers)
        order = np.lexsort((places, -sizes))[:WORST]
        self.sizes, self.places = sizes[order], places[order]
