"""Precision, recall and F1: at a threshold, along all of them, and the best F1."""

from __future__ import annotations

from dataclasses import dataclass

from offby.scores.counts import Floats, ScoreCounts
from offby.scores.curves import POINTS, Curve, thin
from offby.scores.estimate import Best, Estimate, wilson
from offby.scores.outcomes import F1, PRECISION, RECALL, best, ratio_at


def precision(counts: ScoreCounts, threshold: float, confidence: float = 0.95) -> Estimate:
    """The share of positive rows among those that score at least `threshold`.

    >>> precision(ScoreCounts.of([0, 1, 1, 0], [0.1, 0.2, 0.6, 0.7]), 0.5).value
    0.5
    """
    return ratio_at(counts, PRECISION, threshold, confidence)


def recall(counts: ScoreCounts, threshold: float, confidence: float = 0.95) -> Estimate:
    """The share of the positive rows that score at least `threshold`.

    >>> recall(ScoreCounts.of([0, 1, 1, 0], [0.1, 0.6, 0.8, 0.7]), 0.7).value
    0.5
    """
    counts.need_both_classes()
    return ratio_at(counts, RECALL, threshold, confidence)


def f1(counts: ScoreCounts, threshold: float, confidence: float = 0.95) -> Estimate:
    """The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    >>> f1(ScoreCounts.of([0, 1, 1, 0], [0.1, 0.2, 0.6, 0.7]), 0.5).value
    0.5
    """
    counts.need_both_classes()
    return ratio_at(counts, F1, threshold, confidence)


def best_f1(counts: ScoreCounts, confidence: float = 0.95) -> Best:
    """The largest F1 of any threshold; its standard error holds the threshold fixed.

    >>> found = best_f1(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.7]))
    >>> found.threshold, found.estimate.value
    (0.2, 0.8)
    """
    counts.need_both_classes()
    return best(counts, F1, 1, confidence)


@dataclass(frozen=True)
class AlongThresholds:
    """Precision, recall and F1 over the same rising thresholds, for drawing."""

    precision: Curve
    recall: Curve
    f1: Curve


def along_thresholds(
    counts: ScoreCounts, confidence: float = 0.95, points: int = POINTS
) -> AlongThresholds:
    """With Wilson's intervals; F1 is 2J / (1 + J) of the proportion J = TP / (TP + FP + FN).

    >>> along = along_thresholds(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.7]))
    >>> along.precision.x.tolist(), along.precision.y.round(2).tolist()
    ([0.1, 0.2, 0.6, 0.7], [0.5, 0.67, 0.5, 1.0])
    """
    counts.need_both_classes()
    yes = counts.true_positive, counts.false_positive
    heights = [ratio.value(counts, yes) for ratio in (PRECISION, RECALL, F1)]
    kept = thin(counts.low, *heights, points=points)
    at = counts.low[kept]
    curves = []
    for ratio, height in zip((PRECISION, RECALL, F1), heights, strict=True):
        _, n = ratio.error(counts, kept)
        band = (_wilson_f1 if ratio is F1 else wilson)(height[kept], n, confidence)
        curves.append(Curve(at, height[kept], *band, at))
    return AlongThresholds(*curves)


def _wilson_f1(f1: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    low, high = wilson(f1 / (2 - f1), n, confidence)
    return 2 * low / (1 + low), 2 * high / (1 + high)
