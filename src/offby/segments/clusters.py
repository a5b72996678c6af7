"""Rows that come in clusters (of one customer, one day): standard errors that know it.

What a measure of means gains from a row is linear in the plan's basis terms, so the sums of those a
cluster tell how the measure moves with a whole cluster: the sandwich of Liang & Zeger (1986) with
CR1's factor G/(G - 1). It takes 8 bytes a cluster and basis term, whatever the rows. Any other
measure is worked out again without each of up to `PARTS` groups of clusters: the jackknife.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.engine.groups import Groups
from offby.engine.lane import Columns
from offby.engine.rest import subtracted
from offby.engine.state import State
from offby.formula.aggregates import aggregates_of
from offby.formula.expression import Expression
from offby.formula.words import w
from offby.measures.aggregate import aggregate
from offby.measures.finish import interval_of
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.uncertainty import influence, moments_only
from offby.segments.coding import Codes
from offby.segments.family import Measured

Floats = NDArray[np.float64]
PARTS = 50
"""Groups of clusters that the jackknife leaves out in turn; each cluster alone, if as few."""
FEW = 30
"""Clusters below which the intervals are worth a word."""


class Clusters:
    """The sums of the basis terms in each cluster; the last column is the weight."""

    def __init__(self, column: str) -> None:
        self.column = column
        self._sums = np.zeros((0, 0))
        self._parts: Groups | None = None
        self._rests: list[State] = []

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(np.count_nonzero(self._sums[:, -1])) if self._sums.size else 0

    def add(
        self, state: State, columns: Columns, codes: Codes, ids: NDArray[np.int64] | range
    ) -> None:
        """Add rows that the state has counted; `codes` tells the cluster of each."""
        plan = state.plan
        if not codes.size:
            return
        self._parts = self._parts or Groups(plan)
        self._parts.add(columns, codes % PARTS, ids)
        weight = columns[w] if plan.weighted else None
        terms = compute(plan.linear, columns) if plan.linear else []
        shifted = iter((t - c) * s for t, c, s in zip(terms, state.shift, state.scale, strict=True))
        basis: list[Floats] = []
        for term in plan.basis:
            if isinstance(term, Expression):
                basis.append(next(shifted))
            else:
                basis.append(basis[term[0]] * basis[term[1]])
        weighted = basis if weight is None else [weight * term for term in basis]
        size = max(int(codes.max()) + 1, len(self._sums))
        fresh = [np.bincount(codes, term, size) for term in weighted]
        found = np.stack([*fresh, np.bincount(codes, weight, size).astype(np.float64)], axis=1)
        found[: len(self._sums)] += self._sums if self._sums.size else 0.0
        self._sums = found

    def refined(
        self, state: State, measure: Measure, found: Measurement, measured: Measured
    ) -> Measurement:
        """The measurement with a cluster-robust interval, or a word where there is none."""
        if found.low is None or found.value is None:
            return found
        if self.count < 2:
            return replace(found, standard_error=None, low=None, high=None,
                           unsure="one cluster: no interval")  # fmt: skip
        if moments_only(measure.formula):
            error, degrees = self._error(state, measure.formula), self.count - 1
        else:
            error, degrees = self._jackknife(state, measure, measured)
        if not 0 < error < math.inf:
            return replace(found, standard_error=None, low=None, high=None,
                           unsure=f"its cluster-robust standard error is {error:g}")  # fmt: skip
        low, high = interval_of(measure, found.value, error, degrees, found.confidence)
        return found.with_interval(error, low, high)

    def _jackknife(self, state: State, measure: Measure, measured: Measured) -> tuple[float, int]:
        """From the values without each part of the clusters; NaN where one is undefined."""
        assert self._parts is not None
        if not self._rests:
            parts = np.flatnonzero(self._parts.finished().rows).tolist()
            self._rests = [subtracted(state, self._parts.state(part)) for part in parts]
        left_out = [measured(rest, measure).value for rest in self._rests]
        many = len(left_out)
        values = np.array([math.nan if value is None else value for value in left_out])
        return math.sqrt((many - 1) * float(np.var(values))), many - 1

    def _error(self, state: State, formula: Expression) -> float:
        parts = {part: aggregate(state, part) for part in aggregates_of(formula)}
        weights = influence(state, formula, parts)
        places, vector = list(weights), np.array(list(weights.values()))
        centre = float(state.comoments().means[places] @ vector)
        moved = self._sums[:, places] @ vector - centre * self._sums[:, -1]
        factor = self.count / (self.count - 1)
        return math.sqrt(factor * float(moved @ moved)) / float(state.sums.weight(state.plan))
