"""What training as long again would likely gain: curves that fit the past, judged by the past.

Losses fall like powers (Hestness et al. 2017) or exponentials towards a floor. Neither is believed:
each shape is weighed by how well it fits and by how well it would have forecast the curve's own
end from its beginning, and forecasts that failed by more than they promised widen the interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_POWERS = np.geomspace(0.1, 3.0, 24)
_LIFETIMES = np.geomspace(0.03, 3.0, 24)  # of the time so far
_NO_LAW = 0.02  # of the fall that is fitted: no curve is exactly of any shape
_OFF = 0.08  # of a forecast, at the best
_IMPOSSIBLE = 1e3  # a floor that no loss can reach, in units of a squared deviation
_CUTS = (0.5, 0.65, 0.8)
_DRAWS = 4000
LEAST = 10
"""Evaluations without which nothing is forecast."""


@dataclass(frozen=True)
class _Fits:
    """floor + height · shape(t) by weighted least squares, for each shape (a row)."""

    floor: Floats
    height: Floats
    height_error: Floats  # standard errors
    errors: Floats  # squared, in units of the noise

    def at(self, shapes: Floats) -> Floats:
        """The fitted curves."""
        return self.floor[:, None] + self.height[:, None] * shapes


def gains(
    steps: Floats, losses: Floats, spread: Floats, alike: float, lowest: float,
    generator: np.random.Generator,
) -> tuple[Floats, float]:  # fmt: skip
    """How far the loss may fall in as many steps again, as draws; and the step then.

    `spread` is the noise of each of the `losses` (lower is better, and no loss is below `lowest`);
    `alike` is how many correlated evaluations say as much as an independent one.
    """
    t = steps if steps[0] > 0 else steps - steps[0] + (steps[1] - steps[0])
    until = 2 * t[-1]
    shapes, later = _shapes(t, t[-1]), _shapes(np.array([until]), t[-1])
    weights = 1 / (spread**2 + (_NO_LAW * np.ptp(losses)) ** 2)
    fits = _fitted(shapes, losses, weights, alike)
    missed, excess = _backtest(shapes, losses, weights, alike)
    unlike = fits.errors / alike + missed
    unlike[fits.floor < lowest] += _IMPOSSIBLE
    likely = np.exp(-(unlike - unlike.min()) / 2)
    likely /= likely.sum()
    fall = shapes[:, -1] - later[:, 0]
    which = generator.choice(likely.size, _DRAWS, p=likely)
    height = fits.height[which] + fits.height_error[which] * generator.normal(size=_DRAWS)
    missing = np.sqrt(excess[which]) * generator.normal(size=_DRAWS)
    fallen = height * fall[which] * generator.normal(1, _OFF, _DRAWS)
    return fallen + missing, float(steps[-1] + until - t[-1])


def _shapes(t: Floats, now: float) -> Floats:
    """Each shape at the times `t`, scaled to `now`; a row each."""
    u = t / now
    return np.concatenate([u ** -_POWERS[:, None], np.exp(-u / _LIFETIMES[:, None])])


def _fitted(shapes: Floats, losses: Floats, weights: Floats, alike: float) -> _Fits:
    """No curve rises: where the best height is negative it is 0."""
    share = weights / weights.sum()
    middle, mean = shapes @ share, float(losses @ share)
    centred = shapes - middle[:, None]
    squares = np.maximum((centred**2) @ weights, 1e-300)
    height = np.maximum(centred @ (weights * (losses - mean)) / squares, 0.0)
    floor = mean - height * middle
    left = losses - floor[:, None] - height[:, None] * shapes
    return _Fits(floor, height, np.sqrt(alike / squares), (left**2) @ weights)


def _backtest(
    shapes: Floats, losses: Floats, weights: Floats, alike: float
) -> tuple[Floats, Floats]:
    """How far each shape's forecasts of the end were off, squared: in their own units, and beyond.

    The second is what they missed by more than they promised, in squared units of the loss.
    """
    n = losses.size
    scores, excess = [], []
    for part in _CUTS:
        cut = int(part * n)
        past, rest = slice(0, cut), slice(cut + (n - cut) // 2, n)
        fits = _fitted(shapes[:, past], losses[past], weights[past], alike)
        missed = losses[rest].mean() - fits.at(shapes[:, rest]).mean(1)
        away = shapes[:, rest].mean(1) - shapes[:, past] @ weights[past] / weights[past].sum()
        noise = alike * (1 / weights[rest].sum() + 1 / weights[past].sum())
        promised = noise + (fits.height_error * away) ** 2
        scores.append(missed**2 / promised)
        excess.append(np.maximum(missed**2 - promised, 0.0))
    return np.mean(scores, axis=0), np.mean(excess, axis=0)
