"""The compiled pass that lumps rows: those surely above or below some fits, added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.formula.kept import kept_bare


@kept_bare
def lump(
    X: Floats, y: Floats, weight: Floats, residual: Floats, far: Floats, side: NDArray[np.int8],
    total: Floats, rest: Floats,
) -> None:  # fmt: skip
    """Make `side` (n,) 1 where all of `residual` (n, m) are above `far` (n,), -1 where all below.

    Of rows (n, p) whose side changes from 1 or -1, X and y are taken from `total` (2, p + 1), and
    of those that change to 1 or -1 added: above first, then below. What rounding takes from that
    is added to `rest` (Knuth's two-sum), for proofs rest on these sums.
    """
    for i in range(y.size):
        above, below = True, True
        for k in range(residual.shape[1]):
            above = above and residual[i, k] > far[i]
            below = below and residual[i, k] < -far[i]
        found = 1 if above else (-1 if below else 0)
        if found != side[i]:
            if side[i]:
                _add(X, y, -weight[i], i, 0 if side[i] > 0 else 1, total, rest)
            if found:
                _add(X, y, weight[i], i, 0 if found > 0 else 1, total, rest)
            side[i] = found


@kept_bare
def _add(
    X: Floats, y: Floats, weight: float, i: int, place: int, total: Floats, rest: Floats
) -> None:
    for j in range(X.shape[1] + 1):
        value = weight * (X[i, j] if j < X.shape[1] else y[i])
        before = total[place, j]
        after = before + value
        part = after - before
        rest[place, j] += (before - (after - part)) + (value - part)
        total[place, j] = after
