"""From near the optimum to an exact one: a fit through as many rows as there are coefficients.

Quantile regression has an optimum of that kind (Koenker & Bassett 1978, theorem 3.1). The rows
that the fit goes through are its basis; their part of the dual follows from X'd = 0, and if it is
in the box the fit is optimal. If not, the row furthest out leaves, and the fit moves along the
edge on which it does to the weighted quantile of the rows it meets (Barrodale & Roberts 1973).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.lapack import dgeqp3

from offby.engine.rows import Floats
from offby.fit.quantiles.pivots import descend
from offby.fit.quantiles.problem import Places, Problem, Sides

Range = tuple[float, float]
_CANDIDATES = 6  # rows a coefficient that a basis is looked for in, before all
_EPS = float(np.finfo(np.float64).eps)
_PIVOTS_PLAIN = 20  # a coefficient, at most, before ties are broken, and
_PIVOTS = 100  # after
_SLACK = 1e-13  # of the box, which is 1 wide, and as much as sums of X are rounded by
_LEAST_NOISE = 1e-3  # of the mean
_TIED = 1e-10  # of the usual residual, and
_ROUNDED = 1e-12  # of what residuals are made of: a row nearer to the fit may be on either side


@dataclass(frozen=True, eq=False)
class Corner:
    """A fit, the rows it goes through (`basis`, None where none was found), and its dual.

    The dual of rows (scaled by weights) is τ above the fit, where `side` is 1, and τ - 1 below it,
    where `side` is -1, except `inner` at the rows `places`. `steps` counts those of the interior
    point and the pivots.
    """

    coef: Floats
    side: Sides
    places: Places
    inner: Floats
    basis: Places | None
    steps: int

    def dual(self, tau: float) -> Floats:
        """The dual at each row: (n,)."""
        found = np.array([tau - 1, tau]).take(self.side > 0)
        found[self.places] = np.minimum(np.maximum(self.inner, tau - 1), tau)
        return found


def crossover(rows: Problem, tau: float, coef: Floats, dual: Floats, steps: int = 0) -> Corner:
    """The exact optimum for scaled rows, from coefficients and a dual near it.

    >>> rows = Problem(np.ones((3, 1)), np.array([1.0, 2.0, 9.0]))
    >>> crossover(rows, 0.5, np.array([1.9]), np.array([-0.5, 0.1, 0.5])).coef.tolist()
    [2.0]
    """
    basis = independent(rows, np.minimum(dual - (tau - 1), tau - dual))
    if basis is None:
        side = np.zeros(rows.count, np.int8)
        return Corner(coef, side, np.arange(rows.count), dual, None, steps)
    found = _at(rows, tau, basis, dual)
    if _outside(found.inner[-basis.size :], tau).max() <= _slack(rows):
        return replace(found, steps=steps)
    return pivoted(rows, tau, basis, steps)


def independent(rows: Problem, inside: Floats) -> Places | None:
    """Independent rows, those first whose dual is furthest inside the box."""
    for count in (min(_CANDIDATES * rows.width, rows.count), rows.count):
        near = np.argpartition(-inside, count - 1)[:count]
        factor = np.maximum(inside[near], 1e-6)
        triangle, order, *_ = dgeqp3(rows.X[near].T * factor)  # qr with pivoting
        order = order[: rows.width] - 1
        sizes = np.abs(np.diag(triangle)) / factor[order]
        if sizes.size == rows.width and sizes.min() > 1e-9 * sizes.max():
            return np.asarray(near[order], np.intp)
    return None


def _slack(rows: Problem) -> float:
    return max(_SLACK, _EPS * float(rows.column_size.max()))


def _outside(dual: Floats, tau: float) -> Floats:
    return np.maximum(dual - tau, tau - 1 - dual)


def _at(rows: Problem, tau: float, basis: Places, tied: Floats | None = None) -> Corner:
    """The fit through a basis, with the dual that it implies; at rows tied with it, the given."""
    inverse = np.linalg.inv(rows.X[basis])
    coef = inverse @ rows.y[basis]
    residual = rows.y - rows.X @ coef
    side = np.where(residual > 0, 1, -1).astype(np.int8)
    near, inner = np.empty(0, np.intp), np.empty(0)
    if tied is not None:
        met = np.abs(residual) <= doubtful(rows, coef)
        met[basis] = False
        near = np.flatnonzero(met)
        inner = np.clip(tied[near], tau - 1, tau)
    found = Corner(coef, side, near, inner, basis, 0)
    dual = found.dual(tau)
    dual[basis] = 0
    implied = -(dual @ rows.X) @ inverse
    return replace(found, places=np.append(near, basis), inner=np.append(inner, implied))


def pivoted(
    rows: Problem, tau: float, basis: Places, steps: int = 0, near: Range = (np.inf, np.inf)
) -> Corner:
    """The exact optimum for scaled rows from the fit through a basis.

    The first pivots are among rows so `near` the fit, below and above. Where pivots come to no end,
    for they go round in a circle of ties, or where rows tied with the fit leave it unproved, a
    little noise on y (fixed seed) breaks the ties.

    >>> pivoted(Problem(np.ones((3, 1)), np.array([1.0, 2.0, 9.0])), 0.5, np.array([2])).coef
    array([2.])
    """
    noisy = rows
    for pivots in (_PIVOTS_PLAIN, _PIVOTS, _PIVOTS):
        found, proved = _moved(noisy, tau, basis, near, pivots)
        basis, steps = found.places, steps + found.steps
        if proved:
            break
        if noisy is rows:
            noisy = Problem(rows.X, rows.y + _noise(rows, basis))
    if noisy is not rows:
        coef = np.linalg.solve(rows.X[basis], rows.y[basis])
        found = replace(found, coef=np.asarray(coef, np.float64))
    return found if steps == found.steps else replace(found, steps=steps)


def _moved(
    rows: Problem, tau: float, basis: Places, near: Range, pivots: int
) -> tuple[Corner, bool]:
    """The optimum, or where so many pivots a coefficient end, and whether it is proved."""
    X, basis = np.ascontiguousarray(rows.X.T), basis.copy()
    inverse = np.linalg.inv(rows.X[basis]).astype(np.float64)
    coef, side, inner, proved, steps = descend(
        X, rows.y, tau, basis, inverse, rows.column_size / rows.count, _slack(rows), *near,
        pivots * rows.width,
    )  # fmt: skip
    return Corner(coef, side, basis, inner, basis, steps), proved


def _noise(rows: Problem, basis: Places) -> Floats:
    coef = np.asarray(np.linalg.solve(rows.X[basis], rows.y[basis]), np.float64)
    least = doubtful(rows, coef)  # 0 where y and the fit are 0, and ties are ties all the same
    size = np.maximum(least, _LEAST_NOISE * np.mean(least))
    return np.asarray(size * np.random.default_rng(0).uniform(-1, 1, rows.count))


def doubtful(rows: Problem, coef: Floats) -> Floats:
    """How large a residual can be of rows that may be on either side: (n,)."""
    usual = np.median(np.abs(rows.y - rows.X @ coef))
    rounded = np.abs(rows.y) + np.abs(rows.X) @ np.abs(coef)
    return np.asarray(_TIED * usual + _ROUNDED * rounded)
