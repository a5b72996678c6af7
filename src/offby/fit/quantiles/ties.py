"""A fit that meets far more rows than it has coefficients: their duals are shared out.

Pivots would have to order rows that only rounding tells apart. But any dual in the box whose
Σ w d x is 0 is a proof, and of many rows met there are many such duals. The one nearest to the
middle of the box is found by least squares; rows that it takes out of the box stay at its edge.
"""

from __future__ import annotations

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Places, Problem, Sides, gram
from offby.fit.quantiles.smooth import solver
from offby.fit.quantiles.vertex import Corner, doubtful, independent

_ROUNDS = 30
_BALANCED = 1e-15  # of Σ |x|


def through_ties(rows: Problem, tau: float, coef: Floats) -> Corner | None:
    """The fit through the most independent of the scaled rows that one near it meets.

    None where it meets no more rows than there are coefficients.

    >>> rows = Problem(np.ones((5, 1)), np.array([1.0, 2.0, 2.0, 2.0, 2.0]))
    >>> found = through_ties(rows, 0.5, np.array([2.0]))
    >>> found.coef.tolist(), found.dual(0.5).tolist()
    ([2.0], [-0.5, 0.125, 0.125, 0.125, 0.125])
    """
    met = np.abs(rows.y - rows.X @ coef) <= doubtful(rows, coef)
    if np.count_nonzero(met) <= rows.width:
        return None
    tied = np.flatnonzero(met)
    basis = independent(Problem(rows.X[tied], rows.y[tied]), np.ones(tied.size))
    if basis is None:
        return None
    basis = tied[basis]
    coef = np.asarray(np.linalg.solve(rows.X[basis], rows.y[basis]), np.float64)
    side = np.where(rows.y - rows.X @ coef > 0, 1, -1).astype(np.int8)
    return Corner(coef, side, tied, _shared(rows, tau, side, tied), basis, 0)


def _shared(rows: Problem, tau: float, side: Sides, tied: Places) -> Floats:
    """The duals of tied rows that balance those of the others, from the middle of the box."""
    X, dual = rows.X[tied], np.full(tied.size, tau - 0.5)
    others = np.where(side > 0, tau, tau - 1)
    others[tied] = 0
    needed, enough = others @ rows.X, _BALANCED * rows.column_size
    for _ in range(_ROUNDS):
        unmet = needed + dual @ X
        if np.all(np.abs(unmet) <= enough):
            break
        free = (dual > tau - 1) & (dual < tau)
        moved = dual - free * (X @ solver(gram(X, free.astype(np.float64)))(unmet))
        dual = np.clip(moved, tau - 1, tau)
    return dual
