"""Has a curve risen from its minimum, or is it noise? A test with a known false-alarm rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.watch.noise import Noise, correlated

Floats = NDArray[np.float64]
_LEAST, _ENOUGH = 4, 10  # points that a rise takes; longer curves need not have more
_BEFORE = 2  # points before a turn
_TURNS = 8  # that are tried
_CORRELATIONS = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9])  # of noise, that are weighed
_RARE = 0.8  # a power of (1 - correlation): evaluations a step apart are rarely alike all through
_GUARDED, _MEMORY = 0.6, 12.0  # a correlation, and a part of the curve: see `guarded`
_MOST_ALIKE = 0.95
_REPLICATES = 600
_CLOSE = (0.3, 3.0)  # a chance so near the level is looked at again, with more replicates
_MORE, _NUMBERS = 2400, 100_000  # replicates at least, and what short curves may draw in all
_SEED = 20_261_122
_ROUNDING = 1e-13
_SPEND = 0.25  # the part of the level that a look may spend, at most
_SOON = 16  # evaluations up to which looks may spend more and more


def rise_chance(z: Floats, knee: int, noise: Noise, level: float) -> float:
    """How often noise alone would make a curve that never rises look like `z` at its end.

    The statistic is a likelihood ratio: curves that fall to a turn and rise from there, over curves
    that fall to a turn and stay, from the knee on. What is not known is weighed away: the turn and
    the correlation of AR(1) noise by sums, level and fall as in restricted likelihood (Harville
    1974). (What a rise takes off the squared error says less: it takes noise that is alike for
    a rise, and then has to doubt all rises.)

    Its law is that on a flat curve, where a rise is found most often, with the most correlated
    noise that is guarded against: a slow wave of noise looks most like a rise. Level and size of
    the noise cancel, so the law is one for all curves of as many points.
    """
    start = max(min(knee, z.size - _LEAST - _BEFORE), 0)
    if z.size - start < _LEAST + _BEFORE:
        return 1.0
    law = _Law(z.size, z.size - start, guarded(z.size, noise.correlation), noise.given is not None)
    unit = noise.given or 1.0
    seen = float(law.bends.evidence(z[None, start:] / unit, law.known, noise.floor / unit)[0])
    chance = law.chance(seen, _REPLICATES)
    close = _CLOSE[0] * level < chance < _CLOSE[1] * level
    return law.chance(seen, max(_MORE, _NUMBERS // law.points)) if close else chance


def guarded(evaluations: int, seen: float = 0.0) -> float:
    """The strongest correlation of an evaluation with the next that raises no false alarms.

    Noise may remember a twelfth of the curve, 1 / (1 - correlation) evaluations: what is slower
    than that cannot be told from a rise. Where more is `seen`, that is guarded against.

    >>> guarded(20), guarded(40), guarded(120), guarded(40, seen=0.83)
    (0.6, 0.7, 0.9, 0.8)
    """
    return max(_GUARDED, 1 - _MEMORY / evaluations, min(round(seen, 1), _MOST_ALIKE))


@dataclass(frozen=True)
class _Law:
    """The statistic on flat curves of so many points past the knee, whose noise is so alike."""

    evaluations: int
    points: int
    correlation: float
    known: bool  # how large the noise is

    @property
    def bends(self) -> _Bends:
        """What the statistic is made of."""
        return _bends(self.evaluations, self.points)

    def chance(self, seen: float, count: int) -> float:
        """How often it is as much as what was seen, by so many replicates."""
        return float(1 + count - np.searchsorted(_replicates(self, count), seen)) / (count + 1)


@lru_cache(1024)
def _replicates(law: _Law, count: int) -> Floats:
    """Ascending; the same for the same law, so that the same curve gets the same verdict."""
    fresh = np.random.default_rng(_SEED).standard_normal((law.points, count))
    return np.sort(law.bends.evidence(correlated(fresh, law.correlation).T, law.known))


@dataclass(frozen=True)
class _Bends:
    """Lines that bend at a turn, made orthonormal under each correlation of the noise.

    `axes` has, for each correlation and each turn, a column for the level, one for the fall and one
    for the rise; `lean` is what the rise has of the last two. `weights` are logarithms.
    """

    evaluations: int
    points: int
    axes: Floats
    lean: Floats
    weights: Floats

    def evidence(self, z: Floats, known: bool, floor: float = 0.0) -> Floats:
        """The log likelihood ratio of rising over staying for each row of `z`."""
        z = z - z.mean(1, keepdims=True)
        level, fall, rise = np.moveaxis(
            (z @ self.axes).reshape(len(z), 3, *self.weights.shape), 1, 0
        )
        squares = _whitened_squares(z)[:, :, None] + self.points * floor**2
        least = _ROUNDING * squares + np.finfo(float).tiny
        rough = squares - level**2
        stays = np.maximum(fall, 0) ** 2
        bends = self._bent(fall, rise, stays)
        found = [self._height(np.maximum(rough - one, least), known) for one in (bends, stays)]
        return np.asarray(found[0] - found[1])

    def _bent(self, fall: Floats, rise: Floats, stays: Floats) -> Floats:
        """The squares that a fall and a rise explain, neither of which is negative."""
        along, up = self.lean
        both = (rise > 0) & (along * rise <= up * fall)
        rises = np.maximum(along * fall + up * rise, 0) ** 2
        return np.where(both, fall**2 + rise**2, np.maximum(stays, rises))

    def _height(self, left: Floats, known: bool) -> Floats:
        free = self.points - 3
        heights = self.weights - (left if known else free * np.log(left)) / 2
        return np.asarray(special.logsumexp(heights, axis=(1, 2)))


def _whitened_squares(z: Floats) -> Floats:
    """The squared length of each row once it is freed of each correlation: a column each."""
    inner = z[:, 1:-1]
    own, next_to = np.sum(z * z, axis=1), np.sum(z[:, 1:] * z[:, :-1], axis=1)
    r = _CORRELATIONS
    both = own[:, None] - 2 * r * next_to[:, None] + r**2 * np.sum(inner * inner, axis=1)[:, None]
    return np.asarray(both / (1 - r**2))


@lru_cache(128)
def _bends(evaluations: int, points: int) -> _Bends:
    away = np.arange(points) - _turns(evaluations, points)[:, None]
    lines = np.stack([np.ones(away.shape), np.maximum(-away, 0), np.maximum(away, 0)], axis=2)
    whiteners = np.array([_whitener(points, r) for r in _CORRELATIONS])[:, None]
    directions, triangles = np.linalg.qr(whiteners @ lines)
    sizes = np.diagonal(triangles, axis1=2, axis2=3)
    axes = np.swapaxes(whiteners, 2, 3) @ (directions * np.sign(sizes)[:, :, None])
    lean = triangles[..., 1:, 2] * np.sign(sizes[..., 1:])
    lean /= np.linalg.norm(lean, axis=2, keepdims=True)
    return _Bends(evaluations, points, axes.transpose(2, 3, 0, 1).reshape(points, -1),
                  np.moveaxis(lean, 2, 0), _weights(points, sizes))  # fmt: skip


def _weights(points: int, sizes: Floats) -> Floats:
    """Log determinants, of level and fall too (restricted likelihood), and a prior."""
    r = _CORRELATIONS[:, None]
    spread_out = np.log(np.abs(sizes[..., :2])).sum(2)
    return np.asarray(_RARE * np.log(1 - r) - (points - 1) / 2 * np.log(1 - r**2) - spread_out)


def _turns(evaluations: int, points: int) -> Floats:
    """Where a rise may begin, if it is to count: the last have a quarter of all evaluations."""
    least = max(min(evaluations // 4, _ENOUGH), _LEAST)
    last = max(points - least, _BEFORE)
    return np.unique(np.linspace(_BEFORE, last, _TURNS).round())


def _whitener(points: int, correlation: float) -> Floats:
    """The matrix that makes AR(1) noise of unit size independent."""
    found = np.eye(points) - correlation * np.eye(points, k=-1)
    found[1:] /= math.sqrt(1 - correlation**2)
    return np.asarray(found)


def level_of_look(evaluations: int, level: float) -> float:
    """The error that a look after so many evaluations may spend, if each is followed by a look.

    Up to 16 evaluations little is known of the noise and little is spent, as n³. Later looks
    within a doubling of the evaluations are much alike, so what is spent falls with the number k
    of doublings, as (1 + k)^-1.5, whose sum is finite: no horizon need be known (Lan & DeMets 1983
    spend towards a known one).

    >>> [round(level_of_look(n, 0.05), 5) for n in (8, 16, 128)]
    [0.00156, 0.0125, 0.00156]
    """
    part = evaluations / _SOON
    late = 1 / (1 + math.log2(part)) ** 1.5 if part > 1 else part**3
    return _SPEND * level * late
