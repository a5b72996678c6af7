"""Losses of two straight lines that meet at an error of 0: quantiles, and the absolute error.

They have no bend, so Newton steps do not apply: their minimum is found exactly, as a quantile's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offby.fit.data.rows import Rows, Source
from offby.fit.passes.blocks import Linear
from offby.fit.quantiles.exact import QuantileFit, quantile_fit
from offby.fit.quantiles.streamed import quantiles_of_source
from offby.fit.solvers.newton import Solution
from offby.formula.expression import walk
from offby.formula.words import p, y, z
from offby.losses import Loss

_ERRORS = np.array([-4.0, -1.0, 0.0, 1.0, 4.0])


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


def fit_lines(source: Source, linear: Linear, lines: Lines, tol: float) -> Solution:
    """The exact minimum of the mean loss, with the gap that its dual proves."""
    if isinstance(source, Rows):
        how = source.X, source.y, lines.tau, source.weight
        found = quantile_fit(*how, linear.intercept, tol)
    else:
        (found,) = quantiles_of_source(source, [lines.tau], linear.intercept, tol)
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
