"""Rows counted by score: all that ranking, calibration and thresholds need to know of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.errors import DataError
from offby.measures.aggregate import Undefined

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Rows counted by score: for each of the sorted cells its ends, and what fell in it by class.

    `low` and `high` are the least and the largest score that a cell may hold (equal: exact);
    `positive` and `negative` its summed weights by class, `positive2` and `negative2` its summed
    squared weights. Without weights all four are counts. A cell without weight is dropped.

    >>> counts = ScoreCounts.of([0, 1, 1, 0], [0.2, 0.7, 0.2, 0.5])
    >>> counts.middle.tolist(), counts.positive.tolist(), counts.negative.tolist()
    ([0.2, 0.5, 0.7], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0])
    """

    low: Floats
    high: Floats
    positive: Floats
    negative: Floats
    positive2: Floats
    negative2: Floats

    def __post_init__(self) -> None:
        held = self.weight > 0
        if not held.all():
            for field in fields(self):
                object.__setattr__(self, field.name, getattr(self, field.name)[held])
            object.__setattr__(self, "weight", self.weight[held])
        if not self.low.size:
            raise Undefined("there are no rows")

    @classmethod
    def of(
        cls, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Count rows; equal scores share a cell."""
        truth, score = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
        weight = np.ones_like(truth) if sample_weight is None else np.asarray(sample_weight, float)
        _check(truth, score, weight)
        values, place = np.unique(score, return_inverse=True)
        by_class = [
            np.bincount(place, size * (truth == label), values.size).astype(np.float64)
            for size in (weight, weight * weight)
            for label in (1, 0)
        ]
        return cls(values, values, *by_class)

    @cached_property
    def weight(self) -> Floats:
        """The summed weight of each cell."""
        return self.positive + self.negative

    @cached_property
    def middle(self) -> Floats:
        """The middle of the scores that each cell may hold."""
        return self.low if self.exact else np.asarray(self.low + (self.high - self.low) / 2)

    @cached_property
    def exact(self) -> bool:
        """Whether every cell is one score."""
        return self.low is self.high or bool(np.array_equal(self.low, self.high))

    @cached_property
    def true_positive(self) -> Floats:
        """The weight of the positive rows in this cell and all above."""
        return _from_top(self.positive)

    @cached_property
    def false_positive(self) -> Floats:
        """The weight of the negative rows in this cell and all above."""
        return _from_top(self.negative)

    @cached_property
    def true_positive2(self) -> Floats:
        """The squared weights of the positive rows in this cell and all above."""
        unweighted = self.positive2 is self.positive
        return self.true_positive if unweighted else _from_top(self.positive2)

    @cached_property
    def false_positive2(self) -> Floats:
        """The squared weights of the negative rows in this cell and all above."""
        unweighted = self.negative2 is self.negative
        return self.false_positive if unweighted else _from_top(self.negative2)

    @property
    def positives(self) -> float:
        """The weight of all positive rows, added in the order of `true_positive`."""
        return float(self.true_positive[0])

    @property
    def negatives(self) -> float:
        """The weight of all negative rows, added in the order of `false_positive`."""
        return float(self.false_positive[0])

    @property
    def total(self) -> float:
        """The weight of all rows."""
        return self.positives + self.negatives

    @property
    def base_rate(self) -> float:
        """The share of the weight that is positive."""
        return self.positives / self.total

    @property
    def squares(self) -> tuple[float, float]:
        """The sums of squared weights: of the positive rows, of the negative ones."""
        return float(self.true_positive2[0]), float(self.false_positive2[0])

    @property
    def effective_n(self) -> float:
        """(sum w)^2 / sum w^2: how many rows of equal weight would be as sure."""
        return self.total**2 / sum(self.squares)

    @property
    def effective_positives(self) -> float:
        """The same of the positive rows."""
        return self.positives**2 / self.squares[0]

    @property
    def effective_negatives(self) -> float:
        """The same of the negative rows."""
        return self.negatives**2 / self.squares[1]

    def need_both_classes(self) -> None:
        """Raise `Undefined` unless there are positive and negative rows."""
        if not self.positives or not self.negatives:
            raise Undefined(f"all rows are {'negative' if self.negatives else 'positive'}")

    def need_probabilities(self) -> None:
        """Raise `Undefined` unless every score may be a probability."""
        least, most = float(self.low[0]), float(self.high[-1])
        if least < 0 or most > 1:
            raise Undefined(f"the scores are no probabilities: they reach {least:g} to {most:g}")

    def equal_mass(self, groups: int) -> NDArray[np.int64]:
        """The first cell of each of up to so many groups of equal weight; no cell is split."""
        upto = np.cumsum(self.weight)
        edges = upto[-1] / groups * np.arange(1, groups)
        # a cell belongs to the group in which its middle row falls
        starts = np.searchsorted(upto - self.weight / 2, edges, side="right")
        starts = np.unique(np.append(0, starts))
        return starts[starts < upto.size]

    def grouped(self, starts: NDArray[np.int64]) -> Self:
        """Neighbouring cells as one, each group from one of these starts to the next."""
        ends = np.append(starts[1:], self.low.size) - 1
        sums = (self.positive, self.negative, self.positive2, self.negative2)
        added = (np.add.reduceat(column, starts) for column in sums)
        return type(self)(self.low[starts], self.high[ends], *added)


def _from_top(column: Floats) -> Floats:
    return np.cumsum(column[::-1])[::-1]


def _check(truth: Floats, score: Floats, weight: Floats) -> None:
    if not (truth.ndim == 1 and truth.shape == score.shape == weight.shape):
        shapes = ", ".join(str(column.shape) for column in (truth, score, weight))
        raise DataError(f"labels, scores and weights must be columns of one length, not {shapes}")
    if not np.isin(truth, (0, 1)).all():
        raise DataError("a label is neither 0 nor 1")
    if not np.isfinite(score).all():
        raise DataError("a score is not a finite number")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise DataError("a weight is negative or not finite")
