"""Noise that depends on the prediction: counts and positive amounts, by their likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from offby.engine.rows import Floats

Target = Literal["real", "counts", "positive", "zeros"]
_LEAST_ZEROS = 0.01
_SMALL = 100  # a whole number whose half lie below is taken as a count, beyond as an amount
_LOGS = (-12.0, 12.0)


def target(y: Floats, p: Floats) -> Target:
    """What the truths are: counts, positive amounts, amounts with zeros, or any real numbers.

    The deviances of the first three need positive predictions; where one is not, it is "real".

    >>> target(np.array([0.0, 2.0, 1.0]), np.array([0.5, 1.5, 1.0]))
    'counts'
    >>> target(np.array([0.5, 2.0]), np.array([0.5, 1.5])), target(-np.ones(2), np.ones(2))
    ('positive', 'real')
    """
    if y.min() < 0 or p.min() <= 0:
        return "real"
    if np.median(y) < _SMALL and bool(np.all(y == np.rint(y))):
        return "counts"
    zeros = float(np.mean(y == 0))
    return "positive" if zeros == 0 else "zeros" if zeros >= _LEAST_ZEROS else "real"


@dataclass(frozen=True)
class Amounts:
    """A family of which the prediction, times a factor, is the mean."""

    name: str
    targets: tuple[Target, ...]
    log_density: Callable[[Floats, Floats, float], Floats]
    """Of truths, means and its shape."""
    shapes: int = 1


def poisson(y: Floats, mean: Floats, _: float = 0.0) -> Floats:
    """The log probability of counts.

    >>> poisson(np.array([0.0]), np.array([1.5]))
    array([-1.5])
    """
    return np.asarray(special.xlogy(y, mean) - mean - special.gammaln(y + 1), np.float64)


def negative_binomial(y: Floats, mean: Floats, size: float) -> Floats:
    """The log probability of counts with variance mean + mean² / size.

    >>> negative_binomial(np.array([0.0]), np.array([1.0]), 1.0).round(6)
    array([-0.693147])
    """
    chances = special.gammaln(y + size) - special.gammaln(size) - special.gammaln(y + 1)
    found = chances - size * np.log1p(mean / size) + special.xlogy(y, mean / (mean + size))
    return np.asarray(found, np.float64)


def gamma(y: Floats, mean: Floats, shape: float) -> Floats:
    """The log density of amounts with variance mean² / shape.

    >>> gamma(np.array([2.0]), np.array([2.0]), 1.0).round(6)
    array([-1.693147])
    """
    ratio = shape * y / mean
    found = shape * np.log(ratio) - np.log(y) - ratio - special.gammaln(shape)
    return np.asarray(found, np.float64)


FAMILIES = (
    Amounts("Poisson", ("counts",), poisson, 0),
    Amounts("negative binomial", ("counts",), negative_binomial),
    Amounts("gamma", ("positive",), gamma),
)


@dataclass(frozen=True)
class Scaled:
    """A family with its shape, about predictions times a factor."""

    family: Amounts
    factor: float
    shape: float

    def log_density(self, y: Floats, p: Floats) -> Floats:
        """Of truths, given predictions."""
        return self.family.log_density(y, self.factor * p, self.shape)

    @property
    def words(self) -> str:
        """Its name, with its shape."""
        said = {"negative binomial": "variance mean + mean² / {:.3g}", "gamma": "shape {:.3g}"}
        known = said.get(self.family.name)
        return self.family.name + (f" ({known.format(self.shape)})" if known else "")


def factor(y: Floats, p: Floats, weights: Floats | None = None) -> float:
    """What predictions are multiplied with for means alike; 1 where all truths are 0.

    >>> factor(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    2.0
    """
    return float(np.average(y, weights=weights) / np.average(p, weights=weights)) or 1.0


def fitted(family: Amounts, y: Floats, p: Floats, weights: Floats | None = None) -> Scaled:
    """The factor that makes the means alike, and the likeliest shape."""
    from scipy.optimize import minimize_scalar

    scale = factor(y, p, weights)
    if not family.shapes:
        return Scaled(family, scale, 0.0)
    found = minimize_scalar(
        lambda x: -float(
            np.average(family.log_density(y, scale * p, math.exp(x)), weights=weights)
        ),
        bounds=_LOGS, method="bounded", options={"xatol": 1e-3},
    )  # fmt: skip
    return Scaled(family, scale, math.exp(float(found.x)))
