"""What is minimised: the mean loss of a linear model over rows, plus a penalty."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Source
from offby.fit.objective.certificate import Certificate, certify
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.score import ScoreLoss
from offby.fit.objective.shape import Shape
from offby.fit.objective.step import Step, newton_step
from offby.fit.objective.sums import sums_at
from offby.fit.passes.added import Added
from offby.fit.passes.blocks import Block, Linear, over_rows, scale_of

_SHARE = 16  # what this part of the rows tells costs less than the passes that it saves
_LEAST_FEW = 1024


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
    def kink(self) -> float | None:
        """The score of a jump in the slope, for one truth; None where there is none."""
        return self.shape.kink

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

    def row_slopes(self, y_true: Floats, scores: Floats) -> Floats:
        """The slope of each row's loss towards its scores: (n, outputs)."""
        return self.loss.at(y_true, scores[:, 0], self.loss.slope)[0][:, None]

    def slope_squares(self, at: Floats) -> Floats:
        """The mean over rows of their slopes' squares in the coefficients: (size, size)."""

        def of_block(block: Block) -> Floats:
            (slope,) = self.loss.at(block.y, block.score(at), self.loss.slope)
            return np.append(block.gram(block.weighted(slope**2)).ravel(), block.total())

        size = self.linear.size
        total = over_rows(self.source, self.linear, of_block, np.zeros(size * size + 1))
        return np.asarray(total[:-1] / total[-1]).reshape(size, size)

    def gathered(self, slopes: Floats) -> Floats:
        """Slopes in the coefficients of each output, intercept last, as one vector: (size,)."""
        return np.asarray(slopes[0])

    def step(self, bend: Floats, slope: Floats, at: Floats) -> Step:
        """The Newton step from `at`."""
        return newton_step(bend, slope, self.penalty, at)

    @cached_property
    def few(self) -> Problem | None:
        """The same for a part of the rows, if there are many; what it tells is never a proof."""
        rows = next((part.count for part in self.source.parts()), 0)
        if rows < _SHARE * max(_LEAST_FEW, 20 * self.linear.size):
            return None
        some = self.source.sample(rows // _SHARE)
        if some.weight is not None and not some.weight.any():
            return None
        return replace(self, source=some, shape=replace(self.shape, bounded=False))

    def ahead(self, point: Point, step: Step) -> Floats:
        """Where a step leads, with what a few rows tell of how the bend changes on the way.

        That leaves a twentieth of what a Newton step is off by, and saves a pass over all rows.
        """
        assert point.bend is not None
        if self.few is None or self.piecewise:
            return point.at + step.direction
        slope = point.slope + self.few.bent(point.at, step.direction)
        if not np.isfinite(slope).all():
            return point.at + step.direction
        return point.at + self.step(point.bend, slope, point.at).direction

    def bent(self, at: Floats, step: Floats) -> Floats:
        """What the slope of the mean loss changes by along a step beyond bend · step: (size,)."""

        def of_block(block: Block) -> Floats:
            before, move = block.score(np.stack([at, step]))
            slope, bend = self.loss.at(block.y, before, self.loss.slope, self.loss.bend)
            (later,) = self.loss.at(block.y, before + move, self.loss.slope)
            return np.append(
                block.times(block.weighted(later - slope - bend * move)), block.total()
            )

        total = over_rows(self.source, self.linear, of_block, np.zeros(1 + self.linear.size))
        return np.asarray(total[:-1] / total[-1])

    def prove(self, point: Point, step: Step) -> Certificate:
        """The objective ahead of a Newton step, and its gap."""
        task = self.source, self.linear, self.loss, self.penalty
        return certify(*task, point.at, step.direction, self.ahead(point, step))

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


@dataclass(frozen=True, eq=False)
class Rises(Added):
    """How far a step moves any score, and how far any whose loss rises."""

    largest: float = field(metadata={"joined": max})
    rising: float = field(metadata={"joined": max})
