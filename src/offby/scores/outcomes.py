"""What comes of a yes at a threshold: the four outcomes, and ratios of them with their errors.

A row that scores at least the threshold is a yes. Of a cell that holds scores on both sides of the
threshold all rows are on the side of its middle; brackets say how far that can be off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.measures.aggregate import Undefined
from offby.scores.counts import Floats, ScoreCounts
from offby.scores.estimate import SHARE, Best, Bracket, Estimate, estimate

Four = tuple[float, float, float, float]
"""A number for true positives, false positives, false negatives and true negatives."""
Yes = tuple[Floats, Floats]
"""The weights of the positive and of the negative rows that are a yes."""


@dataclass(frozen=True)
class Ratio:
    """A sum over rows, each counted by its outcome, over another: precision is TP / (TP + FP)."""

    over: Four
    under: Four
    within: tuple[float, float] = SHARE

    def value(self, counts: ScoreCounts, yes: Yes) -> Floats:
        """The ratio; NaN where it is 0/0."""
        with np.errstate(invalid="ignore"):
            return _sum(counts, yes, self.over) / _sum(counts, yes, self.under)

    def error(self, counts: ScoreCounts, first: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Its standard error if the cells from `first` on are a yes, and the effective rows."""
        yes, squares = yes_from(counts, first), _squares(counts, first)
        value, held = self.value(counts, yes), [float(part > 0) for part in self.under]
        psi = [over - value * under for over, under in zip(self.over, self.under, strict=True)]
        spread = sum(square * part**2 for square, part in zip(squares, psi, strict=True))
        rows = sum(square * part for square, part in zip(squares, held, strict=True))
        n = _sum(counts, yes, (held[0], held[1], held[2], held[3])) ** 2 / rows
        scale = np.sqrt(n / np.maximum(n - 1, 1e-9)) / _sum(counts, yes, self.under)
        return np.sqrt(spread) * scale, n


PRECISION = Ratio((1, 0, 0, 0), (1, 1, 0, 0))
RECALL = Ratio((1, 0, 0, 0), (1, 0, 1, 0))
F1 = Ratio((2, 0, 0, 0), (2, 1, 1, 0))


def first_yes(counts: ScoreCounts, threshold: float) -> int:
    """The lowest cell that is a yes at a threshold; one past the last where none is."""
    return int(np.searchsorted(counts.middle, threshold))


def yes_from(counts: ScoreCounts, first: NDArray[np.int64]) -> Yes:
    """The rows of these cells and of all above."""
    held = first < counts.low.size
    at = np.minimum(first, counts.low.size - 1)
    return held * counts.true_positive[at], held * counts.false_positive[at]


def _sum(counts: ScoreCounts, yes: Yes, each: Four) -> Floats:
    """The sum over all rows of a number for each outcome."""
    total = np.asarray(counts.positives * each[2] + counts.negatives * each[3])
    for part, weight in ((yes[0], each[0] - each[2]), (yes[1], each[1] - each[3])):
        total = total + weight * part if weight else total
    return total


def _squares(counts: ScoreCounts, first: NDArray[np.int64]) -> tuple[Floats, ...]:
    """The summed squared weights of the four outcomes."""
    held, at = first < counts.low.size, np.minimum(first, counts.low.size - 1)
    above = [held * c[at] for c in (counts.true_positive2, counts.false_positive2)]
    below = [whole - part for whole, part in zip(counts.squares, above, strict=True)]
    return (*above, *below)


def ratio_at(counts: ScoreCounts, ratio: Ratio, threshold: float, confidence: float) -> Estimate:
    """A ratio at a threshold; raises `Undefined` where it is 0/0."""
    first = first_yes(counts, threshold)
    if math.isnan(_value(counts, ratio, first)):
        raise Undefined(f"no row scores {threshold:g} or more")
    return _estimate(counts, ratio, first, confidence, order_bracket(counts, ratio, threshold))


def _value(counts: ScoreCounts, ratio: Ratio, first: int) -> float:
    return float(ratio.value(counts, yes_from(counts, np.array([first])))[0])


def _estimate(
    counts: ScoreCounts, ratio: Ratio, first: int, confidence: float, bracket: Bracket | None
) -> Estimate:
    error, n = (float(part[0]) for part in ratio.error(counts, np.array([first])))
    value = _value(counts, ratio, first)
    return estimate(value, error, n, confidence, ratio.within, bracket)


def order_bracket(counts: ScoreCounts, ratio: Ratio, threshold: float) -> Bracket | None:
    """A ratio of sums is extreme where all positive, and all negative, rows are on one side."""
    if counts.exact:
        return None
    ends = [int(np.searchsorted(c, threshold)) for c in (counts.high, counts.low)]
    positive, negative = yes_from(counts, np.array(ends))
    corners = ratio.value(counts, (positive[[0, 0, 1, 1]], negative[[0, 1, 0, 1]]))
    return float(np.nanmin(corners)), float(np.nanmax(corners))


def best(counts: ScoreCounts, ratio: Ratio, sign: int, confidence: float) -> Best:
    """The largest (sign 1) or smallest (-1) value at any threshold, and the highest such.

    Its standard error holds the threshold fixed: exact to first order, since no other threshold is
    better, but blind to the optimism of a best. Inside a cell of several scores there may be a
    better threshold: at most as if its positive rows came first.
    """
    values = np.append(ratio.value(counts, (counts.true_positive, counts.false_positive)),
                       _value(counts, ratio, counts.low.size))  # fmt: skip
    first = values.size - 1 - int(np.argmax(sign * values[::-1]))
    bracket = _best_bracket(counts, ratio, sign, float(values[first]))
    threshold = float(counts.low[first]) if first < counts.low.size else math.inf
    return Best(threshold, _estimate(counts, ratio, first, confidence, bracket))


def _best_bracket(counts: ScoreCounts, ratio: Ratio, sign: int, value: float) -> Bracket | None:
    if counts.exact:
        return None
    wide = counts.low < counts.high
    before = (counts.false_positive - counts.negative)[wide]
    inside = sign * ratio.value(counts, (counts.true_positive[wide], before))
    most = sign * max(float(np.max(inside)), sign * value)
    return min(value, most), max(value, most)
