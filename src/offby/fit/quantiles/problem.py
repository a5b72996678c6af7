"""The rows of a quantile regression, scaled by their weights: w ρ(r) = ρ(w r), so weights vanish.

Columns are replaced by uncorrelated mixtures of themselves, so that steps are well conditioned
whatever the units. Large tables are read in slices, so that little but the residuals is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats

Places = NDArray[np.intp]
Sides = NDArray[np.int8]
Edge = tuple[Floats, float, float]
_SOME = 20_000  # rows that mostly know all columns
_SINGULAR = 1e-6  # of the largest eigenvalue: a direction that some rows know too little of
_FAR = 4.0  # times the usual reach
_NEAR = 1e-6  # is the least reach, of rows of 0 too: they can be ranked with others
_BLOCK = 8192  # rows of some tens of columns, and what is made of them, stay in the cache


def blocks(start: int, stop: int, size: int = _BLOCK) -> Iterator[slice]:
    """Slices of few rows from `start` to `stop`.

    >>> list(blocks(0, 10_000))
    [slice(0, 8192, None), slice(8192, 10000, None)]
    """
    return (slice(at, min(at + size, stop)) for at in range(start, stop, size))


class Sizes(Protocol):
    """What a proof needs to know of all rows that it is for."""

    @property
    def total_weight(self) -> float:
        """Σ w."""
        ...

    @property
    def truth_size(self) -> float:
        """Σ w |y|."""
        ...

    @property
    def column_size(self) -> Floats:
        """Σ w |X|: (p,)."""
        ...

    @property
    def mixture(self) -> Floats | None:
        """How columns are mixed: (p, k)."""
        ...

    @property
    def spread(self) -> tuple[Floats, Floats]:
        """Eigenvalues and vectors of a part of X'X, of rows scaled and with mixed columns."""
        ...


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to fit: X (n, p), y (n,), positive weights or None, and how columns are mixed: (p, k).

    `reach` (n,) says how far errors of coefficients move the fit at a row, compared to others;
    None is equally far. The last few rows may be `lumps`: sums of many.

    >>> rows = Problem(np.array([[1.0], [1.0]]), np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    >>> rows.residual(np.array([2.5])), rows.scaled(np.array([1])).X
    (array([-0.5,  0.5]), array([[2.]]))
    """

    X: Floats
    y: Floats
    weight: Floats | None = None
    mixture: Floats | None = None
    reach: Floats | None = None
    lumps: int = 0

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.y.size

    @cached_property
    def width(self) -> int:
        """How many coefficients there are."""
        return int((self.X if self.mixture is None else self.mixture).shape[1])

    @cached_property
    def total_weight(self) -> float:
        """Σ w."""
        return float(self.count if self.weight is None else np.sum(self.weight))

    def weights(self, part: slice = slice(None)) -> Floats:
        """The weight of each row, or of each in a slice."""
        return np.ones(self.y[part].size) if self.weight is None else self.weight[part]

    @cached_property
    def truth_size(self) -> float:
        """Σ w |y|."""
        return float(
            np.sum(np.abs(self.y)) if self.weight is None else self.weight @ np.abs(self.y)
        )

    @cached_property
    def column_size(self) -> Floats:
        """Σ w |X|: (p,)."""

        def add(start: int, stop: int) -> Floats:
            parts = blocks(start, stop)
            return sum((self._column_size(part) for part in parts), np.zeros(1))

        return np.asarray(sum(in_slices(self.count, add), np.zeros(1)))

    def _column_size(self, part: slice) -> Floats:
        size = np.abs(self.X[part])
        return size.sum(axis=0) if self.weight is None else self.weight[part] @ size

    def coefficients(self, coef: Floats) -> Floats:
        """Coefficients of the columns of X."""
        return coef if self.mixture is None else self.mixture @ coef

    def residual(self, coef: Floats) -> Floats:
        """What the fit leaves of y, not scaled."""
        found, given = np.empty(self.count), self.coefficients(coef)

        def fill(start: int, stop: int) -> None:
            for part in blocks(start, stop):
                np.subtract(self.y[part], self.X[part] @ given, out=found[part])

        in_slices(self.count, fill)
        return found

    def scaled(self, where: Places | slice) -> Problem:
        """Some rows, scaled and with mixed columns, laid out column by column."""
        columns, y = _columns(self.X, where), self.y[where]
        if self.mixture is not None:
            columns = self.mixture.T @ columns
        columns = np.ascontiguousarray(columns)
        reach = None if self.reach is None else self.reach[where]
        if self.weight is not None:
            weight = self.weight[where]
            columns, y = columns * weight, y * weight
            reach = weight if reach is None else reach * weight
        return Problem(columns.T, y, reach=reach)

    def sides(self, edges: Sequence[Edge]) -> tuple[Sides, Floats, Floats]:
        """1 for rows above all edges, -1 for rows below all of them, 0 for others.

        An edge is a fit, and the residuals (over reach) that are below and above it. Then the sums
        of the rows below and above, scaled and with mixed columns: X (2, k) and y (2,).
        """
        side = np.empty(self.count, np.int8)
        given = np.column_stack([self.coefficients(coef) for coef, _, _ in edges])
        ends = np.array([edge[1:] for edge in edges])

        def sort(start: int, stop: int) -> Floats:
            parts = blocks(start, stop)
            sums = (self._sort(part, given, ends, side[part]) for part in parts)
            return sum(sums, np.zeros(1))

        total = sum(in_slices(self.count, sort), np.zeros(1))
        X = total[:, :-1] if self.mixture is None else total[:, :-1] @ self.mixture
        return side, X, total[:, -1]

    def _sort(self, part: slice, given: Floats, ends: Floats, side: Sides) -> Floats:
        X, y = self.X[part], self.y[part]
        factor = np.ones((2, y.size), np.bool_)
        for fit, (low, high) in zip(given.T, ends, strict=True):
            residual = y - X @ fit
            if self.reach is not None:
                residual /= self.reach[part]
            factor[0] &= residual < low
            factor[1] &= residual > high
        np.subtract(factor[1].view(np.int8), factor[0].view(np.int8), out=side)
        both = factor[::-1].astype(np.float64)
        if self.weight is not None:
            both *= self.weight[part]
        return np.column_stack([both @ X, both @ y])

    def reached(self) -> Problem:
        """The same rows with a reach by the size of their mixed columns: about 1 for most."""
        reach = np.empty(self.count)

        def fill(start: int, stop: int) -> None:
            for part in blocks(start, stop):
                mixed = self.X[part] if self.mixture is None else self.X[part] @ self.mixture
                size = np.sqrt(np.einsum("ij,ij->i", mixed, mixed) / max(self.width, 1))
                reach[part] = np.maximum(size, _NEAR)

        in_slices(self.count, fill)
        return replace(self, reach=reach)

    def reaching(self) -> Problem:
        """The same rows with a reach by their leverage, for most of them what it was before.

        By its root the errors of the fit grow, which Portnoy & Koenker (1997) take. But of a rare
        category all rows are needed: the width that holds them grows as their number shrinks.
        """
        base = np.ones(self.count) if self.reach is None else self.reach
        own = self.leverage()
        if self.weight is not None:
            own /= self.weight
        usual = float(np.median(own / base))
        return replace(self, reach=np.maximum(base, own / usual) if usual > 0 else base)

    def leverage(self) -> Floats:
        """How far out each row is: x'(X'X)⁻¹x, which are k in sum, of scaled rows."""
        found = np.empty(self.count)
        inverse = np.linalg.pinv(self.square(), rcond=1e-12, hermitian=True)
        for part in blocks(0, self.count):
            X = self.scaled(part).X
            found[part] = np.einsum("ij,ij->i", X @ inverse, X)
        return found

    def square(self, where: slice | None = None) -> Floats:
        """X'X of some scaled rows, or of all: (k, k)."""
        parts = blocks(0, self.count) if where is None else [where]
        scaled = (self.scaled(part).X for part in parts)
        return np.asarray(sum((X.T @ X for X in scaled), np.zeros((self.width, self.width))))

    @cached_property
    def spread(self) -> tuple[Floats, Floats]:
        """Eigenvalues and vectors of a part of X'X: that of some rows, if they know all columns."""
        values, vectors = np.linalg.eigh(
            self.square(slice(None, None, max(self.count // _SOME, 1)))
        )
        if values.size and values[0] < _SINGULAR * values[-1]:
            values, vectors = np.linalg.eigh(self.square())
        return values, vectors

    def sample(self, count: int) -> Problem:
        """So many of the rows, drawn with a fixed seed, and those of a long reach.

        Rows are drawn as often as they weigh, and then weigh the same. Lumps are all in it, made
        as much smaller as the sample is.
        """
        plain = self.count - self.lumps
        weight = None if self.weight is None else self.weight[:plain]
        whole = plain if weight is None else float(np.sum(weight))
        chance = None if weight is None else weight / whole
        drawn = np.random.default_rng(0).choice(plain, count, p=chance)
        if self.reach is not None:
            far = np.argpartition(self.reach[:plain], -count)[-count:]
            drawn = np.append(drawn, far[self.reach[far] > _FAR * np.median(self.reach)])
        alike = replace(self, weight=None)
        if not self.lumps:
            return alike.scaled(drawn)
        some = alike.scaled(np.append(drawn, np.arange(plain, self.count)))
        some.X[-self.lumps :] *= count / whole
        some.y[-self.lumps :] *= count / whole
        return some


def _columns(X: Floats, where: Places | slice) -> Floats:
    """Some rows of X, transposed: (p, rows)."""
    if isinstance(where, slice):
        return X[where].T
    return np.take(X.T, where, axis=1) if X.flags.f_contiguous else np.take(X, where, axis=0).T


def pinball(residual: Floats, tau: float) -> Floats:
    """The loss of each residual, y less the fit.

    >>> pinball(np.array([2.0, -1.0]), 0.75)
    array([1.5 , 0.25])
    """
    return np.maximum(tau * residual, (tau - 1) * residual)


def gram(X: Floats, factor: Floats) -> Floats:
    """X' diag(factor) X."""
    return (X.T * factor) @ X
