"""Many quantiles of the same rows: each exact and proved, and all of them for the price of a few.

They are fitted one after another, each from where those before it lead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats, as_column
from offby.errors import DataError
from offby.fit.data.reading import read_features
from offby.fit.quantiles.bands import Band
from offby.fit.quantiles.design import Design, check_tau
from offby.fit.quantiles.exact import (
    QuantileFit,
    as_fit,
    exact_coefficients,
    first_proved,
    of_ties,
    quantile_of,
)
from offby.fit.quantiles.sweep import Sweep
from offby.fit.quantiles.threads import one_thread
from offby.fit.quantiles.vertex import Corner


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
            return QuantilePath(tuple(quantile_of(design, tau, tol) for tau in levels))
        swept = Sweep(Band.of_all(design.rows.reached())).corners(levels)
        fits = (first_proved(_attempts(design, *found, tol), tol) for found in swept)
        return QuantilePath(tuple(sorted(fits, key=lambda fit: fit.tau)))


def _attempts(
    design: Design, tau: float, band: Band, found: Corner, tol: float
) -> Iterator[QuantileFit]:
    """The fit with its proof, the one to its ties, and one from nothing."""
    coef = exact_coefficients(band.rows, design.kept, found)
    gap = band.gap(tau, coef, found.dual(tau))
    yield as_fit(design, tau, found, coef, gap, band.places)
    yield from of_ties(design, tau, found.coef)
    yield quantile_of(design, tau, tol)
