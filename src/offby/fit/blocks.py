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
from offby.fit import kernels
from offby.fit.rows import Rows, Source
from offby.fit.score import Floats

_BLOCK_BYTES = 1 << 21  # of a second-level cache; with less, calls begin to count
_FEW = 1 << 14
_LEAST_ROWS = 256  # so that a large Gram matrix is not written anew for every few rows


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
        """How long a packed row is."""
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
        """The rows from `start` to `stop`, packed; a block is gone when the next one comes."""
        most = max(_BLOCK_BYTES // (8 * self.width), _LEAST_ROWS)
        room = aligned((most, self.width))
        for first in range(start, stop, most):
            part = rows.taken(slice(first, min(first + most, stop)))
            packed = room[: part.count]
            by_row, by_column = (step // 8 for step in part.X.strides)
            kernels.pack(part.X.ctypes.data, by_row, by_column, self.centre, self.intercept, packed)
            yield Block(packed, part.y, part.weight, self.size)


@dataclass(frozen=True, eq=False)
class Block:
    """A few packed rows z, with truths and weights (None: all 1); `size` is the length of `at`."""

    packed: Floats
    y: Floats
    weight: Floats | None
    size: int

    def score(self, at: Floats) -> Floats:
        """z · at of each row: (rows,)."""
        found = np.empty(self.y.size)
        kernels.score(self.packed, self._padded(at), found)
        return found

    def weighted(self, values: Floats) -> Floats:
        """Each row's value times its weight."""
        return values if self.weight is None else values * self.weight

    def counts(self) -> NDArray[np.bool_]:
        """Which rows have a weight: (rows,)."""
        return np.ones(self.y.size, bool) if self.weight is None else self.weight > 0

    def total(self) -> float:
        """The sum of the weights."""
        return float(self.y.size if self.weight is None else self.weight.sum())

    def times(self, values: Floats) -> Floats:
        """The sum over rows of z times the row's value: (size,)."""
        found = np.zeros(self.packed.shape[1])
        kernels.times(self.packed, values, found)
        return found[: self.size]

    def squares(self) -> Floats:
        """The weighted sum over rows of z², place by place: (size,)."""
        found = np.zeros(self.packed.shape[1])
        kernels.squares(self.packed, self.weighted(np.ones(self.y.size)), found)
        return found[: self.size]

    def gram(self, values: Floats) -> Floats:
        """The sum over rows of z z' times the row's value: (size, size)."""
        width = self.packed.shape[1]
        found = aligned((width, width))
        kernels.gram(self.packed, values, aligned((kernels.TILE, width)), found)
        low = np.tril(found[: self.size, : self.size])
        return low + np.tril(low, -1).T

    def _padded(self, at: Floats) -> Floats:
        padded = np.zeros(self.packed.shape[1])
        padded[: self.size] = at
        return padded


def scale_of(source: Source, linear: Linear) -> Floats:
    """The root mean square of each column, so that divided by it all are of one size: (size,).

    Taken from some of the rows; 1 for the intercept and for columns of zeros.
    """
    few = source.sample(_FEW)
    found = np.sqrt(few.mean_of((few.X - linear.centre) ** 2))
    found = np.where(found > 0, found, 1.0)
    return np.append(found, 1.0) if linear.intercept else found


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
