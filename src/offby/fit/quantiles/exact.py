"""Linear quantile regression, exact and with a certificate; with τ = 0.5, least absolute errors.

The coefficients minimise Σ w ρ(y - X b), where ρ(r) = τ r above 0 and (τ - 1) r below (Koenker &
Bassett 1978). A smoothed fit comes near, rows far from it are lumped, an interior point method
fits the few others, and a few pivots end at a fit through as many rows as there are coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.design import Design, check_tau
from offby.fit.quantiles.gap import ROUNDING, Gap, duality_gap, finer_gap, imbalance
from offby.fit.quantiles.globs import solve
from offby.fit.quantiles.problem import Places, Problem
from offby.fit.quantiles.sweep import fit_from_nothing
from offby.fit.quantiles.threads import one_thread
from offby.fit.quantiles.ties import through_ties
from offby.fit.quantiles.vertex import Corner


@dataclass(frozen=True, eq=False)
class QuantileFit:
    """The coefficients (p,) of a quantile regression, and the proof of how good they are.

    `objective` is the mean pinball loss Σ w ρ / Σ w, and at most `gap` above the least there is,
    proved by a dual that meets its constraints (without one it is the objective itself, for no
    loss is below 0); both in units of y.
    `rounding` is what float64 leaves open of both. A `vertex` is a fit that goes through the rows
    `through`, one for each coefficient that is not 0 for being that of a dependent column.
    """

    tau: float
    coef: Floats
    intercept: float
    objective: float
    gap: float
    rounding: float
    iterations: int
    through: Places

    @property
    def vertex(self) -> bool:
        """Whether the fit is a basic solution, as an exact optimum can always be."""
        return self.through.size > 0

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the objective; 0 if it is no more than the rounding."""
        return 0.0 if self.gap <= self.rounding else self.gap / self.objective


def quantile_fit(
    X: Any,
    y: Any,
    tau: float,
    sample_weight: Any = None,
    fit_intercept: bool = True,
    tol: float = 1e-9,
) -> QuantileFit:
    """The τ-quantile of y as a linear function of the columns of X, with the least pinball loss.

    X is (n, p), y and `sample_weight` (n,); weights of 0 leave rows out; `tau` is between 0 and 1.
    Columns that are a combination of earlier ones (the intercept is the first) get a coefficient
    of 0. A relative gap above `tol` is proved anew with twice the digits, which columns far from 0
    need without an intercept, and then by the duals of all rows that are met, which many rows
    need that only rounding tells apart. No data is known to leave a larger one after that
    (measured with columns up to 1e8 spreads from 0); if some did, all rows would go through the
    interior point method once more. Raises `DataError` for what is not finite or does not match.
    After He, Pan, Tan & Zhou (2021), Portnoy & Koenker (1997) and Barrodale & Roberts (1973).

    >>> found = quantile_fit([[1], [2], [3], [4], [5]], [1, 2, 3, 4, 90], 0.5)
    >>> found.coef.round(12).tolist(), round(found.objective, 12), found.gap < 1e-12
    ([1.0], 8.5, True)
    """
    level = check_tau(tau)
    with one_thread():
        design = Design.of(X, y, sample_weight, fit_intercept)
        return quantile_of(design, level, tol)


def quantile_of(design: Design, tau: float, tol: float) -> QuantileFit:
    """The fit from nothing."""
    return best_of(design, tau, _corner(design, tau), tol)


def _corner(design: Design, tau: float) -> Corner:
    if not design.kept.size:  # all columns are 0
        none = np.empty(0, np.intp)
        side = np.where(design.rows.y > 0, 1, -1).astype(np.int8)
        return Corner(np.zeros(0), side, none, np.zeros(0), None, 0)
    return fit_from_nothing(design.rows, tau)


def best_of(design: Design, tau: float, found: Corner, tol: float) -> QuantileFit:
    """The fit that was found, or a better one of itself, its ties, and a fit without lumps."""
    return first_proved(_attempts(design, tau, found), tol)


