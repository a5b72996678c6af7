"""Losses relative to the size of what is predicted: unit deviances, and errors on a log scale.

Unit deviances are those of the exponential dispersion models (Jorgensen 1987), with V(p) the
variance function: the gradient is 2 (p - y)/V(p), and the expected hessian 2/V(p).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from offby.formula.words import (
    bd0,
    itakura_saito,
    log1p,
    maximum,
    p,
    r,
    tweedie_divergence,
    where,
    y,
)
from offby.losses.loss import FLOOR, Loss, Noise, Parameter


def _saturated_poisson(y: Any) -> Any:
    """Minus the log likelihood of counts predicted perfectly."""
    from scipy import special

    return special.gammaln(y + 1) - special.xlogy(y, y) + y


class Poisson(Loss):
    """The unit deviance of counts, 2 (y log(y/p) + p - y), by Loader's bd0.

    >>> Poisson().value([0.0, 3.0], [1.0, 3.0])
    array([2., 0.])
    """

    name = "poisson"
    formula = 2 * bd0(y, p)
    functional = "mean"
    domain = (y >= 0) & (p > 0)
    surrogate = 2 / p
    noise = Noise(
        "Poisson",
        _saturated_poisson,
    )


class Gamma(Loss):
    """The unit deviance of positive amounts, 2 (y/p - log(y/p) - 1): only the ratio counts.

    >>> Gamma().value(2.0, 2.0)
    0.0
    """

    name = "gamma"
    formula = 2 * itakura_saito(y, p)
    functional = "mean"
    domain = (y > 0) & (p > 0)
    surrogate = 2 / p**2
    noise = Noise("exponential (gamma of shape 1; exp(-loss/2))", lambda y: np.log(y) + 1)


class Tweedie(Loss):
    """The unit deviance with variance p^power: between 1 and 2, amounts with many zeros.

    >>> Tweedie(power=1.5).value(0.0, 4.0)
    8.0
    """

    name = "tweedie"
    power = Parameter(1.5, above=1, below=4)
    formula = 2 * tweedie_divergence(y, p, power)
    functional = "mean"
    domain = (where(power < 2, y, y - 1e-300) >= 0) & (p > 0)
    surrogate = 2 / p**power


class InverseGaussian(Loss):
    """The unit deviance (p - y)^2 / (y p^2), for positive amounts with a very heavy tail.

    >>> InverseGaussian().value(1.0, 2.0)
    0.25
    """

    name = "inverse_gaussian"
    formula = r**2 / (y * p**2)
    functional = "mean"
    domain = (y > 0) & (p > 0)
    surrogate = 2 / p**3
    noise = Noise("inverse Gaussian", lambda y: 0.5 * np.log(2 * math.pi * y**3))


class SquaredLog(Loss):
    """The squared error of log(1 + .): relative for large values, absolute for small ones.

    >>> SquaredLog().value(0.0, 0.0)
    0.0
    """

    name = "squared_log"
    formula = (log1p(p) - log1p(y)) ** 2
    functional = "log_mean"
    domain = (y > -1) & (p > -1)
    surrogate = 2 / (1 + p) ** 2
    noise = Noise("log-normal (of 1 + y)", lambda y: np.log(math.sqrt(math.pi)) + np.log1p(y))


class AbsolutePercentage(Loss):
    """|r| / |y|: elicits the median under the density f(y)/|y|, so it prefers low predictions.

    >>> AbsolutePercentage().value(2.0, 3.0)
    0.5
    """

    name = "absolute_percentage"
    formula = abs(r) / where(y == 0, math.nan, abs(y))
    functional = "inverse_weighted_median"
    domain = y != 0
    surrogate = 1 / (abs(y) * maximum(abs(r), FLOOR))
