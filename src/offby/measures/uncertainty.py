"""How sure: standard errors by the delta method, and intervals on the measure's natural scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.engine.moments import second_moments
from offby.engine.plan import Basis
from offby.engine.state import State
from offby.formula.aggregates import MOMENTS, aggregates_of
from offby.formula.arrays import evaluate
from offby.formula.derive import derivative
from offby.formula.expression import Expression, constant
from offby.measures.aggregate import Aggregate, covariance, mean

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
        return {
            part: float(evaluate(derivative(formula, {part: constant(1)}), values))
            for part in found
        }


def standard_error(
    state: State, formula: Expression, found: Mapping[Expression, Aggregate]
) -> float:
    """The delta-method standard error of a measure of means, variances and covariances."""
    coefficients: dict[int, float] = {}
    for part, slope in slopes(formula, found).items():
        for place, weight in _influence(state, part).items():
            coefficients[place] = coefficients.get(place, 0.0) + slope * weight
    places = sorted(coefficients)
    vector = np.array([coefficients[place] for place in places])
    spread = float(vector @ _covariances(state, places) @ vector)
    n = effective_n(state)
    total = float(state.sums.weight(state.plan))
    if n <= 1:
        return math.nan
    return math.sqrt(max(spread, 0.0)) / total * math.sqrt(n / (n - 1))


def _covariances(state: State, places: list[int]) -> Floats:
    """The sums of w^2 (b_i - mean_i)(b_j - mean_j) over the rows, for these basis terms."""
    matrix = second_moments(state.plan, state.sums)
    pick = np.array(places) + 1
    means = np.array([_basis_mean(state, place) for place in places])
    crossed = np.outer(means, matrix[0, pick])
    inner = matrix[np.ix_(pick, pick)] - crossed - crossed.T
    return np.asarray(inner + matrix[0, 0] * np.outer(means, means))


def _place(state: State, wanted: Basis) -> int:
    for place, term in enumerate(state.plan.basis):
        if term is wanted or (
            isinstance(term, tuple) and isinstance(wanted, tuple) and term == wanted
        ):
            return place
    raise KeyError(wanted)


def _pilot(state: State, place: int) -> tuple[float, float]:
    """Shift and scale of a linear basis term."""
    at = sum(isinstance(term, Expression) for term in state.plan.basis[:place])
    return float(state.shift[at]), float(state.scale[at])


def _basis_mean(state: State, place: int) -> float:
    """The weighted mean of a basis term, from the exact sums."""
    term = state.plan.basis[place]
    if isinstance(term, Expression):
        shift, scale = _pilot(state, place)
        return (mean(state, term) - shift) * scale
    (first, second), (a, b) = term, (state.plan.basis[k] for k in term)
    assert isinstance(a, Expression) and isinstance(b, Expression)
    scales = _pilot(state, first)[1] * _pilot(state, second)[1]
    return covariance(state, a, b) * scales + _basis_mean(state, first) * _basis_mean(state, second)


def _influence(state: State, part: Expression) -> dict[int, float]:
    """How one row moves an aggregate, as weights of basis terms (up to a constant)."""
    if part.op not in MOMENTS:
        return {}
    places = [_place(state, term) for term in part.args]
    scales = [_pilot(state, place)[1] for place in places]
    if part.op == "mean":
        return {places[0]: 1 / scales[0]}
    first, second = places[0], places[-1]
    scale = scales[0] * scales[-1]
    weights = {_place(state, (first, second)): 1 / scale}
    for place, other in ((first, second), (second, first)):
        weights[place] = weights.get(place, 0.0) - _basis_mean(state, other) / scale
    return weights


def interval(value: float, error: float, n: float, confidence: float, within: Range) -> Range:
    """The t interval on the natural scale: log for positive values, logit for shares, and so on."""
    reach = float(special.stdtrit(max(n - 1, 1e-9), (1 + confidence) / 2)) * error
    low, high = within
    if math.isinf(low) and math.isinf(high):
        return value - reach, value + reach
    if math.isinf(high):
        return _about(value - low, reach, low, 1)
    if math.isinf(low):
        below, above = _about(high - value, reach, 0.0, 1)
        return high - above, high - below
    share = (value - low) / (high - low)
    odds, step = special.logit(share), reach / ((high - low) * share * (1 - share))
    return tuple(low + (high - low) * float(special.expit(odds + s * step)) for s in (-1, 1))  # type: ignore[return-value]


def _about(size: float, reach: float, offset: float, sign: int) -> Range:
    factor = math.exp(min(reach / size, 700.0))
    return offset + sign * size / factor, offset + sign * size * factor


def moments_only(formula: Expression) -> bool:
    """Whether a measure is a formula of means, variances and covariances only."""
    return all(part.op in MOMENTS for part in aggregates_of(formula))
