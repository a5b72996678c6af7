"""Losses whose parameters are in units of the errors' own size, found together with the fit.

Huber's delta of 1.345 gives 95 % of the efficiency of least squares for normal errors of standard
deviation 1. With `scale="mad"` it is 1.345 times the errors' deviation, by their median size, and
that deviation and the coefficients are found in turn until both stand still, as R's MASS::rlm and
statsmodels' RLM do (Huber 1981, chapter 7). With `scale="joint"` both minimise one convex function
together, as in scikit-learn's HuberRegressor (Owen 2007).

A sample of the rows tells both nearly; then each round takes one Newton step and one look at the
errors, and the secant through two rounds foresees where the scale will stand still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.objective.problem import Problem
from offby.fit.objective.score import toward_score
from offby.fit.solvers.error_scale import ErrorScale, scale_of_errors
from offby.fit.solvers.newton import Solution
from offby.fit.solvers.solve import Solver, solve
from offby.fit.solvers.start import start_of
from offby.losses import Loss, Squared

_ROUNDS = 100
_STEPS = 20  # after which what does not stand still may have no secant
_STILL = 1e-10
_AT_REST = 1e-12  # what a last step gains, as a share of the objective
_SMALL_STEP = 0.01
_IN_ITS_VALLEY = 1e-4
_FEW = 1 << 15
_MANY = 4  # times these few are worth a start from them
_PACES = -4.0, 0.8  # of a round's change to the last one's, that a secant is trusted with
_DEVIATIONS = 10.0  # of a sample's scale
_MARGIN = 1e-4


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


@dataclass(frozen=True, eq=False)
class Place:
    """Coefficients (size,), the scale of their errors, and how far off it may be of the next."""

    at: Floats
    scale: float
    margin: float


@dataclass(frozen=True, eq=False)
class Scaled:
    """A problem whose loss is in units of a scale, and how it is solved where that is known."""

    problem: Problem
    scale_at: ErrorScale
    solver: Solver
    tol: float
    max_iter: int

    def at_scale(self, scale: float) -> Problem:
        """The problem at that scale."""
        loss = in_units_of(self.problem.loss.loss, scale)
        return replace(self.problem, loss=toward_score(loss))

    def solved(self, problem: Problem, at: Floats) -> Solution:
        """The minimum from a place near it."""
        return solve(problem, self.solver, self.tol, self.max_iter, at)

    def placed(self, at: Floats, before: Place) -> Place:
        """These coefficients with their own scale."""
        scale = self.scale_at(self.problem, at, before.scale, before.margin)
        return Place(at, scale, abs(scale - before.scale) + _MARGIN * scale)


def solve_scaled(
    problem: Problem, kind: str, solver: Solver, tol: float, max_iter: int
) -> tuple[Problem, Solution, float]:
    """The problem with its loss at the scale of its own errors, its minimum, and that scale.

    Raises `DataError` for an unknown kind of scale, and where too many rows are fitted exactly, so
    that their errors have none.
    """
    in_units_of(problem.loss.loss, 1.0)  # refuses a loss that no scale changes
    scaled = Scaled(problem, scale_of_errors(kind, problem), solver, tol, max_iter)
    place = _approached(scaled, _start(scaled, kind))
    for _ in range(_ROUNDS):
        here = scaled.at_scale(place.scale)
        found = scaled.solved(here, place.at)
        last, place = place.scale, scaled.placed(found.at, place)
        if abs(place.scale - last) <= _STILL * last:
            return here, found, last
    return here, replace(found, converged=False), last


def _start(scaled: Scaled, kind: str) -> Place:
    """What a sample of many rows says; of few, least squares, if the loss is convex."""
    problem, how = scaled.problem, (scaled.solver, scaled.tol, scaled.max_iter)
    few = problem.source.sample(_FEW)
    if _MANY * few.count <= problem.source.count and few.weighs:
        try:
            _, found, scale = solve_scaled(replace(problem, source=few), kind, *how)
        except DataError:  # rows that happen to be alike, as those of a sorted table
            pass
        else:
            return Place(found.at, scale, _DEVIATIONS * scale / float(np.sqrt(few.count)))
    at = start_of(problem)
    if problem.convex:  # else least squares may lie in the wrong valley
        squared = replace(problem, loss=toward_score(Squared()))
        at = solve(squared, "auto", scaled.tol, scaled.max_iter).at
    return scaled.placed(at, Place(at, float("inf"), 0.0))


def _approached(scaled: Scaled, place: Place) -> Place:
    """A few rounds of a Newton step and a look at the errors, until neither moves."""
    last = None
    for _ in range(_STEPS):
        moved, at_rest = _nearer(scaled, place)
        found = scaled.placed(moved, place)
        if at_rest and abs(found.scale - place.scale) <= _STILL * found.scale:
            return found
        step = place.scale, found.scale
        place = replace(found, scale=_foreseen(step, last))
        last = step
    return place


def _nearer(scaled: Scaled, place: Place) -> tuple[Floats, bool]:
    """Coefficients nearer to those for the scale, and whether no more is to be gained."""
    problem = scaled.at_scale(place.scale)
    point = problem.point(place.at)
    assert point.bend is not None
    if problem.convex or _bends_upwards(point.bend):
        step = problem.step(point.bend, point.slope, place.at)
        gained = step.decrease / abs(point.objective) if point.objective else np.inf
        if step.lost == 0 and gained <= (_SMALL_STEP if problem.convex else _IN_ITS_VALLEY):
            return place.at + step.direction, gained <= _AT_REST
    return scaled.solved(problem, place.at).at, True


def _bends_upwards(bend: Floats) -> bool:
    """Whether a place lies in a valley, where Newton's steps lead down."""
    return bool(linalg.lapack.dpotrf(bend)[1] == 0)


def _foreseen(step: tuple[float, float], last: tuple[float, float] | None) -> float:
    """Where the scale will stand still, if its rounds go on as the last two did.

    >>> _foreseen((1.0, 2.0), None), _foreseen((2.0, 2.25), (1.0, 2.0))
    (2.0, 2.3333333333333335)
    """
    before, after = step
    if last is None or before == last[0]:
        return after
    pace = (after - last[1]) / (before - last[0])
    if not _PACES[0] < pace < _PACES[1]:
        return after
    foreseen = before + (after - before) / (1 - pace)
    return foreseen if foreseen > after / 2 else after
