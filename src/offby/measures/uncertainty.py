"""How sure: standard errors by the delta method, and intervals on the measure's natural scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.engine.plan import Basis
from offby.engine.state import State
from offby.formula.aggregates import MOMENTS, aggregates_of
from offby.formula.arrays import evaluate
from offby.formula.derive import derivative
from offby.formula.expression import Expression, constant
from offby.measures.aggregate import Aggregate

Floats = NDArray[np.float64]
Range = tuple[float, float]


def effective_n(state: State) -> float:
    """(sum w)^2 / sum w^2: how many rows of equal weight would be as sure."""
    if not state.plan.weighted:
        return float(state.sums.rows)
    squares = state.sums.moments[state.plan.moments[-1, -1]]
    return float(state.sums.weight(state.plan)) ** 2 / float(squares)


def slopes(formula: Expression, found: Mapping[Expression, Aggregate]) -> dict[Expression, float]:
    """The derivative of a measure towards each of its aggregates, at their values."""
    values = {part: np.float64(number.value) for part, number in found.items()}
    with np.errstate(all="ignore"):
        return {part: float(evaluate(_slope(formula, part), values)) for part in found}


@lru_cache(maxsize=1024)
def _slope(formula: Expression, part: Expression) -> Expression:
    return derivative(formula, {part: constant(1)})


def standard_error(
    state: State, formula: Expression, found: Mapping[Expression, Aggregate]
) -> tuple[float, float]:
    """The delta-method standard error of a measure of moments, and its degrees of freedom."""
    coefficients = influence(state, formula, found)
    places = sorted(coefficients)
    vector = np.array([coefficients[place] for place in places])
    if not np.isfinite(vector).all():
        return math.nan, math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        centred = state.comoments().centred(places)
        spread = float(vector @ centred @ vector)
    n = effective_n(state)
    total = float(state.sums.weight(state.plan))
    error = math.sqrt(max(spread, 0.0)) / total * math.sqrt(n / (n - 1)) if n > 1 else math.nan
    return error, _degrees_of_freedom(state, places, n, float(centred[0, 0]))


def influence(
    state: State, formula: Expression, found: Mapping[Expression, Aggregate]
) -> dict[int, float]:
    """How one row moves a measure, as weights of basis terms (up to a constant)."""
    coefficients: dict[int, float] = {}
    for part, slope in slopes(formula, found).items():
        for place, weight in _influence(state, part).items():
            coefficients[place] = coefficients.get(place, 0.0) + slope * weight
    return coefficients


def _degrees_of_freedom(state: State, places: list[int], n: float, spread: float) -> float:
    """Satterthwaite's: by how much the variance of one mean is itself uncertain (1946).

    It is 2n/(kurtosis - 1), no more than n - 1; where several terms meet, n - 1.
    """
    comoments = state.comoments()
    if len(places) != 1 or places[0] not in comoments.fourths:
        return n - 1
    square = spread**2
    excess = comoments.fourth(places[0]) - square / n
    return min(n - 1, 2 * square / excess) if excess > 0 else n - 1


def _place(state: State, wanted: Basis) -> int:
    for place, term in enumerate(state.plan.basis):
        if term is wanted or (
            isinstance(term, tuple) and isinstance(wanted, tuple) and term == wanted
        ):
            return place
    raise KeyError(wanted)


def _scale(state: State, place: int) -> float:
    """The pilot's scale of a linear basis term."""
    at = sum(isinstance(term, Expression) for term in state.plan.basis[:place])
    return float(state.scale[at])


def _influence(state: State, part: Expression) -> dict[int, float]:
    """How one row moves an aggregate, as weights of basis terms (up to a constant)."""
    if part.op not in MOMENTS:
        return {}
    places = [_place(state, term) for term in part.args]
    scales = [_scale(state, place) for place in places]
    means = state.comoments().means
    if part.op == "mean":
        return {places[0]: 1 / scales[0]}
    first, second = places[0], places[-1]
    scale = scales[0] * scales[-1]
    weights = {_place(state, (first, second)): 1 / scale}
    for place, other in ((first, second), (second, first)):
        weights[place] = weights.get(place, 0.0) - means[other] / scale
    return weights


def interval(value: float, error: float, degrees: float, confidence: float, within: Range) -> Range:
    """The t interval on the natural scale: log for positive values, logit for shares, and so on."""
    quantile = float(special.stdtrit(max(degrees, 1e-9), (1 + confidence) / 2))
    low, high = within
    if math.isinf(low) and math.isinf(high):
        return value - quantile * error, value + quantile * error
    if math.isinf(high):
        factor = math.exp(min(_reach(quantile, error / (value - low)), 700.0))
        return low + (value - low) / factor, low + (value - low) * factor
    if math.isinf(low):
        factor = math.exp(min(_reach(quantile, error / (high - value)), 700.0))
        return high - (high - value) * factor, high - (high - value) / factor
    share = (value - low) / (high - low)
    reach = _reach(quantile, error / ((high - low) * share * (1 - share)))
    ends = [float(special.expit(special.logit(share) + side)) for side in (-reach, reach)]
    return low + (high - low) * ends[0], low + (high - low) * ends[1]


def _reach(quantile: float, error: float) -> float:
    """Half an interval on a log or logit scale, where the standard error is `error`.

    There the jackknife's standard error exceeds the delta method's by 1 + error^2, to second order
    (Efron & Stein 1981), if terms are gamma distributed as squared normal errors are: skewed by
    twice their coefficient of variation. For R2 of 30 normal errors that turns 92.9 % into 95.2 %.
    """
    return quantile * error * (1 + error * error)


def moments_only(formula: Expression) -> bool:
    """Whether a measure is a formula of means, variances and covariances only."""
    return all(part.op in MOMENTS for part in aggregates_of(formula))
