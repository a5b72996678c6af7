"""A number of a confusion matrix and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """A value, and how sure it is.

    `standard_error` is None at the edge of a range, where it would be a false 0; `low` and `high`
    are None where no interval exists, and `unsure` then says why. `influence` makes the
    derivative towards the weight of each cell of the table, from which differences of two are
    judged: as large as the table, so it is not kept.
    """

    value: float
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    unsure: str | None = None
    influence: Callable[[], Floats] | None = field(default=None, compare=False, repr=False)


def wilson(share: Floats | float, n: Floats | float, confidence: float) -> tuple[Floats, Floats]:
    """Wilson's interval (1927) of shares of `n` rows each.

    >>> [float(end.round(4)) for end in wilson(0.9, 10, 0.95)]
    [0.5958, 0.9821]
    """
    share, n = np.asarray(share, np.float64), np.asarray(n, np.float64)
    square = float(special.ndtri((1 + confidence) / 2)) ** 2
    return _least(share, n, square), 1 - _least(1 - share, n, square)


def _least(share: Floats, n: Floats, square: float) -> Floats:
    """The lower root by the product of both, so that it is exactly 0 at 0 and nothing cancels."""
    spread = share * (1 - share) / n + square / (4 * n * n)
    most = share + square / (2 * n) + np.sqrt(square * spread)
    return np.asarray(share * share / most)


def recovered(value: float, values: Floats, ends: tuple[Floats, Floats], factors: Floats) -> Range:
    """The interval of a weighted sum of independent numbers, from the interval of each.

    "Method of variance estimates recovery" (Zou & Donner 2008): unlike the sum of standard errors,
    it knows that a share of 3 out of 3 rows is not sure.

    >>> shares = np.array([1.0, 0.5])
    >>> found = recovered(0.75, shares, wilson(shares, 10.0, 0.95), np.array([0.5, 0.5]))
    >>> [round(end, 3) for end in found]
    [0.559, 0.882]
    """
    below, above = (math.hypot(*(factors * (values - end))) for end in ends)
    return value - below, value + above


def standard_error(weights: Floats, squares: Floats, influence: Floats) -> tuple[float, float]:
    """The sandwich standard error, and the effective n, from bins of rows.

    `influence` is the derivative of the measure towards the weight of each bin.

    >>> rows = np.array([80.0, 20.0])
    >>> standard_error(rows, rows, np.array([0.2, -0.8]) / 100)  # sqrt(0.8 * 0.2 / 99)
    (0.04020151261036848, 100.0)
    """
    n = float(weights.sum()) ** 2 / float(squares.sum())
    spread = float((squares * influence**2).sum())
    return math.sqrt(spread * n / (n - 1)) if n > 1 else math.nan, n


def on_its_scale(
    value: float, error: float, n: float, confidence: float, within: Range
) -> Estimate:
    """An estimate with the interval of its range: logit for (0, 1), Fisher's z for (-1, 1).

    >>> on_its_scale(1.0, 0.0, 40.0, 0.95, (0.0, 1.0)).unsure
    'the value stands at the edge of its range, 1'
    """
    value = min(max(value, within[0]), within[1])  # a rounding beyond
    if any(math.isclose(value, end, rel_tol=1e-14) for end in within):
        return Estimate(value, unsure=f"the value stands at the edge of its range, {value:g}")
    if n <= 1:
        return Estimate(value, unsure="one row: no interval")
    if error <= 1e-14 * abs(value):  # 0, or a rounding
        return Estimate(value, unsure="its rows do not vary: no interval")
    reach = error * float(special.stdtrit(n - 1, (1 + confidence) / 2))
    return Estimate(value, error, *_reached(value, reach, within))


def _reached(value: float, reach: float, within: Range) -> Range:
    """The ends `reach` away from a value, in the units of its scale there.

    Without what `uncertainty.interval` adds for heavy tails: cells of a table have none.
    """
    low, high = within
    if math.isinf(low):
        return value - reach, value + reach
    if math.isinf(high):
        factor = math.exp(min(reach / (value - low), 700.0))
        return low + (value - low) / factor, low + (value - low) * factor
    share = (value - low) / (high - low)
    side = reach / ((high - low) * share * (1 - share))
    ends = [float(special.expit(special.logit(share) + way)) for way in (-side, side)]
    return low + (high - low) * ends[0], low + (high - low) * ends[1]
