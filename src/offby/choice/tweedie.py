"""Amounts with exact zeros: the Tweedie family by its likelihood, and gamma with zeros mixed in.

With a power between 1 and 2 a Tweedie variable is a Poisson number of gamma amounts: it has a
chance of being exactly 0, and a density elsewhere. So its likelihood of rows with zeros can be
compared only with that of a family that gives 0 a chance, too; of positive rows with any density.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from offby.choice.amounts import Amounts, factor, fitted, gamma
from offby.engine.rows import Floats

_LEAST, _MOST = 1.05, 1.95
_NODES, _TERMS, _REACH = 512, 160, 9.0  # of the series: where it is told, summed, and how far
_SHARE = 1e-9  # of zeros, at least, where a family has them


def series(t: Floats, ratio: float) -> Floats:
    """log of the sum over j = 1, 2, … of exp(j t) / (j! Γ(j ratio)), with ratio above 0: (n,).

    The terms about the largest are summed (Dunn & Smyth 2005); where thousands of them count, at
    equal steps, of which a bump so smooth needs few.

    >>> found = np.exp(series(np.array([2.0]), 0.5)) / special.wright_bessel(0.5, 0.0, np.exp(2.0))
    >>> found.round(9)
    array([1.])
    """
    largest = np.exp((t - ratio * math.log(ratio)) / (1 + ratio))
    reach = _REACH * np.sqrt(largest / (1 + ratio)) + _REACH
    first = np.maximum(np.floor(largest - reach), 1.0)
    step = np.maximum((largest + reach - first) / _TERMS, 1.0)
    j = first[:, None] + step[:, None] * np.arange(_TERMS + 1)
    terms = j * t[:, None] - special.gammaln(j + 1) - special.gammaln(ratio * j)
    return np.asarray(special.logsumexp(terms, axis=1) + np.log(step), np.float64)


def tweedie(y: Floats, mean: Floats, power: float, dispersion: float) -> Floats:
    """The log density of amounts with variance dispersion · mean^power; of 0, its log chance.

    `y` and `mean` are (n,), at least 0 and above it; the power lies between 1 and 2.

    >>> tweedie(np.array([0.0, 1.0]), np.array([2.0, 2.0]), 1.5, 1.0).round(6)
    array([-2.828427, -1.271256])
    """
    found = -(mean ** (2 - power)) / (dispersion * (2 - power))
    above = y > 0
    some = y[above]
    if some.size:
        found[above] += some * mean[above] ** (1 - power) / (dispersion * (1 - power))
        found[above] += _told(some, power, dispersion) - np.log(some)
    return found


def _told(y: Floats, power: float, dispersion: float) -> Floats:
    """The series at each amount; of many, by a spline through some."""
    from scipy.interpolate import CubicSpline

    ratio = (2 - power) / (power - 1)
    t = ratio * np.log(y / (power - 1)) - (1 + ratio) * math.log(dispersion) - math.log(2 - power)
    if y.size <= _NODES or np.ptp(t) == 0:
        return series(t, ratio)
    nodes = np.linspace(t.min(), t.max(), _NODES)
    return np.asarray(CubicSpline(nodes, series(nodes, ratio))(t), np.float64)


@dataclass(frozen=True)
class Compound:
    """The Tweedie family about predictions times a factor."""

    factor: float
    power: float
    dispersion: float

    def log_density(self, y: Floats, p: Floats) -> Floats:
        """Of truths, given predictions."""
        return tweedie(y, self.factor * p, self.power, self.dispersion)

    @property
    def words(self) -> str:
        """Its name, with its power."""
        return f"Tweedie (power {self.power:.2f})"


def compound(y: Floats, p: Floats, weights: Floats | None = None) -> Compound:
    """The likeliest power and dispersion, about predictions with the factor that makes means alike.

    >>> random = np.random.default_rng(0)
    >>> number = random.poisson(2.0, 4000)
    >>> y = random.gamma(np.maximum(number, 1)) * (number > 0)  # shape 1: a power of 1.5
    >>> compound(y, np.full(4000, 2.0)).words
    'Tweedie (power 1.51)'
    """
    from scipy.optimize import minimize

    scale = factor(y, p, weights)
    mean = scale * p

    def made(x: Floats) -> Compound:
        power = _LEAST + (_MOST - _LEAST) * float(special.expit(x[0]))
        return Compound(scale, power, math.exp(float(np.clip(x[1], -30, 30))))

    def cost(x: Floats) -> float:
        return -float(np.average(made(x).log_density(y, p), weights=weights))

    start = np.array([0.0, math.log(float(np.average((y - mean) ** 2 / mean**1.5)) + 1e-12)])
    told: dict[str, Any] = {
        "initial_simplex": start + np.array([[0, 0], [0.7, 0], [0, 0.4]]),
        "xatol": 1e-3, "fatol": 1e-5, "maxiter": 120,
    }  # fmt: skip
    found: Any = minimize(cost, start, method="Nelder-Mead", options=told)  # type: ignore[call-overload]
    return made(found.x)


@dataclass(frozen=True)
class Mixed:
    """Zeros with one chance everywhere, and gamma amounts elsewhere."""

    factor: float
    shape: float
    zeros: float

    def log_density(self, y: Floats, p: Floats) -> Floats:
        """Of truths, given predictions."""
        above = y > 0
        found = np.full(y.size, math.log(self.zeros))
        found[above] = math.log1p(-self.zeros) + gamma(y[above], self.factor * p[above], self.shape)
        return found

    @property
    def words(self) -> str:
        """Its name, with its shape."""
        return f"gamma (shape {self.shape:.3g}) with {100 * self.zeros:.3g} % zeros"


def mixed(y: Floats, p: Floats, weights: Floats | None = None) -> Mixed:
    """The likeliest of its kind; both of its parts are found by themselves."""
    above = y > 0
    some = None if weights is None else weights[above]
    found = fitted(Amounts("gamma", (), gamma), y[above], p[above], some)
    zeros = float(np.average(~above, weights=weights))
    return Mixed(found.factor, found.shape, min(max(zeros, _SHARE), 1 - _SHARE))
