"""How noisy the end of a curve is, and how much one evaluation resembles the next.

Past the knee a curve is smooth: a low polynomial plus AR(1) noise. The polynomial is integrated out
(restricted likelihood, Harville 1974), which is what corrects the small-sample bias of the
correlation, and the correlation's posterior is kept whole: 15 evaluations cannot tell 0 from 0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.watch.isotonic import falling_fit, lowest_errors

Floats = NDArray[np.float64]
GRID = np.arange(0.0, 0.99, 0.05)
"""Correlations that are weighed; negative ones would only lower the bar for a verdict."""
_PRIOR = 0.8  # a power of (1 - correlation): evaluations a step apart are rarely alike all through
_KNEE, _NOISY = 0.05, 2.0  # left of the fall at the knee: this part, or so many deviations
_NO_FALL = 6.0  # deviations that noise alone may seem to fall
_TERMS, _DEAR = (3, 4, 6, 9, 13), 2.0  # of the polynomial, and what one costs, in log(points)
_LEAST = 5  # points that a noise estimate takes
_TINY = 1e-12
_ROBUST = 0.6745 * math.sqrt(6.0)  # median |second difference| of independent unit noise


@dataclass(frozen=True)
class Noise:
    """AR(1) noise: a chance for each correlation on `GRID`, and the squares that go with it.

    `squares` estimates freedom times the variance of one evaluation; `given` is a standard
    deviation that was told instead.
    """

    chances: Floats
    squares: Floats
    freedom: int
    floor: float
    given: float | None = None

    @property
    def spread(self) -> float:
        """The standard deviation of one evaluation."""
        if self.given is not None:
            return self.given
        mean = float(self.chances @ self.squares) / self.freedom
        return max(math.sqrt(mean), self.floor)

    @property
    def correlation(self) -> float:
        """The mean correlation of one evaluation with the next."""
        return float(self.chances @ GRID)

    @property
    def alike(self) -> float:
        """How many evaluations in a row say as much as one independent one."""
        return (1 + self.correlation) / (1 - self.correlation)

    def draws(self, count: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
        """Correlations and standard deviations as likely as the curve makes them."""
        at = generator.choice(GRID.size, count, p=self.chances)
        if self.given is not None:
            return GRID[at], np.full(count, self.given)
        spread = np.sqrt(self.squares[at] / generator.chisquare(self.freedom, count))
        return GRID[at], np.maximum(spread, self.floor)

    def variance_of(self, weights: Floats) -> float:
        """The variance of a weighted sum of neighbouring evaluations."""
        lags = np.arange(weights.size)
        products = np.correlate(weights, weights, "full")[weights.size - 1 :]
        products[1:] *= 2
        by_correlation = (GRID[:, None] ** lags) @ products
        return self.spread**2 * float(self.chances @ by_correlation)


def correlated(fresh: Floats, correlation: Floats | float) -> Floats:
    """AR(1) noise of unit size from independent noise; a column a replicate."""
    out = fresh.copy()
    new = np.sqrt(1 - np.square(correlation))
    for i in range(1, len(out)):
        out[i] = correlation * out[i - 1] + new * out[i]
    return out


def knee(z: Floats) -> int:
    """The first point of the flat end: where hardly any of the fall is left, or half the curve.

    >>> knee(np.array([9.0, 5.0, 2.0, 1.0, 1.1, 0.9, 1.0, 1.0, 1.1, 0.9]))
    3
    """
    turn = int(np.argmin(lowest_errors(z)))
    falling = falling_fit(z[: turn + 1])
    left, rough = falling - falling[-1], noise_scale(z)
    if left[0] <= _NO_FALL * rough:
        return 0
    first = int(np.flatnonzero(left <= max(_KNEE * left[0], _NOISY * rough))[0])
    return max(min(first, z.size // 2, z.size - _LEAST), 0)


def noise_scale(z: Floats) -> float:
    """The standard deviation of independent noise, by the median of absolute second differences.

    >>> noise_scale(np.array([3.0, 2.0, 1.0, 0.0]))
    0.0
    """
    return float(np.median(np.abs(np.diff(z, 2)))) / _ROBUST if z.size > 2 else 0.0


def noise_of(z: Floats, given: float | None = None) -> Noise:
    """The noise of the smooth curve `z`, at least 4 points.

    The polynomial has as many terms as the Bayesian information criterion, made twice as dear,
    allows: correlated noise must not pass for shape.
    """
    m, floor = z.size, _resolution(z)
    able = [terms for terms in _TERMS if terms <= m // 3] or [min(_TERMS[0], m - 2)]
    diagonals, columns = _whitened(z, able[-1])
    fits = [_fits(diagonals, columns, terms, m, floor) for terms in able]
    best = int(np.argmin([cost for cost, _, _ in fits]))
    _, heights, squares = fits[best]
    heights = heights + _PRIOR * np.log(1 - GRID)
    chances = np.exp(heights - heights.max())
    return Noise(chances / chances.sum(), squares, m - able[best], floor, given)


def _whitened(z: Floats, terms: int) -> tuple[Floats, Floats]:
    """Of polynomial and curve made free of each correlation: R's diagonal and last column in QR.

    Terms are in order, so these hold the fits of fewer terms too.
    """
    at = np.linspace(-1, 1, z.size)
    both = np.column_stack([np.polynomial.legendre.legvander(at, terms - 1), z])
    white = np.broadcast_to(both, (GRID.size, *both.shape)).copy()
    white[:, 1:] -= GRID[:, None, None] * both[:-1]
    white[:, 0] *= np.sqrt(1 - GRID**2)[:, None]
    triangles = np.asarray(np.linalg.qr(white, mode="r"))
    return np.abs(np.diagonal(triangles, axis1=1, axis2=2)), triangles[:, :, -1]


def _fits(
    diagonals: Floats, columns: Floats, terms: int, points: int, floor: float
) -> tuple[float, Floats, Floats]:
    """What a polynomial of so many terms costs; its log restricted likelihoods; its squares.

    Squares are at unit marginal variance, so that they are of one evaluation.
    """
    fresh, freedom = 1 - GRID**2, points - terms
    squares = np.sum(columns[:, terms:] ** 2, axis=1) + freedom * fresh * floor**2
    spread_out = np.sum(np.log(diagonals[:, :terms]), axis=1)
    heights = (np.log(fresh) - freedom * np.log(squares)) / 2 - spread_out
    likelihood = np.log(fresh) - points * np.log(squares)
    cost = _DEAR * terms * math.log(points) - likelihood.max()
    return float(cost), heights, squares / fresh


def _resolution(z: Floats) -> float:
    """The standard deviation that rounding adds: the log's own, or a float's."""
    gaps = np.diff(np.unique(z))
    rounding = float(gaps.min()) / math.sqrt(12) if gaps.size else 0.0
    return max(rounding, _TINY * max(float(np.max(np.abs(z))), 1.0))
