"""Many quantiles of the same rows, each from where those before it lead.

It is known how far a fit may be from there, so that only few rows are near enough to be in doubt;
the others are lumped (Portnoy & Koenker 1997), once for many quantiles and again for few, and a few
pivots end at each fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.bands import Band
from offby.fit.quantiles.globs import solve, window
from offby.fit.quantiles.problem import Problem, gram
from offby.fit.quantiles.smooth import guessed, solved
from offby.fit.quantiles.trail import Known, Trail
from offby.fit.quantiles.vertex import Corner, independent, pivoted

_MOST = 0.2  # of the rows may be in doubt on either side, or none is lumped
_MANY = 8  # quantiles whose rows are lumped once before few have their own lumps
_FEW = 20_000  # rows that are not worth being lumped twice
_SHARED = 45  # rows a coefficient between the first and the last fit that share their lumps
_THINNER = 0.5  # times as dense at the last of them as at the first
_NEAREST = 20  # rows a coefficient among which most pivots are
_WIDER = 4.0  # times the radius, where a fit is beyond it
_TRIES = 2
_COPIED = 100_000  # rows that are not too many to go on from the last fit among all of them
_NONE = np.empty(0, np.intp)


@dataclass(eq=False)
class Sweep:
    """Where the sweep through all the rows is: what was lumped for the last fits.

    `outer` is for the quantiles `ahead`, and `inner`, within it, for some of them.
    """

    everything: Band
    outer: Band | None = None
    ahead: Sequence[float] = ()
    inner: Band | None = None
    trail: Trail = field(init=False)

    def __post_init__(self) -> None:
        self.trail = Trail(self.everything.rows.count, self.everything.rows.width)

    def corners(self, taus: Sequence[float]) -> Iterator[tuple[float, Band, Corner]]:
        """The fits to rising quantiles, each with the rows that prove it; the middle one first.

        From there they go up, and then down: into the tails, where less is known.
        """
        middle = len(taus) // 2
        yield from self._along(taus[middle:])
        self.trail.turn()
        yield from self._along(taus[:middle][::-1])

    def _along(self, taus: Sequence[float]) -> Iterator[tuple[float, Band, Corner]]:
        """The fits one after another, with new lumps after one that they do not hold for."""
        left = list(taus)
        while left:
            band, some, density = self._band(left)
            for tau in some:
                held, found = self._fit(tau, band)
                through = _NONE if found.basis is None else held.places[found.basis]
                self.trail.add(Known(tau, found.coef, through, density))
                yield left.pop(0), held, found
                if held is not band:
                    self.ahead = ()
                    break

    def _band(self, taus: Sequence[float]) -> tuple[Band, Sequence[float], float | None]:
        """The rows in doubt for the next quantiles, which those are, and the density there.

        Quantiles share them if it is but a few pivots from each to the next.
        """
        trail = self.trail
        if not trail.known:
            return self.everything, taus[:1], None
        outer, some = self._outer(taus)
        near = [tau for tau in some if self._shares(tau)]
        some = near or some[:1]
        coef, ranks = trail.ahead(some[-1])
        density = self._density(some[-1])
        if density is None:
            radius = window(outer.rows, coef, ranks / outer.rows.count)[2]
        else:
            radius = ranks / density
        if not 0 < radius < np.inf or ranks > _MOST * trail.rows:
            return outer, some, density
        fits = (trail.last.coef, coef) if near else (coef,)
        self.inner = outer.near(radius, *fits, before=self.inner)
        count = self.inner.places.size
        if count < trail.width:
            return outer, some, density
        between = trail.between(some[-1]) if near else 0.0
        return self.inner, some, max(count - between, count / 2) / radius / 2

    def _shares(self, tau: float) -> bool:
        near = self.trail.between(tau) <= _SHARED * self.trail.width
        return near and self.trail.further_out(tau) > _THINNER

    def _density(self, tau: float) -> float | None:
        """How many ranks a unit of y is at a quantile."""
        last = self.trail.last.density
        return None if last is None else last * self.trail.further_out(tau)

    def _outer(self, taus: Sequence[float]) -> tuple[Band, Sequence[float]]:
        """The rows that matter to many quantiles; all, where those are most of them.

        Only quantiles not much further ahead than two known ones are apart are looked for at once,
        and where rows are not much thinner.
        """
        trail, rows = self.trail, self.everything.rows
        if len(trail.known) < 2:
            return self.everything, taus[:1]
        near = (tau for tau in taus[:_MANY] if trail.steps(tau) <= _MANY)
        some = [tau for tau in near if trail.further_out(tau) > _THINNER] or taus[:1]
        if rows.count <= _FEW:
            return self.everything, some
        if taus[0] not in self.ahead:
            coef, ranks = trail.ahead(some[-1])
            density = self._density(some[-1])
            if density is None or ranks > _MOST / 2 * rows.count:
                return self.everything, some[:1]
            self.ahead = some
            self.outer = self.everything.near(
                ranks / density, trail.last.coef, coef, before=self.outer
            )
        assert self.outer is not None
        return self.outer, self.ahead[self.ahead.index(taus[0]) :]

    def _fit(self, tau: float, band: Band) -> tuple[Band, Corner]:
        """The fit, and the rows that prove it: others than those given, where it is beyond them."""
        if not self.trail.known:
            return band, fit_from_nothing(band.rows, tau)
        for _ in range(_TRIES):
            found = self._from_last(tau, band)
            if found is not None and band.holds(found.coef, found.basis):
                return band, found
            if found is None or not band.fits:
                break
            band = self.everything.near(_WIDER * band.radius, band.fits[0], found.coef)
        found = self._from_last(tau, self.everything)
        if found is None or not self.everything.holds(found.coef, found.basis):
            found = fit_from_nothing(self.everything.rows, tau)
        return self.everything, found

    def _from_last(self, tau: float, band: Band) -> Corner | None:
        """The best fit to the rows of a band, from the last one or else from near a guess.

        None where they are too few, or too many.
        """
        last, width = self.trail.last, self.trail.width
        if not width <= band.places.size <= _COPIED:
            return None
        basis = np.searchsorted(band.places, last.through)
        if not basis.size or (band.places.take(basis, mode="clip") != last.through).any():
            return _near(band.ready, band.rows.lumps, tau, self.trail.ahead(tau)[0])
        if last.density is None:
            return pivoted(band.ready, tau, basis)
        behind = _NEAREST / 2 * width / last.density
        ahead = behind + self.trail.between(tau) / last.density
        near = (behind, ahead) if tau > last.tau else (ahead, behind)
        return pivoted(band.ready, tau, basis, near=near)


def _near(rows: Problem, lumps: int, tau: float, coef: Floats) -> Corner | None:
    """The fit to rows and their lumps from near it: most pivots among the nearest rows."""
    plain, residual = rows.count - lumps, rows.y - rows.X @ coef
    usual = float(np.mean(np.abs(residual[:plain])))
    if usual > 0 and plain > 4 * _NEAREST * rows.width:
        residual = _nearer(rows, residual, tau, usual)
    distance = np.abs(residual)
    distance[plain:] = np.inf
    few = min(_NEAREST * rows.width, plain) - 1
    half = float(np.partition(distance, few)[few]) or usual or 1.0
    basis = independent(rows, 1 / (1 + distance / half))
    return None if basis is None else pivoted(rows, tau, basis, near=(half, half))


def _nearer(rows: Problem, residual: Floats, tau: float, half: float) -> Floats:
    """The residuals after a step of Newton's, the corner of the loss rounded over the `half`.

    Whether it is too long is not asked: pivots from there end at the fit, if not as soon.
    """
    dual = np.clip(residual / (2 * half) + (tau - 0.5), tau - 1, tau)
    inside = np.where(np.abs(residual) <= half, 0.5 / half, 0.0)
    return np.asarray(residual - rows.X @ solved(gram(rows.X, inside), dual @ rows.X))


def fit_from_nothing(rows: Problem, tau: float) -> Corner:
    """The fit to any number of rows, without a guess."""
    ready, coef, share = guessed(replace(rows, reach=None), tau)
    return solve(ready, tau, coef, share)
