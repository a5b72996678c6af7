"""A number with how sure it is: what every statistic of scores comes back as."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.scores.counts import ScoreCounts

Floats = NDArray[np.float64]
Bracket = tuple[float, float]
SHARE = (0.0, 1.0)
ANY = (-math.inf, math.inf)


@dataclass(frozen=True)
class Estimate:
    """A value, how sure it is, and the bounds that the order inside cells leaves it.

    `standard_error`, `low` and `high` are None where no interval exists, and `unsure` says why.
    `bracket` is None where the value is exact, or where no bounds are known (its maker says so).
    """

    value: float
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    bracket: Bracket | None = None
    unsure: str | None = None


@dataclass(frozen=True)
class Best:
    """The best that any threshold does, and the threshold: rows that score at least it are yes."""

    threshold: float
    estimate: Estimate


def estimate(
    value: float,
    error: float,
    n: float,
    confidence: float,
    within: tuple[float, float] = ANY,
    bracket: Bracket | None = None,
    alone: str = "one row",
) -> Estimate:
    """A value with its t interval on the natural scale of its range, or why there is none.

    `alone` is what there is where `n` is 1.

    >>> estimate(0.9, 0.02, 100, 0.95, SHARE)  # doctest: +ELLIPSIS
    Estimate(value=0.9, standard_error=0.02, low=0.852..., high=0.933..., bracket=None, unsure=None)
    >>> estimate(1.0, 0.0, 100, 0.95, SHARE).unsure
    'the value stands at the edge of its range, 1'
    """
    if n <= 1:
        return Estimate(value, bracket=bracket, unsure=f"{alone} is too few for an interval")
    if value in within:
        reason = f"the value stands at the edge of its range, {value:g}"
        return Estimate(value, bracket=bracket, unsure=reason)
    if not 0 < error < math.inf:
        return Estimate(value, bracket=bracket, unsure=f"its standard error is {error:g}")
    reach = float(special.stdtrit(n - 1, (1 + confidence) / 2)) * error
    return Estimate(value, error, *_interval(value, reach, within), bracket)


def _interval(value: float, reach: float, within: tuple[float, float]) -> tuple[float, float]:
    """As far to either side on the natural scale: the logit of a range, else the value itself.

    The measures' interval on the logit scale is wider: it allows for the skew of squared errors,
    and here, where rows are counted, it would hold 98 to 99 % of what 95 % should.
    """
    low, high = within
    if math.isinf(high):
        return value - reach, value + reach
    share = (value - low) / (high - low)
    side = reach / ((high - low) * share * (1 - share))
    ends = special.expit(special.logit(share) + np.array([-side, side]))
    return low + (high - low) * float(ends[0]), low + (high - low) * float(ends[1])


def standard_error(counts: ScoreCounts, of_positive: Floats, of_negative: Floats) -> float:
    """From the influence of a positive and of a negative row of each cell: the sandwich."""
    squares = sum_of_squares(counts.positive2, of_positive)
    squares += sum_of_squares(counts.negative2, of_negative)
    return mean_error(squares, counts.total, counts.effective_n)


def sum_of_squares(weights: Floats, values: Floats) -> float:
    """The sum of weights * values², with no array in between."""
    return float(np.einsum("i,i,i->", weights, values, values))


def mean_error(squares: float, total: float, n: float) -> float:
    """The standard error of a weighted mean, from the sum of w² (x - mean)²."""
    return math.sqrt(max(squares, 0.0) * n / (n - 1)) / total if n > 1 else 0.0


def wilson(rate: Floats, n: Floats | float, confidence: float) -> tuple[Floats, Floats]:
    """Wilson's interval of proportions (1927): sound at 0 and 1, and for few rows.

    >>> low, high = wilson(np.array([0.0, 0.5]), 10, 0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    z2 = float(special.ndtri((1 + confidence) / 2)) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(rate * (1 - rate) * z2 / n + (z2 / (2 * n)) ** 2) / (1 + z2 / n)
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)
