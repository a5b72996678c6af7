"""What the last third of a curve does: falls, rises, stays, or cannot be told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.watch.noise import Noise

Floats = NDArray[np.float64]
_LEAST = 5


@dataclass(frozen=True)
class Recent:
    """The change over the last points, by the slope of a line, and how far off it may be.

    `reach` is one-sided: the change plus or minus it errs once in 1 / (1 - confidence).
    """

    change: float
    reach: float
    points: int

    @property
    def falls(self) -> bool:
        """Surely down."""
        return self.change + self.reach < 0

    @property
    def rises(self) -> bool:
        """Surely up."""
        return self.change - self.reach > 0

    def within(self, margin: float) -> bool:
        """Surely no change of more than `margin`: two one-sided tests (Schuirmann 1987)."""
        return abs(self.change) + self.reach < margin


def recent_change(z: Floats, evaluations: int, noise: Noise, confidence: float) -> Recent:
    """The change over the last third of all `evaluations`, as far as `z` goes back."""
    points = min(max(-(-evaluations // 3), _LEAST), z.size)
    at = np.arange(points) - (points - 1) / 2
    weights = at / (at @ at) * (points - 1)
    quantile = float(special.stdtrit(noise.freedom, confidence))
    reach = quantile * math.sqrt(noise.variance_of(weights))
    return Recent(float(weights @ z[-points:]), reach, points)


def needed_points(noise: Noise, margin: float, confidence: float) -> int:
    """About how many evaluations would show a change of `margin` over their last third."""
    variance = 12 * noise.spread**2 * noise.alike
    return 3 * math.ceil(variance * (2 * float(special.ndtri(confidence)) / margin) ** 2)
