"""Rows to be fitted: features, truths and weights, in memory or read in parts again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.errors import DataError

_AT_ONCE = 1 << 20
_FAR = 8.0  # means this many deviations from 0 cost digits, so such columns are centred
_BUFFER = 1 << 22  # numbers: 32 MB


class Source(Protocol):
    """Whatever yields the same rows each time it is asked: one part, or as many as there are."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        ...

    def parts(self) -> Iterator[Rows]:
        """The rows from the first to the last."""
        ...

    def targets(self) -> Iterator[Rows]:
        """The same rows with no features: for what depends on truths and weights alone."""
        ...

    def sample(self, most: int) -> Rows:
        """Some of the rows, for a start and for what only roughly matters."""
        ...


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in memory: X is (n, p), y and the weights (n,); no weights is a weight of 1 each.

    >>> rows = Rows(np.arange(8.0).reshape(4, 2), np.arange(4.0))
    >>> [part.count for part in rows.parts()], rows.sample(2).y
    ([4], array([0., 2.]))
    """

    X: Floats
    y: Floats
    weight: Floats | None = None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.X.shape[0])

    @property
    def columns(self) -> int:
        """How many features there are."""
        return int(self.X.shape[1])

    @property
    def weights(self) -> Floats:
        """The weight of each row: (n,)."""
        return np.ones(self.count) if self.weight is None else self.weight

    @property
    def total_weight(self) -> float:
        """The sum of the weights."""
        return float(self.count if self.weight is None else self.weight.sum())

    @property
    def weighs(self) -> bool:
        """Whether any of them has a weight."""
        return self.weight is None or bool(self.weight.any())

    def parts(self) -> Iterator[Rows]:
        """All rows, in one part."""
        yield self

    def targets(self) -> Iterator[Rows]:
        """The rows without features, in parts that need little room for a number a row."""
        for start in range(0, self.count, _AT_ONCE):
            yield self.taken(slice(start, start + _AT_ONCE)).bare()

    def bare(self) -> Rows:
        """The same rows with no features."""
        return Rows(self.X[:, :0], self.y, self.weight)

    def sample(self, most: int) -> Rows:
        """Rows at equal distances, no more than `most`."""
        return self.taken(slice(None, None, max(-(-self.count // most), 1)))

    def mean_of(self, values: Floats) -> Floats:
        """The weighted mean over rows of what each has, (n, k): (k,)."""
        if self.weight is None or not self.weight.any():
            return np.asarray(values.mean(axis=0))
        return np.asarray(np.average(values, axis=0, weights=self.weight))

    def sum_of(self, values: Floats) -> float:
        """The weighted sum over rows of one number of each: (n,)."""
        return float(values.sum() if self.weight is None else (values * self.weight).sum())

    def chosen(self, places: NDArray[Any]) -> Rows:
        """Copies of the rows at these places, or where these are true."""
        weight = None if self.weight is None else self.weight[places]
        return Rows(self.X[places], self.y[places], weight)

    def taken(self, chosen: slice) -> Rows:
        """Some of the rows, not copied."""
        weight = None if self.weight is None else self.weight[chosen]
        return Rows(self.X[chosen], self.y[chosen], weight)


@dataclass(frozen=True, eq=False)
class Batches:
    """Rows that `read` yields in parts, each time it is called, from wherever they are kept.

    `read_targets` does so without features, where that costs less.

    >>> half = Rows(np.ones((2, 1)), np.zeros(2))
    >>> sum(part.count for part in Batches(lambda: [half, half], 4).parts())
    4
    """

    read: Callable[[], Iterable[Rows]]
    count: int
    read_targets: Callable[[], Iterable[Rows]] | None = None

    def parts(self) -> Iterator[Rows]:
        """One part after another."""
        yield from self.read()

    def targets(self) -> Iterator[Rows]:
        """One part after another, without features."""
        for part in (self.read_targets or self.read)():
            yield part.bare()

    def sample(self, most: int) -> Rows:
        """Rows of the first part."""
        for part in self.parts():
            return part.sample(most)
        raise DataError("there are no rows to fit; a table of at least one row was expected")


def joined(parts: Iterable[Rows]) -> Rows:
    """All these rows in one part; there is at least one.

    >>> joined([Rows(np.ones((2, 1)), np.zeros(2)), Rows(np.ones((1, 1)), np.ones(1))]).y
    array([0., 0., 1.])
    """
    found = list(parts)
    weights = [part.weight for part in found if part.weight is not None]
    return Rows(
        np.concatenate([part.X for part in found]),
        np.concatenate([part.y for part in found]),
        np.concatenate(weights) if weights else None,
    )


def in_random_order(source: Source, size: int, rng: np.random.Generator) -> Iterator[Rows]:
    """A few rows at a time, `size` but for the last ones, each row once and in random order.

    Rows read in parts are so among those of a buffer of some 4 million numbers, one buffer after
    another: in a table that is sorted, its first rows still come first. Which rows come together
    does not depend on the parts.

    >>> rows = Rows(np.zeros((5, 1)), np.arange(5.0))
    >>> few = in_random_order(Batches(lambda: [rows], 5), 2, np.random.default_rng(0))
    >>> [part.y.tolist() for part in few]
    [[2.0, 4.0], [3.0, 0.0], [1.0]]
    """
    for part in [source] if isinstance(source, Rows) else buffers(source, size):
        order = rng.permutation(part.count)
        for start in range(0, part.count, size):
            yield part.chosen(order[start : start + size])


def slices_of(source: Source, size: int) -> Iterator[Rows]:
    """The rows in order, in parts of no more than `size`.

    >>> rows = Rows(np.ones((5, 1)), np.zeros(5))
    >>> [part.count for part in slices_of(rows, 2)]
    [2, 2, 1]
    """
    for part in source.parts():
        for start in range(0, part.count, size):
            yield part.taken(slice(start, start + size))


def buffers(source: Source, size: int) -> Iterator[Rows]:
    """The rows in parts of as many as 32 MB hold, a multiple of `size`; the last one has the rest.

    >>> three = Rows(np.ones((3, 1)), np.zeros(3))
    >>> [part.count for part in buffers(Batches(lambda: [three, three], 6), 2)]
    [6]
    """
    kept = list[Rows]()
    for part in source.parts():
        most, rest = max(_BUFFER // (part.columns * size), 1) * size, part
        while rest.count:
            room = most - sum(rows.count for rows in kept)
            kept.append(rest.taken(slice(room)))
            rest = rest.taken(slice(room, None))
            if kept[-1].count == room:
                yield joined(kept)
                kept = []
    if kept:
        yield joined(kept)


def centre_of(rows: Rows) -> Floats:
    """What to subtract from each column so that none lies far from 0 for its spread: (p,).

    Columns near 0 are left as they are, and where all are, no row needs to be copied.

    >>> centre_of(Rows(np.array([[1990.0, 1], [1992.0, -1]]), np.zeros(2)))
    array([1991.,    0.])
    """
    mean = rows.mean_of(rows.X)
    mean = mean + rows.mean_of(rows.X - mean)  # so that of a constant column nothing is left
    spread = np.sqrt(rows.mean_of((rows.X - mean) ** 2))
    far = np.abs(mean) > _FAR * spread
    return np.where(far, mean, 0.0)
