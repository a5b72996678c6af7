"""Walking downhill: gradient descent, plain or with the slopes of a few rows at a time.

For losses with several valleys or with kinks, for data that need only be nearly right, and to see
what descent is. Columns are walked along in units of their own size, so that none is much steeper.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Literal

import numpy as np

from offby.errors import DataError
from offby.fit.history import Heard, Stage
from offby.fit.newton import Solution
from offby.fit.problem import Problem
from offby.fit.rows import Rows
from offby.fit.score import Floats
from offby.fit.slopes import Slopes
from offby.fit.start import constant_start

Method = Literal["gd", "sgd", "adam"]
METHODS = ("gd", "sgd", "adam")
_FASTER, _SLOWER = 1.1, 0.5
_LEAST_RATE = 1e-12


@dataclass(frozen=True)
class Descent:
    """How to walk: an estimator's `solver`; the texts "gd", "sgd" and "adam" stand for defaults.

    "gd" follows the slope over all rows, and halves its rate where a step goes uphill; "sgd" and
    "adam" (Kingma & Ba 2015) that of `batch` rows in random order. `rate` is the first step's
    length for a slope of 1 (None: one that suits the loss's bend); `momentum` the share of the last
    step that is kept. With `validation` above 0 that share of the rows is held out, and the walk
    ends once their mean loss has not fallen for `patience` rounds. The best place is what is kept.

    >>> Descent("sgd", batch=64, validation=0.2).patience
    10
    """

    method: Method = "gd"
    rate: float | None = None
    momentum: float = 0.9
    batch: int = 256
    validation: float = 0.0
    patience: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = {
            "method": self.method not in METHODS,
            "rate": self.rate is not None and not 0 < self.rate < np.inf,
            "momentum": not 0 <= self.momentum < 1,
            "batch": self.batch < 1,
            "validation": not 0 <= self.validation < 1,
            "patience": self.patience < 1,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise DataError(
                    f"Descent: {name} is {getattr(self, name)!r}; expected one of {METHODS}, a "
                    "rate above 0, momentum and validation from 0 to below 1, whole numbers from 1"
                )


def descent_of(solver: object) -> Descent | None:
    """The descent that a solver's name stands for; None if it is another solver.

    >>> descent_of("adam").method, descent_of("newton")
    ('adam', None)
    """
    if isinstance(solver, Descent):
        return solver
    return Descent(solver) if solver in METHODS else None  # type: ignore[arg-type]


@dataclass
class Walk:
    """Where a walk stands: its place and speed in the columns' own units, and the best so far."""

    at: Floats
    rate: float
    speed: Floats
    squares: Floats
    steps: int = 0
    best: Floats = field(default_factory=lambda: np.zeros(0))
    best_height: float = np.inf
    stages: list[Stage] = field(default_factory=list)


def walk_down(
    problem: Problem, how: Descent, tol: float, max_iter: int, heard: Heard | None = None
) -> Solution:
    """Walk until no round gains `tol` of the objective, for at most `max_iter` rounds.

    The gap of a convex loss is proved at the end, by a Newton step from there. `heard` is told of
    each round. Raises `DataError` for held-out rows of a source that is not in memory.
    """
    training, held_out = _split(problem, how)
    slopes = Slopes.of(training)
    start = constant_start(training) * slopes.scale
    walk = Walk(start, slopes.rate(start, how.rate), np.zeros(start.size), np.zeros(start.size))
    walk.best = start
    ended = False
    for _ in range(max_iter):
        began = perf_counter()
        point = training.point(walk.at / slopes.scale, bend=False)
        validation = float("nan")
        if held_out is not None:
            validation = held_out.point(point.at, bend=False).objective
        _keep_best(walk, point.objective if held_out is None else validation)
        before = walk.at
        _round(walk, slopes, how, point.objective)
        slope = slopes.along(point)
        sizes = float(np.linalg.norm(slope)), float(np.linalg.norm(walk.at - before))
        place, seconds = problem.outputs(point.at), perf_counter() - began
        walk.stages.append(Stage(point.objective, *sizes, seconds, *place, validation))
        if heard is not None:
            heard(walk.stages[-1])
        ended = _ended(walk, how, tol)
        if ended:
            break
    return _solution(training, walk, slopes, tol, stopped=ended, early=held_out is not None)


def _split(problem: Problem, how: Descent) -> tuple[Problem, Problem | None]:
    """The rows to walk on, and those held out."""
    if not how.validation:
        return problem, None
    rows = problem.source
    if not isinstance(rows, Rows):
        raise DataError("validation needs dense rows in memory, of which some can be held out")
    order = np.random.default_rng(how.seed).permutation(rows.count)
    out = order[: int(rows.count * how.validation)]
    if not 0 < out.size < rows.count:
        raise DataError(f"validation {how.validation:g} of {rows.count} rows leaves no two parts")
    chosen = np.zeros(rows.count, bool)
    chosen[out] = True
    free = replace(problem, source=rows.chosen(chosen), penalty=problem.penalty.nothing())
    return replace(problem, source=rows.chosen(~chosen)), free


def _keep_best(walk: Walk, height: float) -> None:
    if height < walk.best_height:
        walk.best, walk.best_height = walk.at.copy(), height


def _round(walk: Walk, slopes: Slopes, how: Descent, objective: float) -> None:
    """One step over all rows, or as many as there are batches."""
    rate = walk.rate / np.sqrt(1 + len(walk.stages))
    if how.method == "gd" and slopes.problem.shape.kink is None:
        _step_or_slower(walk, slopes, how, objective)
        return
    if how.method == "gd":  # at a kink all steps may lead uphill, though it is not the minimum
        walk.at = slopes.shrunk(walk.at - rate * _sgd(walk, slopes.at(walk.at), how), rate)
        return
    rng = np.random.default_rng([how.seed, len(walk.stages)])
    for slope in slopes.of_batches(lambda: walk.at, how.batch, rng):
        walk.steps += 1
        move = _sgd(walk, slope, how) if how.method == "sgd" else _adam(walk, slope, how)
        walk.at = slopes.shrunk(walk.at - rate * move, rate)


def _sgd(walk: Walk, slope: Floats, how: Descent) -> Floats:
    walk.speed = how.momentum * walk.speed + (1 - how.momentum) * slope
    return walk.speed


def _adam(walk: Walk, slope: Floats, how: Descent) -> Floats:
    walk.speed = how.momentum * walk.speed + (1 - how.momentum) * slope
    walk.squares = 0.999 * walk.squares + 0.001 * slope**2
    mean = walk.speed / (1 - how.momentum**walk.steps)
    size = np.sqrt(walk.squares / (1 - 0.999**walk.steps))
    return np.asarray(mean / np.maximum(size, 1e-12))


def _step_or_slower(walk: Walk, slopes: Slopes, how: Descent, objective: float) -> None:
    """A step with momentum; without, and shorter, while it goes uphill."""
    slope = slopes.at(walk.at)
    while walk.rate > _LEAST_RATE:
        speed = how.momentum * walk.speed - walk.rate * slope
        there = slopes.shrunk(walk.at + speed, walk.rate)
        if slopes.objective(there) <= objective:
            walk.speed, walk.at, walk.rate = there - walk.at, there, walk.rate * _FASTER
            return
        if walk.speed.any():
            walk.speed = np.zeros_like(walk.speed)  # it may be momentum that leads uphill
        else:
            walk.rate *= _SLOWER


def _ended(walk: Walk, how: Descent, tol: float) -> bool:
    """Whether the last rounds gained nothing, on rows held out if there are any."""
    if len(walk.stages) <= how.patience:
        return walk.rate <= _LEAST_RATE
    named = "objective" if np.isnan(walk.stages[-1].validation) else "validation"
    heights = [getattr(stage, named) for stage in walk.stages]
    earlier = min(heights[: -how.patience])
    return bool(min(heights[-how.patience :]) > earlier - tol * abs(earlier))


def _solution(
    problem: Problem, walk: Walk, slopes: Slopes, tol: float, *, stopped: bool, early: bool
) -> Solution:
    if not early:
        _keep_best(walk, slopes.objective(walk.at))
    at = walk.best / slopes.scale
    objective = problem.point(at, bend=False).objective
    gap = None if early or problem.shape.kink is not None else _gap(problem, at, objective)
    converged = stopped if gap is None else gap <= max(tol, 1e-14) * abs(objective)
    history, rounds = tuple(walk.stages), len(walk.stages)
    return Solution(at, objective, gap, converged, rounds, at.size, history=history)


def _gap(problem: Problem, at: Floats, objective: float) -> float | None:
    """The objective less that after a Newton step, which is proved to be near the minimum."""
    if not problem.provable:
        return None
    here = problem.point(at)
    assert here.bend is not None
    proof = problem.certify(at, problem.step(here.bend, here.slope, at).direction)
    return float(min(max(objective - proof.objective, 0.0) + proof.gap, objective))
