"""What a mean score is made of: miscalibration, discrimination and the uncertainty of events."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from offby.scores.counts import Floats, ScoreCounts
from offby.scores.estimate import Estimate, estimate, standard_error

Score = Literal["brier", "log"]
_FITTED = "recalibration on the same rows makes it too large"


@dataclass(frozen=True, eq=False)
class Isotonic:
    """The rising steps nearest to the outcomes: the scores' best recalibration on these rows.

    `rate` is the fitted rate of each cell; `blocks` are the steps, as cells.
    """

    rate: Floats
    blocks: ScoreCounts


def isotonic(counts: ScoreCounts) -> Isotonic:
    """The isotonic regression of the outcome on the score (pool adjacent violators).

    >>> isotonic(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])).rate.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    from scipy.optimize import isotonic_regression  # costs 0.2 s to import

    starts = isotonic_regression(counts.positive / counts.weight, weights=counts.weight).blocks[:-1]
    blocks = counts.grouped(starts)
    sizes = np.diff(starts, append=counts.low.size)
    return Isotonic(np.repeat(blocks.positive / blocks.weight, sizes), blocks)


@dataclass(frozen=True)
class Decomposition:
    """mean = miscalibration - discrimination + uncertainty.

    `miscalibration` is what recalibration would save, `discrimination` what the recalibrated scores
    save over the base rate, and `uncertainty` the base rate's own mean score.
    """

    mean: Estimate
    miscalibration: Estimate
    discrimination: Estimate
    uncertainty: Estimate


def score_decomposition(
    counts: ScoreCounts, score: Score = "brier", confidence: float = 0.95
) -> Decomposition:
    """CORP (Dimitriadis, Gneiting & Jordan 2021) of the Brier score or of log loss.

    Cells stand at their middles; only the mean has a bracket. Recalibration on the same rows makes
    miscalibration and discrimination too large, both by as much; a perfect model's miscalibration
    is above zero. So neither has an interval.

    >>> parts = score_decomposition(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]))
    >>> [round(part.value, 4) for part in (parts.mean, parts.miscalibration)]
    [0.275, 0.15]
    >>> parts.discrimination.value, parts.uncertainty.value
    (0.125, 0.25)
    """
    counts.need_probabilities()
    blocks = isotonic(counts).blocks
    base = np.full(blocks.low.size, counts.base_rate)
    fitted = _losses(blocks, blocks.positive / blocks.weight, score)
    constant = _losses(blocks, base, score)
    better = constant[0] - fitted[0], constant[1] - fitted[1]
    mean = _mean(counts, _losses(counts, counts.middle, score), confidence)
    recalibrated = _mean(blocks, fitted, confidence).value
    miscalibration = Estimate(mean.value - recalibrated, unsure=_FITTED)
    return Decomposition(
        _with_bracket(mean, counts, score),
        miscalibration,
        replace(_mean(blocks, better, confidence), low=None, high=None, unsure=_FITTED),
        _mean(blocks, constant, confidence),
    )


def _losses(counts: ScoreCounts, chance: Floats, score: Score) -> tuple[Floats, Floats]:
    """What a positive and a negative row of each cell cost; 0 where there are none."""
    if score == "brier":
        return (1 - chance) ** 2, chance**2
    with np.errstate(divide="ignore"):
        return (np.where(counts.positive > 0, -np.log(chance), 0.0),
                np.where(counts.negative > 0, -np.log1p(-chance), 0.0))  # fmt: skip


def _mean(counts: ScoreCounts, losses: tuple[Floats, Floats], confidence: float) -> Estimate:
    value = _mean_value(counts, losses)
    if math.isinf(value):
        return Estimate(value, unsure="a row's score was certain and wrong")
    error = standard_error(counts, losses[0] - value, losses[1] - value)
    return estimate(value, error, counts.effective_n, confidence)


def _mean_value(counts: ScoreCounts, losses: tuple[Floats, Floats]) -> float:
    sums = counts.positive * losses[0]
    sums += counts.negative * losses[1]
    return float(np.sum(sums)) / counts.total


def _with_bracket(mean: Estimate, counts: ScoreCounts, score: Score) -> Estimate:
    """Losses fall with the score for a positive row, and rise with it for a negative one."""
    if counts.exact:
        return mean
    low, high = (_losses(counts, ends, score) for ends in (counts.low, counts.high))
    bracket = _mean_value(counts, (high[0], low[1])), _mean_value(counts, (low[0], high[1]))
    return replace(mean, bracket=bracket)
