"""Where a search starts: the best constant, or what a few of the rows say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Source
from offby.fit.objective.problem import Problem
from offby.fit.objective.score import ScoreLoss, toward_score
from offby.fit.objective.shape import Shape
from offby.fit.solvers.newton import minimise, step_from
from offby.losses import Huber

_FEW = 4096
_NEAR_ENOUGH = 1e-4  # what a last step gains, whereafter the few rows are the larger error
_MANY_FOR_EACH = 1000  # rows for each number to be found; then bends differ by some percent
_SMALL_STEP = 0.01
_STEPS = 15
_MANY = 20_000
_ROUNDS = 3


def start_of(problem: Problem) -> Floats:
    """A place to start from: (size,)."""
    constant = constant_start(problem)
    distance = problem.loss.link == "identity" and problem.loss.loss.scale == "identity"
    if distance and not problem.shape.convex:
        return _robust(problem, constant)
    return _from_a_few(problem, constant)


def constant_start(problem: Problem) -> Floats:
    """The best constant, with coefficients of 0: (size,)."""
    constant = np.zeros(problem.linear.size)
    if problem.linear.intercept:
        constant[-1] = constant_score(problem.loss, problem.source)
    return constant


def _robust(problem: Problem, constant: Floats) -> Floats:
    """Huber's solution for some rows: a loss with several valleys needs a start in the right one.

    Its delta is 1.345 standard deviations, by the median absolute deviation of what is left over.
    """
    few, at = problem.source.sample(max(_MANY, 40 * problem.linear.size)), constant
    for _ in range(_ROUNDS):
        coefficients, intercept = problem.linear.uncentred(at)
        delta = 1.345 * deviation_of(few.y - few.X @ coefficients - intercept)
        if delta > 0:
            huber = toward_score(Huber(delta))
            easier = replace(problem, source=few, loss=huber, shape=Shape(True, None, True))
            at = minimise(easier, at, 1e-6, _STEPS).at
    return at


def deviation_of(residuals: Floats) -> float:
    """The standard deviation of normal errors that have these residuals' median size.

    >>> deviation_of(np.array([-1.0, 1.0, 0.5, -100.0]))
    1.482602218505602
    """
    return float(np.median(np.abs(residuals)) / 0.6744897501960817)


def constant_score(loss: ScoreLoss, source: Source) -> float:
    """The score that suits all of some rows best; 0 where there is no best."""
    few = source.sample(_FEW)
    try:
        best = loss.loss.best_constant(few.y, few.weight)
    except DataError:  # one class alone, or no weight
        return 0.0
    if loss.link == "identity":
        return best
    return float(np.log(best)) if best > 0 else 0.0


def _from_a_few(problem: Problem, constant: Floats) -> Floats:
    """The solution for a part of the rows, if there are enough of them; else the constant.

    It starts in the same way, from a part of that part. Nothing of it is proved: it is left behind.
    """
    few = problem.few
    if few is None:
        return constant
    found = minimise(few, _from_a_few(few, constant), _NEAR_ENOUGH, _STEPS)
    if not found.converged:
        return constant
    many = few.source.count >= _MANY_FOR_EACH * problem.linear.size
    return _stepped(problem, few, found.at) if many else found.at


def _stepped(problem: Problem, few: Problem, at: Floats) -> Floats:
    """After a step down all rows' slope that takes the bend of a few, which is dearer, for all's.

    With many rows in the few, that leads as near to the minimum as a Newton step.
    """
    point = replace(problem.point(at, bend=False), bend=few.point(at).bend)
    step = step_from(problem, point)
    small = step.lost == 0 and step.decrease <= _SMALL_STEP * abs(point.objective)
    return problem.ahead(point, step) if small else at
