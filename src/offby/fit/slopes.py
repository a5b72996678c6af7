"""The slopes that a walk follows, in the columns' own units: over all rows, or over a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from offby.fit.problem import Point, Problem
from offby.fit.rows import Rows
from offby.fit.score import Floats


@dataclass(frozen=True, eq=False)
class Slopes:
    """A problem along columns that are divided by `scale`, their root mean squares: (size,)."""

    problem: Problem
    scale: Floats

    @classmethod
    def of(cls, problem: Problem) -> Slopes:
        """With the scale of the rows' own columns."""
        return cls(problem, problem.scale())

    def at(self, at: Floats) -> Floats:
        """The slope of the smooth part of the objective: (size,)."""
        return self.along(self.problem.point(at / self.scale, bend=False))

    def along(self, point: Point) -> Floats:
        """The slope at a place that was looked at."""
        return np.asarray((point.slope + self.problem.penalty.slope(point.at)) / self.scale)

    def objective(self, at: Floats) -> float:
        """The objective, inf where it is not finite."""
        found = self.problem.point(at / self.scale, bend=False).objective
        return found if np.isfinite(found) else np.inf

    def shrunk(self, at: Floats, rate: float) -> Floats:
        """After a step, what the l1 penalty pulls to 0 (the proximal step): (size,)."""
        pull = rate * self.problem.penalty.l1 / self.scale
        return np.asarray(np.sign(at) * np.maximum(np.abs(at) - pull, 0.0))

    def rate(self, at: Floats, wanted: float | None) -> float:
        """A step's length for a slope of 1: what was asked for, or 1 over the largest bend."""
        if wanted is not None:
            return wanted
        bend = self.problem.point(at / self.scale, 1.0).bend
        assert bend is not None
        scaled = bend / self.scale / self.scale[:, None]
        largest = float(np.linalg.eigvalsh(scaled)[-1])
        return 1 / largest if 0 < largest < np.inf else 1.0

    def of_batches(
        self, at: Callable[[], Floats], size: int, rng: np.random.Generator
    ) -> Iterator[Floats]:
        """The slope over one batch of rows after another, where the walk then stands: (size,)."""
        for part in self.problem.source.parts():
            order = rng.permutation(part.count)
            for start in range(0, part.count, size):
                few = part.chosen(order[start : start + size])
                if few.weight is None or few.weight.any():
                    yield self._of_few(few, at() / self.scale)

    def _of_few(self, few: Rows, at: Floats) -> Floats:
        coefficients, intercept = self.problem.linear.uncentred(at)
        loss = self.problem.loss
        (slope,) = loss.at(few.y, few.X @ coefficients + intercept, loss.slope)
        weight = np.ones(few.count) if few.weight is None else few.weight
        slope = slope * weight / weight.sum()
        found = (few.X - self.problem.linear.centre).T @ slope
        if self.problem.linear.intercept:
            found = np.append(found, slope.sum())
        return np.asarray((found + self.problem.penalty.slope(at)) / self.scale)
