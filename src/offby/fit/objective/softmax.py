"""Several classes: a score for each, whose softmax are the chances (multinomial regression)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.fit.data.rows import Source
from offby.fit.objective.certificate import Certificate, Proof, concluded
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.places import Places
from offby.fit.objective.problem import Point, Rises
from offby.fit.objective.spread import Spread
from offby.fit.objective.step import Step, newton_step
from offby.fit.objective.sums import Sums
from offby.fit.passes.blocks import Block, Linear, over_rows, scale_of


@dataclass(frozen=True, eq=False)
class SoftmaxProblem:
    """Rows whose y is the number of their class; `places` says what is searched for."""

    source: Source
    linear: Linear
    places: Places
    penalty: Penalty

    convex = True
    piecewise = False
    provable = True
    kink = None

    def scale(self) -> Floats:
        """The root mean square of the column that each place goes with: (size,)."""
        return scale_of(self.source, self.linear)[self.places.columns]

    def outputs(self, at: Floats) -> tuple[Floats, Floats]:
        """Coefficients (outputs, p) and intercepts (outputs,) for the features as they came."""
        pairs = [self.linear.uncentred(one) for one in self.places.by_class(at)]
        return np.stack([b for b, _ in pairs]), np.array([a for _, a in pairs])

    def row_slopes(self, y_true: Floats, scores: Floats) -> Floats:
        """The slope of each row's loss towards its scores: (n, outputs)."""
        return softmax_slopes(y_true, scores)

    def gathered(self, slopes: Floats) -> Floats:
        """Slopes in the coefficients of each output, intercept last, as one vector: (size,)."""
        return self.places.slope(slopes)

    def point(self, at: Floats, share: float = 0.0, *, bend: bool = True) -> Point:
        """Look at a place; `share` of the largest bend that the loss can have is mixed in."""

        def of_block(block: Block) -> Sums:
            chances, value = _softmax(self._scores(block, at), block)
            return Sums(
                block.y.size,
                block.total(),
                float(block.weighted(value).sum()),
                self._times(block, chances - _one_hot(block.y, chances)),
                self._bends(block, chances, share) if bend else None,
            )

        none = Sums(0, 0.0, 0.0, np.zeros(self.places.size), self._nothing() if bend else None)
        sums = over_rows(self.source, self.linear, of_block, none)
        objective = sums.value / sums.weight + self.penalty.value(at)
        mean_bend = None if sums.bend is None else self.places.bend(sums.bend) / sums.weight
        return Point(at, float(objective), sums.slope / sums.weight, mean_bend)

    def step(self, bend: Floats, slope: Floats, at: Floats) -> Step:
        """The Newton step from `at`."""
        return newton_step(bend, slope, self.penalty, at)

    def certify(self, at: Floats, step: Floats) -> Certificate:
        """The objective at `at + step`, and the gap that the Newton step's dual proves.

        The dual of a row is t less its label, where t is a point of the simplex; its excess is the
        divergence of t from the chances. Where t is none, the dual 0 still proves that no loss is
        below 0.
        """

        def of_block(block: Block) -> Proof:
            before, move = self._scores(block, at), self._scores(block, step)
            chances, _ = _softmax(before, block)
            inside = chances * (1 + move - np.sum(chances * move, axis=1, keepdims=True))
            after, value = _softmax(before + move, block)
            labels, counts = _one_hot(block.y, chances), block.counts()
            feasible = bool(np.all(inside[counts] >= 0))
            excess = special.kl_div(np.maximum(inside, 0.0), after).sum(axis=1)
            dual = inside - labels
            return Proof(
                block.total(),
                float(block.weighted(value).sum()),
                float(block.weighted(excess)[counts].sum()),
                1.0 if feasible else 0.0,
                self._times(block, after - labels),
                self._times(block, dual),
                float(block.weighted((dual**2).sum(axis=1)).sum()),
                block.squares()[self.places.columns],
            )

        zero = np.zeros(self.places.size)
        none = Proof(0.0, 0.0, 0.0, 1.0, zero, zero, 0.0, zero)
        proof = over_rows(self.source, self.linear, of_block, none)
        return concluded(proof, self.penalty, at + step)

    def prove(self, point: Point, step: Step) -> Certificate:
        """The objective where a Newton step leads, and its gap."""
        return self.certify(point.at, step.direction)

    def along(self, at: Floats, step: Floats, lengths: Floats) -> Floats:
        """The objective at `at + length · step` for each length: (lengths,)."""

        def of_block(block: Block) -> Floats:
            start, move = self._scores(block, at), self._scores(block, step)
            values = (_softmax(start + t * move, block)[1] for t in lengths)
            return np.array([block.total(), *(block.weighted(value).sum() for value in values)])

        total = over_rows(self.source, self.linear, of_block, np.zeros(1 + lengths.size))
        penalties = [self.penalty.value(at + t * step) for t in lengths]
        return np.asarray(total[1:] / total[0] + penalties)

    def escapes(self, at: Floats, step: Floats) -> bool:
        """Whether the loss of no row rises along the step, so that it falls without end."""
        if not self.penalty.none:
            return False

        def of_block(block: Block) -> Rises:
            move = self._scores(block, step)
            chances, _ = _softmax(self._scores(block, at), block)
            own = _one_hot(block.y, chances)
            others = np.where(own, 0.0, chances)  # not 1 - chance, which is 0 for one of 1e-17
            counts = block.counts()
            largest = float(np.ptp(move[counts], axis=1).max(initial=0.0))
            size = np.maximum(2 * others.sum(axis=1), np.finfo(float).tiny)
            nearer = move - np.sum(own * move, axis=1)[:, None]
            rise = np.sum(others / size[:, None] * nearer, axis=1)
            return Rises(largest, float(rise[counts].max(initial=0.0)))

        rises = over_rows(self.source, self.linear, of_block, Rises(0.0, 0.0))
        return rises.largest > 0.5 and rises.rising <= 1e-3 * rises.largest

    def spread(self, at: Floats) -> Spread:
        """What the covariance at `at` is made of."""

        def of_block(block: Block) -> Spread:
            chances, _ = _softmax(self._scores(block, at), block)
            slopes = chances - _one_hot(block.y, chances)
            weight = block.weighted(np.ones(block.y.size))
            return Spread(
                int(np.count_nonzero(block.counts())),
                block.total(),
                float(weight @ (slopes**2).sum(axis=1)),
                float(weight @ (chances * (1 - chances)).sum(axis=1)),
                self._bends(block, chances),
                self._pairs(block, block.weighted(-slopes.T), slopes.T),
            )

        none = Spread(0, 0.0, 0.0, 0.0, self._nothing(), self._nothing())
        found = over_rows(self.source, self.linear, of_block, none)
        bend, meat = self.places.bend(found.bend), self.places.bend(found.meat)
        return replace(found, bend=bend, meat=meat)

    def _nothing(self) -> Floats:
        one, classes = self.linear.size, self.places.classes
        return np.zeros((classes, one, classes, one))

    def _scores(self, block: Block, at: Floats) -> Floats:
        return np.stack([block.score(row) for row in self.places.by_class(at)], axis=1)

    def _times(self, block: Block, slopes: Floats) -> Floats:
        """The sum over rows of what each place's slope is there, for slopes (n, K): (size,)."""
        columns = np.ascontiguousarray(slopes.T)
        return self.places.slope(np.stack([block.times(block.weighted(one)) for one in columns]))

    def _bends(self, block: Block, chances: Floats, share: float = 0.0) -> Floats:
        """The sum over rows of (diag q - q q') ⊗ z z', and a share of what bounds it.

        1/2 bounds softmax's bend in the contrasts (Böhning 1992).
        """
        columns = np.ascontiguousarray(chances.T)
        return self._pairs(block, (1 - share) * columns, columns, share / (2 * len(columns)))

    def _pairs(self, block: Block, left: Floats, right: Floats, more: float = 0.0) -> Floats:
        """The sum over rows of M ⊗ z z', where M[a, b] = -(left[a] right[b] + more): (K, s, K, s).

        Each row of M adds up to 0, so its diagonal need not be computed, and nothing cancels.
        """
        found = self._nothing()
        for a in range(len(left)):
            for b in range(a):
                gram = block.gram(block.weighted(left[a] * right[b] + more))
                found[a, :, b] = found[b, :, a] = -gram
                found[a, :, a] += gram
                found[b, :, b] += gram
        return found


def softmax_slopes(y_true: Floats, scores: Floats) -> Floats:
    """The slope of each row's cross-entropy towards its scores, where y is its class: (n, K).

    >>> softmax_slopes(np.array([1.0]), np.zeros((1, 2)))
    array([[ 0.5, -0.5]])
    """
    return np.asarray(special.softmax(scores, axis=1) - _one_hot(y_true, scores))


def _softmax(scores: Floats, block: Block) -> tuple[Floats, Floats]:
    """The chances (n, K), and the cross-entropy of each row (n,)."""
    moved = scores - scores.max(axis=1, keepdims=True)
    own = np.take_along_axis(moved, block.y.astype(np.intp)[:, None], axis=1)[:, 0]
    chances = np.exp(moved)
    whole = chances.sum(axis=1)
    chances /= whole[:, None]
    return chances, np.log(whole) - own


def _one_hot(y_true: Floats, scores: Floats) -> Floats:
    return np.asarray(y_true[:, None] == np.arange(scores.shape[1]), np.float64)
