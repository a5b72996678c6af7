"""The smooth level of a curve's end, its lowest checkpoint, and what came after that cost.

Local quadratics (Cleveland 1979) see a minimum where one noisy evaluation only seems to be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from offby.watch.noise import Noise, correlated

Floats = NDArray[np.float64]
_BANDWIDTHS = (0.2, 0.35, 0.6)  # parts of the points
_LEAST_BANDWIDTH = 3.1  # five points, on which a quadratic leaves two free
_RATHER_SMOOTH = 1.15  # a wider band may err by so much more, for noise favours narrow ones
_BEFORE = 2
REPLICATES = 400


@dataclass(frozen=True)
class Level:
    """A smooth end of a curve, its lowest point, and simulated ones as it might have come out.

    `smoother` is the matrix that made it of the points from `start`; `drawn` has a row a
    replicate.
    """

    start: int
    smoother: Floats
    z: Floats
    best: int
    drawn: Floats

    def smoothed(self, values: Floats) -> Floats:
        """Another column of the same evaluations, smoothed alike."""
        return np.asarray(self.smoother @ values[self.start :])

    def rises(self) -> Floats:
        """How far the end lies above the lowest point: by simulation about what is seen."""
        seen = self.z[-1] - self.z[self.best]
        return np.asarray(2 * seen - (self.drawn[:, -1] - self.drawn.min(1)))

    def lows(self) -> Floats:
        """The lowest point without the luck that made it lowest: by simulation, as `rises`."""
        lowest = self.drawn.argmin(1)
        return np.asarray(self.z[self.best] - (self.drawn.min(1) - self.z[lowest]))


def level_of(z: Floats, knee: int, noise: Noise, generator: np.random.Generator) -> Level:
    """The smooth level from `knee` on, with noise as `noise` says.

    A few points before the knee hold the curve's near end, else noise there would look lowest.
    """
    start = max(knee - _BEFORE, 0)
    used = z[start:]
    smoother = _chosen(used)[knee - start :]
    smooth = smoother @ used
    drawn = smooth + ar1(noise, used.size, REPLICATES, generator) @ smoother.T
    return Level(start, smoother, smooth, int(np.argmin(smooth)), drawn)


def ar1(noise: Noise, points: int, count: int, generator: np.random.Generator) -> Floats:
    """Noise alone; a row a replicate."""
    correlation, spread = noise.draws(count, generator)
    fresh = generator.standard_normal((points, count))
    return np.asarray((correlated(fresh, correlation) * spread).T)


def _chosen(z: Floats) -> Floats:
    """The smoothest of the local quadratics that predict left-out points about as well as any."""
    smoothers = [local_quadratic(z.size, part) for part in _BANDWIDTHS]
    errors = [_left_out_error(s, z) for s in smoothers]
    limit = _RATHER_SMOOTH * min(errors)
    return next(s for s, e in zip(smoothers[::-1], errors[::-1], strict=True) if e <= limit)


def _left_out_error(smoother: Floats, z: Floats) -> float:
    free = np.maximum(1 - np.diag(smoother), 1e-3)
    return float(np.mean(((z - smoother @ z) / free) ** 2))


@lru_cache(48)
def local_quadratic(points: int, part: float) -> Floats:
    """The matrix that fits a quadratic about each point to its neighbours, tricube weights.

    >>> square = np.arange(9.0) ** 2
    >>> bool(np.allclose(local_quadratic(9, 0.5) @ square, square))
    True
    """
    width = max(part * points, _LEAST_BANDWIDTH)
    away = (np.arange(points) - np.arange(points)[:, None]) / width
    size = np.minimum(np.abs(away), 1)
    weights = 1 - size * size * size
    powers = np.empty((5, points, points))
    powers[0] = weights * weights * weights
    for k in range(1, 5):
        np.multiply(powers[k - 1], away, out=powers[k])
    moments = powers.sum(2)
    normal = moments[np.add.outer(range(3), range(3))].transpose(2, 0, 1)
    first = np.linalg.solve(normal, np.broadcast_to(np.eye(3)[:, :1], (points, 3, 1)))[:, :, 0]
    return np.asarray(np.einsum("jk,kji->ji", first, powers[:3]))
