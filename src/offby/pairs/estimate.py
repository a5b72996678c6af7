"""What a pass, or the rows, say of one formula: a number, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from offby.engine.evaluate import Floats, compute
from offby.engine.state import State
from offby.formula.aggregates import aggregates_of
from offby.formula.expression import Expression
from offby.formula.words import w
from offby.measures.aggregate import Aggregate, aggregate, mean
from offby.measures.finish import measurement
from offby.measures.measure import Measure
from offby.measures.uncertainty import slopes, standard_error

ErrorOf = Callable[[Expression], tuple[float, float]]


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error and degrees of freedom, or why there is none."""

    value: float | None
    error: float | None = None
    degrees: float = math.inf
    reason: str | None = None

    def reach(self, confidence: float) -> float:
        """Half the length of the t interval."""
        assert self.error is not None
        return float(special.stdtrit(max(self.degrees, 1e-9), (1 + confidence) / 2)) * self.error

    def detectable(self, confidence: float, power: float = 0.8) -> float:
        """The least difference that an interval like this would have told from 0 so often."""
        assert self.error is not None
        quantile = float(special.stdtrit(max(self.degrees, 1e-9), power))
        return self.reach(confidence) + quantile * self.error

    def p_value(self) -> float | None:
        """How often chance alone would bring a value so far from 0."""
        if not self.error or self.value is None:
            return None
        return float(2 * special.stdtr(self.degrees, -abs(self.value) / self.error))


def estimated(state: State, measure: Measure, error_of: ErrorOf) -> Estimate:
    """What the pass says of a formula of moments, whose standard error `error_of` works out."""
    found = measurement(state, measure, 0.95)
    if found.value is None or found.standard_error is None:
        return Estimate(found.value, reason=found.undefined or found.unsure)
    error, degrees = error_of(measure.formula)
    if not math.isfinite(error):
        return Estimate(found.value, reason="too few rows for an interval")
    return Estimate(found.value, error, degrees)


def independent(state: State, formula: Expression) -> tuple[float, float]:
    """The standard error where no row tells of another, and its degrees of freedom."""
    return standard_error(state, formula, read(state, formula))


def read(state: State, formula: Expression) -> dict[Expression, Aggregate]:
    """The aggregates of a formula."""
    return {part: aggregate(state, part) for part in aggregates_of(formula)}


def influence(state: State, formula: Expression, columns: Mapping[Expression, Floats]) -> Floats:
    """By how much each of these rows moves a formula of moments, to first order.

    Over all rows it sums to 0, and independent rows make the square of the standard error its sum
    of squares.
    """
    found = read(state, formula)
    total = np.zeros_like(next(iter(columns.values())))
    for part, slope in slopes(formula, found).items():
        centres = [mean(state, term) for term in part.args]
        gaps = [x - c for x, c in zip(compute(part.args, columns), centres, strict=True)]
        total += slope * (gaps[0] if part.op == "mean" else gaps[0] * gaps[-1] - found[part].value)
    weight = columns.get(w)
    whole = float(state.sums.weight(state.plan))
    return total / whole if weight is None else total * weight / whole
