"""Curves for drawing: few points that look like all, each with the interval of its height."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.scores.counts import Floats, ScoreCounts
from offby.scores.estimate import wilson

POINTS = 500


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, an interval of each height, and the threshold each point stands for.

    An interval is of the height at its threshold, one at a time: no band for the whole curve.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats
    threshold: Floats


def thin(*columns: Floats, points: int = POINTS) -> NDArray[np.int64]:
    """The places of at most so many points, evenly spread along a curve; both ends are kept.

    The columns are its coordinates. Each point left out lies on a stretch of the curve no longer
    than 1/(points - 1) of its whole length, in sizes of the picture, from one that is kept.

    >>> thin(np.linspace(0, 1, 1001), np.zeros(1001), points=5).tolist()
    [0, 250, 500, 750, 1000]
    """
    if columns[0].size <= points:
        return np.arange(columns[0].size)
    along, step = np.zeros((2, columns[0].size - 1))
    for column in columns:
        np.abs(np.subtract(column[1:], column[:-1], out=step), out=step)
        step /= np.ptp(column) or 1.0
        along += step
    np.cumsum(along, out=along)
    steps = along[-1] * np.arange(1, points - 1) / (points - 1)
    return np.unique(np.concatenate([[0], np.searchsorted(along, steps) + 1, [along.size]]))


def roc_curve(counts: ScoreCounts, confidence: float = 0.95, points: int = POINTS) -> Curve:
    """The true positive rate (y) over the false positive rate (x), from the highest threshold.

    >>> curve = roc_curve(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    counts.need_both_classes()
    x, y = counts.false_positive / counts.negatives, counts.true_positive / counts.positives
    return _from_nothing(counts, x, y, confidence, points)


def gains_curve(counts: ScoreCounts, confidence: float = 0.95, points: int = POINTS) -> Curve:
    """The share of positive rows found (y) in the top share of all rows (x).

    >>> gains_curve(ScoreCounts.of([0, 1], [0.1, 0.4])).y.tolist()
    [0.0, 1.0, 1.0]
    """
    counts.need_both_classes()
    x = (counts.true_positive + counts.false_positive) / counts.total
    return _from_nothing(counts, x, counts.true_positive / counts.positives, confidence, points)


def _from_nothing(
    counts: ScoreCounts, x: Floats, y: Floats, confidence: float, points: int
) -> Curve:
    """A curve of the positive rows found, which begins where none are."""
    x, y, threshold = (
        np.append(column, start)[::-1]
        for column, start in ((x, 0.0), (y, 0.0), (counts.low, math.inf))
    )
    kept = thin(x, y, points=points)
    band = wilson(y[kept], counts.effective_positives, confidence)
    return Curve(x[kept], y[kept], *band, threshold[kept])


def precision_recall_curve(
    counts: ScoreCounts, confidence: float = 0.95, points: int = POINTS
) -> Curve:
    """Precision (y) over recall (x), from the highest threshold.

    >>> curve = precision_recall_curve(ScoreCounts.of([0, 1, 1], [0.4, 0.35, 0.8]))
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.5, 0.5, 1.0], [1.0, 0.5, 0.6666666666666666])
    """
    counts.need_both_classes()
    above = counts.true_positive + counts.false_positive
    x, y = counts.true_positive[::-1] / counts.positives, (counts.true_positive / above)[::-1]
    kept = thin(x, y, points=points)
    squares = np.cumsum((counts.positive2 + counts.negative2)[::-1])[kept]
    band = wilson(y[kept], above[::-1][kept] ** 2 / squares, confidence)
    return Curve(x[kept], y[kept], *band, counts.low[::-1][kept])
