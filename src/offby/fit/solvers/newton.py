"""Damped Newton steps down to the minimum of a smooth convex loss, and a proof that it is there.

The bend of a row may be 0 where its loss is a straight line (Huber's outliers), or negative where
the loss is not convex. So each row's bend may be kept above a share of its majorant, with which a
step never goes uphill: no share at first, all of it when a step fails, less after each success.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol

import numpy as np

from offby.engine.rows import Floats
from offby.fit.objective.certificate import Certificate
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.problem import Point
from offby.fit.objective.step import Step
from offby.fit.solvers.history import Heard, Stage
from offby.fit.solvers.least_squares import LeastSquares


class Objective(Protocol):
    """What a search needs to know of what it minimises."""

    @property
    def penalty(self) -> Penalty:
        """What coefficients cost."""
        ...

    @property
    def convex(self) -> bool:
        """Whether there is one valley only."""
        ...

    @property
    def piecewise(self) -> bool:
        """Whether the bend jumps, so that the last step is exact."""
        ...

    @property
    def provable(self) -> bool:
        """Whether a gap can be proved."""
        ...

    def point(self, at: Floats, share: float = 0.0, *, bend: bool = True) -> Point:
        """Look at a place; the bend of each row is at least a `share` of its majorant."""
        ...

    def step(self, bend: Floats, slope: Floats, at: Floats) -> Step:
        """The Newton step from `at`."""
        ...

    def certify(self, at: Floats, step: Floats) -> Certificate:
        """The objective at `at + step` and its gap."""
        ...

    def prove(self, point: Point, step: Step) -> Certificate:
        """The objective where a Newton step leads, or near that, and its gap."""
        ...

    def along(self, at: Floats, step: Floats, lengths: Floats) -> Floats:
        """The objective at `at + length · step` for each length: (lengths,)."""
        ...

    def escapes(self, at: Floats, step: Floats) -> bool:
        """Whether the loss of no row rises along the step, so that it falls without end."""
        ...

    def outputs(self, at: Floats) -> tuple[Floats, Floats]:
        """Coefficients (outputs, p) and intercepts (outputs,) for the features as they came."""
        ...


_LENGTHS = 0.5 ** np.arange(1.0, 13.0)
_ROUNDING = 1e-14
_STILL = 1e-3
_FALLS = 10.0  # the gap after a Newton step is about this times the square of that before
_LEAST_SHARE = 1e-3
_SLOWLY = 1e-4  # where no gap is proved, steps shrink by a factor only, and many are to come
_SETTLED = 2e-15  # of an objective, which is a sum of very many numbers
_POLISHING = 4


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the search ended, and what is known there; a gap of None is none that was proved."""

    at: Floats
    objective: float
    gap: float | None
    converged: bool
    iterations: int
    rank: int
    escapes: bool = False
    exact: LeastSquares | None = None
    """What QR found, where a Gram matrix would be too coarse."""
    history: tuple[Stage, ...] = ()


@dataclass(frozen=True, eq=False)
class Walk:
    """Where a search stands: a point, the share of the majorant in its bend, and its last fall.

    Differences of objectives up to `least` are rounding.
    """

    point: Point
    share: float
    least: float
    fall: float = np.inf
    stuck: bool = False

    def enough(self, tol: float) -> float:
        """The gap at which a search may end."""
        return tol * abs(self.point.objective) + self.least


def minimise(
    problem: Objective, start: Floats, tol: float, max_iter: int, heard: Heard | None = None
) -> Solution:
    """Search from `start` until the gap is at most `tol` times the objective.

    A loss that is not convex has no gap; then the search ends where a step gains less than that.
    `heard` is told of each iteration as it is done.
    """
    share = 0.0 if problem.convex else 1.0
    began, history = perf_counter(), list[Stage]()
    first = problem.point(start, share)
    walk = Walk(first, share, _ROUNDING * abs(first.objective))
    for iteration in range(1, max_iter + 1):
        step = step_from(problem, walk.point)
        history.append(_stage(problem, walk.point, step, began))
        if heard is not None:
            heard(history[-1])
        began = perf_counter()
        ended = _ended(problem, walk, step, walk.enough(tol), iteration)
        if ended is not None:
            return replace(ended, history=tuple(history))
        walk = _advance(problem, walk, step)
        if walk.stuck:
            break
    return replace(_unfinished(problem, walk, tol, iteration), history=tuple(history))


def _stage(problem: Objective, point: Point, step: Step, began: float) -> Stage:
    slope = problem.penalty.rest(point.at, point.slope)
    sizes = float(np.linalg.norm(slope)), float(np.linalg.norm(step.direction))
    return Stage(point.objective, *sizes, perf_counter() - began, *problem.outputs(point.at))


