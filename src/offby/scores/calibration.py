"""Whether scores can be taken at their word: reliability, calibration error, slope and intercept.

Where a cell holds several scores its middle stands for them; brackets say how far that can be off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from offby.measures.aggregate import Undefined
from offby.scores.counts import Floats, ScoreCounts
from offby.scores.estimate import Bracket, Estimate, estimate, standard_error, wilson

BINS = 15
_GROUPS = 4096  # of cells, from which a fit begins
_STEPS = 50
_SMALL_STEP = 1e-7  # Newton's next would be the square of it


@dataclass(frozen=True, eq=False)
class Reliability:
    """Bins of about equal weight: their scores, and how often those came true.

    `score` is the mean score of each bin, `rate` its observed rate with Wilson's interval from
    `low` to `high`, `weight` its share of all weight, `first` and `last` the scores it reaches to.
    """

    score: Floats
    rate: Floats
    low: Floats
    high: Floats
    weight: Floats
    first: Floats
    last: Floats


def reliability(counts: ScoreCounts, bins: int = BINS, confidence: float = 0.95) -> Reliability:
    """The observed rate in each of up to so many bins of equal weight; equal scores stay together.

    >>> bins = reliability(ScoreCounts.of([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9]), 2)
    >>> bins.score.round(2).tolist(), bins.rate.tolist()
    ([0.15, 0.8], [0.0, 1.0])
    """
    binned, sums = _binned(counts, bins)
    rate = binned.positive / binned.weight
    n = binned.weight**2 / (binned.positive2 + binned.negative2)
    return Reliability(sums / binned.weight, rate, *wilson(rate, n, confidence),
                       binned.weight / binned.total, binned.low, binned.high)  # fmt: skip


def _binned(counts: ScoreCounts, bins: int) -> tuple[ScoreCounts, Floats]:
    """The bins as cells, and the sum of the scores in each."""
    counts.need_probabilities()
    starts = counts.equal_mass(bins)
    return counts.grouped(starts), np.add.reduceat(counts.weight * counts.middle, starts)


def calibration_in_the_large(
    counts: ScoreCounts, mean_score: float | None = None, confidence: float = 0.95
) -> Estimate:
    """The mean score less the base rate: above zero, events are foretold too often.

    `mean_score` is the exact mean where it is known from the rows.

    >>> round(calibration_in_the_large(ScoreCounts.of([0, 1, 0], [0.3, 0.9, 0.4])).value, 4)
    0.2
    """
    counts.need_probabilities()
    bracket = None
    if mean_score is None:
        mean_score = _mean(counts, counts.middle)
        if not counts.exact:
            ends = (_mean(counts, counts.low), _mean(counts, counts.high))
            bracket = (ends[0] - counts.base_rate, ends[1] - counts.base_rate)
    value = mean_score - counts.base_rate
    centred = counts.middle - value
    error = standard_error(counts, centred - 1, centred)
    return estimate(value, error, counts.effective_n, confidence, bracket=bracket)


def _mean(counts: ScoreCounts, values: Floats) -> float:
    return float(np.sum(counts.weight * values)) / counts.total


@dataclass(frozen=True)
class CalibrationLine:
    """logit(chance) = intercept + slope * logit(score); a perfect model has 0 and 1.

    A slope below 1 says that the scores are too extreme. `left_out` is the share of the weight at
    scores of exactly 0 or 1, which have no logit.
    """

    intercept: Estimate
    slope: Estimate
    left_out: float


def calibration_line(counts: ScoreCounts, confidence: float = 0.95) -> CalibrationLine:
    """Cox's recalibration (1958): the logistic regression of the outcome on the score's logit.

    Standard errors are sandwiches. The fit is to the middles of cells; no bracket is known.

    >>> line = calibration_line(ScoreCounts.of([0, 1, 0, 1, 0, 1], [.1, .1, .5, .5, .9, .9]))
    >>> round(line.intercept.value, 6), round(line.slope.value, 6)
    (0.0, 0.0)
    """
    counts.need_both_classes()
    counts.need_probabilities()
    kept = _with_logit(counts)
    x = special.logit(kept.middle)
    _need_overlap(kept)
    starts = kept.equal_mass(_GROUPS)
    few = kept.grouped(starts)
    middles = np.add.reduceat(kept.weight * x, starts) / few.weight
    line = _newton(few, middles, np.array([special.logit(kept.base_rate), 0.0]), damped=True)
    line = _newton(kept, x, line, damped=False)
    errors = _line_errors(kept, x, line)
    intercept, slope = (
        estimate(float(value), float(error), kept.effective_n - 1, confidence)
        for value, error in zip(line, errors, strict=True)
    )
    return CalibrationLine(intercept, slope, max(1 - kept.total / counts.total, 0.0))


def _with_logit(counts: ScoreCounts) -> ScoreCounts:
    """Without the cells at exactly 0 or 1; they are the first and the last."""
    first = int(counts.middle[0] == 0)
    last = counts.low.size - int(counts.middle[-1] == 1)
    if last <= first:
        raise Undefined("all scores are exactly 0 or 1: they have no logit")
    cut = slice(first, last)
    return replace(counts, low=counts.low[cut], high=counts.high[cut],
                   positive=counts.positive[cut], negative=counts.negative[cut],
                   positive2=counts.positive2[cut], negative2=counts.negative2[cut])  # fmt: skip


def _need_overlap(counts: ScoreCounts) -> None:
    """Else no line is likeliest (Albert & Anderson 1984)."""
    if counts.low.size == 1:
        raise Undefined("all scores are equal")
    positive, negative = (np.flatnonzero(c)[[0, -1]] if c.any() else None
                          for c in (counts.positive, counts.negative))  # fmt: skip
    if positive is None or negative is None:
        raise Undefined("all rows with scores other than 0 and 1 are of one class")
    if positive[0] >= negative[1] or negative[0] >= positive[1]:
        raise Undefined("a threshold separates the classes: the steepest line fits best")


def _newton(counts: ScoreCounts, x: Floats, line: Floats, damped: bool) -> Floats:
    """The likeliest line; damped from afar, for Newton's steps can overshoot."""
    for _ in range(_STEPS):
        chance = special.expit(line[0] + line[1] * x)
        missed = counts.positive - counts.weight * chance
        score = np.array([np.sum(missed), np.einsum("i,i->", missed, x)])
        step = _solved(_moments(counts.weight * chance * (1 - chance), x), score)
        line = line + (_shortened(counts, x, line, step) if damped else step)
        if np.max(np.abs(step)) <= _SMALL_STEP * (1 + np.max(np.abs(line))):
            return line
    raise Undefined(f"no line was found in {_STEPS} steps")


