"""Walking downhill: gradient descent, plain or with the slopes of a few rows at a time.

For losses with several valleys or with kinks, for data that need only be nearly right, and to see
what descent is. Columns are walked along in units of their own size, so that none is much steeper.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Literal

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.held_out import split
from offby.fit.solvers.history import Heard, Stage
from offby.fit.solvers.newton import Solution
from offby.fit.solvers.slopes import Hilly, HillyT, Slopes

Method = Literal["gd", "sgd", "adam"]
METHODS = ("gd", "sgd", "adam")
_FASTER, _SLOWER = 1.1, 0.5
_LEAST_RATE = 1e-12
_KEPT = 0.999  # of the mean of squared slopes, by Adam
_PROOFS = 3
_CLOSE = 0.1


@dataclass(frozen=True)
class Descent:
    """How to walk: an estimator's `solver`; the texts "gd", "sgd" and "adam" stand for defaults.

    "gd" follows the slope over all rows, and halves its rate where a step goes uphill; "sgd" and
    "adam" (Kingma & Ba 2015) that of `batch` rows in random order, which in a table that is read
    in parts is the order within some 4 million numbers at a time. `rate` is the first step's
    length for a slope of 1 (None: one that suits the loss's bend); `momentum` the share of the last
    step that is kept. With `validation` above 0 that share of the rows, of labels of each class, is
    held out: the same rows with the same `seed`, in memory or in parts. The walk ends once their
    mean loss has not fallen for `patience` rounds. The best place is what is kept.

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


def holds_out(solver: object) -> bool:
    """Whether a solver keeps some rows for itself, to tell when to stop."""
    descent = descent_of(solver)
    return descent is not None and descent.validation > 0


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


def parts_of(problem: HillyT, how: Descent, classes: int = 1) -> tuple[HillyT, HillyT | None]:
    """The problem over the rows to walk on, and over those held out (None for none).

    The loss of these is measured without penalty. Where y is the number of a class, `classes` says
    of how many, so that each has its share of the rows held out. Raises `DataError` where too few
    rows are left.
    """
    if not how.validation:
        return problem, None
    training, out = split(problem.source, how.validation, how.seed, classes)
    free = replace(problem, source=out, penalty=problem.penalty.nothing())
    return replace(problem, source=training), free


def walk_down(
    parts: tuple[Hilly, Hilly | None],
    start: Floats,
    how: Descent,
    tol: float,
    max_iter: int,
    heard: Heard | None = None,
) -> Solution:
    """Walk from `start` until no round gains `tol` of the objective, at most `max_iter` rounds.

    `parts` are as `parts_of` has them. The gap of a convex loss is proved at the end, by Newton
    steps from there. `heard` is told of each round.
    """
    training, held_out = parts
    slopes = Slopes.of(training)
    start = start * slopes.scale
    walk = Walk(start, slopes.rate(start, how.rate), np.zeros(start.size), np.zeros(start.size))
    walk.best = start
    ended = False
    for _ in range(max_iter):
        walk.stages.append(_stage(walk, slopes, held_out, how))
        if heard is not None:
            heard(walk.stages[-1])
        ended = _ended(walk, how, tol)
        if ended:
            break
    return _solution(training, walk, slopes, tol, stopped=ended, early=held_out is not None)


def _stage(walk: Walk, slopes: Slopes, held_out: Hilly | None, how: Descent) -> Stage:
    """Where the walk stands, and a round on from there."""
    began, before, training = perf_counter(), walk.at, slopes.problem
    point, validation = training.point(walk.at / slopes.scale, bend=False), float("nan")
    if held_out is not None:
        validation = held_out.point(point.at, bend=False).objective
    _keep_best(walk, point.objective if held_out is None else validation)
    _round(walk, slopes, how, point.objective, slopes.along(point))
    rest = training.penalty.rest(point.at, point.slope) / slopes.scale
    sizes = float(np.linalg.norm(rest)), float(np.linalg.norm(walk.at - before))
    place, seconds = training.outputs(point.at), perf_counter() - began
    return Stage(point.objective, *sizes, seconds, *place, validation)


def _keep_best(walk: Walk, height: float) -> None:
    if height < walk.best_height:
        walk.best, walk.best_height = walk.at.copy(), height


def _round(walk: Walk, slopes: Slopes, how: Descent, objective: float, slope: Floats) -> None:
    """One step over all rows, whose slope is given, or as many as there are batches."""
    rate = walk.rate / np.sqrt(1 + len(walk.stages))
    if how.method == "gd" and slopes.problem.kink is None:
        _step_or_slower(walk, slopes, how, objective, slope)
        return
    if how.method == "gd":  # at a kink all steps may lead uphill, though it is not the minimum
        _step(walk, slopes, slope, how, rate)
        return
    rng = np.random.default_rng([how.seed, len(walk.stages)])
    for few in slopes.of_batches(lambda: walk.at, how.batch, rng):
        _step(walk, slopes, few, how, rate)


def _step(walk: Walk, slopes: Slopes, slope: Floats, how: Descent, rate: float) -> None:
    """A step along the mean of the last slopes; by "adam" in units of each one's own size."""
    walk.steps += 1
    walk.speed = how.momentum * walk.speed + (1 - how.momentum) * slope
    mean, rates = walk.speed, np.full(slope.size, rate)
    if how.method == "adam":
        walk.squares = _KEPT * walk.squares + (1 - _KEPT) * slope**2
        sizes = np.sqrt(walk.squares / (1 - _KEPT**walk.steps))
        mean, rates = mean / (1 - how.momentum**walk.steps), rate / np.maximum(sizes, 1e-12)
    walk.at = slopes.shrunk(walk.at - rates * mean, rates)


def _step_or_slower(
    walk: Walk, slopes: Slopes, how: Descent, objective: float, slope: Floats
) -> None:
    """A step with momentum; without, and shorter, while it goes uphill."""
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
    problem: Hilly, walk: Walk, slopes: Slopes, tol: float, *, stopped: bool, early: bool
) -> Solution:
    if not early:
        _keep_best(walk, slopes.objective(walk.at))
    at = walk.best / slopes.scale
    objective = problem.point(at, bend=False).objective
    enough = max(tol, 1e-14) * abs(objective)
    gap = None if early or problem.kink is not None else _gap(problem, at, objective, enough)
    converged = stopped if gap is None else gap <= enough
    history, rounds = tuple(walk.stages), len(walk.stages)
    return Solution(at, objective, gap, converged, rounds, at.size, history=history)


def _gap(problem: Hilly, at: Floats, objective: float, enough: float) -> float | None:
    """How far the objective is above what Newton steps from there prove of the minimum."""
    if not problem.provable:
        return None
    least = objective
    for _ in range(_PROOFS):
        here = problem.point(at)
        assert here.bend is not None
        step = problem.step(here.bend, here.slope, at).direction
        proof = problem.certify(at, step)
        fallen = max(objective - proof.objective, 0.0)
        least, at = min(least, fallen + proof.gap), at + step
        if proof.gap <= max(_CLOSE * fallen, enough):  # more steps would gain little
            break
    return float(least)
