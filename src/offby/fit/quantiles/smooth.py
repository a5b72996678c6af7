"""A start near the optimum: Newton's method on a smoothed quantile regression.

The corner of the pinball loss is rounded over a window of residuals, |r| <= h, which convolves it
with a uniform kernel (Fernandes, Guerre & Horta 2021; He, Pan, Tan & Zhou 2021, "conquer"). The
window shrinks until it holds few rows; each of its sizes takes a step or two from the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Problem, gram

_SAMPLE = 20_000  # rows that a first guess is made from, or
_SAMPLE_A_COLUMN = 200  # so many a column if that is more
_WINDOW = 30  # rows a column in the last window: beyond that the smoothed optimum is near enough
_SHRINK = 4
_STEPS = 25  # for a window, at most; where all is well it takes two
_CUTS = 4  # of a step that is too long
_SETTLED = 0.1  # of the slope is left after a step that was the last for its window
_RIDGE = 1e-13  # of the diagonal
_MET = 1e-13  # of y or of the largest residual: nearer rows are met exactly
_SOME = 1_000  # rows that tell how large y is
_STARVED = 0.05  # of the strongest direction: columns are mixed so that all are about as strong
_ERRORS = 4.5  # standard errors of a sample's fit that a band must reach


def guessed(
    rows: Problem, tau: float, coef: Floats | None = None
) -> tuple[Problem, Floats | None, float | None]:
    """The rows, coefficients near the best from a sample, and the share of rows in doubt.

    Of a sample of m rows, the fit at x has a standard error √(τ(1 - τ) x'(X'X)⁻¹x) / density, which
    is √(τ(1 - τ) p / m) in ranks, whatever the density (Koenker 2005, section 4.2). Where there are
    not many more rows than a sample has, nothing is found. The rows come with a reach if a sample
    alone knows too little of some direction: of rare categories, say.

    >>> _, coef, share = guessed(Problem(np.ones((100_001, 1)), np.arange(100_001.0)), 0.5)
    >>> bool(abs(coef[0] - 50_000) < 1000), round(share, 3)
    (True, 0.016)
    """
    size = max(_SAMPLE, _SAMPLE_A_COLUMN * rows.width)
    if rows.count <= 2 * size:
        return rows, coef, None
    some = rows.sample(size)
    plain = some.X[: some.count - rows.lumps]
    strength = np.linalg.eigvalsh(plain.T @ plain)
    if strength[0] < _STARVED * strength[-1]:
        rows = rows.reaching()
        some = rows.sample(size)
    coef, _ = smoothed(some, tau, coef)
    return rows, coef, _ERRORS * math.sqrt(tau * (1 - tau) * rows.width / size)


def smoothed(rows: Problem, tau: float, coef: Floats | None = None) -> tuple[Floats, float]:
    """The smoothed fit to scaled rows, and the share of rows whose side is in doubt after it."""
    if coef is None:
        coef = least_squares(rows)
    residual = rows.y - rows.X @ coef
    window, last = rows.count // 2, min(_WINDOW * rows.width, rows.count)
    while window > last:
        window = max(window // _SHRINK, last)
        for _ in range(_STEPS):
            move, residual, settled = step(rows, residual, tau, window)
            coef = coef + move
            if settled:
                break
    return coef, last / 2 / rows.count


def least_squares(rows: Problem) -> Floats:
    """The least squares fit to scaled rows.

    >>> least_squares(Problem(np.ones((3, 1)), np.array([1.0, 2.0, 9.0]))).round(9).tolist()
    [4.0]
    """
    return solved(rows.X.T @ rows.X, rows.y @ rows.X)


def step(rows: Problem, residual: Floats, tau: float, window: int) -> tuple[Floats, Floats, bool]:
    """A Newton step, the residuals after it, and whether more such steps would bring little.

    Where it is far too long, for few rows in the window speak of some direction, a step to the
    least of a parabola above the loss (Hunter & Lange 2000), which is short but never leads up.
    """
    X, size = rows.X, np.abs(residual)
    h = _half_window(rows, size, window)
    if h is None:
        return np.zeros(rows.width), residual, True
    slope = _dual(residual, tau, h) @ X
    inside = np.flatnonzero(size <= h)
    move = solved(gram(X[inside], 0.5 / h[inside]), slope)
    change = X @ move
    length, left = _length(residual, change, tau, h)
    if length > 0:
        near = np.median(length * np.abs(change) / h) <= 1
        return length * move, residual - length * change, bool(near) and abs(left) <= _SETTLED
    move = solved(gram(X, 0.5 / np.maximum(size, h)), slope)
    return move, residual - X @ move, False


def _dual(residual: Floats, tau: float, h: Floats) -> Floats:
    """Minus the derivative of the loss with its corner rounded over residuals up to h."""
    return np.clip(residual / (2 * h) + (tau - 0.5), tau - 1, tau)


def _length(residual: Floats, change: Floats, tau: float, h: Floats) -> tuple[float, float]:
    """How much of a step to take, 0 if very little, and the share of its slope that is left then.

    A step whose end leads back is cut to where it would be flat if the slope fell evenly. Back can
    be less steep than there (τ near 1), so that the loss itself must have fallen.
    """
    start, length = float(_dual(residual, tau, h) @ change), 1.0
    for _ in range(_CUTS):
        end = residual - length * change
        slope = float(_dual(end, tau, h) @ change)
        if slope >= 0 or (slope >= -start / 2 and _fell(residual, end, tau, h)):
            return length, slope / start if start > 0 else 0.0
        if start <= 0:  # by rounding: there is nothing to be gained this way
            break
        length *= max(start / (start - slope), 0.1)
    return 0.0, 1.0


def _fell(before: Floats, after: Floats, tau: float, h: Floats) -> bool:
    """Whether the loss with its corner rounded is less than it was."""
    first, second = _dual(before, tau, h), _dual(after, tau, h)
    terms = second * after - first * before
    terms -= h * ((second - (tau - 0.5)) ** 2 - (first - (tau - 0.5)) ** 2)
    return bool(np.sum(terms) < 0)


def _half_window(rows: Problem, size: Floats, window: int) -> Floats | None:
    """The h of each row, proportional to its reach, so that `window` residuals are within.

    None where so many rows are met exactly.
    """
    reach = np.ones(rows.count) if rows.reach is None else rows.reach
    share = size / reach
    h = np.partition(share, window - 1)[window - 1]
    usual = np.median(np.abs(rows.y[:_SOME]) / reach[:_SOME])
    return None if h <= _MET * max(usual, np.max(share)) else np.asarray(h * reach)


def solved(matrix: Floats, right: Floats) -> Floats:
    """The solution of a positive semidefinite system, and a small one where it is singular.

    >>> solved(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([4.0, 0.0])).round(9).tolist()
    [2.0, 0.0]
    """
    return solver(matrix)(right)


def solver(matrix: Floats) -> Callable[[Floats], Floats]:
    """The same for more than one right side."""
    size = np.sqrt(matrix.diagonal())
    size[size == 0] = 1
    scaled = matrix / size / size[:, None]
    scaled.flat[:: len(size) + 1] += _RIDGE
    factor, failed = dpotrf(scaled)
    if failed:
        return lambda right: np.asarray(np.linalg.solve(scaled, right / size) / size)
    return lambda right: np.asarray(dpotrs(factor, right / size)[0] / size)
