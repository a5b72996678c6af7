"""Which solver: QR, Newton, or L-BFGS and then Newton."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Rows, Source
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.problem import Problem
from offby.fit.passes.blocks import Linear, scale_of
from offby.fit.solvers.history import Heard
from offby.fit.solvers.lbfgs import WIDE, by_lbfgs
from offby.fit.solvers.least_squares import LeastSquares, least_squares
from offby.fit.solvers.newton import Objective, Solution, minimise
from offby.fit.solvers.start import start_of

Solver = Literal["auto", "newton", "lbfgs", "qr", "gd", "sgd", "adam"]
_SOLVERS = ("auto", "newton", "lbfgs", "qr")
_KNOWN = "'auto', 'newton', 'lbfgs', 'qr', 'gd', 'sgd', 'adam' and a Descent"
_SMALL = 200_000  # numbers: QR with refinement takes milliseconds
_COARSE = (
    1e-8  # the least eigenvalue of a Gram matrix with a diagonal of 1 that leaves half the digits
)
LAST_RESORT = 1e-6
"""The l2 penalty, on columns divided by their root mean squares, for a loss without a minimum."""


def solve(
    problem: Problem,
    solver: Solver,
    tol: float,
    max_iter: int,
    start: Floats | None = None,
    heard: Heard | None = None,
) -> Solution:
    """The minimum, by the solver that is named or, for "auto", by the one that suits.

    `start` is a place near it, where one is known: (size,); `heard` is told of each iteration.

    Raises `DataError` for a solver that cannot do it.
    """
    if solver not in _SOLVERS:
        raise DataError(f"solver is {solver!r}; known are {_KNOWN}")
    if solver == "qr" and not _exact(problem):
        raise DataError(
            "solver 'qr' is for squared loss without penalty, on rows in memory; say 'auto'"
        )
    if solver == "qr" or (solver == "auto" and _exact(problem) and _delicate(problem)):
        found = _by_qr(problem, tol)
        if found is not None:
            return found
    wide = problem.linear.size > WIDE and problem.penalty.smooth
    if solver == "lbfgs" or (solver == "auto" and wide):
        return by_lbfgs(problem, tol, max_iter, start, heard)
    began = start_of(problem) if start is None else start
    found = minimise(problem, began, tol, max_iter, heard)
    if not found.escapes:
        return found
    held = replace(problem, penalty=last_resort(problem.source, problem.linear))
    return held_back(problem, held, start_of(held), found, tol, max_iter)


def last_resort(source: Source, linear: Linear) -> Penalty:
    """The penalty for a loss that has no minimum without one, in units of each column."""
    places = np.arange(linear.size) < linear.features
    last = np.where(places, LAST_RESORT * scale_of(source, linear) ** 2, 0.0)
    return Penalty(np.zeros(last.size), last)


def held_back(
    problem: Objective, held: Objective, start: Floats, found: Solution, tol: float, max_iter: int
) -> Solution:
    """Where there is no minimum: that of the problem `held` by a penalty, so that it is a place."""
    there = minimise(held, start, tol, max_iter).at
    objective = problem.point(there, bend=False).objective
    return replace(found, at=there, objective=objective, gap=objective)


def _exact(problem: Problem) -> bool:
    """Whether the minimum is a linear system's solution, with all rows at hand."""
    parabola = problem.loss.quadratic and problem.convex
    return parabola and problem.penalty.none and isinstance(problem.source, Rows)


def _delicate(problem: Problem) -> bool:
    """Whether few rows make exactness cheap, or nearly collinear columns make it needed."""
    rows = problem.source.sample(1 << 62)
    if rows.count * problem.linear.size <= _SMALL:
        return True
    bend = problem.point(np.zeros(problem.linear.size)).bend
    assert bend is not None
    scale = np.sqrt(np.diag(bend))
    if not scale.all():
        return False
    return bool(np.linalg.eigvalsh(bend / scale / scale[:, None])[0] < _COARSE)


def _by_qr(problem: Problem, tol: float) -> Solution | None:
    """Least squares for the truths that the loss, a parabola for each row, is least at."""
    rows = problem.source
    assert isinstance(rows, Rows)
    _, slope, bend = problem.loss.at(rows.y, np.zeros(rows.count))
    found = least_squares(replace(rows, y=-slope / bend), problem.linear)
    return None if found is None else _solved(problem, rows, found, float(bend[0]) / 2, tol)


def _solved(
    problem: Problem, rows: Rows, found: LeastSquares, factor: float, tol: float
) -> Solution:
    weight = rows.total_weight
    objective = problem.point(found.at, bend=False).objective
    gap = factor * found.excess / weight
    least = factor * float(found.rest @ found.rest) / weight
    enough = tol * least + 1e-14 * factor * float(rows.y @ rows.y) / weight
    converged, rank = gap <= enough, problem.linear.size
    return Solution(found.at, objective, gap, converged, 1, rank, exact=found)
