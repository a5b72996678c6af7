"""Losses of two straight lines that meet at an error of 0: quantiles, and the absolute error.

They have no bend, so Newton steps do not apply: `quantile_fit` finds their minimum exactly. The
bend of their *mean* is the density of the errors at 0, which standard errors need; it is
estimated as R's quantreg does ("ker": Powell 1991, with the bandwidth of Hall & Sheather 1988).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from offby.errors import DataError
from offby.fit.blocks import Linear
from offby.fit.newton import Solution
from offby.fit.quantiles.exact import QuantileFit, quantile_fit
from offby.fit.rows import Rows, Source
from offby.fit.score import Floats
from offby.formula.expression import walk
from offby.formula.words import p, y, z
from offby.losses import Loss

_ERRORS = np.array([-4.0, -1.0, 0.0, 1.0, 4.0])
_ON_IT = 1e-9
_NORMAL = 1.34  # the interquartile range of a standard normal


@dataclass(frozen=True)
class Lines:
    """A loss of `factor` times the pinball loss at `tau`."""

    tau: float
    factor: float


def lines_of(loss: Loss) -> Lines | None:
    """The two lines that a loss is made of, or None if it is no such loss.

    >>> from offby.losses import Absolute, Squared, from_text
    >>> lines_of(Absolute()), lines_of(Squared())
    (Lines(tau=0.5, factor=2.0), None)
    >>> lines_of(from_text("where(r < 0, 3*abs(r), r)"))
    Lines(tau=0.75, factor=4.0)
    """
    leaves = set(walk(loss.formula))
    if leaves & {p, y, z}:
        return None
    far, below, middle, above, farther = np.asarray(loss.value(0.0, _ERRORS))
    straight = np.allclose([far, middle, farther], [4 * below, 0.0, 4 * above], rtol=1e-12, atol=0)
    if not (straight and below > 0 and above > 0):
        return None
    return Lines(float(below / (below + above)), float(below + above))


def fit_lines(rows: Rows, linear: Linear, lines: Lines, tol: float) -> Solution:
    """The exact minimum of the mean loss, with the gap that its dual proves."""
    found = quantile_fit(rows.X, rows.y, lines.tau, rows.weight, linear.intercept, tol)
    return solution_of(found, linear, lines.factor, tol)


def solution_of(found: QuantileFit, linear: Linear, factor: float, tol: float) -> Solution:
    """A quantile's fit as the solution for a loss of `factor` times its pinball loss."""
    return Solution(
        at=linear.centred(found.coef, found.intercept),
        objective=found.objective * factor,
        gap=found.gap * factor,
        converged=found.relative_gap <= tol,
        iterations=found.iterations,
        rank=found.through.size if found.vertex else linear.size,
    )


def in_memory(source: Source) -> Rows:
    """The rows, if they are all at hand; `DataError` if not."""
    if isinstance(source, Rows):
        return source
    raise DataError("a loss of two lines is fitted to dense rows in memory only; read them first")


@dataclass(frozen=True)
class Density:
    """How dense errors lie at 0, seen through a normal kernel; times what a loss's slope jumps by.

    Its values over many rows add up to the bend of their mean loss. `level` is its one value where
    the errors of all rows are taken to be alike.
    """

    width: float
    jump: float
    level: float | None = None

    def at(self, errors: Floats) -> Floats:
        """The share of each row: (n,)."""
        if self.level is not None:
            return np.full(errors.shape, self.level)
        return self.jump / self.width * _normal_density(errors / self.width)

    def settled(self, errors: Floats, slope: Floats) -> Floats:
        """The slopes, 0 for rows that the fit goes through: rounding decides on which side."""
        return np.where(np.abs(errors) <= _ON_IT * self.width, 0.0, slope)


def density_of(
    rows: Rows, linear: Linear, at: Floats, lines: Lines, *, alike: bool
) -> Density | None:
    """The density of the errors at a solution `at`: (size,); one for all rows if they are alike.

    None where the errors have no spread, as those of fewer rows than coefficients.
    """
    coefficients, intercept = linear.uncentred(at)
    errors = rows.y - rows.X @ coefficients - intercept
    if rows.weight is not None:
        errors = errors[rows.weight > 0]
    width = _width(errors, lines.tau)
    if not width > _ON_IT * float(np.abs(rows.y).max(initial=0.0)):
        return None
    found = Density(width, lines.factor)
    return replace(found, level=float(found.at(errors).mean())) if alike else found


def _width(errors: Floats, tau: float) -> float:
    """By Hall and Sheather, in units of the errors; halved until it stays within 0 and 1."""
    usual = float(special.ndtri(tau))
    peak = 1.5 * float(_normal_density(np.array(usual))) ** 2 / (2 * usual**2 + 1)
    share = errors.size ** (-1 / 3) * float(special.ndtri(0.975)) ** (2 / 3) * peak ** (1 / 3)
    while not 0 < tau - share < tau + share < 1:
        share /= 2
    low, high = np.quantile(errors, [0.25, 0.75])
    spread = min(float(errors.std()), float(high - low) / _NORMAL)
    return spread * float(special.ndtri(tau + share) - special.ndtri(tau - share))


def _normal_density(x: Floats) -> Floats:
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
