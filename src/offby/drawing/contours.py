"""Where heights over a grid are at least so high: closed rings, by marching squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Edge = tuple[int, int, int]  # of the grid: from a row and column to the right (0) or upward (1)

# Sides of a cell: 0 below, 1 right, 2 above, 3 left. Corners that are high: 1 below left, 2 below
# right, 4 above right, 8 above left. Rings have what is high on their left.
_TURNS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),), 2: ((1, 0),), 4: ((2, 1),), 8: ((3, 2),),
    3: ((1, 3),), 6: ((2, 0),), 12: ((3, 1),), 9: ((0, 2),),
    7: ((2, 3),), 11: ((1, 2),), 13: ((0, 1),), 14: ((3, 0),),
    5: ((0, 3), (2, 1)), 10: ((1, 0), (3, 2)),
    5 + 16: ((0, 1), (2, 3)), 10 + 16: ((3, 0), (1, 2)),  # saddles that are high in the middle
}  # fmt: skip


def rings(across: Floats, upward: Floats, heights: Floats, level: float) -> list[Floats]:
    """Rings around all that is at least `level` high, as points (k, 2); holes run the other way.

    `heights` is (upward, across), and finite. Lines are straight within a cell; at the border of
    the grid a ring follows it.

    >>> (hill,) = rings(np.arange(3.0), np.arange(3.0), np.diag([0.0, 2.0, 0.0]), 1.0)
    >>> hill.tolist()
    [[1.5, 1.0], [1.0, 1.5], [0.5, 1.0], [1.0, 0.5], [1.5, 1.0]]
    """
    x, y = (np.concatenate([steps[:1], steps, steps[-1:]]) for steps in (across, upward))
    padded = np.pad(heights, 1, constant_values=-np.inf)
    follows = _follows(padded, level)
    found = []
    while follows:
        edge, following = follows.popitem()
        ring = [edge]
        while following in follows:
            ring.append(following)
            following = follows.pop(following)
        found.append(np.array([_crossing(x, y, padded, level, one) for one in [*ring, edge]]))
    return found


def _follows(heights: Floats, level: float) -> dict[Edge, Edge]:
    """The edge that a ring crosses after each one that it crosses."""
    high = (heights >= level).astype(int)
    low, up = high[:-1], high[1:]
    case = low[:, :-1] + 2 * low[:, 1:] + 4 * up[:, 1:] + 8 * up[:, :-1]
    found: dict[Edge, Edge] = {}
    for row, column in np.argwhere((case > 0) & (case < 15)).tolist():
        kind = int(case[row, column])
        middle = heights[row : row + 2, column : column + 2].mean()
        kind += 16 if kind in (5, 10) and middle >= level else 0
        sides = ((row, column, 0), (row, column + 1, 1), (row + 1, column, 0), (row, column, 1))
        found.update((sides[start], sides[end]) for start, end in _TURNS[kind])
    return found


def _crossing(
    x: Floats, y: Floats, heights: Floats, level: float, edge: Edge
) -> tuple[float, float]:
    """Where the level is crossed on an edge, from its high end: the low one may be without end."""
    row, column, upward = edge
    ends = [(row, column), (row + upward, column + 1 - upward)]
    ends.sort(key=lambda end: heights[end], reverse=True)
    (top, left), (bottom, right) = ends
    fall = heights[ends[0]] - heights[ends[1]]
    share = float((heights[ends[0]] - level) / fall)
    return (
        float(x[left] + share * (x[right] - x[left])),
        float(y[top] + share * (y[bottom] - y[top])),
    )