def step_from(problem: Objective, point: Point) -> Step:
    """The Newton step from a point whose bend is known."""
    assert point.bend is not None
    return problem.step(point.bend, point.slope, point.at)


def _ended(
    problem: Objective, walk: Walk, step: Step, enough: float, iteration: int
) -> Solution | None:
    """The solution, if this step leads to it; None if the search goes on."""
    point = walk.point
    if not problem.convex and step.decrease <= _SLOWLY * enough:
        return Solution(point.at, point.objective, None, True, iteration, step.rank)
    by_a_factor = 0.2 * walk.fall < step.decrease < 0.6 * walk.fall  # of e, if without end
    if iteration > 5 and by_a_factor and problem.escapes(point.at, step.direction):
        return Solution(point.at, point.objective, None, False, iteration, step.rank, True)
    if walk.share or not problem.convex or not _near(problem, point, step, enough):
        return None
    return _proved(problem, point, step, enough, iteration)


def _near(problem: Objective, point: Point, step: Step, enough: float) -> bool:
    """Whether the gap after this step may be small enough, so that proving it is worth a pass."""
    if problem.piecewise:  # then it is once no row changes sides any more
        return step.decrease <= _STILL * enough
    return _FALLS * step.decrease**2 <= enough * max(abs(point.objective), enough)


def _proved(
    problem: Objective, point: Point, step: Step, enough: float, iteration: int
) -> Solution | None:
    if not problem.provable:
        if step.decrease > enough:
            return None
        there = point.at + step.direction
        return Solution(there, point.objective, None, True, iteration, step.rank)
    proof = problem.prove(point, step)
    if not proof.gap <= enough:
        return None
    found = Solution(proof.at, proof.objective, proof.gap, True, iteration, step.rank)
    assert point.bend is not None
    return _polished(problem, found, point.bend, proof.slope)


def _polished(problem: Objective, found: Solution, bend: Floats, slope: Floats) -> Solution:
    """With the digits that a few more steps in the same metric still find."""
    for _ in range(_POLISHING):
        step = problem.step(bend, slope, found.at)
        if not step.decrease > _SETTLED * abs(found.objective):
            break
        point = problem.point(found.at + step.direction, bend=False)
        gained = found.objective - point.objective
        if not gained >= -_ROUNDING * abs(found.objective):
            break
        assert found.gap is not None
        gap = max(found.gap - gained, 0.0)
        found, slope = replace(found, at=point.at, objective=point.objective, gap=gap), point.slope
    return found


def _advance(problem: Objective, walk: Walk, step: Step) -> Walk:
    """The next place to stand: a whole step where that goes down, a part of it otherwise."""
    point, share = walk.point, walk.share
    if step.lost < 1e-6:
        following = _relaxed(problem, share)
        there = problem.point(point.at + step.direction, following)
        wanted = point.objective - 1e-4 * step.decrease + walk.least
        if there.objective <= wanted and _usable(there):
            return replace(walk, point=there, share=following, fall=step.decrease)
        shorter = _shorter(problem, point, step)
        if shorter is not None:
            more = min(max(10 * share, 0.01), 1.0)
            return replace(walk, point=problem.point(shorter, more), share=more, fall=np.inf)
    if share == 1.0:
        return replace(walk, stuck=True)
    return replace(walk, point=problem.point(point.at, 1.0), share=1.0, fall=np.inf)


def _relaxed(problem: Objective, share: float) -> float:
    least = 0.0 if problem.convex else 0.1
    return max(share / 10 if share > _LEAST_SHARE else 0.0, least)


def _usable(point: Point) -> bool:
    return point.bend is not None and bool(
        np.isfinite(point.bend).all() and np.isfinite(point.slope).all()
    )


def _shorter(problem: Objective, point: Point, step: Step) -> Floats | None:
    """The best of some parts of the step; None where none goes down enough."""
    objectives = problem.along(point.at, step.direction, _LENGTHS)
    best = int(np.argmin(objectives))
    length = float(_LENGTHS[best])
    if objectives[best] > point.objective - 1e-4 * length * step.decrease:
        return None
    return np.asarray(point.at + length * step.direction)


def _unfinished(problem: Objective, walk: Walk, tol: float, iterations: int) -> Solution:
    point = walk.point
    step = step_from(problem, point)
    gap = None
    if problem.provable:
        gap = problem.certify(point.at, np.zeros_like(point.at)).gap
    converged = gap is not None and gap <= walk.enough(tol)
    return Solution(point.at, point.objective, gap, converged, iterations, step.rank)
