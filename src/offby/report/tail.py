"""How heavy the tail of the errors is, read off the counts of |r|: the Hill estimator (1975)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from offby.measures.ordered import Counted

LEAST_ROWS = 100
_FRACTION = 0.01


@dataclass(frozen=True)
class Tail:
    """P(|r| > x) falls as x**-index; moments of order `index` and above do not exist."""

    index: float
    rows: int  # how many of the largest errors it was estimated from

    @property
    def standard_error(self) -> float:
        """Of the index; asymptotically index / sqrt(rows)."""
        return self.index / math.sqrt(self.rows)

    def heavier_than(self, order: float) -> bool:
        """Whether the moment of this order is in doubt."""
        return self.index < order


def tail_of(counted: Counted) -> Tail | None:
    """The tail index from the worst 1 % of the rows (10 at least); None below 100 rows."""
    n = counted.effective_n
    if n < LEAST_ROWS:
        return None
    k = max(10, round(n * _FRACTION))
    sizes = (counted.counts.low() + counted.counts.high())[::-1] / 2
    weights = counted.weights[::-1] * (n / counted.weights.sum())
    reached = int(np.searchsorted(np.cumsum(weights), k))
    threshold = sizes[min(reached, sizes.size - 1)]
    if threshold <= 0:
        return None
    taken = np.diff(np.minimum(np.cumsum(weights), k), prepend=0.0)
    used = taken > 0
    mean_log = float(np.sum(taken[used] * np.log(np.maximum(sizes[used] / threshold, 1.0)))) / k
    return Tail(1 / mean_log if mean_log > 0 else math.inf, k)
