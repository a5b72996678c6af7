"""Distance losses: formulas in the error r = p - y."""

from __future__ import annotations

import math

import numpy as np

from offby.formula.words import expm1, log1p, logcosh, maximum, r, sqrt, where
from offby.losses.loss import FLOOR, Loss, Noise, Parameter


class Squared(Loss):
    """The squared error: elicits the mean; one large error counts as much as many small ones.

    >>> Squared().value(3.0, 5.0)
    4.0
    """

    name = "squared"
    formula = r**2
    functional, units = "mean", "y²"
    noise = Noise("Gaussian", lambda: math.log(math.sqrt(math.pi)))


class Absolute(Loss):
    """The absolute error: elicits the median; an error counts for its size, no more.

    >>> Absolute().value(3.0, 5.0)
    2.0
    """

    name = "absolute"
    formula = abs(r)
    functional, units = "median", "y"
    noise = Noise("Laplace", lambda: math.log(2.0))


class Huber(Loss):
    """Squared near zero, absolute beyond `delta`: outliers cannot drag it far (Huber 1964).

    >>> Huber(delta=1.5).value(0.0, [1.0, 2.0])
    array([0.5  , 1.875])
    """

    name = "huber"
    delta = Parameter(1.0, units="y", above=0)
    formula = where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))
    functional, units = "huber", "y²"
    noise = Noise(
        "Huber's least favourable",
        lambda delta: np.log(
            math.sqrt(2 * math.pi) * math.erf(delta / math.sqrt(2))
            + 2 / delta * np.exp(-(delta**2) / 2)
        ),
    )


def _hyperbolic_normaliser(delta: float) -> float:
    from scipy import special

    return float(np.log(2 * delta * special.k1e(delta**2)))


class PseudoHuber(Loss):
    """A smooth Huber: delta^2 (sqrt(1 + (r/delta)^2) - 1), written so that small r lose no digit.

    >>> PseudoHuber(delta=1.0).value(0.0, 1e-9)
    5e-19
    """

    name = "pseudo_huber"
    delta = Parameter(1.0, units="y", above=0)
    formula = r**2 / (1 + sqrt(1 + (r / delta) ** 2))
    functional, units = "pseudo_huber", "y²"
    noise = Noise("hyperbolic", _hyperbolic_normaliser)


class LogCosh(Loss):
    """log(cosh(r)): smooth, squared near zero, absolute far away.

    >>> LogCosh().value(0.0, 100.0)
    99.30685281944005
    """

    name = "log_cosh"
    formula = logcosh(r)
    functional, units = "log_cosh", "1"
    noise = Noise("hyperbolic secant", lambda: math.log(math.pi))


class Pinball(Loss):
    """The quantile loss: elicits the quantile `tau` (Koenker & Bassett 1978).

    >>> Pinball(tau=0.9).value([1.0, 3.0], 2.0)
    array([0.1, 0.9])
    """

    name = "pinball"
    tau = Parameter(0.5, above=0, below=1)
    formula = where(r < 0, -(tau * r), (1 - tau) * r)
    functional, units = "quantile", "y"
    noise = Noise("asymmetric Laplace", lambda tau: -np.log(tau * (1 - tau)))


class Expectile(Loss):
    """Squared error weighted by side: elicits the expectile `tau` (Newey & Powell 1987).

    >>> Expectile(tau=0.9).value([1.0, 3.0], 2.0)
    array([0.1, 0.9])
    """

    name = "expectile"
    tau = Parameter(0.5, above=0, below=1)
    formula = where(r < 0, tau, 1 - tau) * r**2
    functional, units = "expectile", "y²"
    noise = Noise(
        "asymmetric Gaussian",
        lambda tau: np.log(math.sqrt(math.pi) / 2 * (tau**-0.5 + (1 - tau) ** -0.5)),
    )


class EpsilonInsensitive(Loss):
    """No loss within `epsilon`, absolute beyond: support vector regression (Vapnik 1995).

    >>> EpsilonInsensitive(epsilon=0.5).value(0.0, [0.25, 1.0])
    array([0. , 0.5])
    """

    name = "epsilon_insensitive"
    epsilon = Parameter(0.1, units="y", above=0)
    formula = maximum(abs(r) - epsilon, 0)
    functional, units = "epsilon_insensitive", "y"
    noise = Noise("epsilon-insensitive", lambda epsilon: np.log(2 * (1 + epsilon)))
    surrogate = 1 / maximum(maximum(abs(r), epsilon), FLOOR)


class Cauchy(Loss):
    """c^2/2 log(1 + (r/c)^2): the influence of an error falls once it exceeds `c`. Not convex.

    >>> round(Cauchy(c=1.0).value(0.0, 1.0), 12)
    0.34657359028
    """

    name = "cauchy"
    c = Parameter(2.3849, units="y", above=0)
    formula = c**2 / 2 * log1p((r / c) ** 2)
    functional, units = "cauchy", "y²"
    noise = Noise(
        "Student t with c² - 1 degrees of freedom (c > 1)",
        lambda c: (
            np.log(c * math.sqrt(math.pi)) + math.lgamma((c**2 - 1) / 2) - math.lgamma(c**2 / 2)
        ),
    )


class Welsch(Loss):
    """c^2/2 (1 - exp(-(r/c)^2)): bounded, so gross errors stop counting. Not convex.

    >>> round(Welsch(c=1.0).value(0.0, 1e9), 12)
    0.5
    """

    name = "welsch"
    c = Parameter(2.9846, units="y", above=0)
    formula = -(c**2) / 2 * expm1(-((r / c) ** 2))
    functional, units = "welsch", "y²"


class Tukey(Loss):
    """Tukey's biweight: bounded, constant beyond `c` (Beaton & Tukey 1974). Not convex.

    >>> Tukey(c=3.0).value(0.0, [3.0, 1e9])
    array([1.5, 1.5])
    """

    name = "tukey"
    c = Parameter(4.6851, units="y", above=0)
    left = 1 - (r / c) ** 2  # c²/6 (1 - left³), less its factor r²
    formula = where(abs(r) <= c, r**2 / 6 * (1 + left + left**2), c**2 / 6)
    functional, units = "tukey", "y²"
