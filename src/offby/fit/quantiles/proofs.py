"""The certificates of many quantiles of the same rows, from one pass over the rows.

A row's dual is τ above the fit and τ - 1 below it, but for a few. So Σ w d x of all fits is a
product of sides and rows, and the gap has a term of |r| for each row that is on the wrong side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats
from offby.fit.quantiles.gap import Gap, bounded
from offby.fit.quantiles.problem import Problem, Sides, blocks
from offby.fit.quantiles.vertex import Corner

_BLOCK = 2048  # rows whose residuals from some fits stay in the cache


def duality_gaps(
    rows: Problem, taus: Floats, coefs: Floats, corners: Sequence[Corner]
) -> list[Gap]:
    """What `duality_gap` finds for each of `taus` (m,), `coefs` (m, p) and the corners' duals.

    Or a little more, which is a bound all the same: residuals of rows that a fit should go through
    may count twice.

    >>> rows = Problem(np.ones((3, 1)), np.array([1.0, 2.0, 9.0]))
    >>> inner = Corner(np.array([2.0]), np.array([-1, 1, 1], np.int8), np.array([1]), np.zeros(1),
    ...     np.array([1]), 0)
    >>> duality_gaps(rows, np.array([0.5]), np.array([[2.0]]), [inner])[0].gap
    0.0
    """
    sides = [corner.side for corner in corners]

    def add(start: int, stop: int) -> Floats:
        parts = blocks(start, stop, _BLOCK)
        sums = (_sums(rows, part, coefs, [side[part] for side in sides]) for part in parts)
        return sum(sums, np.zeros(1))

    total = sum(in_slices(rows.count, add), np.zeros(1))
    return [_gap(rows, *each) for each in zip(taus.tolist(), coefs, corners, total, strict=True)]


def _sums(rows: Problem, part: slice, coefs: Floats, sides: list[Sides]) -> Floats:
    """Of some rows, for each fit: Σ w r, Σ w |r|, twice the gap, Σ w s x and Σ w x."""
    X, y = rows.X[part], rows.y[part]
    side = np.array(sides, np.float64)
    residual = y - coefs @ X.T
    weight = np.ones(y.size) if rows.weight is None else rows.weight[part]
    weighted = X if rows.weight is None else X * weight[:, None]
    size = np.abs(residual)
    both = np.broadcast_to(weight @ X, (len(coefs), X.shape[1]))
    sums = [residual @ weight, size @ weight]
    residual *= side
    size -= residual
    return np.column_stack([*sums, size @ weight, side @ weighted, both])


def _gap(rows: Problem, tau: float, coef: Floats, corner: Corner, sums: Floats) -> Gap:
    places, own = corner.places, np.clip(corner.inner, tau - 1, tau)
    loss = sums[1] / 2 + (tau - 0.5) * sums[0]
    X, residual = rows.X[places], rows.y[places] - rows.X[places] @ coef
    weight = np.ones(places.size) if rows.weight is None else rows.weight[places]
    excess = np.maximum(tau * residual, (tau - 1) * residual) - own * residual
    gap = sums[2] / 2 + weight @ excess
    of_sides, of_all = sums[3 : 3 + coef.size], sums[3 + coef.size :]
    other = corner.side[places] / 2 + (tau - 0.5)
    unmet = of_sides / 2 + (tau - 0.5) * of_all + (weight * (own - other)) @ X
    boxed = not np.isnan(own).any()
    return bounded(rows, tau, coef, np.array([loss, gap, *unmet]), boxed)
