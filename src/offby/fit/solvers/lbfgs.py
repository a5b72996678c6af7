"""L-BFGS: a walk by slopes alone, for where a Hessian is costly; a Newton step then proves its end.

The steps are scipy's L-BFGS-B (Byrd, Lu, Nocedal & Zhu 1995), on columns of one size.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
from scipy import optimize

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.objective.problem import Point, Problem
from offby.fit.passes.blocks import Block, over_rows
from offby.fit.solvers.history import Heard, Stage
from offby.fit.solvers.newton import Solution, minimise
from offby.fit.solvers.start import start_of

WIDE = 4000
"""More columns than this make a Hessian costly."""
_EVALUATIONS = 50  # of L-BFGS, for what would be one Newton step


@dataclass
class Steps:
    """A search from `start`: where it stands, what it looked at last, and its accepted steps."""

    problem: Problem
    scale: Floats
    start: InitVar[Floats]
    heard: Heard | None
    stages: list[Stage] = field(default_factory=list)
    seen: Point = field(init=False)
    stands: Point = field(init=False)
    began: float = field(default_factory=perf_counter)

    def __post_init__(self, start: Floats) -> None:
        there = start * self.scale / self.scale  # as `look` will have it
        self.seen = self.stands = self.problem.point(there, bend=False)

    def look(self, at: Floats) -> tuple[float, Floats]:
        """The objective and its slope, at a place in units of the columns' own size."""
        there = at / self.scale
        if not np.array_equal(there, self.seen.at):
            self.seen = self.problem.point(there, bend=False)
        return self.seen.objective, self._slope(self.seen) / self.scale

    def accept(self, _: Floats) -> None:
        """The search goes on from the place that was looked at last."""
        self.leave(self.seen.at)
        self.stands = self.seen

    def leave(self, there: Floats) -> None:
        """Tell of where the search stands, and of its step from there."""
        here, now = self.stands, perf_counter()
        slope, step = self._slope(here), there - here.at
        sizes = float(np.linalg.norm(slope)), float(np.linalg.norm(step))
        place = self.problem.outputs(here.at)
        stage = Stage(here.objective, *sizes, now - self.began, *place)
        self.stages.append(stage)
        if self.heard is not None:
            self.heard(stage)
        self.began = now

    def _slope(self, point: Point) -> Floats:
        return point.slope + self.problem.penalty.slope(point.at)


def by_lbfgs(
    problem: Problem, tol: float, max_iter: int, start: Floats | None, heard: Heard | None
) -> Solution:
    """Slopes alone lead near the minimum; a Newton step, where one can be had, proves it.

    `heard` is told of each accepted step, and the solution's history has all of them. Raises
    `DataError` for a penalty with a kink.
    """
    if not problem.penalty.smooth:
        raise DataError("solver 'lbfgs' needs a penalty with a slope everywhere; say 'newton'")
    start = start_of(problem) if start is None else start
    scale = problem.scale()
    steps = Steps(problem, scale, start, heard)
    options = {"maxiter": _EVALUATIONS * max_iter, "maxcor": 20, "ftol": tol / 100, "gtol": 0.0}
    search: Any = optimize.minimize  # whose types know no dict of options
    search(
        steps.look, start * scale, jac=True, method="L-BFGS-B", callback=steps.accept,
        options=options,
    )  # fmt: skip
    if problem.linear.size > WIDE:
        return _bounded(steps, tol)
    proved = minimise(problem, steps.stands.at, tol, max_iter, heard)
    history = (*steps.stages, *proved.history)
    return replace(proved, iterations=proved.iterations + len(steps.stages), history=history)


def _bounded(steps: Steps, tol: float) -> Solution:
    """With a gap where an l2 penalty gives one without a Hessian; only the intercept moves."""
    problem, point = steps.problem, steps.stands
    at, step = point.at, np.zeros_like(point.at)
    if not problem.provable or problem.penalty.none:
        steps.leave(at)
        found = Solution(at, point.objective, None, False, len(steps.stages), at.size)
    else:
        if problem.linear.intercept:
            step[-1] = _intercept_step(problem, at)
        steps.leave(at + step)
        proof = problem.certify(at, step)
        done = proof.gap <= tol * proof.objective
        rounds = len(steps.stages)
        found = Solution(at + step, proof.objective, proof.gap, done, rounds, at.size)
    return replace(found, history=tuple(steps.stages))


def _intercept_step(problem: Problem, at: Floats) -> float:
    def of_block(block: Block) -> Floats:
        _, slope, bend = problem.loss.at(block.y, block.score(at))
        return np.array([block.weighted(slope).sum(), block.weighted(bend).sum()])

    slope, bend = over_rows(problem.source, problem.linear, of_block, np.zeros(2))
    return float(-slope / bend) if bend > 0 else 0.0
