"""Rising quantiles of the same rows, each from where the two before it lead.

Coefficients are carried on along a line over the log odds of τ. The error of that is known in
ranks, so that only few rows are near enough to be in doubt; the others are lumped (Portnoy &
Koenker 1997), and a few pivots end at the fit. Rows on the
wrong side are not looked for here: without them a proof fails, and the fit is mended.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.globs import Lumped, solve, window
from offby.fit.quantiles.problem import Problem
from offby.fit.quantiles.smooth import guessed
from offby.fit.quantiles.vertex import Corner, independent, pivoted

_ERRORS = 6.0  # standard errors that a fit may be from where it is looked for
_MOST = 0.2  # of the rows may be in doubt on either side, or the fit is found from nothing
_CROWDED = 4.0  # times the rows that were to be in doubt: many are tied
_TOGETHER = 8  # quantiles whose rows are lumped once before each has its own lumps


@dataclass(frozen=True, eq=False)
class Known:
    """A quantile that is fitted, and how many ranks a unit of residuals was near it."""

    tau: float
    coef: Floats
    density: float | None = None


@dataclass(eq=False)
class Sweep:
    """Where the sweep through all the rows is: the last two fits."""

    whole: Problem
    first: Known | None = None
    last: Known | None = None

    def corners(self, taus: Sequence[float]) -> Iterator[Corner]:
        """The fits to rising quantiles."""
        for start in range(0, len(taus), _TOGETHER):
            some = taus[start : start + _TOGETHER]
            lumped = self._lumped(some)
            for tau in some:
                yield self._next(tau, lumped)

    def _next(self, tau: float, lumped: Lumped | None) -> Corner:
        """The fit to the rows that are left beside lumps, or if that fails, to all."""
        rows = self.whole if lumped is None else lumped.band
        found, density = None, None
        if self.last is not None:
            found, density = self._pivoted(self.last, rows, tau)
        if found is None or (lumped is not None and not lumped.holds(found)):
            found = fit_from_nothing(self.whole, tau)
        elif lumped is not None:
            found = lumped.whole(found)
        self.first, self.last = self.last, Known(tau, found.coef, density)
        return found

    def _lumped(self, taus: Sequence[float]) -> Lumped | None:
        """The rows lumped that are beyond all fits to come; none where that leaves most of them."""
        if self.first is None or self.last is None:
            return None
        coef, ranks = self._ahead(self.last, taus[-1])
        if 2 * ranks > _MOST * self.whole.count:
            return None
        share = ranks / self.whole.count
        return Lumped.of(
            self.whole, *(window(self.whole, each, share) for each in (self.last.coef, coef))
        )

    def _ahead(self, last: Known, tau: float) -> tuple[Floats, float]:
        """Where the fit should be, and by how many ranks it may be elsewhere.

        Coefficients are about straight over the log odds of τ, also in the tails. The difference
        of two fits has a standard error of √(δ (1 - δ) p n) ranks, with δ the difference of the
        quantiles (Koenker 2005, section 4.2).
        """
        first, count, width = self.first, self.whole.count, self.whole.width
        apart = tau - last.tau
        coef, variance, ranks = last.coef, apart * (1 - apart), float(width)
        if first is None:
            ranks += 2 * apart * count
        else:
            steps = (_odds(tau) - _odds(last.tau)) / (_odds(last.tau) - _odds(first.tau))
            coef = coef + steps * (coef - first.coef)
            before = last.tau - first.tau
            variance += steps**2 * before * (1 - before)
        return coef, ranks + _ERRORS * math.sqrt(variance * count * width)

    def _pivoted(
        self, last: Known, rows: Problem, tau: float
    ) -> tuple[Corner, float] | tuple[None, None]:
        """The fit from where it should be, and the density there.

        There is none where many rows are tied, or where it goes through a lump.
        """
        coef, ranks = self._ahead(last, tau)
        if ranks > _MOST * self.whole.count:
            return None, None
        if last.density is None:
            half = window(rows, coef, ranks / rows.count)[2]
        else:
            half = ranks / last.density
        if not 0 < half < np.inf:
            return None, None
        lumped = Lumped.of(rows, (coef, -half, half))
        count = lumped.doubted.size
        if not rows.width <= count <= _CROWDED * 2 * ranks:
            return None, None
        found = _near(lumped.band, tau, coef)
        if found is None or not lumped.holds(found):
            return None, None
        return lumped.whole(found), count / half / 2


def _odds(tau: float) -> float:
    return math.log(tau / (1 - tau))


def _near(band: Problem, tau: float, coef: Floats) -> Corner | None:
    """The fit to rows and their lumps from a basis among those nearest to `coef`."""
    distance = np.abs(band.y - band.X @ coef)
    usual = np.median(distance)
    if not usual > 0:
        return None
    distance[-band.lumps :] = np.inf
    basis = independent(band, 1 / (1 + distance / usual))
    return None if basis is None else pivoted(band, tau, basis)


def fit_from_nothing(rows: Problem, tau: float) -> Corner:
    """The fit to any number of rows, without a guess."""
    ready, coef, share = guessed(rows, tau)
    return solve(ready, tau, coef, share)
