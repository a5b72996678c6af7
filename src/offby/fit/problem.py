"""What is minimised: the mean loss of a linear model over rows, plus a penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offby.fit.blocks import Block, Linear, over_rows, scale_of
from offby.fit.certificate import Certificate, certify
from offby.fit.penalty import Penalty
from offby.fit.rows import Source
from offby.fit.score import Floats, ScoreLoss
from offby.fit.shape import Shape
from offby.fit.step import Step, newton_step
from offby.fit.sums import sums_at


@dataclass(frozen=True, eq=False)
class Point:
    """A place with the objective there, the mean loss's slope, and its bend where it was asked."""

    at: Floats
    objective: float
    slope: Floats
    bend: Floats | None


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows, scores, loss and penalty; `shape` says what may be done with the loss."""

    source: Source
    linear: Linear
    loss: ScoreLoss
    penalty: Penalty
    shape: Shape

    @property
    def convex(self) -> bool:
        """Whether there is one valley only."""
        return self.shape.convex

    @property
    def piecewise(self) -> bool:
        """Whether the bend jumps, so that the last step is exact."""
        return self.loss.piecewise

    @property
    def provable(self) -> bool:
        """Whether a gap can be proved for its loss."""
        return self.shape.convex and self.shape.bounded

    def point(self, at: Floats, share: float = 0.0, *, bend: bool = True) -> Point:
        """Look at a place; the bend of each row is at least a `share` of its majorant."""
        sums = sums_at(self.source, self.linear, self.loss, at, share, bend=bend)
        objective = sums.value / sums.weight + self.penalty.value(at)
        mean_bend = None if sums.bend is None else sums.bend / sums.weight
        return Point(at, float(objective), sums.slope / sums.weight, mean_bend)

    def scale(self) -> Floats:
        """The root mean square of each column: (size,)."""
        return scale_of(self.source, self.linear)

    def outputs(self, at: Floats) -> tuple[Floats, Floats]:
        """Coefficients (outputs, p) and intercepts (outputs,) for the features as they came."""
        coefficients, intercept = self.linear.uncentred(at)
        return coefficients[None], np.array([intercept])

    def step(self, bend: Floats, slope: Floats, at: Floats) -> Step:
        """The Newton step from `at`."""
        return newton_step(bend, slope, self.penalty, at)

    def certify(self, at: Floats, step: Floats) -> Certificate:
        """The objective at `at + step` and its gap."""
        return certify(self.source, self.linear, self.loss, self.penalty, at, step)

    def along(self, at: Floats, step: Floats, lengths: Floats) -> Floats:
        """The objective at `at + length · step` for each length, in one pass: (lengths,)."""

        def of_block(block: Block) -> Floats:
            start, move = block.score(at), block.score(step)
            loss = (self.loss.at(block.y, start + t * move, self.loss.value)[0] for t in lengths)
            sums = [block.weighted(value).sum() for value in loss]
            return np.array([block.total(), *sums])

        total = over_rows(self.source, self.linear, of_block, np.zeros(1 + lengths.size))
        penalties = [self.penalty.value(at + t * step) for t in lengths]
        found: Floats = total[1:] / total[0] + penalties
        return np.where(np.isfinite(found), found, np.inf)

    def escapes(self, at: Floats, step: Floats) -> bool:
        """Whether the loss of no row rises along the step, so that it falls without end."""
        if not self.penalty.none:
            return False

        def of_block(block: Block) -> Rises:
            start, move = block.score(at), block.score(step)
            (slope,) = self.loss.at(block.y, start, self.loss.slope)
            moved = np.abs(move) * block.counts()
            rising = moved[slope * move > 0]
            return Rises(float(moved.max(initial=0.0)), float(rising.max(initial=0.0)))

        rises = over_rows(self.source, self.linear, of_block, Rises(0.0, 0.0))
        return rises.largest > 0.5 and rises.rising <= 1e-3 * rises.largest


@dataclass(frozen=True)
class Rises:
    """How far a step moves any score, and how far any whose loss rises."""

    largest: float
    rising: float

    def __add__(self, other: Rises) -> Rises:
        return Rises(max(self.largest, other.largest), max(self.rising, other.rising))
