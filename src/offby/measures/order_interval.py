"""How sure order statistics are: binomial ranks for quantiles, influence for shares."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.engine.plan import count_columns
from offby.engine.state import State
from offby.formula.aggregates import aggregates_of
from offby.formula.expression import Expression
from offby.formula.words import w
from offby.measures.aggregate import Aggregate, Undefined, counted_by
from offby.measures.measure import Measure
from offby.measures.ordered import Counted, quantile_places, raised
from offby.measures.uncertainty import effective_n, interval, slopes, standard_error

Interval = tuple[float, float, float]
Floats = NDArray[np.float64]
_FEWEST_WORST = 30


def order_interval(
    state: State,
    measure: Measure,
    found: dict[Expression, Aggregate],
    value: float,
    confidence: float,
) -> Interval:
    """Standard error and interval of a measure with an order statistic; raises `Undefined`."""
    parts = aggregates_of(measure.formula)
    if any(part.op == "largest" for part in parts):
        raise Undefined("no interval: an extreme grows with the rows")
    counted = counted_by(state, next(p for p in parts if p.op != "mean").args[0])
    assert counted is not None
    if measure.formula.op == "quantile":
        return _ranks(counted, measure.formula.args[1].data, value, confidence)
    if measure.formula.op == "top_share":
        _refuse_few(counted.effective_n, measure.formula.args[2].data)
        error = _share_error(counted, measure.formula, value)
    else:
        error = _skill_error(state, measure.formula, found, counted)
    if value in measure.range:
        raise Undefined(f"the value stands at the edge of its range, {value:g}")
    if not math.isfinite(error):
        raise Undefined("its standard error exceeds float64")
    n = effective_n(state)
    return error, *interval(value, error, n - 1, confidence, measure.range)


def _ranks(counted: Counted, q: float, value: float, confidence: float) -> Interval:
    """The order statistics between which the quantile lies, by the binomial law of ranks.

    The standard error is the interval's half width over that of a normal one.
    """
    n = counted.effective_n
    tail = (1 - confidence) / 2
    ranks = [_binomial_quantile(tail, n, q), _binomial_quantile(1 - tail, n, q) + 1]
    if ranks[0] < 1 or ranks[1] > n:
        raise Undefined(f"{n:,.0f} rows are too few for an interval of this quantile")
    shares = np.cumsum(counted.weights) / counted.weights.sum()
    places = [min(int(np.searchsorted(shares, rank / n * (1 - 1e-12))), shares.size - 1)
              for rank in ranks]  # fmt: skip
    low = min(float(counted.ends[0][places[0]]), value)
    high = max(float(counted.ends[1][places[1]]), value)
    return (high - low) / (2 * float(special.ndtri(1 - tail))), low, high


def _binomial_quantile(probability: float, n: float, q: float) -> float:
    """The smallest k with P(B <= k) >= probability, for B binomial(n, q)."""
    guess = n * q + float(special.ndtri(probability)) * math.sqrt(n * q * (1 - q))
    k = max(math.floor(guess) - 3, 0)
    while k < n and float(special.bdtr(k, int(n), q)) < probability:
        k += 1
    return float(k)


def _refuse_few(n: float, fraction: float) -> None:
    """The share of so few rows is too skewed, and too low on average, for any interval about it."""
    if n * fraction < _FEWEST_WORST:
        raise Undefined(
            f"the worst {fraction:.4g} of {n:,.0f} rows are fewer than {_FEWEST_WORST}: too few "
            "for an interval"
        )


def _share_error(counted: Counted, part: Expression, share: float) -> float:
    """From the influence of a row on top share: ((x - t) [x > t] + f t - share x) / mean x."""
    power, fraction = part.args[1].data, part.args[2].data
    sizes = raised(counted, counted.middles, power)
    weights = counted.weights
    total = float(weights.sum())
    above = np.cumsum(weights[::-1])[::-1]
    threshold = sizes[max(int(np.searchsorted(-above, -fraction * total, side="right")) - 1, 0)]
    average = float(np.sum(weights * sizes)) / total
    influence = np.maximum(sizes - threshold, 0) + fraction * threshold - share * sizes
    squares = _squared_weights(counted)
    return math.sqrt(float(np.sum(squares * influence**2))) / (total * average)


def _skill_error(
    state: State, formula: Expression, found: dict[Expression, Aggregate], counted: Counted
) -> float:
    """D² about a quantile: the mean loss and the constant's, with their covariance.

    The constant is held at the sample's quantile, which is exact to first order because the
    constant's mean loss is least there.
    """
    least = next(part for part in found if part.op == "least_pinball")
    beside = next(part for part in found if part.op == "mean")
    slope = slopes(formula, found)
    squares, losses = _squared_weights(counted), _sums(
        counted, count_columns(least, state.plan.weight)[-1])  # fmt: skip
    cost = _constant_costs(counted, least.args[1].data) - found[least].value
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.array([
            [_second_moment(state, beside), cost @ (losses - found[beside].value * squares)],
            [0.0, squares @ cost**2],
        ])  # fmt: skip
        vector = np.array([slope[beside], slope[least]])
        var = vector @ (spread + np.triu(spread, 1).T) @ vector
    return math.sqrt(max(float(var), 0.0)) / float(counted.weights.sum())


def _constant_costs(counted: Counted, tau: float) -> Floats:
    """The pinball loss of the sample's quantile for each key (at the middle of its values)."""
    values = counted.middles
    at, _ = quantile_places(counted, tau)
    error = values - values[at]
    return np.asarray(np.where(error > 0, tau, tau - 1) * error)


def _sums(counted: Counted, column: Expression) -> Floats:
    place = counted.column(column)
    assert place is not None
    return counted.counts.pairs[:, 2 * place]


def _squared_weights(counted: Counted) -> Floats:
    place = counted.column(w * w)
    return counted.weights if place is None else counted.counts.pairs[:, 2 * place]


def _second_moment(state: State, part: Expression) -> float:
    """The sum over rows of w² (loss - mean)²."""
    n, total = effective_n(state), float(state.sums.weight(state.plan))
    error = standard_error(state, part, {part: Aggregate(0.0, 0.0, 0.0)})[0] * total
    return error * error * (n - 1) / n
