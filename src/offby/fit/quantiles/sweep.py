"""Many quantiles of the same rows, each from where the two before it lead.

Coefficients are carried on along a line over the log odds of τ. The error of that is known in
ranks, so that only few rows are near enough to be in doubt; the others are lumped (Portnoy &
Koenker 1997), once for some quantiles and again for each, and a few pivots end at the fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.bands import Band
from offby.fit.quantiles.globs import Lumped, solve, window
from offby.fit.quantiles.problem import Edge, Places, Problem
from offby.fit.quantiles.smooth import guessed, step
from offby.fit.quantiles.vertex import Corner, independent, moved, pivoted

_ERRORS = 3.0  # standard errors that coefficients may have, beyond what they have in the mean
_MOST = 0.2  # of the rows may be in doubt on either side, or the fit is found from nothing
_CROWDED = 4.0  # times the rows that were to be in doubt: many are tied
_TOGETHER = 8  # quantiles whose rows are lumped once before each has its own lumps
_FEW = 20_000  # rows that are not worth being lumped twice
_WIDER = 2.0  # times the radius, where a fit is beyond it
_TRIES = 2
_NEAREST = 20  # rows a coefficient among which most pivots are


@dataclass(frozen=True, eq=False)
class Known:
    """A quantile that is fitted, and how many ranks a unit of residuals was near it."""

    tau: float
    coef: Floats
    density: float | None = None

    @property
    def odds(self) -> float:
        """The logarithm of τ / (1 - τ)."""
        return _odds(self.tau)

    def density_at(self, tau: float) -> float | None:
        """What it should be at a quantile further out: less, if all is straight over log odds."""
        if self.density is None:
            return None
        return self.density * min(1.0, tau * (1 - tau) / (self.tau * (1 - self.tau)))


@dataclass(eq=False)
class Sweep:
    """Where the sweep through all the rows is: the two last fits, and what was lumped for them."""

    everything: Band
    known: tuple[Known, ...] = ()
    outer: Band | None = None
    inner: Band | None = None

    def corners(self, taus: Sequence[float]) -> Iterator[tuple[float, Band, Corner]]:
        """The fits to rising quantiles, each with the rows that prove it; the middle ones first.

        From there they go up, and then down: into the tails, where less is known.
        """
        middle = len(taus) // 2
        yield from self._along(taus[middle : middle + 2])
        start = self.known[::-1]
        yield from self._along(taus[middle + 2 :])
        self.known = start
        yield from self._along(taus[:middle][::-1])

    def _along(self, taus: Sequence[float]) -> Iterator[tuple[float, Band, Corner]]:
        """The fits one after another, with new lumps after one that they do not hold for."""
        left = list(taus)
        while left:
            outer, ahead = self._outer(left)
            for tau in ahead:
                band, found, density = self._fit(tau, outer)
                self.known = (*self.known, Known(tau, found.coef, density))[-2:]
                yield left.pop(0), band, found
                if band is self.everything:
                    break

    def _outer(self, taus: Sequence[float]) -> tuple[Band, Sequence[float]]:
        """The rows that matter to some quantiles; all, where those are most of them.

        Only quantiles not much further ahead than the two last are apart are looked for at once.
        """
        rows = self.everything.rows
        if len(self.known) < 2 or rows.count <= _FEW:
            return self.everything, taus[:1]
        some = [tau for tau in taus[:_TOGETHER] if self._steps(tau) <= _TOGETHER] or taus[:1]
        last, (coef, ranks) = self.known[-1], self._ahead(some[-1])
        density = last.density_at(some[-1])
        if density is None or ranks > _MOST / 2 * rows.count:
            return self.everything, some[:1]
        self.outer = self.everything.near(ranks / density, last.coef, coef, before=self.outer)
        return self.outer, some

    def _steps(self, tau: float) -> float:
        """How far ahead of the last fit a quantile is, in distances of the last two."""
        first, last = self.known
        return (_odds(tau) - last.odds) / (last.odds - first.odds)

    def _ahead(self, tau: float) -> tuple[Floats, float]:
        """Where the fit should be, and by how many ranks it may be elsewhere.

        Coefficients are about straight over the log odds of τ, also in the tails. The difference
        of two fits has a standard error of √(δ (1 - δ) p n) ranks, with δ the difference of the
        quantiles (Koenker 2005, section 4.2).
        """
        first, last, rows = self.known[0], self.known[-1], self.everything.rows
        apart, before = abs(tau - last.tau), abs(last.tau - first.tau)
        steps = self._steps(tau) if before else 0.0
        variance = apart * (1 - apart) + steps**2 * before * (1 - before)
        errors = _ERRORS + math.sqrt(rows.width)
        ranks = rows.width + errors * math.sqrt(variance * rows.count * rows.width)
        if not before:
            ranks += 2 * apart * math.sqrt(rows.width) * rows.count
        return last.coef + steps * (last.coef - first.coef), ranks

    def _fit(self, tau: float, outer: Band) -> tuple[Band, Corner, float | None]:
        """The rows that prove the fit, the fit, and the density there."""
        if not self.known:
            return self.everything, fit_from_nothing(self.everything.rows, tau), None
        coef, ranks = self._ahead(tau)
        inner, density = self._inner(tau, outer, coef, ranks)
        if inner is not None:
            found = _near(replace(inner.rows.scaled(slice(None)), lumps=2), tau, coef)
            if found is not None and inner.holds(found.coef, found.basis):
                return inner, found, density
        if outer is not self.everything:
            for _ in range(_TRIES):
                found = solve(replace(outer.rows, reach=None), tau, coef, ranks / outer.rows.count)
                if outer.holds(found.coef, found.basis):
                    return outer, found, density
                coef = found.coef
                outer = self.everything.near(_WIDER * outer.radius, coef, before=self.outer)
        return self.everything, fit_from_nothing(self.everything.rows, tau), density

    def _inner(
        self, tau: float, outer: Band, coef: Floats, ranks: float
    ) -> tuple[Band | None, float | None]:
        """The rows so near to a guess that they are in doubt, and the density they tell.

        None where they are too many: many rows are tied.
        """
        rows, density = outer.rows, self.known[-1].density_at(tau)
        if ranks > _MOST * self.everything.rows.count:
            return None, None
        share = ranks / rows.count
        radius = window(rows, coef, share)[2] if density is None else ranks / density
        if not 0 < radius < np.inf:
            return None, None
        self.inner = found = outer.near(radius, coef, before=self.inner)
        count = found.places.size
        if not rows.width <= count <= _CROWDED * 2 * ranks:
            return None, None
        return found, count / radius / 2


def _odds(tau: float) -> float:
    return math.log(tau / (1 - tau))


def _near(band: Problem, tau: float, coef: Floats) -> Corner | None:
    """The fit to rows and their lumps from near it: most pivots among the nearest rows."""
    residual = band.y - band.X @ coef
    many = band.count > 4 * _NEAREST * band.width
    if many:
        move, residual, _ = step(band, residual, tau, band.count // 2)
        coef = coef + move
    distance = np.abs(residual)
    distance[-band.lumps :] = np.inf
    few = min(_NEAREST * band.width, distance.size - band.lumps) - 1
    half = float(np.partition(distance, few)[few])
    if not half > 0:
        return None
    basis = independent(band, 1 / (1 + distance / half))
    if basis is None:
        return None
    if many:
        basis = _among(band, tau, (coef, -half, half), basis)
    return pivoted(band, tau, basis)


def _among(band: Problem, tau: float, edge: Edge, basis: Places) -> Places:
    """The basis after pivots among the rows near a fit, or as it was if they lead to a lump."""
    lumped = Lumped.of(band, edge)
    places = np.flatnonzero(np.isin(lumped.doubted, basis))
    if places.size < basis.size:
        return basis
    found, _ = moved(lumped.band, tau, places)
    return lumped.doubted[found] if np.max(found) < lumped.doubted.size else basis


def fit_from_nothing(rows: Problem, tau: float) -> Corner:
    """The fit to any number of rows, without a guess."""
    ready, coef, share = guessed(replace(rows, reach=None), tau)
    return solve(ready, tau, coef, share)
