"""Rising steps: pool adjacent violators, on groups of rows with near predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.interventions.seen import Seen

_MOST = 256
_ROWS = 10  # a group has about so many, where there are few


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows in steps of the prediction: the step of each row, and the middle of each step."""

    of_row: NDArray[np.int64]
    middles: Floats

    def curve(self, levels: Floats) -> Callable[[Floats], Floats]:
        """Straight from middle to middle, so that near predictions stay apart; it never falls."""
        heights = np.maximum.accumulate(levels)
        return lambda prediction: np.interp(prediction, self.middles, heights)


def blocks(seen: Seen) -> Blocks:
    """The steps of the isotonic regression of the truth on the prediction.

    >>> truth, prediction = np.array([1.0, 3.0, 2.0, 4.0]), np.array([0.1, 0.2, 0.3, 0.4])
    >>> blocks(Seen(truth, prediction, np.ones(4))).of_row.tolist()
    [0, 0, 1, 1]
    """
    group = _groups(seen.p)
    weight = np.bincount(group, seen.w)
    means = np.bincount(group, seen.w * seen.y) / weight
    starts = pooled(np.asarray(means, np.float64), np.asarray(weight, np.float64))
    of_row = np.searchsorted(starts, group, side="right") - 1
    return Blocks(of_row, np.bincount(of_row, seen.w * seen.p) / np.bincount(of_row, seen.w))


def _groups(prediction: Floats) -> NDArray[np.int64]:
    """Groups of near predictions, in rising order; equal ones are together."""
    count = min(max(prediction.size // _ROWS, 2), _MOST)
    cuts = np.quantile(prediction, np.arange(1, count) / count)
    group = np.searchsorted(np.unique(cuts), prediction, side="right")
    return np.asarray(np.unique(group, return_inverse=True)[1], np.int64)


def pooled(values: Floats, weights: Floats) -> list[int]:
    """Where the blocks of the rising fit begin (SciPy's takes 0.2 s to import).

    >>> pooled(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))
    [0, 1, 3]
    """
    starts: list[int] = []
    tops: list[tuple[float, float]] = []  # mean and weight of each block
    for place, (value, weight) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        start, mean, heavy = place, value, weight
        while tops and tops[-1][0] >= mean:
            below, held = tops.pop()
            start = starts.pop()
            mean = (mean * heavy + below * held) / (heavy + held)
            heavy += held
        starts.append(start)
        tops.append((mean, heavy))
    return starts
