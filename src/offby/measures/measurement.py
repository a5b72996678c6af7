"""What a measure found on a table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Self

from offby.errors import MeasureError
from offby.measures.measure import Better


def check_confidence(confidence: float) -> None:
    """Raise `MeasureError` unless this can be the confidence of an interval."""
    if not 0 < confidence < 1:
        raise MeasureError(f"confidence is {confidence}; expected a number between 0 and 1")


@dataclass(frozen=True)
class Measurement:
    """A value with what is known of it: how sure, from how many rows, in which units.

    `value` is None where the measure is undefined, and `undefined` then says why. `standard_error`,
    `low` and `high` are None where no interval exists, and `unsure` then says why. `bracket` holds
    guaranteed bounds where the value is not exact; `caution` says when the interval is worth
    little, and which measure to trust instead.
    """

    name: str
    value: float | None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    units: str = "1"
    better: Better = "lower"
    confidence: float = 0.95
    bracket: tuple[float, float] | None = None
    undefined: str | None = None
    unsure: str | None = None
    caution: str | None = None
    range: tuple[float, float] = (-math.inf, math.inf)

    def with_interval(self, standard_error: float, low: float, high: float) -> Self:
        """The same value with an interval."""
        return replace(self, standard_error=standard_error, low=low, high=high, unsure=None)

    def to_dict(self) -> dict[str, Any]:
        """The measurement for JSON; infinities and NaN are left to the writer."""
        return {
            "value": self.value,
            "standard_error": self.standard_error,
            "low": self.low,
            "high": self.high,
            "units": self.units,
            "better": self.better,
            "bracket": None if self.bracket is None else list(self.bracket),
            "undefined": self.undefined,
            "unsure": self.unsure,
            "caution": self.caution,
        }
