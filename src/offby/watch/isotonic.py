"""Falling and unimodal least squares: where a curve may be lowest, whatever its shape.

Pool adjacent violators fits all prefixes of a curve in one pass (Stout 2008, "Unimodal regression
via prefix isotonic regression"), so all turning points cost no more than one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offby.formula.kept import kept

Floats = NDArray[np.float64]


@kept
def _pool(z: Floats, blocks: Floats, errors: Floats) -> int:
    """Fit a falling curve; `errors[i]` becomes the squared error of the fit to the first i.

    A column of `blocks` is a level's sum, count and sum of squares, and the error up to its end.
    """
    last = -1
    errors[0] = 0.0
    for i in range(z.size):
        total, count, squares = z[i], 1.0, z[i] * z[i]
        while last >= 0 and blocks[0, last] * count < total * blocks[1, last]:
            total += blocks[0, last]
            count += blocks[1, last]
            squares += blocks[2, last]
            last -= 1
        before = blocks[3, last] if last >= 0 else 0.0
        last += 1
        blocks[0, last], blocks[1, last], blocks[2, last] = total, count, squares
        blocks[3, last] = before + max(squares - total * total / count, 0.0)
        errors[i + 1] = blocks[3, last]
    return last + 1


def falling_fit(z: Floats) -> Floats:
    """The falling curve with the least squared error.

    >>> falling_fit(np.array([3.0, 1.0, 2.0, 0.0]))
    array([3. , 1.5, 1.5, 0. ])
    """
    blocks = np.empty((4, z.size))
    count = _pool(z, blocks, np.empty(z.size + 1))
    return np.repeat(blocks[0, :count] / blocks[1, :count], blocks[1, :count].astype(np.int64))


def lowest_errors(z: Floats) -> Floats:
    """For each point the squared error of the best curve that turns there.

    It falls up to the point and rises after it, or falls before it and rises from it on.

    >>> lowest_errors(np.array([3.0, 1.0, 2.0, 4.0])).round(9).tolist()
    [0.0, 0.0, 0.0, 0.5]
    """
    centred = z - z.mean()  # so that squares do not cancel
    falling, rising = np.empty(z.size + 1), np.empty(z.size + 1)
    blocks = np.empty((4, z.size))
    _pool(centred, blocks, falling)
    _pool(centred[::-1].copy(), blocks, rising)
    errors = falling + rising[::-1]  # of the first k falling and the rest rising
    return np.minimum(errors[:-1], errors[1:])
