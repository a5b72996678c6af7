"""The scale on which a curve is judged: its logarithm, where noise shrinks with the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Scale:
    """To numbers of which lower is better and whose noise is of one size, and back."""

    better: Better
    logarithmic: bool

    def of(self, values: Floats) -> Floats:
        """From what was logged."""
        if self.logarithmic:
            return np.log(values)
        return values if self.better == "lower" else -values

    def back(self, z: Floats) -> Floats:
        """To what was logged."""
        if self.logarithmic:
            return np.exp(z)
        return z if self.better == "lower" else -z

    def noise_at(self, errors: Floats, values: Floats) -> Floats:
        """Standard errors of logged values, on the scale."""
        return errors / values if self.logarithmic else errors


def scale_of(values: Floats, better: Better) -> Scale:
    """Logarithmic for positive losses, unless the noise stays as the loss shrinks.

    Second differences are likelier under the one or the other (Laplace errors, whose size is
    constant or in proportion to the level).

    >>> scale_of(np.array([8.0, 4.0, 2.0, 1.0, 0.5]), "lower").logarithmic
    True
    >>> scale_of(np.array([8.0, 4.0, 0.0, 1.0, 0.5]), "lower").logarithmic
    False
    """
    if better == "higher" or not (values > 0).all():
        return Scale(better, False)
    jumps = np.abs(np.diff(values, 2))
    level = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    if not jumps.any():
        return Scale(better, True)
    constant = np.log(jumps.mean())
    shrinking = np.log((jumps / level).mean()) + np.log(level).mean()
    return Scale(better, bool(shrinking <= constant))
