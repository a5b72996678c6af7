"""Rows that are held for a while, with their numbers; equal ones as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Places, Problem


@dataclass(frozen=True, eq=False)
class Held:
    """Rows with a reach and a weight, their numbers, and with what chance each is still here."""

    rows: Problem
    weight: Floats
    places: Places
    chance: Floats

    @classmethod
    def of(cls, rows: Problem, places: Places) -> Held:
        """All of some rows."""
        return cls(rows, rows.weights(), places, np.ones(rows.count))

    @classmethod
    def joined(cls, parts: Sequence[Held]) -> Held:
        """The rows of all parts."""
        rows = replace(
            parts[0].rows,
            X=np.concatenate([part.rows.X for part in parts]),
            y=np.concatenate([part.rows.y for part in parts]),
            reach=np.concatenate([np.asarray(part.rows.reach) for part in parts]),
            weight=None,
        )
        weight, places, chance = (
            np.concatenate(each)
            for each in zip(*((part.weight, part.places, part.chance) for part in parts),
                            strict=True)
        )  # fmt: skip
        return cls(rows, weight, places, chance)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.rows.count

    def taken(self, found: Places | NDArray[np.bool_]) -> Held:
        """Some of them."""
        rows, reach = self.rows, np.asarray(self.rows.reach)
        some = replace(rows, X=rows.X[found], y=rows.y[found], reach=reach[found], weight=None)
        return Held(some, self.weight[found], self.places[found], self.chance[found])

    def merged(self) -> Held:
        """Rows that are equal as one, with the sum of their weights.

        Equal rows have the same product with any vector; those that only share it are left apart.

        >>> rows = Problem(np.array([[1.0], [2.0], [1.0]]), np.zeros(3), reach=np.ones(3))
        >>> Held.of(rows, np.arange(3)).merged().weight
        array([2., 1.])
        """
        X, y = self.rows.X, self.rows.y
        _, first, group = np.unique(_product(X, y), return_index=True, return_inverse=True)
        like, own = first[group], np.arange(y.size)
        equal = (y[like] == y) & (X[like] == X).all(axis=1)
        if np.count_nonzero(equal) == first.size:
            return self
        like = np.where(equal, like, own)
        weight = np.bincount(like, self.weight, minlength=y.size).astype(np.float64)
        return replace(self, weight=weight).taken(like == own)


def _product(X: Floats, y: Floats) -> Floats:
    """The products of rows with a vector: not by BLAS, but the same for equal rows to all bits."""
    draw = np.random.default_rng(0).normal(size=X.shape[1] + 1)
    found = draw[-1] * y
    for column, factor in zip(X.T, draw[:-1], strict=True):
        found += factor * column
    return np.asarray(found)