def _solved(information: Floats, score: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(information, score))
    except np.linalg.LinAlgError:
        raise Undefined("the scores are too alike for a line") from None


def _shortened(counts: ScoreCounts, x: Floats, line: Floats, step: Floats) -> Floats:
    """The step, halved until it leads downhill."""
    height = _deviance(counts, x, line)
    halvings = (step / 2**k for k in range(_STEPS))
    return next((s for s in halvings if _deviance(counts, x, line + s) <= height), step / 2**_STEPS)


def _moments(weights: Floats, x: Floats) -> Floats:
    """The sums of weights times 1, x, x²: of the products of (1, x) with itself."""
    cross = np.einsum("i,i->", weights, x)
    return np.array([[np.sum(weights), cross], [cross, np.einsum("i,i,i->", weights, x, x)]])


def _deviance(counts: ScoreCounts, x: Floats, line: Floats) -> float:
    """Minus the mean log likelihood."""
    z = line[0] + line[1] * x
    losses = counts.positive * np.logaddexp(0, -z) + counts.negative * np.logaddexp(0, z)
    return float(np.sum(losses)) / counts.total


def _line_errors(counts: ScoreCounts, x: Floats, line: Floats) -> Floats:
    """The sandwich: bread of the information, filled with the squared scores of rows."""
    chance = special.expit(line[0] + line[1] * x)
    bread = np.linalg.inv(_moments(counts.weight * chance * (1 - chance), x))
    filling = _moments(counts.positive2 * (1 - chance) ** 2 + counts.negative2 * chance**2, x)
    scale = counts.effective_n / max(counts.effective_n - 2, 1e-9)
    return np.asarray(np.sqrt(np.diag(bread @ filling @ bread) * scale))


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error: as `seen`, and (`estimate`) without what is noise.

    Rates miss even perfect scores by chance: with these bins by `noise_floor` on average. Error and
    noise add up in squares, so the estimate is sqrt(seen² - floor²). That removes most of the bias,
    and where the error is far above the floor it takes hardly anything away.
    """

    seen: float
    noise_floor: float
    estimate: Estimate
    bins: int


def calibration_error(
    counts: ScoreCounts, bins: int = BINS, confidence: float = 0.95
) -> CalibrationError:
    """ECE: the mean distance between score and observed rate, over bins of equal weight.

    >>> found = calibration_error(ScoreCounts.of([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8]), 2)
    >>> round(found.seen, 3), round(found.noise_floor, 3), round(found.estimate.value, 3)
    (0.25, 0.226, 0.108)
    """
    binned, sums = _binned(counts, bins)
    gaps = (binned.positive - sums) / binned.total
    seen, floor = float(np.sum(np.abs(gaps))), _noise_floor(counts, bins)
    error = _gaps_error(counts, gaps, bins, seen)
    found = estimate(seen, error, counts.effective_n, confidence, bracket=_reach(counts, seen))
    return CalibrationError(seen, floor, _without(found, floor), gaps.size)


def _reach(counts: ScoreCounts, seen: float) -> Bracket | None:
    """No score is further from the middle of its cell than half its width."""
    if counts.exact:
        return None
    reach = float(np.sum(counts.weight * (counts.high - counts.low))) / (2 * counts.total)
    return seen - reach, seen + reach


def _without(seen: Estimate, floor: float) -> Estimate:
    """The same without the noise, and so its ends: about zero they are as far apart as it hides."""

    def less(value: float) -> float:
        return math.sqrt(max(max(value, 0.0) ** 2 - floor**2, 0.0))

    low, high = (None if end is None else less(end) for end in (seen.low, seen.high))
    bracket = seen.bracket and (less(seen.bracket[0]), less(seen.bracket[1]))
    return replace(seen, value=less(seen.value), low=low, high=high, bracket=bracket)


def _noise_floor(counts: ScoreCounts, bins: int) -> float:
    """The mean distance of rates from scores that are right: of normal errors, sqrt(2/pi) each."""
    chance = counts.middle * (1 - counts.middle)
    spread = (counts.positive2 + counts.negative2) * chance
    by_bin = np.add.reduceat(spread, counts.equal_mass(bins))
    return math.sqrt(2 / math.pi) * float(np.sum(np.sqrt(by_bin))) / counts.total


def _gaps_error(counts: ScoreCounts, gaps: Floats, bins: int, value: float) -> float:
    """With the sign of each gap held, the error is a mean over rows: of sign * (y - score)."""
    starts = counts.equal_mass(bins)
    signs = np.repeat(np.sign(gaps), np.diff(starts, append=counts.low.size))
    return standard_error(
        counts, signs * (1 - counts.middle) - value, -signs * counts.middle - value
    )
