"""Has a curve risen from its minimum, or is it noise? A test with a known false-alarm rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from offby.formula.kept import kept
from offby.watch.noise import Noise

Floats = NDArray[np.float64]
_LEAST, _ENOUGH = 4, 10  # points that a rise takes; longer curves need not have more
_REPLICATES = 600
_CLOSE = (0.3, 3.0)  # a chance so near the level is looked at again, with more replicates
_MORE = 4
_SPEND = 0.25  # the part of the level that a look may spend, at most
_SOON = 16  # evaluations up to which looks may spend more and more


def rise_chance(z: Floats, noise: Noise, level: float, generator: np.random.Generator) -> float:
    """How often noise alone would make a curve that never rises look like `z` at its end.

    The statistic is the squared error that a rising line over the last part of the curve takes off
    a level one, for the best part of a quarter to two thirds of it. A fall can only make it
    smaller, so flat is the least favourable of all curves that never rise, and flat curves are
    simulated, with noise drawn as likely as `z` makes it: how unsure its size and its correlation
    are is part of the answer. (What isotonic fits save is blunter on rises that grow, and mistakes
    a spike that recovered for one.)
    """
    seen = rise_of(z)
    chance = _chance(seen, z.size, noise, _REPLICATES, generator)
    if _CLOSE[0] * level < chance < _CLOSE[1] * level:
        chance = _chance(seen, z.size, noise, _MORE * _REPLICATES, generator)
    return chance


def rise_of(z: Floats) -> float:
    """The statistic of `rise_chance`: 0 where no last part that counts rises.

    >>> rise_of(np.array([9.0, 4.0, 0.0, 1.0, 2.0, 3.0]))
    5.0
    """
    return float(_rise(z))


@kept
def _rise(z: Floats) -> float:
    n = z.size
    least = max(min(n // 4, _ENOUGH), _LEAST)
    best, total, moment = 0.0, 0.0, 0.0
    for count in range(1, max(2 * n // 3, least) + 1):
        total += z[n - count]
        moment += (count - 1) * z[n - count]
        if count >= least:
            slope = total * (count - 1) / 2 - moment
            saved = 12 * slope * slope / (count * (count * count - 1.0))
            if slope > 0 and saved > best:
                best = saved
    return best


@kept
def _rises_of_noise(innovations: Floats, correlation: Floats, spread: Floats) -> Floats:
    """The statistic of curves that are flat but for AR(1) noise; a row of innovations each."""
    z = np.empty(innovations.shape[1])
    found = np.empty(innovations.shape[0])
    for b in range(found.size):
        fresh = math.sqrt(1.0 - correlation[b] ** 2)
        z[0] = innovations[b, 0]
        for i in range(1, z.size):
            z[i] = correlation[b] * z[i - 1] + fresh * innovations[b, i]
        found[b] = spread[b] ** 2 * _rise(z)
    return found


def _chance(
    seen: float, points: int, noise: Noise, count: int, generator: np.random.Generator
) -> float:
    correlation, spread = noise.draws(count, generator)
    drawn = generator.standard_normal((count, points))
    by_chance = _rises_of_noise(drawn, correlation, spread)
    return float(1 + np.sum(by_chance >= seen)) / (count + 1)


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
