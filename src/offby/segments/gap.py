"""How far a segment's measure lies from the rest's, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from offby.measures.measurement import Measurement

SURE = 0.05
"""The family-wise error: how often chance alone marks any segment of a list."""


@dataclass(frozen=True)
class Gap:
    """A segment's value minus that of the rest, with its interval.

    `p` is how often chance alone shows as much; `sure` says whether that stays below 5 % for the
    whole list of segments together (Holm 1979).
    """

    value: float
    standard_error: float
    low: float
    high: float
    p: float
    sure: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The gap for JSON."""
        return dict(vars(self))


def gap_of(segment: Measurement, rest: Measurement) -> Gap | None:
    """The gap between two measurements of different rows; None where either has no interval.

    The interval is recovered from those of both (Zou & Donner 2008), and so knows their scales.

    >>> part = Measurement("mae", 3.0, 0.2, 2.6, 3.4)
    >>> found = gap_of(part, Measurement("mae", 2.0, 0.1, 1.8, 2.2))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3), found.p < 1e-4
    (1.0, 0.553, 1.447, True)
    """
    ends = (segment.low, segment.high, rest.low, rest.high)
    if segment.value is None or rest.value is None or any(end is None for end in ends):
        return None
    errors = [m.standard_error for m in (segment, rest)]
    if not all(error is not None and 0 < error < math.inf for error in errors):
        return None
    a_low, a_high, b_low, b_high = (float(end) for end in ends if end is not None)
    value = segment.value - rest.value
    low = value - math.hypot(segment.value - a_low, b_high - rest.value)
    high = value + math.hypot(a_high - segment.value, rest.value - b_low)
    error = math.hypot(*(float(e) for e in errors if e is not None))
    return Gap(value, error, low, high, _chance(segment, rest))


def _chance(segment: Measurement, rest: Measurement) -> float:
    """The two-sided p-value of Welch's t on the measure's natural scale."""
    (a, a_error, a_degrees), (b, b_error, b_degrees) = map(_scaled, (segment, rest))
    squares = [a_error**2, b_error**2]
    total = sum(squares)
    if not 0 < total < math.inf:
        return 1.0
    lost = squares[0] ** 2 / a_degrees + squares[1] ** 2 / b_degrees
    degrees = total**2 / lost if lost > 0 else 1e9
    return float(2 * special.stdtr(min(degrees, 1e9), -abs(a - b) / math.sqrt(total)))


def _scaled(measured: Measurement) -> tuple[float, float, float]:
    """Value and standard error where the interval is symmetric, and its degrees of freedom."""
    assert measured.value is not None
    assert measured.low is not None
    assert measured.high is not None
    assert measured.standard_error is not None
    scale, slope = _scale(measured.value, measured.range)
    low, high = (_scale(end, measured.range)[0] for end in (measured.low, measured.high))
    error = measured.standard_error * slope
    normal = float(special.ndtri((1 + measured.confidence) / 2))
    reach = (high - low) / 2 / error if error > 0 else normal
    if not reach > normal * 1.0001:
        return scale, error, 1e9
    degrees = float(special.stdtridf((1 + measured.confidence) / 2, reach))
    return scale, error, max(degrees, 1.0) if math.isfinite(degrees) else 1.0


def _scale(value: float, within: tuple[float, float]) -> tuple[float, float]:
    """A value on the natural scale of its range (log, logit), and the slope there."""
    low, high = within
    if math.isinf(low) and math.isinf(high):
        return value, 1.0
    if math.isinf(high):
        away = max(value - low, 1e-300)
        return math.log(away), 1 / away
    if math.isinf(low):
        away = max(high - value, 1e-300)
        return -math.log(away), 1 / away
    share = min(max((value - low) / (high - low), 1e-15), 1 - 1e-15)
    return float(special.logit(share)), 1 / ((high - low) * share * (1 - share))


def holm(chances: Sequence[float], level: float = SURE) -> list[bool]:
    """Which of these p-values stand, if any false one may stand with probability `level` (1979).

    >>> holm([0.001, 0.06, 0.02])
    [True, False, True]
    """
    order = np.argsort(chances)
    stands = [False] * len(chances)
    for rank, place in enumerate(order.tolist()):
        if not chances[place] <= level / (len(chances) - rank):
            break
        stands[place] = True
    return stands
