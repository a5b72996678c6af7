"""Least squares by QR, refined until float64 holds no better coefficients.

A Gram matrix has the square of the condition of its columns: at 1e8 no digit is left. QR keeps half
of them, and refining residual *and* coefficients, with residuals in doubled digits, brings back all
(Bjorck 1967, "Iterative refinement of linear least squares solutions I").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from offby.engine.rows import Floats
from offby.fit.data.rows import Rows
from offby.fit.passes import doubled
from offby.fit.passes.blocks import Linear

_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """The solution for centred features, what is left of y there, and Q and R of the design.

    Rest and design are weighted, by the root of each row's weight. `excess` is what the sum of
    squares has above its minimum: for a parabola the Newton decrement says that exactly.
    """

    at: Floats
    rest: Floats
    q: Floats
    r: Floats
    excess: float


def least_squares(rows: Rows, linear: Linear) -> LeastSquares | None:
    """The coefficients, and the intercept, that minimise the sum of w (y - Z at)².

    None where columns are combinations of others as far as float64 can tell.

    >>> rows = Rows(np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 4.0]))
    >>> least_squares(rows, Linear(np.zeros(1), True)).at
    array([ 1.5       , -0.66666667])
    """
    root = np.ones(rows.count) if rows.weight is None else np.sqrt(rows.weight)
    factors = _factors(rows, linear, root)
    if factors is None:
        return None
    coefficients, intercept = _refined(rows, linear, root, *factors)
    rest = _left(rows, root, coefficients, intercept, np.zeros(rows.count))
    pull = linalg.solve_triangular(factors[1], _pull(rows, linear, root, rest), trans="T")
    at = linear.centred(coefficients, intercept)
    return LeastSquares(at, rest, *factors, float(pull @ pull))


def _factors(rows: Rows, linear: Linear, root: Floats) -> tuple[Floats, Floats] | None:
    """Q and R of the weighted, centred features and ones; None where R is singular."""
    ones = np.ones((rows.count, int(linear.intercept)))
    design = np.hstack([rows.X - linear.centre, ones]) * root[:, None]
    scale = np.linalg.norm(design, axis=0)
    if rows.count < linear.size or not scale.all():
        return None
    q, r = linalg.qr(design / scale, mode="economic", check_finite=False)
    smallest = linalg.svdvals(r)[-1]
    if smallest < 4 * linear.size * np.finfo(float).eps:
        return None
    return q, r * scale


def _refined(
    rows: Rows, linear: Linear, root: Floats, q: Floats, r: Floats
) -> tuple[Floats, float]:
    """Solve [residual + Z b = y, Z' residual = 0] again and again for what is still left over."""
    coefficients, intercept = np.zeros(linear.features), 0.0
    rest = np.zeros(rows.count)  # the weighted residual
    last = np.inf
    for _ in range(_ROUNDS):
        left = _left(rows, root, coefficients, intercept, rest)
        pull = linalg.solve_triangular(r, -_pull(rows, linear, root, rest), trans="T")
        along = q.T @ left
        move = linalg.solve_triangular(r, along - pull)
        size = float(np.abs(r @ move).max())
        if size >= last / 2:
            break
        last = size
        rest += left - q @ (along - pull)
        step, shift = linear.uncentred(move)
        coefficients, intercept = coefficients + step, intercept + shift
    return coefficients, intercept


def _left(rows: Rows, root: Floats, coefficients: Floats, intercept: float, rest: Floats) -> Floats:
    """What coefficients and residual do not yet explain of y, weighted: (n,)."""
    found = doubled.residual(rows.y, rows.X, coefficients, intercept)
    high, low = doubled.two_product(found[0], root)
    return np.asarray(doubled.add((high, low + found[1] * root), (-rest, np.zeros_like(rest)))[0])


def _pull(rows: Rows, linear: Linear, root: Floats, rest: Floats) -> Floats:
    """Z' residual, which is 0 at the solution: (size,)."""
    weighted, low = doubled.two_product(rest, root)
    whole = doubled.add(doubled.total((weighted, low)), (np.zeros(()), np.zeros(())))
    found = []
    for column, centre in zip(rows.X.T, linear.centre, strict=True):
        high, rounded = doubled.two_product(column, weighted)
        inner = doubled.total((high, rounded + column * low))
        shift = doubled.two_product(whole[0], -centre)
        found.append(doubled.add(inner, (shift[0], shift[1] - whole[1] * centre))[0])
    return np.array([*found, whole[0]] if linear.intercept else found)
