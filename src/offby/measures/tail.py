"""How heavy the tail of the errors is, read off the counts of |r|.

The Hill estimator (1975) is the mean of log(|r| / threshold) over the largest errors. Its inverse
is the tail index only far out, where few rows are; nearer in, even normal errors look heavy. So it
is read as the degrees of freedom of the Student t whose largest rows would show the same, which is
the tail index for t errors at any threshold, and infinite for normal ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from offby.engine.rows import Floats

LEAST_ROWS = 100
_LIGHTEST, _HEAVIEST = 100.0, 0.5


class Sizes(Protocol):
    """Sizes of errors, the smallest first, with their weights: counted, or of rows at hand."""

    @property
    def effective_n(self) -> float:
        """How many rows of equal weight would say as much."""

    @property
    def middles(self) -> Floats:
        """The sizes."""

    @property
    def weights(self) -> Floats:
        """The weight of each."""


@dataclass(frozen=True)
class Tail:
    """P(|r| > x) falls as x**-index; moments of order `index` and above do not exist."""

    index: float
    rows: int  # how many of the largest errors it was estimated from

    def heavier_than(self, order: float) -> bool:
        """Whether the moment of this order is in doubt."""
        return self.index < order


def tail_of(counted: Sizes) -> Tail | None:
    """The tail index from the largest n**0.7 / 2 errors; None below 100 rows."""
    n = counted.effective_n
    if n < LEAST_ROWS:
        return None
    k = max(10, math.ceil(n**0.7 / 2))
    excess = _mean_log_excess(counted, k / n)
    return None if excess is None else Tail(_degrees_of_freedom(excess, k / n), k)


def _mean_log_excess(counted: Sizes, share: float) -> float | None:
    """The mean of log(|r| / threshold) over the largest share of the rows."""
    sizes = counted.middles[::-1]
    weights = counted.weights[::-1] / counted.weights.sum()
    upto = np.cumsum(weights)
    threshold = sizes[min(int(np.searchsorted(upto, share)), sizes.size - 1)]
    if threshold <= 0:
        return None
    taken = np.diff(np.minimum(upto, share), prepend=0.0)
    used = taken > 0
    logs = np.log(np.maximum(sizes[used] / threshold, 1.0))
    return float(np.sum(taken[used] * logs)) / share


def _degrees_of_freedom(excess: float, share: float) -> float:
    """Of the Student t whose largest share has this mean log excess; bisection on the logarithm."""
    if excess <= _student_excess(_LIGHTEST, share):
        return math.inf
    low, high = math.log(_HEAVIEST), math.log(_LIGHTEST)
    for _ in range(16):  # to four digits
        middle = (low + high) / 2
        heavier = _student_excess(math.exp(middle), share) > excess
        low, high = (middle, high) if heavier else (low, middle)
    return math.exp((low + high) / 2)


def _student_excess(freedom: float, share: float) -> float:
    """The integral of P(|t| > threshold e^s) over s > 0, over the share beyond the threshold."""
    threshold = -special.stdtrit(freedom, share / 2)
    s = np.linspace(0.0, 2 + 40 / freedom, 200)
    return float(np.trapezoid(2 * special.stdtr(freedom, -threshold * np.exp(s)), s)) / share
