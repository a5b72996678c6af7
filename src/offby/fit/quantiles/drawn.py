"""Some rows of a source that need not fit in memory, drawn at random in one pass.

Priority sampling (Duffield, Lund & Thorup 2007): the rows with the largest w / u are kept, u
uniform, and each stands for a weight of w or of the largest w / u that was not kept, if that is
more. So heavy rows are all there with their own weights, and sums are right in the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Rows, Source, joined
from offby.fit.quantiles.problem import Places
from offby.tables.part import random_at

Size = Callable[[Rows], Floats]


def numbered(source: Source) -> Iterator[tuple[Places, Rows]]:
    """The rows that have a weight, in parts, with their numbers.

    >>> rows = Rows(np.ones((3, 1)), np.arange(3.0), np.array([1.0, 0.0, 2.0]))
    >>> [(places.tolist(), part.y.tolist()) for places, part in numbered(rows)]
    [([0, 2], [0.0, 2.0])]
    """
    first = 0
    for part in source.parts():
        places = np.arange(first, first + part.count)
        first += part.count
        if part.weight is None or part.weight.all():
            yield places, part
        else:
            present = np.flatnonzero(part.weight)
            yield places[present], part.chosen(present)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Some of `count` rows that have a weight, how much each stands for, and the error of that.

    A mean over these rows has `variance` times the variance of what one row has.
    """

    rows: Rows
    standing: Floats
    count: int
    variance: float


def drawn(source: Source, most: int, size: Size | None = None) -> Drawn:
    """So many of the rows, or all if they are fewer; those of a larger size, or weight, rather.

    >>> found = drawn(Rows(np.ones((1000, 1)), np.arange(1000.0)), 100)
    >>> found.rows.count, bool(abs(found.standing.sum() - 1000) < 200), found.count
    (100, True, 1000)
    """
    urn = _Urn(most + 1)
    for places, part in numbered(source):
        urn.show(places, part, part.weights * (1.0 if size is None else size(part)))
    rows, sizes, priority = urn.held()
    weight, limit = rows.weights, 0.0
    if rows.count > most:
        chosen = np.argpartition(-priority, most)
        limit, chosen = float(priority[chosen[most]]), np.sort(chosen[:most])
        rows, sizes, weight = rows.chosen(chosen), sizes[chosen], weight[chosen]
    standing = weight * np.maximum(limit / sizes, 1.0)
    some = standing[limit > sizes]
    return Drawn(rows, standing, urn.count, float(some @ some) / float(standing.sum()) ** 2)


@dataclass(eq=False)
class _Urn:
    """The rows with the largest priorities of those it was shown; at times twice as many."""

    most: int
    count: int = 0
    waiting: int = 0
    parts: list[tuple[Rows, Floats, Floats]] = field(default_factory=list)
    least: float = 0.0

    def show(self, places: Places, rows: Rows, sizes: Floats) -> None:
        """Keep what may be among the largest."""
        self.count += rows.count
        with np.errstate(divide="ignore"):
            priority = sizes / random_at(places)
        self._keep(rows, sizes, priority)
        if self.waiting > 2 * self.most:
            self._trim()

    def held(self) -> tuple[Rows, Floats, Floats]:
        """The rows, their sizes and their priorities."""
        parts = self.parts
        sizes, priority = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
        return joined([part[0] for part in parts]), sizes, priority

    def _keep(self, rows: Rows, sizes: Floats, priority: Floats) -> None:
        found = np.flatnonzero(priority >= self.least)
        self.parts.append((rows.chosen(found), sizes[found], priority[found]))
        self.waiting += found.size

    def _trim(self) -> None:
        held = self.held()
        self.least = float(np.partition(held[2], -self.most)[-self.most])
        self.parts, self.waiting = [], 0
        self._keep(*held)
