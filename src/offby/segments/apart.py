"""A mean of each group and of the rows outside it, for all groups at once.

What `finish.measurement` says of one state is said here of a thousand, in arrays; only the values
are worked out one by one, in whole numbers, as they are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from offby.engine.groups import Groups
from offby.engine.moments import shifted, units
from offby.engine.rest import CANCELLED
from offby.engine.state import State
from offby.engine.sums import POINT, integers
from offby.measures.finish import interval_of
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement

Floats = NDArray[np.float64]
Pair = tuple[Measurement, Measurement]


def pairs(groups: Groups, whole: State, measure: Measure, confidence: float) -> dict[int, Pair]:
    """The measurements of groups and of their rests, where the measure is a mean or its root.

    What is out of the ordinary is left out: weights, infinite terms, groups of one row or of all,
    values at the edge of their range.
    """
    formula = measure.formula
    mean = formula.args[0] if formula.op == "sqrt" else formula
    if whole.plan.weighted or mean.op != "mean" or not whole.sums.rows:
        return {}
    known = _Term.of(whole, mean.args[0])
    usual = (groups.special[:, known.exact, :3] == 0).all(axis=1)
    usual &= (groups.rows > 1) & (groups.rows < whole.sums.rows - 1)
    places = np.flatnonzero(usual)
    if not places.size or whole.sums.special[known.exact, :3].any():
        return {}
    parts = known.parts(groups, places)
    rests = parts.outside(known.parts_of_one(whole))
    kept = rests.spreads >= CANCELLED * float(known.parts_of_one(whole).spreads[0])
    told = [side.measurements(measure, confidence) for side in (parts, rests)]
    return {
        k: (part, rest)
        for k, fit, part, rest in zip(places.tolist(), kept, *told, strict=True)
        if fit and part is not None and rest is not None
    }


@dataclass(frozen=True)
class _Term:
    """Where a plan keeps what the standard error of a mean is made of."""

    exact: int
    pilot: int
    moments: list[int]

    @classmethod
    def of(cls, state: State, term: object) -> _Term:
        plan = state.plan
        i = next(k for k, known in enumerate(plan.basis) if known is term)
        pilot = next(k for k, known in enumerate(plan.linear) if known is term)
        (exact,) = next(places for known, places in plan.exact.items() if known is term)
        return cls(exact, pilot, [plan.moments[(i,) * power] for power in (2, 3, 4)])

    def parts(self, groups: Groups, places: NDArray[np.intp]) -> _Means:
        """The means of these groups."""
        shift, scale = groups.pilots[places, self.pilot].T
        sums = integers(groups.limbs[places, self.exact])
        higher = groups.moments[places][:, self.moments]
        return _Means(groups.rows[places], sums, shift, scale, higher)

    def parts_of_one(self, state: State) -> _Means:
        """The mean of the whole."""
        at, sums = slice(self.pilot, self.pilot + 1), state.sums
        return _Means(np.array([sums.rows]), [sums.units([self.exact])], state.shift[at],
                      state.scale[at], sums.moments[None, self.moments])  # fmt: skip


@dataclass(frozen=True)
class _Means:
    """Means of a term over many sets of rows; `higher` sums its powers 2 to 4 about a pilot."""

    rows: NDArray[np.int64]
    sums: Sequence[int]
    shift: Floats
    scale: Floats
    higher: Floats

    def outside(self, whole: _Means) -> _Means:
        """The means of the rows that are not in each set, about the whole's pilot."""
        factor, offset = whole.scale / self.scale, (self.shift - whole.shift) * whole.scale
        moved = shifted(self._powers, factor, offset)[:, 2:]
        sums = [whole.sums[0] - one for one in self.sums]
        same = (
            np.broadcast_to(whole.shift, factor.shape),
            np.broadcast_to(whole.scale, factor.shape),
        )
        return _Means(whole.rows - self.rows, sums, *same, whole.higher - moved)

    @cached_property
    def values(self) -> list[float]:
        """The means, correctly rounded."""
        rows = self.rows.tolist()
        return [one / (n << POINT) for one, n in zip(self.sums, rows, strict=True)]

    @cached_property
    def _centred(self) -> Floats:
        """The means about the pilot, which lose nothing to its size."""
        every = zip(self.sums, self.rows.tolist(), self.shift.tolist(), strict=True)
        return np.array([(one - units(c) * n) / (n << POINT) for one, n, c in every]) * self.scale

    @property
    def _powers(self) -> Floats:
        return np.column_stack([self.rows, self.rows * self._centred, self.higher])

    @cached_property
    def spreads(self) -> Floats:
        """The sums of squares about the mean, in the pilot's units."""
        return np.asarray(self._about_mean[:, 2])

    @cached_property
    def _about_mean(self) -> Floats:
        return shifted(self._powers, np.ones(self.rows.size), -self._centred)

    def measurements(self, measure: Measure, confidence: float) -> list[Measurement | None]:
        """What `finish` says of each; None where a value or its error is out of the ordinary."""
        n, squares, fourth = self.rows, self.spreads, self._about_mean[:, 4]
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.sqrt(squares / (n - 1) / n) / self.scale
            excess = fourth - squares**2 / n
            degrees = np.where(excess > 0, np.minimum(n - 1, 2 * squares**2 / excess), n - 1)
        each = zip(self.values, n.tolist(), errors.tolist(), degrees.tolist(), strict=True)
        return [_measurement(measure, confidence, *one) for one in each]


def _measurement(
    measure: Measure, confidence: float, value: float, n: int, error: float, degrees: float
) -> Measurement | None:
    if measure.formula.op == "sqrt":
        value = math.sqrt(value) if value > 0 else 0.0
        error = error / (2 * value) if value else 0.0
    low, high = measure.range
    if not (low < value < high and 0 < error < math.inf and degrees > 0):
        return None
    ends = interval_of(measure, value, error, degrees, confidence)
    return Measurement(measure.name, value, error, *ends, n=n, better=measure.better,
                       confidence=confidence, range=measure.range)  # fmt: skip