def first_proved(fits: Iterator[QuantileFit], tol: float) -> QuantileFit:
    """The first of at least one fit with a relative gap up to `tol`, or that of the least gap."""
    best = next(fits)
    while not best.relative_gap <= tol and (other := next(fits, None)):  # NaN is not
        best = min(best, other, key=lambda fit: fit.gap)
    return best


def _attempts(design: Design, tau: float, found: Corner) -> Iterator[QuantileFit]:
    yield from _proofs(design, tau, found)
    yield from of_ties(design, tau, found.coef)
    anew = solve(design.rows, tau, share=1.0)
    yield from _proofs(design, tau, anew)
    yield from of_ties(design, tau, anew.coef)


def _proofs(design: Design, tau: float, found: Corner) -> Iterator[QuantileFit]:
    yield certified(design, tau, found)
    yield refined(design, tau, found)


def of_ties(design: Design, tau: float, coef: Floats) -> Iterator[QuantileFit]:
    """The fit to the rows that one at hand meets, if they are more than it has coefficients."""
    found = through_ties(design.rows.scaled(slice(None)), tau, coef)
    if found is not None:
        yield from _proofs(design, tau, found)


def refined(design: Design, tau: float, found: Corner) -> QuantileFit:
    """The fit with the dual of the rows it goes through mended, by sums in twice the digits."""
    rows, basis, dual = design.rows, found.basis, found.dual(tau)
    coef = exact_coefficients(rows, design.kept, found)
    if basis is not None:
        weight = 1.0 if rows.weight is None else rows.weight[basis]
        through = rows.X[np.ix_(basis, design.kept)]
        moved = np.linalg.solve(through.T, imbalance(rows, dual)[design.kept]) / weight
        dual[basis] = np.clip(dual[basis] - moved, tau - 1, tau)
    return as_fit(design, tau, found, coef, finer_gap(rows, tau, coef, dual, design.whole))


def certified(design: Design, tau: float, found: Corner) -> QuantileFit:
    """The fit to the rows as they were given, and its gap, which only they and the dual decide."""
    rows = design.rows
    coef = exact_coefficients(rows, design.kept, found)
    gap = duality_gap(rows, tau, coef, found.dual(tau), design.whole)
    return as_fit(design, tau, found, coef, gap)


def exact_coefficients(rows: Problem, kept: Places, found: Corner) -> Floats:
    """The coefficients of the columns, from the rows themselves: it goes through them exactly.

    They are taken in order, so that the digits are the same whichever way led there.
    """
    coef = rows.coefficients(found.coef)
    if found.basis is not None:
        basis = np.sort(found.basis)
        through = rows.X.take(basis, axis=0).take(kept, axis=1)
        coef[kept] = np.linalg.solve(through, rows.y[basis])
    return coef


def as_fit(
    design: Design, tau: float, found: Corner, coef: Floats, gap: Gap, places: Places | None = None
) -> QuantileFit:
    """The fit in the units that were given, to rows that stand at `places`, or to all."""
    through = np.empty(0, np.intp) if found.basis is None else found.basis
    through = through if places is None else places[through]
    coef, intercept = design.coefficients(coef + 0.0)  # no -0
    known = in_given_units(design, coef, gap)
    return QuantileFit(
        tau=tau,
        coef=coef,
        intercept=intercept,
        objective=known.loss,
        gap=known.gap,
        rounding=known.rounding,
        iterations=found.steps,
        through=design.given(through),
    )


def in_given_units(design: Design, coef: Floats, gap: Gap) -> Gap:
    """The certificate of the mean loss, in units of y, for coefficients of the given columns."""
    each = design.unit / design.total_weight
    rounding = gap.rounding * each + ROUNDING * design.far(coef)
    return Gap(gap.loss * each, min(gap.gap, gap.loss) * each, rounding)
