"""What sorted errors say of a loss: what it aims at, and how surely it would hit it.

An M-estimator with influence psi has the asymptotic variance E[psi²] / E[psi']² over the rows
(Huber 1964). For errors independent of what the line is fitted on, the slopes have it as a factor
whatever the loss is, and a ratio of two is a ratio of rows needed.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.errors import MeasureError
from offby.losses import Absolute, Huber, Loss, Pinball, Squared

DELTAS = np.geomspace(0.5, 5.0, 40)
"""Thresholds that are tried, in units of 1.4826 median deviations."""
_REACH = 50.0  # units from the median within which every Huber centre is looked for
_STEPS, _CLOSE = 80, 1e-10


class Ordered:
    """Errors less their median, over their typical size; sorted.

    >>> some = Ordered(np.array([-1.0, 0.0, 4.0]))
    >>> some.centre(Squared()), some.centre(Absolute()), round(some.centre(Huber(2.0)), 6)
    (1.0, 0.0, 0.5)
    """

    def __init__(self, values: Floats) -> None:
        self.values = np.sort(values, kind="stable")  # quick where two sorted halves meet

    @cached_property
    def _sums(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self._near)])

    @cached_property
    def _squares(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self._near**2)])

    @property
    def _near(self) -> Floats:
        """The values, cut where Huber's influence is the same further out."""
        most = _REACH + float(DELTAS[-1])
        return np.clip(self.values, -most, most)

    @cached_property
    def median(self) -> float:
        """The middle."""
        return self.quantile(0.5)

    def quantile(self, tau: float) -> float:
        """Interpolated between neighbours."""
        at = tau * (self.values.size - 1)
        low = math.floor(at)
        first, second = self.values[low], self.values[min(low + 1, self.values.size - 1)]
        return float(first + (at - low) * (second - first))

    def density(self, tau: float) -> float:
        """At a quantile: Siddiqui's (1960), with the bandwidth of Hall and Sheather (1988).

        Infinite where so many errors are alike that the quantiles about it are one number.
        """
        rows = self.values.size
        z = float(special.ndtri(tau))
        bump = 1.5 * math.exp(-z * z) / (2 * math.pi) / (2 * z * z + 1)
        wide = rows ** (-1 / 3) * float(special.ndtri(0.975)) ** (2 / 3) * bump ** (1 / 3)
        wide = min(wide, 0.9 * tau, 0.9 * (1 - tau))
        gap = self.quantile(tau + wide) - self.quantile(tau - wide)
        return 2 * wide / gap if gap > 0 else math.inf

    def centre(self, loss: Loss) -> float:
        """The constant that the loss aims at."""
        match loss:
            case Squared():
                return float(np.mean(self.values))
            case Absolute():
                return self.median
            case Pinball():
                return self.quantile(loss.parameters["tau"])
            case Huber():
                return float(self.huber_centres(np.array([loss.parameters["delta"]]))[0])
        raise MeasureError(f"{loss} has no centre here")

    def variance(self, loss: Loss) -> float:
        """The asymptotic variance of that centre, times rows."""
        match loss:
            case Squared():
                return float(np.var(self.values))
            case Absolute():
                density = self.density(0.5)
                return 0.25 / density**2 if math.isfinite(density) else math.nan
            case Huber():
                return float(self.huber_variances(np.array([loss.parameters["delta"]]))[0])
        raise MeasureError(f"{loss} has no asymptotic variance here")

    def huber_centres(self, deltas: Floats) -> Floats:
        """Huber's centre for each threshold: where the influences, which fall with it, cancel.

        Newton's steps, and a halving of what is left where one would leave it.
        """
        low = np.full(deltas.size, self.median - _REACH)
        high = np.full(deltas.size, self.median + _REACH)
        at = np.full(deltas.size, self.median)
        for _ in range(_STEPS):
            total, inside = self._influences(at, deltas)
            low, high = np.where(total > 0, at, low), np.where(total < 0, at, high)
            step = total / np.maximum(inside, 1)
            at = at + step
            out = (at < low) | (at > high)
            at = np.where(out, (low + high) / 2, at)
            if np.max(np.abs(step)) < _CLOSE:
                break
        return at

    def huber_variances(self, deltas: Floats) -> Floats:
        """Of Huber's centre for each threshold."""
        middle = self.huber_centres(deltas)
        first, last = self._within(middle, deltas)
        inside, rows = last - first, self.values.size
        sums, squares = (x[last] - x[first] for x in (self._sums, self._squares))
        total = squares - 2 * middle * sums + middle**2 * inside + deltas**2 * (rows - inside)
        return np.asarray(total / rows / (np.maximum(inside, 1) / rows) ** 2, np.float64)

    def efficient(self) -> int:
        """Which of `DELTAS` has the least variance."""
        return int(np.argmin(self.huber_variances(DELTAS)))

    def _within(self, middle: Floats, deltas: Floats) -> tuple[np.ndarray, np.ndarray]:
        left = np.searchsorted(self.values, middle - deltas, side="left")
        return left, np.searchsorted(self.values, middle + deltas, side="right")

    def _influences(self, middle: Floats, deltas: Floats) -> tuple[Floats, np.ndarray]:
        """Their sum about each middle, and how many rows lie within the threshold of it."""
        first, last = self._within(middle, deltas)
        inside = last - first
        near = self._sums[last] - self._sums[first] - middle * inside
        return near + deltas * (self.values.size - last - first), inside
