"""The rows that a search for segments looks through: their loss, their codes, their half."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.engine.lane import Columns
from offby.formula.expression import Expression
from offby.formula.words import w
from offby.segments.coding import Codes
from offby.tables.part import mixed

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class LossRows:
    """The loss of each row, its codes, and on which half of the rows it is looked at.

    That takes 9 bytes a row and 4 for each column, and 8 for a weight.
    """

    def __init__(self, columns: Sequence[str], loss: Expression) -> None:
        self.columns, self.formula = tuple(columns), loss
        self._losses: list[Floats] = []
        self._weights: list[Floats] = []
        self._halves: list[Flags] = []
        self._codes: list[list[Codes]] = []

    def add(self, columns: Columns, codes: Sequence[Codes], ids: NDArray[np.int64] | range) -> None:
        """Keep what is needed of rows with these numbers."""
        self._losses.append(compute([self.formula], columns)[0])
        if w in columns:
            self._weights.append(columns[w])
        self._halves.append(halves(np.asarray(ids)))
        self._codes.append(list(codes))

    @property
    def losses(self) -> Floats:
        """The loss of each row."""
        return _joined(self._losses)

    @property
    def weights(self) -> Floats:
        """The weight of each row: 1 where none came."""
        return _joined(self._weights) if self._weights else np.ones(self.losses.size)

    @property
    def first_half(self) -> Flags:
        """Which rows segments are looked for on; they are confirmed on the others."""
        return np.concatenate(self._halves) if self._halves else np.zeros(0, np.bool_)

    def codes(self, place: int) -> Codes:
        """The code of each row in one of the columns."""
        parts = [codes[place] for codes in self._codes]
        return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def halves(rows: NDArray[np.int64]) -> Flags:
    """The half of each row, by a hash of its number: the same in every run (splitmix64's end).

    >>> halves(np.arange(8)).astype(int).tolist()
    [1, 1, 0, 1, 0, 0, 0, 1]
    """
    found: Flags = mixed(rows) & np.uint64(1) == 1
    return found
