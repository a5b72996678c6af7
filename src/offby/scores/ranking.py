"""How well scores rank: AUC, average precision, Kolmogorov-Smirnov, gain and lift."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from offby.errors import MeasureError
from offby.scores.counts import Floats, ScoreCounts
from offby.scores.estimate import (
    SHARE,
    Best,
    Bracket,
    Estimate,
    estimate,
    mean_error,
    standard_error,
    sum_of_squares,
)

Influence = tuple[Floats, Floats]
"""How much a positive and a negative row of each cell move a statistic, times the total weight."""
_ALONE = "one row of a class"


def roc_auc(counts: ScoreCounts, confidence: float = 0.95) -> Estimate:
    """The chance that a positive row outscores a negative one; ties count half.

    The standard error is DeLong's (1988), the interval on the logit scale. Where a cell holds
    several scores, its pairs may all be won or all lost: that is the bracket.

    >>> roc_auc(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).value
    0.75
    """
    counts.need_both_classes()
    lost_to = counts.false_positive - counts.negative / 2
    lost = float(np.sum(counts.positive * lost_to))
    won = float(np.sum(counts.positive * (counts.negatives - lost_to)))
    value = won / (won + lost)
    error = _delong_error(counts, lost_to, value)
    fewer = min(counts.effective_positives, counts.effective_negatives)
    if counts.low.size == 1:
        return Estimate(value, bracket=_pairs_bracket(counts, value),
                        unsure="every row has the same score")  # fmt: skip
    bracket = _pairs_bracket(counts, value)
    return estimate(value, error, fewer, confidence, SHARE, bracket, _ALONE)


def _delong_error(counts: ScoreCounts, lost_to: Floats, value: float) -> float:
    """Each class's share: the variance of its rows' winning rates against the other class."""
    of_positive, of_negative = _placements(counts, lost_to, value)
    squares = (sum_of_squares(counts.positive2, of_positive),
               sum_of_squares(counts.negative2, of_negative))  # fmt: skip
    return math.hypot(
        mean_error(squares[0], counts.positives, counts.effective_positives),
        mean_error(squares[1], counts.negatives, counts.effective_negatives),
    )


def _placements(counts: ScoreCounts, lost_to: Floats, value: float) -> Influence:
    """How often a row of each cell wins against the other class, less the average."""
    return (1 - lost_to / counts.negatives - value,
            (counts.true_positive - counts.positive / 2) / counts.positives - value)  # fmt: skip


def auc_influence(counts: ScoreCounts) -> Influence:
    """How a row of each cell moves the area under the ROC curve; there are rows of both classes.

    >>> auc_influence(ScoreCounts.of([0, 1, 1], [0.1, 0.2, 0.0]))[0].tolist()
    [-0.75, 0.0, 0.75]
    """
    lost_to = counts.false_positive - counts.negative / 2
    value = 1 - float(np.sum(counts.positive * lost_to)) / (counts.positives * counts.negatives)
    of_positive, of_negative = _placements(counts, lost_to, value)
    rate = counts.base_rate
    return of_positive / rate, of_negative / (1 - rate)


def _pairs_bracket(counts: ScoreCounts, value: float) -> Bracket | None:
    if counts.exact:
        return None
    pairs = float(np.sum((counts.positive * counts.negative)[counts.low < counts.high]))
    half = pairs / (2 * counts.positives * counts.negatives)
    return value - half, value + half


def average_precision(counts: ScoreCounts, confidence: float = 0.95) -> Estimate:
    """The mean, over positive rows, of the precision among the rows that score at least as much.

    As scikit-learn defines it: steps, no interpolation, tied rows enter together.

    >>> round(average_precision(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).value, 6)
    0.833333
    """
    counts.need_both_classes()
    above = counts.true_positive + counts.false_positive
    precision = counts.true_positive / above
    value = float(np.sum(counts.positive * precision)) / counts.positives
    error = standard_error(counts, *precision_influence(counts))
    n = counts.effective_positives
    return estimate(value, error, n, confidence, SHARE, _precision_bracket(counts), _ALONE)


def precision_influence(counts: ScoreCounts) -> Influence:
    """How a row of each cell moves average precision E[y A(S) / M(S)] / E[y].

    Here A(s) = E[y, S >= s] and M(s) = P(S >= s). A row at s adds to A and M of every positive row
    that scores at most s, which adds up to y E[y, S <= s; 1/M] - E[y, S <= s; A/M²].
    """
    above = counts.true_positive + counts.false_positive
    precision = counts.true_positive / above
    value = float(np.sum(counts.positive * precision)) / counts.positives
    each = counts.positive / above
    raises, lowers = np.cumsum(each), np.cumsum(each * precision)
    rate = counts.base_rate
    return (precision + raises - lowers - value) / rate, -lowers / rate


def _precision_bracket(counts: ScoreCounts) -> Bracket | None:
    """In a cell of several scores the positive rows stand first, or last and one by one.

    One by one, their precision rises from a/(a+c) to (a+p)/(a+p+c), with c negative rows above;
    its integral bounds the sum from below whatever their weights are.
    """
    if counts.exact:
        return None
    a = counts.true_positive - counts.positive
    c, first = counts.false_positive, counts.false_positive - counts.negative
    tied = counts.positive * counts.true_positive / (counts.true_positive + c)
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = counts.positive - c * np.log1p(counts.positive / (a + c))
        best = counts.positive * (a + counts.positive) / (a + counts.positive + first)
    known = (counts.low == counts.high) | (counts.positive == 0) | (c == 0)
    low, high = (float(np.sum(np.where(known, tied, x))) / counts.positives for x in (worst, best))
    return low, min(high, 1.0)


def kolmogorov_smirnov(counts: ScoreCounts, confidence: float = 0.95) -> Best:
    """The largest gap between the true and the false positive rate, and the threshold it is at.

    The standard error holds the threshold fixed: exact to first order, since the gap is largest
    there, but blind to the optimism of a maximum, about as large itself if positive rows are few.

    >>> kolmogorov_smirnov(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).threshold
    0.8
    """
    counts.need_both_classes()
    gaps = counts.true_positive / counts.positives - counts.false_positive / counts.negatives
    at = gaps.size - 1 - int(np.argmax(gaps[::-1]))  # of equal gaps the one of fewest alarms
    value = max(float(gaps[at]), 0.0)
    fewer = min(counts.effective_positives, counts.effective_negatives)
    found = estimate(value, _gap_error(counts, at), fewer, confidence, SHARE,
                     _gap_bracket(counts, gaps, value), _ALONE)  # fmt: skip
    return Best(float(counts.low[at]) if value > 0 else math.inf, found)


def _gap_error(counts: ScoreCounts, at: int) -> float:
    """Of the difference of two independent shares."""
    parts = []
    for above, squares, whole, n in (
        (counts.true_positive, counts.positive2, counts.squares[0], counts.effective_positives),
        (counts.false_positive, counts.negative2, counts.squares[1], counts.effective_negatives),
    ):
        rate, top = float(above[at] / above[0]), float(np.sum(squares[at:]))
        spread = top * (1 - rate) ** 2 + (whole - top) * rate**2
        parts.append(mean_error(spread, float(above[0]), n))
    return math.hypot(*parts)


def _gap_bracket(counts: ScoreCounts, gaps: Floats, value: float) -> Bracket | None:
    """The gap may be larger inside a cell: at most as if its positive rows came first."""
    if counts.exact:
        return None
    inside = (gaps + counts.negative / counts.negatives)[counts.low < counts.high]
    return value, max(float(np.max(inside)), value)


@dataclass(frozen=True)
class _Top:
    """The rows that score most: all of the cells above one, and a part of that one."""

    cell: int
    part: float
    captured: float
    rate: float


def gain(counts: ScoreCounts, share: float, confidence: float = 0.95) -> Estimate:
    """The share of the positive rows that the top `share` of rows holds.

    Of a cell that is only needed in part, tied rows enter in proportion.

    >>> gain(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 0.5).value
    0.5
    """
    counts.need_both_classes()
    if not 0 < share <= 1:
        raise MeasureError(f"a share of rows lies above 0 and is at most 1, not {share:g}")
    top = _top(counts, share)
    value = min(top.captured / counts.positives, 1.0)
    error = _top_error(counts, top, share, value)
    bracket = _top_bracket(counts, top)
    n = counts.effective_positives
    return estimate(value, error, n, confidence, SHARE, bracket, _ALONE)


def lift(counts: ScoreCounts, share: float, confidence: float = 0.95) -> Estimate:
    """How many times the base rate the rate of positive rows is in the top `share` of rows.

    >>> lift(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 0.25).value
    2.0
    """
    found = gain(counts, share, confidence)
    bracket = found.bracket and (found.bracket[0] / share, found.bracket[1] / share)
    scaled = replace(found, value=found.value / share, bracket=bracket)
    if found.standard_error is None or found.low is None or found.high is None:
        return scaled
    return replace(scaled, standard_error=found.standard_error / share,
                   low=found.low / share, high=found.high / share)  # fmt: skip


def _top(counts: ScoreCounts, share: float) -> _Top:
    target = share * counts.total
    above = counts.true_positive + counts.false_positive
    cell = _cell_at(above, target)
    inside = float(counts.weight[cell])
    part = min(max((target - float(above[cell]) + inside) / inside, 0.0), 1.0)
    captured = float(counts.true_positive[cell] - (1 - part) * counts.positive[cell])
    return _Top(cell, part, captured, _rate_near(counts, above, share))


def _cell_at(above: Floats, target: float) -> int:
    """The highest cell above and in which at least so much weight lies."""
    return max(int(np.searchsorted(-above, -target, side="right")) - 1, 0)


def _rate_near(counts: ScoreCounts, above: Floats, share: float) -> float:
    """The rate of positive rows about the end of the top: what a row more would bring.

    Over a window of ranks that narrows as rows come in, at the usual rate of a kernel's.
    """
    reach = min(share, 1 - share) * counts.effective_n ** (-0.2)
    first, last = (_cell_at(above, (share + side) * counts.total) for side in (reach, -reach))
    return float(
        np.sum(counts.positive[first : last + 1]) / np.sum(counts.weight[first : last + 1])
    )


def _top_error(counts: ScoreCounts, top: _Top, share: float, value: float) -> float:
    """From the influence of a row: on the rows captured, and on where the top ends."""
    cuts = (slice(top.cell + 1, None), slice(top.cell, top.cell + 1), slice(0, top.cell))
    squares = 0.0
    for inside, cut in zip((1.0, top.part, 0.0), cuts, strict=True):
        moved = top.rate * (inside - share)
        squares += float(np.sum(counts.positive2[cut])) * (inside - moved - value) ** 2
        squares += float(np.sum(counts.negative2[cut])) * moved**2
    return mean_error(squares, counts.total, counts.effective_n) / counts.base_rate


def _top_bracket(counts: ScoreCounts, top: _Top) -> Bracket | None:
    """Which rows of the cell at the end belong to the top is unknown if it holds several scores."""
    if counts.exact:
        return None
    at = top.cell
    positive, negative = float(counts.positive[at]), float(counts.negative[at])
    taken, sure = top.part * (positive + negative), top.captured - top.part * positive
    if counts.low[at] == counts.high[at]:
        return top.captured / counts.positives, top.captured / counts.positives
    fewest, most = max(taken - negative, 0.0), min(positive, taken)
    return (sure + fewest) / counts.positives, min((sure + most) / counts.positives, 1.0)
