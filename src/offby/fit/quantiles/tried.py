"""What the rows nearest to a guess tell: a fit, whether they prove it, and where else it may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.balance import Balance
from offby.fit.quantiles.design import Design
from offby.fit.quantiles.exact import QuantileFit, best_of
from offby.fit.quantiles.globs import solve
from offby.fit.quantiles.narrowed import Along, Guess
from offby.fit.quantiles.nearest import LUMPED, Nearest
from offby.fit.quantiles.problem import Sizes
from offby.fit.quantiles.smooth import guessed

_TILTS = 30
_NEARLY = 0.5  # of the way is known: the fit at its end is taken for better
_FARTHER = 4.0  # times as far is looked, from where it is known that the loss falls
_LEAST = 1e-12  # of the way


@dataclass(frozen=True, eq=False)
class Tried:
    """A fit to the rows nearest to a guess and to lumps of the others.

    If that is no proof for all rows, there is a `way` on to better coefficients. If a crowd is met,
    a `balance` of all rows is left to be found: for the fit, or for the guess if there is a way.
    """

    fit: QuantileFit
    whole: Sizes
    way: Along | None
    balance: Balance | None

    @classmethod
    def of(cls, guess: Guess, near: Nearest, design: Design, whole: Sizes, tol: float) -> Tried:
        """Fit the rows that are near, made ready as those of a design."""
        rows, places = near.rows()
        design = replace(design, rows=rows, present=places, whole=whole)
        ready, coef, share = guessed(rows, guess.tau, guess.coef)
        fit = best_of(design, guess.tau, solve(ready, guess.tau, coef, share), tol)
        coef = design.mixed(fit.coef, fit.intercept)
        way = _way(guess, near, coef, lumped=LUMPED in fit.through)
        if near.crowd is None:
            return cls(fit, whole, way, None)
        if way is not None:
            coef, given = guess.coef, rows.coefficients(guess.coef)
        else:
            given = _given(design, fit, coef)
        balance = _balanced(design, Balance(guess.tau, coef, given, np.zeros(coef.size)))
        return cls(fit, whole, way, balance)


def _way(guess: Guess, near: Nearest, coef: Floats, *, lumped: bool) -> Along | None:
    """The way on, if rows that are not near may be on the other side of the fit."""
    ahead, stays = near.ahead(coef), near.stays(coef)
    if ahead == 1 and stays and not lumped:
        return None
    lengths = np.ones(1)
    if not stays:
        lengths = np.append(0.0, np.geomspace(_FARTHER**-8, 1, 9))
    elif lumped or ahead < _NEARLY:
        farther = np.arange(np.log(max(ahead, _LEAST)), 0, np.log(_FARTHER))
        lengths = np.append(np.exp(farther), 1.0)
    return Along(guess, coef - guess.coef, lengths)


def _given(design: Design, fit: QuantileFit, coef: Floats) -> Floats:
    """Coefficients of the design's columns, from the rows that the fit goes through."""
    rows, kept, places = design.rows, design.kept, np.asarray(design.present)
    given = rows.coefficients(coef)
    through = np.flatnonzero(np.isin(places, fit.through))
    if through.size == kept.size:
        given[kept] = np.linalg.solve(rows.X[np.ix_(through, kept)], rows.y[through])
    return given


def _balanced(design: Design, balance: Balance) -> Balance:
    """With the duals as the rows that are here tell them, if they do."""
    rows, found = design.rows, balance
    for _ in range(_TILTS):
        found.show(rows, np.asarray(design.present))
        if np.isfinite(found.gap(rows).gap):
            return found.tilted(np.asarray(rows.mixture))
        found = found.tilted(np.asarray(rows.mixture))
    return balance
