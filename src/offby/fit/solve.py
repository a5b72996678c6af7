"""Which solver: QR, Newton, or L-BFGS and then Newton."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy import optimize

from offby.errors import DataError
from offby.fit.blocks import Block, Linear, over_rows, scale_of
from offby.fit.history import Heard
from offby.fit.least_squares import LeastSquares, least_squares
from offby.fit.newton import Solution, minimise
from offby.fit.penalty import Penalty
from offby.fit.problem import Problem
from offby.fit.rows import Rows, Source
from offby.fit.score import Floats
from offby.fit.start import start_of

Solver = Literal["auto", "newton", "lbfgs", "qr", "gd", "sgd", "adam"]
_SOLVERS = ("auto", "newton", "lbfgs", "qr")
_KNOWN = "'auto', 'newton', 'lbfgs', 'qr', 'gd', 'sgd', 'adam' and a Descent"
_SMALL = 200_000  # numbers: QR with refinement takes milliseconds
_COARSE = (
    1e-8  # the least eigenvalue of a Gram matrix with a diagonal of 1 that leaves half the digits
)
_WIDE = 4000  # more columns than this make a Hessian costly
LAST_RESORT = 1e-6
"""The l2 penalty, on columns divided by their root mean squares, for a loss without a minimum."""
_EVALUATIONS = 50  # of L-BFGS, for what would be one Newton step


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
    wide = problem.linear.size > _WIDE and problem.penalty.smooth
    if solver == "lbfgs" or (solver == "auto" and wide):
        return _by_lbfgs(problem, tol, max_iter, start, heard)
    began = start_of(problem) if start is None else start
    found = minimise(problem, began, tol, max_iter, heard)
    return _held_back(problem, found, tol, max_iter) if found.escapes else found


def last_resort(source: Source, linear: Linear, outputs: int = 1) -> Penalty:
    """The penalty for a loss that has no minimum without one, in units of each column."""
    places = np.arange(linear.size) < linear.features
    each = np.where(places, LAST_RESORT * scale_of(source, linear) ** 2, 0.0)
    last = np.tile(each, outputs)
    return Penalty(np.zeros(last.size), last)


def _held_back(problem: Problem, found: Solution, tol: float, max_iter: int) -> Solution:
    """Where there is no minimum: the one under the least penalty, so that it is some place."""
    held = replace(problem, penalty=last_resort(problem.source, problem.linear))
    there = minimise(held, start_of(held), tol, max_iter)
    objective = problem.point(there.at, bend=False).objective
    return replace(found, at=there.at, objective=objective, gap=objective)


def _exact(problem: Problem) -> bool:
    """Whether the minimum is a linear system's solution, with all rows at hand."""
    return problem.loss.quadratic and problem.penalty.none and isinstance(problem.source, Rows)


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
    weight = rows.count if rows.weight is None else float(rows.weight.sum())
    objective = problem.point(found.at, bend=False).objective
    gap = factor * found.excess / weight
    least = factor * float(found.rest @ found.rest) / weight
    enough = tol * least + 1e-14 * factor * float(rows.y @ rows.y) / weight
    converged, rank = gap <= enough, problem.linear.size
    return Solution(found.at, objective, gap, converged, 1, rank, exact=found)


def _by_lbfgs(
    problem: Problem, tol: float, max_iter: int, start: Floats | None, heard: Heard | None
) -> Solution:
    """Slopes alone lead near the minimum; a Newton step, where one can be had, proves it."""
    if not problem.penalty.smooth:
        raise DataError("solver 'lbfgs' needs a penalty with a slope everywhere; say 'newton'")
    start = start_of(problem) if start is None else start
    scale = problem.scale()

    def look(at: Floats) -> tuple[float, Floats]:
        point = problem.point(at / scale, bend=False)
        return point.objective, (point.slope + problem.penalty.slope(point.at)) / scale

    options = {"maxiter": _EVALUATIONS * max_iter, "maxcor": 20, "ftol": tol / 100, "gtol": 0.0}
    search: Any = optimize.minimize  # whose types know no dict of options
    walked = search(look, start * scale, jac=True, method="L-BFGS-B", options=options)
    there = np.asarray(walked.x / scale)
    if problem.linear.size <= _WIDE:
        proved = minimise(problem, there, tol, max_iter, heard)
        return replace(proved, iterations=proved.iterations + int(walked.nit))
    return _bounded(problem, there, tol, int(walked.nit))


def _bounded(problem: Problem, at: Floats, tol: float, iterations: int) -> Solution:
    """With a gap where an l2 penalty gives one without a Hessian; only the intercept moves."""
    step = np.zeros_like(at)
    if problem.linear.intercept:
        step[-1] = _intercept_step(problem, at)
    objective = problem.point(at, bend=False).objective
    if not problem.provable or problem.penalty.none:
        return Solution(at, objective, None, False, iterations, at.size)
    proof = problem.certify(at, step)
    converged = proof.gap <= tol * proof.objective
    return Solution(at + step, proof.objective, proof.gap, converged, iterations, at.size)


def _intercept_step(problem: Problem, at: Floats) -> float:
    def of_block(block: Block) -> Floats:
        _, slope, bend = problem.loss.at(block.y, block.score(at))
        return np.array([block.weighted(slope).sum(), block.weighted(bend).sum()])

    slope, bend = over_rows(problem.source, problem.linear, of_block, np.zeros(2))
    return float(-slope / bend) if bend > 0 else 0.0
