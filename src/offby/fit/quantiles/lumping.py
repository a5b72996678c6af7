"""The compiled pass that lumps rows: those surely above or below some fits, added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.formula.kept import kept_bare


@kept_bare
def lump(
    X: Floats, y: Floats, weight: Floats, reach: Floats, radius: float, lowest: Floats,
    highest: Floats, side: NDArray[np.int8], new: NDArray[np.int8], total: Floats, rest: Floats,
) -> None:  # fmt: skip
    """Make `side` (n,) 1 where y is above the highest fit by more than radius times reach.

    And -1 where it is as far below the lowest. Of rows (n, p) whose side changes from 1 or -1, X
    and y are taken from `total` (2, p + 1), and of those that change to 1 or -1 added: above first,
    then below. What rounding takes from that is added to `rest` (Knuth's two-sum), for proofs rest
    on these sums. Without weights, or reaches, all are 1. `new` (n,) is room.
    """
    for i in range(y.size):  # without branches, several rows at once
        far = radius * reach[i] if reach.size else radius
        new[i] = np.int8(y[i] - highest[i] > far) - np.int8(y[i] - lowest[i] < -far)
    for i in range(y.size):
        if new[i] != side[i]:
            times = weight[i] if weight.size else 1.0
            if side[i]:
                place = 0 if side[i] > 0 else 1
                _add(X[i], y[i], -times, total[place], rest[place])
            if new[i]:
                place = 0 if new[i] > 0 else 1
                _add(X[i], y[i], times, total[place], rest[place])
            side[i] = new[i]


@kept_bare
def _add(x: Floats, y: float, times: float, total: Floats, rest: Floats) -> None:
    for j in range(x.size):
        _add_one(times * x[j], j, total, rest)
    _add_one(times * y, x.size, total, rest)


@kept_bare
def _add_one(value: float, j: int, total: Floats, rest: Floats) -> None:
    before = total[j]
    after = before + value
    part = after - before
    rest[j] += (before - (after - part)) + (value - part)
    total[j] = after
