"""The slopes that a walk follows, in the columns' own units: over all rows, or over a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Rows, in_random_order
from offby.fit.objective.problem import Point, Problem
from offby.fit.objective.softmax import SoftmaxProblem

Hilly: TypeAlias = Problem | SoftmaxProblem
"""What can be walked down: with one output, or one for each class."""
HillyT = TypeVar("HillyT", Problem, SoftmaxProblem)


@dataclass(frozen=True, eq=False)
class Slopes:
    """A problem along columns that are divided by `scale`, their root mean squares: (size,)."""

    problem: Hilly
    scale: Floats

    @classmethod
    def of(cls, problem: Hilly) -> Slopes:
        """With the scale of the rows' own columns."""
        return cls(problem, problem.scale())

    def along(self, point: Point) -> Floats:
        """The slope of the smooth part of the objective where it was looked at: (size,)."""
        return np.asarray((point.slope + self.problem.penalty.slope(point.at)) / self.scale)

    def objective(self, at: Floats) -> float:
        """The objective, inf where it is not finite."""
        found = self.problem.point(at / self.scale, bend=False).objective
        return found if np.isfinite(found) else np.inf

    def shrunk(self, at: Floats, rate: float | Floats) -> Floats:
        """After a step, what the l1 penalty pulls to 0 (the proximal step): (size,)."""
        pull = rate * self.problem.penalty.l1 / self.scale
        return np.asarray(np.sign(at) * np.maximum(np.abs(at) - pull, 0.0))

    def rate(self, at: Floats, wanted: float | None) -> float:
        """A step's length for a slope of 1: what was asked for, or 1 over the largest bend.

        At a kink the bend is infinite. There it is the loss over the largest mean square of the
        rows' slopes: a Polyak step (1969) towards a loss of 0.
        """
        if wanted is not None:
            return wanted
        point = self.problem.point(at / self.scale, 1.0)
        height, bend = 1.0, point.bend
        if isinstance(self.problem, Problem) and self.problem.kink is not None:
            height, bend = point.objective, self.problem.slope_squares(point.at)
        assert bend is not None
        scaled = bend / self.scale / self.scale[:, None]
        largest = float(np.linalg.eigvalsh(scaled)[-1])
        return height / largest if 0 < largest < np.inf and height > 0 else 1.0

    def of_batches(
        self, at: Callable[[], Floats], size: int, rng: np.random.Generator
    ) -> Iterator[Floats]:
        """The slope over one batch of rows after another, where the walk then stands: (size,)."""
        for few in in_random_order(self.problem.source, size, rng):
            if few.weight is None or few.weight.any():
                yield self._of_few(few, at() / self.scale)

    def _of_few(self, few: Rows, at: Floats) -> Floats:
        """Without the threads and blocks of a pass, which cost more than so few rows."""
        problem = self.problem
        coefficients, intercepts = problem.outputs(at)
        slopes = problem.row_slopes(few.y, few.X @ coefficients.T + intercepts)
        weight = few.weights
        slopes = slopes * (weight / weight.sum())[:, None]
        found = slopes.T @ (few.X - problem.linear.centre)
        if problem.linear.intercept:
            found = np.column_stack([found, slopes.sum(axis=0)])
        return np.asarray((problem.gathered(found) + problem.penalty.slope(at)) / self.scale)
