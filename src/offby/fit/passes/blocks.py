"""Rows in blocks that a cache holds, with the sums over them that a linear model needs.

Coefficients and intercept are one vector `at`; with an intercept its last place is the intercept's,
for features with `centre` subtracted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import in_slices
from offby.engine.program import aligned
from offby.engine.rows import Floats
from offby.fit.data.rows import Rows, Source
from offby.fit.passes import kernels

_BLOCK_BYTES = 3 << 19  # of a second-level cache; with less, calls begin to count
_MOST_ROWS = 1 << 13  # what is found for each row then needs no new pages


class Additive(Protocol):
    """Partial sums: what is found on two sets of rows adds up to what both together give."""

    def __add__(self, other: Self, /) -> Self:
        """Put the sums over other rows to these."""
        ...


Total = TypeVar("Total", bound=Additive)


@dataclass(frozen=True, eq=False)
class Linear:
    """How scores come from rows: centred features, and a 1 for the intercept.

    >>> Linear(np.array([1990.0]), intercept=True).centred(np.array([2.0]), 5.0)
    array([2.000e+00, 3.985e+03])
    """

    centre: Floats
    intercept: bool

    @property
    def features(self) -> int:
        """How many coefficients there are, without the intercept."""
        return int(self.centre.size)

    @property
    def size(self) -> int:
        """How many numbers are to be found."""
        return self.features + self.intercept

    @property
    def width(self) -> int:
        """How long a row of a tile is."""
        return -(-self.size // kernels.LANES) * kernels.LANES

    def uncentred(self, at: Floats) -> tuple[Floats, float]:
        """Coefficients and intercept for the features as they came."""
        coefficients = at[: self.features]
        intercept = float(at[-1] - self.centre @ coefficients) if self.intercept else 0.0
        return coefficients, intercept

    def centred(self, coefficients: Floats, intercept: float) -> Floats:
        """The one vector of coefficients and intercept: the inverse of `uncentred`."""
        if not self.intercept:
            return coefficients
        return np.append(coefficients, intercept + self.centre @ coefficients)

    def blocks(self, rows: Rows, start: int, stop: int) -> Iterator[Block]:
        """The rows from `start` to `stop`, a few at a time; the next may take the room of these."""
        most = min(max(_BLOCK_BYTES // (8 * self.width), self.width), _MOST_ROWS)
        room = None if rows.X.strides[1] == 8 else np.empty((most, self.features))
        tiles = self._tile(), self._tile()
        for first in range(start, stop, most):
            part = rows.taken(slice(first, min(first + most, stop)))
            X = part.X if room is None else _side_by_side(part.X, room[: part.count])
            yield Block(X, part.y, part.weight, self, tiles)

    def _tile(self) -> Floats:
        """Room for rows in whole vectors, with what all of them have beyond their columns.

        The wider a Gram matrix is, the more rows it takes to be worth reading it.
        """
        found = aligned((max(kernels.TILE, self.width // 16), self.width))
        if self.intercept:
            found[:, self.features] = 1.0
        return found


def _side_by_side(X: Floats, room: Floats) -> Floats:
    by_row, by_column = X.strides
    kernels.side_by_side(X.ctypes.data, by_row // 8, by_column // 8, room)
    return room


@dataclass(frozen=True, eq=False)
class Block:
    """A few rows z, centred and with a 1 for the intercept, with truths and weights.

    `weight` is None where all are 1. The columns of X lie side by side.
    """

    X: Floats
    y: Floats
    weight: Floats | None
    linear: Linear
    tiles: tuple[Floats, Floats]

    @property
    def _rows(self) -> tuple[int, int, Floats]:
        return self.X.ctypes.data, self.X.strides[0] // 8, self.linear.centre

    def score(self, at: Floats) -> Floats:
        """z · at of each row, for one vector or several: (…, size) gives (…, rows)."""
        found = np.empty((at.size // self.linear.size, self.y.size))
        padded = np.zeros((len(found), self.linear.features + 1))
        padded[:, : self.linear.size] = at
        kernels.score(*self._rows, padded, found)
        return found.reshape(*at.shape[:-1], -1)

    def weighted(self, values: Floats) -> Floats:
        """Each row's value times its weight."""
        return values if self.weight is None else values * self.weight

    def counted(self, values: Floats) -> Floats:
        """The values of rows that have a weight."""
        return values if self.weight is None else values[self.weight > 0]

    def counts(self) -> NDArray[np.bool_]:
        """Which rows have a weight: (rows,)."""
        return np.ones(self.y.size, bool) if self.weight is None else self.weight > 0

    def total(self) -> float:
        """The sum of the weights."""
        return float(self.y.size if self.weight is None else self.weight.sum())

    def times(self, values: Floats) -> Floats:
        """The sum over rows of z times the row's value: (…, rows) gives (…, size)."""
        found = self._summed(values.reshape(-1, self.y.size), squared=False)
        return found.reshape(*values.shape[:-1], -1)

    def squares(self) -> Floats:
        """The weighted sum over rows of z², place by place: (size,)."""
        found = self._summed(self.weighted(np.ones((1, self.y.size))), squared=True)
        return found.ravel()

    def gram(self, values: Floats) -> Floats:
        """The sum over rows of z z' times the row's value: (size, size)."""
        found = aligned((self.linear.width, self.linear.width))
        kernels.gram(*self._rows, values, *self.tiles, found)
        return found[: self.linear.size, : self.linear.size]

    def _summed(self, values: Floats, *, squared: bool) -> Floats:
        found = np.zeros((len(values), self.linear.features + 1))
        kernels.times(*self._rows, values, squared, found)
        return found[:, : self.linear.size]


def scale_of(source: Source, linear: Linear) -> Floats:
    """The root mean square of each column, so that divided by it all are of one size: (size,).

    It is 1 for the intercept and for columns of zeros; takes a pass over the rows.
    """
    size = linear.size
    sums = over_rows(
        source, linear, lambda block: np.append(block.squares(), block.total()), np.zeros(size + 1)
    )
    found = np.sqrt(sums[:size] / sums[size])
    return np.where(found > 0, found, 1.0)


def over_rows(
    source: Source, linear: Linear, of_block: Callable[[Block], Total], none: Total
) -> Total:
    """What `of_block` finds, added up over all blocks of all parts, in threads; from `none` on."""
    total = none
    for part in source.parts():

        def work(start: int, stop: int, part: Rows = part) -> Total:
            found = none
            for block in linear.blocks(part, start, stop):
                found = found + of_block(block)
            return found

        for found in in_slices(part.count, work):
            total = total + found
    return total
