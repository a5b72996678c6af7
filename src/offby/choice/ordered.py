"""What sorted errors say of a loss: what it aims at, and how surely it would hit it.

An M-estimator with influence psi has the asymptotic variance E[psi²] / E[psi']² over the rows
(Huber 1964); of rows with weights w, trained on by them, n sum(w² psi²) / sum(w psi')². For errors
independent of what the line is fitted on, the slopes have it as a factor whatever the loss is, and
a ratio of two is a ratio of rows needed.
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

    def __init__(self, values: Floats, weights: Floats | None = None) -> None:
        self.weights = weights
        if weights is None:
            self.values = np.sort(values, kind="stable")  # quick where two sorted halves meet
        else:
            order = np.argsort(values, kind="stable")
            self.values, self.weights = values[order], weights[order]

    def joined(self, other: Ordered) -> Ordered:
        """These and others."""
        values = np.concatenate([self.values, other.values])
        if self.weights is None or other.weights is None:
            return Ordered(values)
        return Ordered(values, np.concatenate([self.weights, other.weights]))

    def mean(self, of: Floats) -> float:
        """The weighted mean of what each has: (n,)."""
        return float(np.mean(of) if self.weights is None else np.average(of, weights=self.weights))

    @cached_property
    def rows(self) -> float:
        """How many there are, or as how many of one weight they count (Kish 1965)."""
        if self.weights is None:
            return float(self.values.size)
        return float(np.sum(self.weights) ** 2 / np.sum(self.weights**2))

    @cached_property
    def _heavier(self) -> float:
        """By how much the weights' spread makes a variance larger."""
        return self.values.size / self.rows

    @cached_property
    def _before(self) -> Floats:
        """The weight of those before each, and of all."""
        return self._summed(np.ones(self.values.size))

    @cached_property
    def _sums(self) -> Floats:
        return self._summed(self._near)

    @cached_property
    def _leverage(self) -> tuple[Floats, Floats, Floats]:
        """Sums of squared weights, of them times values, and times their squares."""
        near, weights = self._near, self.weights
        if weights is None:
            return self._before, self._sums, self._summed(near**2)
        return tuple(self._summed(weights * part) for part in (1.0, near, near**2))  # type: ignore[return-value]

    def _summed(self, values: Floats) -> Floats:
        """Of weighted values, from none to all."""
        weighted = values if self.weights is None else values * self.weights
        return np.concatenate([[0.0], np.cumsum(weighted)])

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
        """Interpolated between neighbours; of weighted ones, by the weight before each."""
        if self.weights is not None:
            return float(np.interp(tau * self._before[-2], self._before[:-1], self.values))
        at = tau * (self.values.size - 1)
        low = math.floor(at)
        first, second = self.values[low], self.values[min(low + 1, self.values.size - 1)]
        return float(first + (at - low) * (second - first))

    def density(self, tau: float) -> float:
        """At a quantile: Siddiqui's (1960), with the bandwidth of Hall and Sheather (1988).

        Infinite where so many errors are alike that the quantiles about it are one number.
        """
        rows = self.rows
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
                return self.mean(self.values)
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
                return self._variance_of_mean()
            case Absolute():
                density = self.density(0.5)
                return self._heavier * 0.25 / density**2 if math.isfinite(density) else math.nan
            case Huber():
                return float(self.huber_variances(np.array([loss.parameters["delta"]]))[0])
        raise MeasureError(f"{loss} has no asymptotic variance here")

    def _variance_of_mean(self) -> float:
        if self.weights is None:
            return float(np.var(self.values))
        pulls = self.weights * (self.values - self.mean(self.values))
        return float(self.values.size * np.sum(pulls**2) / np.sum(self.weights) ** 2)

    def huber_centres(self, deltas: Floats) -> Floats:
        """Huber's centre for each threshold: where the influences, which fall with it, cancel.

        Newton's steps, and a halving of what is left where one would leave it.
        """
        least = float(self._before[-1]) / self.values.size
        low = np.full(deltas.size, self.median - _REACH)
        high = np.full(deltas.size, self.median + _REACH)
        at = np.full(deltas.size, self.median)
        for _ in range(_STEPS):
            total, inside = self._influences(at, deltas)
            low, high = np.where(total > 0, at, low), np.where(total < 0, at, high)
            step = total / np.maximum(inside, least)
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
        ones, sums, squares = (x[last] - x[first] for x in self._leverage)
        beyond = self._leverage[0][-1] - ones
        total = squares - 2 * middle * sums + middle**2 * ones + deltas**2 * beyond
        least = float(self._before[-1]) / self.values.size
        inside = np.maximum(self._before[last] - self._before[first], least)
        return np.asarray(self.values.size * total / inside**2, np.float64)

    def efficient(self) -> int:
        """Which of `DELTAS` has the least variance."""
        return int(np.argmin(self.huber_variances(DELTAS)))

    def _within(self, middle: Floats, deltas: Floats) -> tuple[np.ndarray, np.ndarray]:
        left = np.searchsorted(self.values, middle - deltas, side="left")
        return left, np.searchsorted(self.values, middle + deltas, side="right")

    def _influences(self, middle: Floats, deltas: Floats) -> tuple[Floats, np.ndarray]:
        """Their sum about each middle, and the weight within the threshold of it."""
        first, last = self._within(middle, deltas)
        inside = self._before[last] - self._before[first]
        near = self._sums[last] - self._sums[first] - middle * inside
        return near + deltas * (self._before[-1] - self._before[last] - self._before[first]), inside
