"""Losses whose parameters are in units of the errors' own size, found together with the fit.

Huber's delta of 1.345 gives 95 % of the efficiency of least squares for normal errors of standard
deviation 1. With `scale="mad"` it is 1.345 times the errors' deviation, by their median size, and
that deviation and the coefficients are found in turn until both stand still, as R's MASS::rlm and
statsmodels' RLM do (Huber 1981, chapter 7). With `scale="joint"` both minimise one convex function
together, as in scikit-learn's HuberRegressor (Owen 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from offby.errors import DataError
from offby.fit.newton import Solution
from offby.fit.problem import Problem
from offby.fit.rows import Rows
from offby.fit.score import Floats, toward_score
from offby.fit.solve import Solver, solve
from offby.fit.start import start_of
from offby.losses import Huber, Loss, Squared
from offby.losses.constant import weighted_quantile

_ROUNDS = 100
_STILL = 1e-10
_ROUNDING = 1e-12
_NORMAL_QUARTILE = 0.6744897501960817


def in_units_of(loss: Loss, scale: float) -> Loss:
    """The loss with those of its parameters that are in units of y multiplied; `DataError` if none.

    >>> from offby.losses import Huber
    >>> in_units_of(Huber(1.5), 10.0)
    Huber(delta=15)
    """
    moved = {
        spec.name: loss.parameters[spec.name] * scale
        for spec in loss.parameter_specs
        if spec.units == "y"
    }
    if not moved:
        raise DataError(
            f"{loss} has no parameter in units of y, so a scale changes nothing; leave out "
            "scale, or take huber, pseudo_huber, cauchy, welsch or tukey"
        )
    return loss.with_parameters(**moved)


def solve_scaled(
    problem: Problem, kind: str, solver: Solver, tol: float, max_iter: int
) -> tuple[Problem, Solution, float]:
    """The problem with its loss at the scale of its own errors, its minimum, and that scale.

    Starts from least squares if the loss is convex. Raises `DataError` for an unknown kind of
    scale, and where too many rows are fitted exactly, so that their errors have none.
    """
    scale_at = _scale_of(kind, problem.loss.loss)
    loss, at = problem.loss.loss, start_of(problem)
    if problem.shape.convex:  # else least squares may lie in the wrong valley
        at = solve(replace(problem, loss=toward_score(Squared())), "auto", tol, max_iter).at
    scale = scale_at(*_errors(problem, at))
    for _ in range(_ROUNDS):
        problem = replace(problem, loss=toward_score(in_units_of(loss, scale)))
        found = solve(problem, solver, tol, max_iter, at)
        at, last, scale = found.at, scale, scale_at(*_errors(problem, found.at))
        if abs(scale - last) <= _STILL * scale:
            return problem, found, last
    return problem, replace(found, converged=False), last


def _scale_of(kind: str, loss: Loss) -> Callable[[Floats, Floats], float]:
    if kind == "mad":
        return median_scale
    if kind != "joint":
        raise DataError(f"scale is {kind!r}; known are None, 'mad' and 'joint'")
    if not isinstance(loss, Huber):
        raise DataError(f"scale='joint' is for huber alone, and the loss is {loss}; say 'mad'")
    return lambda sizes, weights: joint_scale(sizes, weights, loss.parameters["delta"])


def _errors(problem: Problem, at: Floats) -> tuple[Floats, Floats]:
    """The sizes of the errors at `at`, and their weights, of rows that have one."""
    rows = problem.source
    if not isinstance(rows, Rows):
        raise DataError("a scale of the errors needs them all at once: dense rows in memory")
    coefficients, intercept = problem.linear.uncentred(at)
    sizes = np.abs(rows.y - rows.X @ coefficients - intercept)
    sizes[sizes <= _ROUNDING * np.abs(rows.y).max(initial=0.0)] = 0.0
    if rows.weight is None:
        return sizes, np.ones(rows.count)
    return sizes[rows.weight > 0], rows.weight[rows.weight > 0]


def median_scale(sizes: Floats, weights: Floats) -> float:
    """The standard deviation of normal errors of the same median size.

    >>> round(median_scale(np.array([0.5, 1.0, 100.0]), np.ones(3)), 3)
    1.483
    """
    found = weighted_quantile(sizes, weights, 0.5) / _NORMAL_QUARTILE
    if not found > 0:
        raise DataError(
            "more than half of the rows are fitted exactly, so their errors have no scale; give "
            "the loss's parameter in units of y, without scale='mad'"
        )
    return found


def joint_scale(sizes: Floats, weights: Floats, delta: float) -> float:
    """The s that makes the mean of s + 2 s huber(error / s) least, as scikit-learn's Huber has it.

    There the mean of min((error / s)², delta²) is 1.

    >>> round(joint_scale(np.array([3.0, 4.0]), np.ones(2), 1.5) ** 2, 9)
    12.5
    """
    order = np.argsort(sizes)
    ordered, weight = sizes[order], weights[order]
    outside = weight.sum() - np.cumsum(weight)
    room = weight.sum() - delta**2 * outside
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = np.sqrt(np.cumsum(weight * ordered**2) / room)
        reach = delta * scales * (1 + _ROUNDING)
        fits = (room > 0) & (ordered <= reach) & (reach >= 0)
        fits &= delta * scales * (1 - _ROUNDING) <= np.append(ordered[1:], np.inf)
    if not fits.any() or not scales[np.argmax(fits)] > 0:
        raise DataError(
            f"the errors have no joint scale: delta is {delta:g}, and too many rows are fitted "
            "exactly; take a delta above 1, or give it in units of y, without scale='joint'"
        )
    return float(scales[np.argmax(fits)])
