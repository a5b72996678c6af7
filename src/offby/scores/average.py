"""A statistic of each of several classes, ranked against all others, and its average over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from offby.measures.aggregate import Undefined
from offby.scores.counts import Floats, ScoreCounts
from offby.scores.estimate import SHARE, Estimate, estimate
from offby.scores.ranking import (
    Influence,
    auc_influence,
    average_precision,
    precision_influence,
    roc_auc,
)


@dataclass(frozen=True)
class Ranked:
    """A statistic of a ranking, and how a row of each cell moves it."""

    of: Callable[[ScoreCounts, float], Estimate]
    influence: Callable[[ScoreCounts], Influence]


RANKED = {
    "roc_auc": Ranked(roc_auc, auc_influence),
    "average_precision": Ranked(average_precision, precision_influence),
}


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Some of the rows: the code of each one's class, its weight, and what more is known.

    `scores` has every class's score, and `losses` what the row costs by each score, where kept.
    """

    truth: Floats
    weight: Floats
    scores: tuple[Floats, ...] = ()
    losses: Mapping[str, Floats] = field(default_factory=dict)


def averaged(
    ranked: Ranked,
    each: Sequence[ScoreCounts],
    labels: Sequence[str],
    sampled: SampledRows | None = None,
    *,
    by_frequency: bool = False,
    confidence: float = 0.95,
) -> Estimate:
    """The mean over the classes, each against all others; or weighted by how often each comes.

    A row moves the statistics of all classes together, which counts a class cannot tell. How far
    their errors cancel is learnt from some rows; without them the standard error is the mean of
    the classes' own, which the true one never exceeds. Raises `Undefined` where a class has none.

    >>> one = ScoreCounts.of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> averaged(RANKED["roc_auc"], [one, one], ["a", "b"]).value
    0.75
    """
    found = [_of_class(ranked, *pair, confidence) for pair in zip(each, labels, strict=True)]
    shares = _shares([counts.base_rate for counts in each], by_frequency)
    value = _mean(shares, [one.value for one in found])
    error = _mean(shares, [one.standard_error or 0.0 for one in found])  # 0 where all is right
    if by_frequency:
        apart = [(one.value - value) ** 2 for one in found]
        error += math.sqrt(_mean(shares, apart) / each[0].effective_n)
    if sampled is not None and sampled.scores:
        error *= cancelled(ranked, sampled, by_frequency=by_frequency)
    fewest = [min(counts.effective_positives, counts.effective_negatives) for counts in each]
    alone = f"one row of {labels[int(np.argmin(fewest))]!r}"
    return estimate(value, error, min(fewest), confidence, SHARE, _bracket(shares, found), alone)


def _of_class(ranked: Ranked, counts: ScoreCounts, label: str, confidence: float) -> Estimate:
    if not counts.positives or not counts.negatives:
        raise Undefined(f"{'no row' if not counts.positives else 'every row'} is {label!r}")
    return ranked.of(counts, confidence)


def _shares(rates: Sequence[float], by_frequency: bool) -> Sequence[float]:
    return rates if by_frequency else [1 / len(rates)] * len(rates)


def _mean(shares: Sequence[float], values: Sequence[float]) -> float:
    return min(math.fsum(a * b for a, b in zip(shares, values, strict=True)), 1.0)


def _bracket(shares: Sequence[float], found: Sequence[Estimate]) -> tuple[float, float] | None:
    if all(one.bracket is None for one in found):
        return None
    ends = [one.bracket or (one.value, one.value) for one in found]
    return _mean(shares, [low for low, _ in ends]), _mean(shares, [high for _, high in ends])


def cancelled(ranked: Ranked, rows: SampledRows, *, by_frequency: bool) -> float:
    """The standard error of the average over that of classes that would err as one: at most 1.

    1 where some class is missing among the rows.
    """
    each = [ScoreCounts.of(rows.truth == k, score, rows.weight)
            for k, score in enumerate(rows.scores)]  # fmt: skip
    if any(not counts.positives or not counts.negatives for counts in each):
        return 1.0
    shares = _shares([counts.base_rate for counts in each], by_frequency)
    moved = [share * _of_rows(ranked, counts, rows.truth == k, score) for k, (share, counts, score)
             in enumerate(zip(shares, each, rows.scores, strict=True))]  # fmt: skip
    if by_frequency:
        values = np.array([ranked.of(counts, 0.95).value for counts in each])
        moved.append(values[rows.truth.astype(np.int64)] - shares @ values)
    apart = math.fsum(_size(one, rows.weight) for one in moved)
    return min(_size(np.sum(moved, axis=0), rows.weight) / apart, 1.0) if apart else 1.0


def _of_rows(ranked: Ranked, counts: ScoreCounts, positive: Floats, score: Floats) -> Floats:
    """How each row moves the statistic of one class."""
    cell = np.searchsorted(counts.low, score)
    of_positive, of_negative = ranked.influence(counts)
    return np.where(positive, of_positive[cell], of_negative[cell])


def _size(moved: Floats, weight: Floats) -> float:
    return float(np.linalg.norm(weight * moved))
