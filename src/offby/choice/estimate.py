"""A number with how sure it is, and by which method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its interval; all are None where it cannot be had, `why` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""
    why: str = ""

    @property
    def positive(self) -> bool:
        """Whether it is surely above zero."""
        return self.low is not None and self.low > 0

    @property
    def nonzero(self) -> bool:
        """Whether its interval leaves zero out."""
        return self.positive or self.negative

    def holds(self, value: float) -> bool:
        """Whether its interval has this value."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high

    @property
    def negative(self) -> bool:
        """Whether it is surely below zero."""
        return self.high is not None and self.high < 0

    def times(self, factor: float) -> Estimate:
        """The same in other units."""
        value, low, high = (
            None if x is None else x * factor for x in (self.value, self.low, self.high)
        )
        return replace(self, value=value, low=low, high=high)

    @property
    def turned(self) -> Estimate:
        """The same with the other sign."""
        found = self.times(-1)
        return replace(found, low=found.high, high=found.low)

    def to_dict(self) -> dict[str, Any]:
        """The estimate for JSON; infinities are left to the writer."""
        return {"value": self.value, "low": self.low, "high": self.high, "method": self.method,
                "undefined": self.why or None}  # fmt: skip


def percentile(
    value: float, replicates: Sequence[float], confidence: float, method: str
) -> Estimate:
    """The value with the interval that holds the middle of its replicates.

    >>> percentile(2.0, [1.0, 2.0, 3.0], 0.5, "bootstrap").low
    1.5
    """
    kept = [x for x in replicates if not np.isnan(x)]
    if len(kept) < len(replicates) / 2 or np.isnan(value):
        return Estimate(None, method=method, why="errors repeat, or rows are few")
    ends = np.quantile(kept, [(1 - confidence) / 2, (1 + confidence) / 2], method="inverted_cdf")
    if len(kept) < 40:
        ends = np.quantile(kept, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(float(value), float(ends[0]), float(ends[1]), method)
