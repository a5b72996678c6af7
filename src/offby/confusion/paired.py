"""Two classifiers on the same rows: which is right more often, and may that be chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from offby.errors import MeasureError
from offby.measures.aggregate import Undefined


@dataclass(frozen=True)
class PairedLabels:
    """The difference of two accuracies on the same rows, with its interval and p values."""

    difference: float
    low: float
    high: float
    p_value: float
    mid_p: float


def mcnemar(b: int, c: int, n: int, confidence: float = 0.95) -> PairedLabels:
    """McNemar's test of equal accuracy, from the rows that only one of two classifiers got right.

    `b` rows only the first got right, `c` only the second, of `n` in all. `p_value` is exact
    (binomial), `mid_p` the same less half of what exactness overshoots (Fagerland et al. 2013);
    both at any n. The interval of the difference of accuracies is Tango's score interval (1998).
    Raises `Undefined` where there are no rows.

    >>> found = mcnemar(12, 3, 100)
    >>> found.difference, round(found.p_value, 4), round(found.mid_p, 4)
    (0.09, 0.0352, 0.0213)
    """
    _check(b, c, n)
    least = min(b, c)
    up_to = float(special.bdtr(least, b + c, 0.5))
    below = float(special.bdtr(least - 1, b + c, 0.5)) if least else 0.0
    z = float(special.ndtri((1 + confidence) / 2))
    return PairedLabels(
        (b - c) / n, _score_end(b, c, n, z), -_score_end(c, b, n, z), min(2 * up_to, 1.0),
        up_to + below if b != c else 1.0,
    )  # fmt: skip


def _check(b: int, c: int, n: int) -> None:
    if any(count != int(count) or count < 0 for count in (b, c, n)) or b + c > n:
        raise MeasureError(f"b = {b} and c = {c} of n = {n} are no counts of rows of one table")
    if not n:
        raise Undefined("there are no rows")


def _score_end(b: int, c: int, n: int, z: float) -> float:
    """The least difference that the score test does not refuse, by halving."""
    low, high = -1.0, (b - c) / n
    while low < (middle := (low + high) / 2) < high:
        spread = 2 * _second_only(b, c, n, middle) + middle * (1 - middle)
        error = math.sqrt(max(n * spread, 0.0))
        low, high = (middle, high) if b - c - n * middle > z * error else (low, middle)
    return high


def _second_only(b: int, c: int, n: int, difference: float) -> float:
    """The likeliest share of rows that only the second gets right, given the difference."""
    slope = (2 * n - b + c) * difference - b - c
    root = math.sqrt(max(slope**2 + 8 * n * c * difference * (1 - difference), 0.0))
    return (root - slope) / (4 * n)
