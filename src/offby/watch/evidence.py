"""Everything that a curve shows, before it is put in a word."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offby.watch.curve import Curve
from offby.watch.forecast import LEAST as LEAST_TO_FORECAST
from offby.watch.forecast import gains
from offby.watch.isotonic import lowest_errors
from offby.watch.level import Level, level_of
from offby.watch.noise import Noise, knee, noise_of, noise_scale
from offby.watch.recent import Recent, needed_points, recent_change
from offby.watch.rise import rise_chance
from offby.watch.scale import Better, Scale, scale_of

Floats = NDArray[np.float64]
LEAST = 6
"""Evaluations without which nothing is said."""
OF_BEST = 0.9
"""The confidence of the interval of the best epoch."""
OF_AMOUNTS = 0.8
"""The confidence of what the last epochs cost and what more would gain."""
_REACH = 2.0  # in noise variances; by simulation, for that confidence
_SEED = 20_261_122
_OF_LEVEL, _OF_PROGRESS = 0.01, 0.05  # a change smaller than both is none
_LEAST_MARGIN = 1e-9  # where all is zero
_BEYOND_NOISE = 8.0  # deviations
LEARNT = 3.0
"""Deviations of noise in a gain that is more than luck."""
_WILD = 0.25  # of the level: noise that no validation set of a useful size has
_AT_ONCE = 0.7  # a rise of which one step makes so much is a jump


@dataclass(frozen=True)
class Evidence:
    """A curve of at least `LEAST` points, on its scale, with its noise past the knee."""

    curve: Curve
    scale: Scale
    z: Floats
    knee: int
    noise: Noise
    confidence: float
    error: float  # of the test for a rise

    @classmethod
    def of(
        cls, curve: Curve, better: Better, given: Floats | None, confidence: float, error: float
    ) -> Self:
        """What `curve` shows; `given` has the standard errors of its values, where known."""
        scale = scale_of(curve.values, better)
        if given is not None and (given > curve.values).any():
            scale = Scale(better, False)  # such noise has no logarithm
        z = scale.of(curve.values)
        at = knee(z)
        known = None
        if given is not None:
            errors = scale.noise_at(given, curve.values)[at:]
            known = math.sqrt(float(np.mean(errors**2)) / curve.block)
        return cls(curve, scale, z, at, noise_of(z[at:], known), confidence, error)

    @property
    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(_SEED)  # the same curve, the same verdict

    @cached_property
    def level(self) -> Level:
        """The smooth end of the curve."""
        return level_of(self.z, self.knee, self.noise, self._generator)

    @cached_property
    def recent(self) -> Recent:
        """The last third."""
        return recent_change(self.z[self.knee :], self.z.size, self.noise, self.confidence)

    @cached_property
    def chance_of_rise(self) -> float:
        """How often noise alone would look so much like a rise."""
        return rise_chance(self.z, self.knee, self.noise, self.error)

    @property
    def best(self) -> int:
        """The point of the lowest level."""
        return self.knee + self.level.best

    def near_best(self) -> tuple[int, int]:
        """First and last of the points that may be the lowest, at 90 %.

        A point may, if a curve that turns there fits about as well as one that turns anywhere; and
        so may the last, unless the curve has surely risen.
        """
        errors = lowest_errors(self.z)
        worst = errors.min() + _REACH * self.noise.spread**2 * self.noise.alike
        may = np.flatnonzero(errors <= worst)
        last = max(int(may[-1]), self.best)
        unsure = self.chance_of_rise > 1 - OF_BEST
        return min(int(may[0]), self.best), self.z.size - 1 if unsure else last

    @property
    def progress(self) -> float:
        """How far the level fell from the first value, on the scale."""
        return float(self.z[0] - self.level.z.min())

    def fall_since(self, evaluation: int) -> float:
        """How far the last values lie below that one, on the scale."""
        return float(self.z[min(evaluation, self.z.size - 1)] - np.median(self.z[-3:]))

    def logged(self, z: Floats) -> Floats:
        """In the units of the log."""
        return self.scale.back(z)

    @property
    def gained(self) -> float:
        """`progress` in the units of the log, positive for the better."""
        first, lowest = self.logged(np.array([self.z[0], self.level.z.min()]))
        return float(abs(first - lowest)) * float(np.sign(self.progress))

    @property
    def margin(self) -> float:
        """The change that matters: 1 % of the level, or a twentieth of all progress."""
        unit = 1.0 if self.scale.logarithmic else abs(float(self.level.z.min()))
        return max(_OF_LEVEL * unit, _OF_PROGRESS * self.progress, _LEAST_MARGIN)

    @property
    def has_risen(self) -> bool:
        """Surely higher at the end than at the lowest, more than noise would, and not falling."""
        least = float(np.quantile(self.level.rises(), (1 - OF_AMOUNTS) / 2))
        return least > 0 and self.chance_of_rise <= self.error and not self.recent.falls

    @property
    def jumped(self) -> bool:
        """One step makes most of the rise: something broke, nothing was memorised."""
        after = self.z[self.best :]
        rise = self.level.z[-1] - self.level.z[self.level.best]
        least = max(_AT_ONCE * rise, _BEYOND_NOISE * noise_scale(self.z))
        return after.size > 3 and bool(np.diff(after).max() > least)

    @property
    def jumps_about(self) -> bool:
        """Noise of a quarter of the level, on a curve that did learn."""
        unit = 1.0 if self.scale.logarithmic else abs(float(self.level.z.min()))
        learnt = self.progress > LEARNT * self.noise.spread
        return learnt and self.noise.spread > _WILD * unit

    def needed(self) -> int:
        """About how many evaluations would tell."""
        return max(needed_points(self.noise, self.margin, self.confidence), self.z.size + 1)

    @property
    def came_back(self) -> bool:
        """It rose in between and now falls again: a second descent, or a spike that recovers."""
        level = self.level.z
        hump = float(np.max(level - np.minimum.accumulate(level)))
        return self.recent.falls and hump > 3 * self.noise.spread

    def promises(self, chance: float) -> bool:
        """As many steps again would with this chance gain what matters.

        That is more than the noise, and 1 % of the level or a twentieth of all progress: of a
        learning rate far too low, that much is much.
        """
        if self.curve.size < LEAST_TO_FORECAST or self.recent.change >= 0:
            return False
        level = abs(float(self.logged(self.level.z.min(keepdims=True))[0]))
        noise = self.noise.spread * (level if self.scale.logarithmic else 1.0)
        gained = float(np.quantile(self.gains[0], 1 - chance))
        return gained > max(noise, min(_OF_LEVEL * level, _OF_PROGRESS * self.gained))

    @cached_property
    def gains(self) -> tuple[Floats, float]:
        """Draws of what as many steps again would gain, and the step then."""
        start = self.knee // 2
        losses = self.scale.back(self.z[start:])
        spread = self.noise.spread * (losses if self.scale.logarithmic else np.ones(losses.size))
        losses = losses if self.scale.better == "lower" else -losses
        lowest = 0.0 if self.scale.logarithmic else -math.inf
        steps = self.curve.steps[start:]
        return gains(steps, losses, spread, self.noise.alike, lowest, self._generator)
