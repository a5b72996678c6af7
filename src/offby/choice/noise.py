"""Noise of one shape everywhere, each kind the one that a loss of the catalogue is likeliest under.

A loss tells the noise under which minimising it is maximum likelihood: the density of an error u is
exp(-loss(u / scale)) over scale and normaliser. So no density is written here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.losses import Absolute, Cauchy, Expectile, Huber, LogCosh, Loss, Pinball, Squared

_MOST_FREEDOM = 200.0


@dataclass(frozen=True)
class Kind:
    """A family of noise; `shape` makes the loss's parameter of any real number, from `start` on."""

    name: str
    loss: type[Loss]
    shape: Callable[[float], float] | None = None
    start: float = 0.0

    @property
    def shapes(self) -> int:
        """How many parameters it has beside centre and scale."""
        return int(self.shape is not None)


def _threshold(x: float) -> float:
    return float(np.clip(math.exp(min(x, 9.0)), 0.02, 20.0))


def _cut(x: float) -> float:
    """Cauchy's c for exp(x) degrees of freedom; below one, a row met twice would be all there is.

    >>> round(_cut(math.log(3.0)) ** 2 - 1, 12)
    3.0
    """
    return math.sqrt(1 + float(np.clip(math.exp(min(x, 9.0)), 1.0, _MOST_FREEDOM)))


def _share(x: float) -> float:
    return float(np.clip(special.expit(x), 0.01, 0.99))


KINDS = (
    Kind("Gaussian", Squared),
    Kind("Laplace", Absolute),
    Kind("log-cosh (hyperbolic secant)", LogCosh),
    Kind("Huber's least favourable", Huber, _threshold, 0.3),
    Kind("Student t", Cauchy, _cut, math.log(5.0)),
    Kind("asymmetric Laplace", Pinball, _share),
    Kind("asymmetric Gaussian", Expectile, _share),
)


@dataclass(frozen=True)
class Noise:
    """Noise of a kind, with its loss's parameters, centre and scale."""

    kind: Kind
    loss: Loss
    centre: float
    scale: float

    def log_density(self, errors: Floats) -> Floats:
        """Of errors, actual less predicted.

        >>> Noise(KINDS[0], Squared(), 0.0, math.sqrt(2)).log_density(np.zeros(1)).round(6)
        array([-0.918939])
        """
        noise = self.loss.noise
        assert noise is not None
        level = float(noise.log_normaliser(*self.loss.parameters.values())) + math.log(self.scale)
        costs = self.loss.value(errors / self.scale, np.float64(self.centre / self.scale))
        return np.asarray(-costs - level, np.float64)

    @property
    def words(self) -> str:
        """Its name, with its shape.

        >>> fitted(KINDS[1], np.array([-1.0, 0.0, 1.0])).words
        'Laplace'
        """
        first = next(iter(self.loss.parameters.values()), None)
        if first is None:
            return self.kind.name
        match self.loss:
            case Cauchy():
                return f"{self.kind.name} ({first**2 - 1:.3g} degrees of freedom)"
            case Huber():
                return f"{self.kind.name} (k = {first:.2g})"
        return f"{self.kind.name} (tau = {first:.2f})"


def fitted(kind: Kind, errors: Floats, weights: Floats | None = None) -> Noise:
    """The likeliest noise of a kind; Nelder-Mead from median and median deviation."""
    from scipy.optimize import minimize

    centre, spread = typical(errors, weights)
    start = np.array([0.0, 0.0, kind.start][: 2 + kind.shapes])
    moved = (errors - centre) / spread

    def noise(x: Floats) -> Noise:
        loss = kind.loss() if kind.shape is None else kind.loss(kind.shape(float(x[2])))
        return Noise(kind, loss, float(x[0]), math.exp(float(np.clip(x[1], -30, 30))))

    options: dict[str, Any] = {"fatol": 1e-6, "xatol": 1e-3, "maxiter": 300}
    options["initial_simplex"] = np.vstack(
        [start, start + np.diag([0.2, 0.4, 0.5])[: len(start), : len(start)]]
    )

    def cost(x: Floats) -> float:
        return -float(np.average(noise(x).log_density(moved), weights=weights))

    found = minimize(cost, start, method="Nelder-Mead", options=options)  # type: ignore[call-overload]
    best = noise(found.x)
    return Noise(kind, best.loss, centre + spread * best.centre, spread * best.scale)


def middle(values: Floats, weights: Floats | None = None) -> float:
    """The median; of weighted values, the one that the middle of the weight falls on.

    >>> middle(np.array([1.0, 2.0])), middle(np.array([1.0, 2.0, 9.0]), np.array([3.0, 1.0, 1.0]))
    (1.5, 1.0)
    """
    if weights is None:
        return float(np.median(values))
    return float(np.quantile(values, 0.5, weights=weights, method="inverted_cdf"))


def typical(errors: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """The median, and the median distance from it scaled to a Gaussian's standard deviation.

    Where half the errors are alike that is zero, and the mean distance takes its place.

    >>> typical(np.array([1.0, 2.0, 3.0]))
    (2.0, 1.4826)
    """
    centre = middle(errors, weights)
    away = np.abs(errors - centre)
    return centre, 1.4826 * middle(away, weights) or float(np.average(away, weights=weights))
