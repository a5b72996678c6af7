"""Many quantiles of the same rows: each exact, and all of them for the price of a few.

A row well above the fits to two quantiles is above those to all quantiles between, and so it is
lumped with its like (Portnoy & Koenker 1997) while those are fitted; so is a row well below. The
middle one of them is fitted next, and has both halves to itself. So the rows are gone through once
for each halving, not once for each quantile. All are proved in the end on all rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats, as_column
from offby.errors import DataError
from offby.fit.quantile import QuantileFit, best_of, certified, fit_corner
from offby.fit.quantile_design import Design, check_tau
from offby.fit.quantile_globs import Lumped, solve, window
from offby.fit.quantile_problem import Problem
from offby.fit.quantile_smooth import guessed
from offby.fit.quantile_threads import one_thread
from offby.fit.quantile_vertex import Corner
from offby.fit.reading import read_features

_ERRORS = 3.0  # standard errors that a fit may be beyond two others of which it is in the middle
_MOST = 0.9  # of the rows in doubt: beyond that, lumping saves nothing
_SETTLED = 1e-3  # of the rows in doubt around a fit that only rounding or few rows have to mend


@dataclass(frozen=True, eq=False)
class QuantilePath:
    """The fits to rising quantiles, each with its own proof.

    Fits of their own may cross: a higher quantile is below a lower one at some x, which no
    distribution has. `predict` sorts them unless it is told not to.
    """

    fits: tuple[QuantileFit, ...]

    @property
    def taus(self) -> Floats:
        """Which quantiles, rising: (m,)."""
        return np.array([fit.tau for fit in self.fits])

    @property
    def coef(self) -> Floats:
        """The coefficients of each: (m, p)."""
        return np.array([fit.coef for fit in self.fits])

    @property
    def intercept(self) -> Floats:
        """The intercept of each: (m,)."""
        return np.array([fit.intercept for fit in self.fits])

    @property
    def relative_gap(self) -> float:
        """The largest of all."""
        return max(fit.relative_gap for fit in self.fits)

    def predict(self, X: Any, rearranged: bool = True) -> Floats:
        """The quantiles (n, m) at the rows of X (n, p), by default sorted in each row.

        Sorting is the rearrangement of Chernozhukov, Fernández-Val & Galichon (2010): it never
        crosses and is never further from the true quantiles, in the mean over τ. But where it
        changes something, a quantile is no longer linear in x, nor do the proofs hold for it.

        >>> found = quantile_path([[0], [0], [1], [1]], [0, 2, 1, 5], [0.25, 0.75])
        >>> found.predict([[0], [2]]).tolist(), found.predict([[-1]], rearranged=False).tolist()
        ([[0.0, 2.0], [2.0, 8.0]], [[-1.0, -1.0]])
        """
        found = read_features(X) @ self.coef.T + self.intercept
        return np.sort(found, axis=1) if rearranged else found

    def crossed(self, X: Any) -> NDArray[np.bool_]:
        """At which rows of X some quantiles cross, before they are sorted: (n,)."""
        found = self.predict(X, rearranged=False)
        size = np.max(np.abs(found), axis=1, keepdims=True)
        return np.asarray((np.diff(found, axis=1) < -1e-12 * size).any(axis=1))


def quantile_path(
    X: Any,
    y: Any,
    taus: Any,
    sample_weight: Any = None,
    fit_intercept: bool = True,
    tol: float = 1e-9,
) -> QuantilePath:
    """Many quantiles of y as linear functions of the columns of X, each as `quantile_fit` has it.

    `taus` (m,) are sorted and each fitted once. X is (n, p), y and `sample_weight` (n,). Raises
    `DataError` for what `quantile_fit` does, and where there are no taus.

    >>> found = quantile_path(np.zeros((5, 1)), [1, 2, 3, 4, 90], [0.1, 0.5, 0.9])
    >>> found.intercept.tolist(), found.relative_gap
    ([1.0, 3.0, 90.0], 0.0)
    """
    levels = sorted({check_tau(tau) for tau in as_column(taus, "taus").tolist()})
    if not levels:
        raise DataError("taus is empty; expected at least one number between 0 and 1")
    with one_thread():
        design = Design.of(X, y, sample_weight, fit_intercept)
        if not design.kept.size:
            corners = [fit_corner(design, tau) for tau in levels]
        else:
            corners = Halving(design.rows).corners(levels)
        pairs = zip(levels, corners, strict=True)
        return QuantilePath(tuple(_mended(design, tau, found, tol) for tau, found in pairs))


def _mended(design: Design, tau: float, found: Corner, tol: float) -> QuantileFit:
    """The fit, or if rows were lumped on the wrong side after all, one from there."""
    fit = certified(design, tau, found)
    if fit.relative_gap <= tol:
        return fit
    return best_of(design, tau, solve(design.rows, tau, found.coef, _SETTLED), tol)


@dataclass(frozen=True, eq=False)
class Known:
    """A quantile that is fitted."""

    tau: float
    found: Corner


@dataclass(frozen=True, eq=False)
class Halving:
    """What all parts have in common: the rows they are made of."""

    whole: Problem

    def corners(self, taus: Sequence[float]) -> list[Corner]:
        """The fits to all rows; the lowest and the highest quantile are fitted first."""
        low, high = (Known(tau, self._from_nothing(tau)) for tau in (taus[0], taus[-1]))
        inner = self._between(self.whole, taus[1:-1], low, high)
        return [low.found, *inner, high.found][: len(taus)]

    def _from_nothing(self, tau: float) -> Corner:
        rows, coef, share = guessed(self.whole, tau)
        return solve(rows, tau, coef, share)

    def _between(
        self, rows: Problem, taus: Sequence[float], low: Known, high: Known
    ) -> list[Corner]:
        """The fits to some rows, lumped where they are beyond both of two known ones."""
        if not taus:
            return []
        share = self.margin(low, high) / rows.count
        lumped = Lumped.of(rows, *(window(rows, known.found.coef, share) for known in (low, high)))
        if lumped.doubted.size > _MOST * rows.count:
            return self._halved(rows, taus, low, high)
        corners = self._halved(lumped.band, taus, low, high)
        return [_lifted(lumped, *pair) for pair in zip(taus, corners, strict=True)]

    def _halved(
        self, rows: Problem, taus: Sequence[float], low: Known, high: Known
    ) -> list[Corner]:
        middle = len(taus) // 2
        here = Known(taus[middle], self._fit(rows, taus[middle], low, high))
        lower = self._between(rows, taus[:middle], low, here)
        return [*lower, here.found, *self._between(rows, taus[middle + 1 :], here, high)]

    def _fit(self, rows: Problem, tau: float, low: Known, high: Known) -> Corner:
        part = (tau - low.tau) / (high.tau - low.tau)
        ready, coef, share = guessed(
            rows, tau, (1 - part) * low.found.coef + part * high.found.coef
        )
        return solve(ready, tau, coef, share)

    def margin(self, low: Known, high: Known) -> float:
        """How many ranks beyond both the fits between them may be.

        The difference of two fits has a standard error of √(δ (1 - δ) p n) ranks, with δ the
        difference of the quantiles (Koenker 2005, section 4.2).
        """
        apart = (high.tau - low.tau) / 2
        error = math.sqrt(apart * (1 - apart) * self.whole.count * self.whole.width)
        return max(_ERRORS * error, self.whole.width)


def _lifted(lumped: Lumped, tau: float, found: Corner) -> Corner:
    """The fit to the band as one to all rows; fitted anew if it goes through a lump."""
    return lumped.whole(found) if lumped.holds(found) else solve(lumped.rows, tau, found.coef)
