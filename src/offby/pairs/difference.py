"""By how much one model exceeds another in a measure, and what that means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from offby.measures.measure import Better

Verdict = Literal["better", "worse", "tied", "unknown"]
Ends = tuple[float, float, float]
TARGETS = {"zero": 0.0, "one": 1.0}
"""What measures are best at that are best in the middle: their distances are compared."""


@dataclass(frozen=True)
class Difference:
    """The measure of `model` less that of `against`, on the same rows.

    Where a measure is best at zero (or one), it is the distance to that which is compared. `low`
    and `high` hold together with those of all other pairs of models, with `confidence`; `p_value`
    is adjusted likewise. `detectable` is the difference that so many rows would have shown four
    times in five. `levels` are the two measures, of `model` first, and the factor by which their
    ratio may be off; `alone` the rows that `model` alone gets right, and those that `against` alone
    does. `value` is None where the measure is undefined and the interval None where there is none;
    `reason` says why. Within a segment the interval is that of this one difference, `p_value` is
    adjusted for all segments of a list together, and `sure` says whether it stands (Holm 1979).
    """

    measure: str
    model: str
    against: str
    value: float | None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    detectable: float | None = None
    levels: Ends | None = None
    better: Better = "lower"
    units: str = "1"
    confidence: float = 0.95
    method: str = ""
    reason: str | None = None
    caution: str | None = None
    alone: tuple[int, int] | None = None
    sure: bool | None = None

    @property
    def verdict(self) -> Verdict:
        """What the interval says of `model`: better or worse than `against`, or neither for sure.

        >>> Difference("mae", "b", "a", -1.0, 0.1, -1.2, -0.8).verdict
        'better'
        """
        if self.value is None or math.isnan(self.value):
            return "unknown"
        if self.low is None or self.high is None:
            return self._side(self.value) if math.isinf(self.value) else "unknown"
        sure = not self.low <= 0 <= self.high if self.sure is None else self.sure
        return self._side(self.value) if sure else "tied"

    def _side(self, value: float) -> Verdict:
        return "better" if (value > 0) == (self.better == "higher") else "worse"

    @property
    def skill(self) -> Ends | None:
        """The share of the loss of `against` that is gone, with its interval.

        >>> Difference("mae", "b", "a", -1.0, levels=(4.0, 5.0, 1.25)).skill
        (0.19999999999999996, 0.0, 0.36)
        """
        if self.levels is None:
            return None
        mine, other, factor = self.levels
        ratio = mine / other
        return 1 - ratio, 1 - ratio * factor, 1 - ratio / factor

    @property
    def flipped(self) -> Difference:
        """The same comparison seen from the other model: every sign turned, no digit changed."""
        return replace(
            self,
            model=self.against,
            against=self.model,
            value=_negated(self.value),
            low=_negated(self.high),
            high=_negated(self.low),
            levels=self.levels and (self.levels[1], self.levels[0], self.levels[2]),
            alone=self.alone and self.alone[::-1],
        )

    def to_dict(self) -> dict[str, Any]:
        """The difference for JSON."""
        return {
            "measure": self.measure,
            "model": self.model,
            "against": self.against,
            "difference": self.value,
            "standard_error": self.standard_error,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "p_value": self.p_value,
            "verdict": self.verdict,
            "detectable": self.detectable,
            "skill": self.skill,
            "alone_right": self.alone,
            "method": self.method,
            "reason": self.reason,
            "caution": self.caution,
        }


def holm(found: Sequence[Difference], level: float) -> list[Difference]:
    """Differences judged together: their p values adjusted, and whether each stays below `level`.

    A difference with an interval and no p value has no spread at all, and counts as no evidence.

    >>> one = Difference("mae", "b", "a", -1.0, 0.4, -1.8, -0.2, p_value=0.02)
    >>> [(d.p_value, d.sure) for d in holm([one, replace(one, p_value=0.03)], 0.05)]
    [(0.04, True), (0.04, True)]
    """
    judged = [place for place, one in enumerate(found) if one.low is not None]
    judged.sort(key=lambda place: _chance(found[place]))
    adjusted, least = list(found), 0.0
    for rank, place in enumerate(judged):
        least = max(least, min(_chance(found[place]) * (len(judged) - rank), 1.0))
        adjusted[place] = replace(found[place], p_value=least, sure=least <= level)
    return adjusted


def _chance(found: Difference) -> float:
    return 1.0 if found.p_value is None else found.p_value


def _negated(value: float | None) -> float | None:
    return None if value is None else 0.0 - value  # no -0
