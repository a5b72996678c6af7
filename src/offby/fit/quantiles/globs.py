"""Rows that are surely above or below the fit, lumped into two: Portnoy & Koenker (1997).

Where no row changes sides, its loss is linear, and linear losses add up to that of one row. So a
problem of many rows is one of the few whose side is in doubt and two more. Afterwards the sides
are checked; if one was wrong, more rows are taken to be in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.fit.quantiles.interior import interior_point
from offby.fit.quantiles.problem import Edge, Places, Problem, Sides
from offby.fit.quantiles.smooth import least_squares, smoothed
from offby.fit.quantiles.vertex import Corner, crossover

_DIRECT = 60  # rows a coefficient that are solved without lumping
_MOST = 0.5  # of the rows may be in doubt: beyond that, lumping saves nothing
_FEW = 0.1  # of those in doubt: more on a wrong side, and the doubt was not wide enough
_ROUNDS = 4
_LOOSE = 16.0  # times the reach, for rows that were lumped on the wrong side
_ROUNDED = 1e-14  # of the largest y, and
_MET = 1e-13  # of the usual: a smaller residual is 0
_RANKED = 20_000  # residuals that are looked at to find a rank among them


@dataclass(frozen=True, eq=False)
class Lumped:
    """Which side each row is on (0: in doubt), the rows in doubt, and those with the lumps."""

    rows: Problem
    side: Sides
    doubted: Places
    band: Problem

    @classmethod
    def of(cls, rows: Problem, *edges: Edge) -> Lumped:
        """Lump all rows that are on the same side of all edges."""
        side, X, y = rows.sides(edges)
        doubted = np.flatnonzero(side == 0)
        inner = rows.scaled(doubted)
        reach = None
        if inner.reach is not None:
            usual = np.median(inner.reach) if doubted.size else 1.0
            reach = np.append(inner.reach, [usual] * 2)
        X, y = np.hstack([inner.X.T, X.T]).T, np.append(inner.y, y)
        band = Problem(X, y, reach=reach, lumps=len(y) - len(doubted))
        return cls(rows, side, doubted, band)

    def wrong(self, coef: Floats) -> NDArray[np.bool_]:
        """Which lumped rows are not on the side they were lumped on."""
        rounding = _ROUNDED * float(np.max(np.abs(self.rows.y)))
        return np.asarray(self.side * self.rows.residual(coef) < -rounding)

    def holds(self, found: Corner) -> bool:
        """Whether the fit goes through rows, and not through a lump."""
        return found.basis is not None and bool(np.max(found.basis) < self.doubted.size)

    def whole(self, found: Corner) -> Corner:
        """The solution of the band as one for all rows."""
        side = self.side.copy()
        side[self.doubted] = found.side[:-2]
        basis = None if found.basis is None else self.doubted[found.basis]
        places, inner = self._expanded(found.places, found.inner)
        return replace(found, side=side, places=places, inner=inner, basis=basis)

    def _expanded(self, places: Places, inner: Floats) -> tuple[Places, Floats]:
        """The same with the rows of a lump, if it is tied with the fit, that all have its dual."""
        plain = places < self.doubted.size
        found, duals = [self.doubted[places[plain]]], [inner[plain]]
        for lump, dual in zip(places[~plain], inner[~plain], strict=True):
            found.append(np.flatnonzero(self.side == (1 if lump == self.doubted.size else -1)))
            duals.append(np.full(found[-1].size, dual))
        return np.concatenate(found), np.concatenate(duals)


def solve(
    rows: Problem, tau: float, coef: Floats | None = None, share: float | None = None
) -> Corner:
    """The exact fit to any number of rows.

    From coefficients near it, if there are some; `share` is then the share of the rows, by rank of
    their residuals, whose side is in doubt. Without it, the coefficients are first made better.

    >>> y = np.random.default_rng(0).permutation(10_001).astype(float)
    >>> solve(Problem(np.ones((10_001, 1)), y), 0.25).coef.tolist()
    [2500.0]
    """
    if rows.count <= _DIRECT * rows.width:
        return _direct(rows, tau, coef)
    if coef is None or share is None:
        coef, share = smoothed(rows.scaled(slice(None)), tau, coef)
    for widened in range(_ROUNDS):
        lumped = Lumped.of(rows, window(rows, coef, share))
        if lumped.doubted.size > _MOST * rows.count:
            break
        found = solve(lumped.band, tau, coef)
        wrong = lumped.wrong(found.coef)
        count = np.count_nonzero(wrong)
        if not count and lumped.holds(found):
            return lumped.whole(found)
        if lumped.holds(found):
            coef = found.coef
        if not lumped.holds(found) or count > _FEW * lumped.doubted.size:
            share *= 2
        if widened or count > _FEW * lumped.doubted.size or not lumped.holds(found):
            rows = rows.reaching()
        rows = _loosened(rows, wrong)
    return _direct(rows, tau, coef)


def _loosened(rows: Problem, wrong: NDArray[np.bool_]) -> Problem:
    reach = np.ones(rows.count) if rows.reach is None else rows.reach
    return replace(rows, reach=np.where(wrong, _LOOSE * reach, reach))


def _direct(rows: Problem, tau: float, coef: Floats | None) -> Corner:
    scaled = rows.scaled(slice(None))
    start = least_squares(scaled) if coef is None else coef
    return crossover(scaled, tau, *interior_point(scaled, tau, start))


def window(rows: Problem, coef: Floats, share: float) -> Edge:
    """A fit and the residuals a share of the ranks below and above it; all, if most are 0."""
    some = slice(None, None, max(rows.count // _RANKED, 1))
    residual = rows.y[some] - rows.X[some] @ rows.coefficients(coef)
    if np.median(np.abs(residual)) <= _MET * np.median(np.abs(rows.y[some])):
        return coef, -np.inf, np.inf
    if rows.reach is not None:
        residual /= rows.reach[some]
    zero = int(np.count_nonzero(residual < 0))
    reach = max(int(share * residual.size), 1)
    low, high = max(zero - reach, 0), min(zero + reach, residual.size - 1)
    parted = np.partition(residual, [low, high])
    return coef, min(float(parted[low]), 0.0), max(float(parted[high]), 0.0)
