"""A pilot for each group of rows: without its own, small numbers drown among large ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.engine.lane import Columns
from offby.engine.plan import Plan

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
_ROWS = 64  # of a group that are looked at


def pilots_of(plan: Plan, columns: Columns, starts: Ids, sizes: Ids) -> Floats:
    """Shift and scale of each linear basis term (see `State`) for groups of neighbouring rows."""
    taken = np.minimum(sizes, _ROWS)
    ends = np.cumsum(taken)
    begins = ends - taken
    places = np.arange(ends[-1]) + np.repeat(starts - begins, taken)
    sample = {name: column[places] for name, column in columns.items()}
    pairs = [_pilots(values, begins, taken) for values in compute(plan.linear, sample)]
    return np.stack([np.stack(pair, axis=-1) for pair in pairs], axis=1)


@np.errstate(over="ignore", invalid="ignore")
def _pilots(values: Floats, begins: Ids, taken: Ids) -> tuple[Floats, Floats]:
    """A centre, and a power of two that brings the spread near 1."""
    finite = np.isfinite(values)
    many = np.maximum(np.add.reduceat(finite.astype(np.float64), begins), 1)
    values = np.where(finite, values, 0.0)
    centre = np.add.reduceat(values / np.repeat(many, taken), begins)
    away = np.where(finite, np.abs(values / 2 - np.repeat(centre, taken) / 2), 0.0)
    spread = np.maximum.reduceat(away, begins)
    spread = np.where(spread > 0, spread, np.where(centre != 0, np.abs(centre), 1.0))
    exponent = np.clip(-1 - np.frexp(spread)[1], -1000, 1000)
    return centre, np.ldexp(1.0, exponent)
