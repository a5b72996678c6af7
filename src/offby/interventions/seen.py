"""The rows that corrections are tried on, and how they are halved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats

_RUNS = 64


@dataclass(frozen=True, eq=False)
class Seen:
    """Truth, prediction and weight of some rows."""

    y: Floats
    p: Floats
    w: Floats

    def where(self, chosen: NDArray[np.bool_]) -> Seen:
        """Those of the rows."""
        return Seen(self.y[chosen], self.p[chosen], self.w[chosen])

    def mean(self, values: Floats) -> float:
        """The weighted mean of a value a row."""
        return float(np.sum(self.w * values) / np.sum(self.w))

    @property
    def effective(self) -> float:
        """How many rows of equal weight would say as much."""
        return float(np.sum(self.w) ** 2 / np.sum(self.w**2))

    @property
    def halves(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The rows of two halves: runs of neighbours, one of each two runs in either half.

        Neighbours are often alike, or the same row twice; apart, one would tell of the other. Which
        run of two goes where is a hash, so that no period of the table can be hit.

        >>> Seen(np.zeros(6), np.zeros(6), np.ones(6)).halves[0].tolist()
        [False, True, False, True, True, False]
        """
        runs = np.arange(self.y.size) * _RUNS // max(self.y.size, _RUNS)
        first = ((runs & 1) ^ _coin(runs >> 1)) == 0
        return first, ~first


def _coin(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD1B54A32D192ED03)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(37)).astype(np.int64) & 1
