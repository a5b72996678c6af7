"""What decisions cost: at a threshold, along all of them, and what a better threshold saves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.errors import MeasureError
from offby.scores.counts import Floats, ScoreCounts
from offby.scores.curves import POINTS, Curve, thin
from offby.scores.estimate import Best, Bracket, Estimate, estimate, mean_error
from offby.scores.outcomes import Ratio, best, first_yes, order_bracket, ratio_at, yes_from

_PLACES = 512  # thresholds, and
_DRAWS = 400  # other samples, that a choice is replayed on


@dataclass(frozen=True)
class Costs:
    """What a false alarm costs, and what a missed event; right decisions cost nothing.

    >>> Costs(false_positive=1, false_negative=4).threshold
    0.2
    """

    false_positive: float
    false_negative: float

    def __post_init__(self) -> None:
        if not all(0 < cost < math.inf for cost in (self.false_positive, self.false_negative)):
            raise MeasureError(
                "a false positive and a false negative must each cost more than 0, not "
                f"{self.false_positive:g} and {self.false_negative:g}"
            )

    @property
    def threshold(self) -> float:
        """The probability from which a yes costs less on average (Elkan 2001)."""
        return self.false_positive / (self.false_positive + self.false_negative)

    @property
    def per_row(self) -> Ratio:
        """The mean cost of a row, as a ratio of outcomes."""
        most = max(self.false_positive, self.false_negative)
        each = (0.0, self.false_positive, self.false_negative, 0.0)
        return Ratio(each, (1, 1, 1, 1), (0.0, most))


def cost(counts: ScoreCounts, costs: Costs, threshold: float, confidence: float = 0.95) -> Estimate:
    """The mean cost of a row if rows that score at least `threshold` are a yes.

    >>> counts = ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.7])
    >>> cost(counts, Costs(1, 4), 0.5).value
    1.25
    """
    return ratio_at(counts, costs.per_row, threshold, confidence)


def best_cost(counts: ScoreCounts, costs: Costs, confidence: float = 0.95) -> Best:
    """The least mean cost of any threshold on these rows; its error holds the threshold fixed.

    >>> found = best_cost(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.7]), Costs(1, 4))
    >>> found.threshold, found.estimate.value
    (0.2, 0.25)
    """
    return best(counts, costs.per_row, -1, confidence)


def cost_curve(
    counts: ScoreCounts, costs: Costs, confidence: float = 0.95, points: int = POINTS
) -> Curve:
    """The mean cost of a row (y) over rising thresholds (x), with normal intervals.

    >>> curve = cost_curve(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.7]), Costs(1, 4))
    >>> curve.y.tolist()
    [0.5, 0.25, 1.25, 1.0]
    """
    ratio = costs.per_row
    values = ratio.value(counts, (counts.true_positive, counts.false_positive))
    kept = thin(counts.low, values, points=points)
    reach = float(special.ndtri((1 + confidence) / 2)) * ratio.error(counts, kept)[0]
    at, y = counts.low[kept], values[kept]
    return Curve(at, y, np.maximum(y - reach, 0.0), y + reach, at)


@dataclass(frozen=True)
class Saving:
    """What a row costs less on average with the threshold `to` instead of `since`.

    `seen` is the saving on these rows. If `to` was chosen on them too, `optimism` is how much of
    that will not come again, and `estimate` is without it.
    """

    since: float
    to: float
    seen: float
    optimism: float
    estimate: Estimate


def saving(
    counts: ScoreCounts,
    costs: Costs,
    since: float = 0.5,
    to: float | None = None,
    confidence: float = 0.95,
) -> Saving:
    """What moving the threshold saves a row: by default, to the cheapest on these rows.

    The difference of two costs on the same rows is a mean over the rows between the thresholds,
    and so is its standard error. Where the threshold was chosen on these rows, the optimism taken
    away is no surer than its own size, which the standard error allows for.

    >>> found = saving(ScoreCounts.of([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.7]), Costs(1, 4), to=0.2)
    >>> found.seen, found.optimism
    (1.0, 0.0)
    """
    target = best_cost(counts, costs).threshold if to is None else to
    places = first_yes(counts, since), first_yes(counts, target)
    seen, error = _difference(counts, costs, *places)
    optimism = _optimism(counts, costs, *places) if to is None else 0.0
    bracket = _saving_bracket(counts, costs, since, target, optimism)
    found = estimate(
        seen - optimism,
        math.hypot(error, optimism),
        counts.effective_n,
        confidence,
        bracket=bracket,
    )
    return Saving(since, target, seen, optimism, found)


def _difference(counts: ScoreCounts, costs: Costs, since: int, to: int) -> tuple[float, float]:
    """What is saved if cells from `to` on are a yes instead of cells from `since` on."""
    between = slice(min(since, to), max(since, to))
    sign = 1 if to < since else -1
    each = sign * costs.false_negative, -sign * costs.false_positive
    sums = [float(np.sum(c[between])) for c in (counts.positive, counts.negative)]
    squares = [float(np.sum(c[between])) for c in (counts.positive2, counts.negative2)]
    value = sum(x * y for x, y in zip(each, sums, strict=True)) / counts.total
    spread = sum(s * ((x - value) ** 2 - value**2) for x, s in zip(each, squares, strict=True))
    spread += value**2 * sum(counts.squares)
    return value, mean_error(spread, counts.total, counts.effective_n)


def _optimism(counts: ScoreCounts, costs: Costs, since: int, to: int) -> float:
    """How much the choice of the best threshold flatters it (Efron 1983), replayed with fixed seed.

    On another sample the saving would differ by a sum of independent errors between thresholds.
    The choice made on such samples is too good by the error at the threshold chosen, on average.
    """
    places = np.unique([*counts.equal_mass(_PLACES), since, to, counts.low.size])
    saved = -costs.per_row.value(counts, yes_from(counts, places))
    errors = _errors(counts, costs, places)
    errors -= errors[:, [int(np.searchsorted(places, since))]]
    chosen = np.argmax(saved + errors, axis=1)
    return float(np.mean(errors[np.arange(chosen.size), chosen]))


def _errors(counts: ScoreCounts, costs: Costs, places: NDArray[np.int64]) -> Floats:
    """Errors of the mean cost at these thresholds on other samples, each with its mirror image."""
    spread = costs.false_negative**2 * counts.positive2 + costs.false_positive**2 * counts.negative2
    steps = np.sqrt(np.add.reduceat(spread, places[:-1])) / counts.total
    draws = np.random.default_rng(0).standard_normal((_DRAWS // 2, steps.size)) * steps
    errors = np.cumsum(np.pad(draws, ((0, 0), (1, 0))), axis=1)
    return np.concatenate([errors, -errors])


def _saving_bracket(
    counts: ScoreCounts, costs: Costs, since: float, to: float, optimism: float
) -> Bracket | None:
    """From those of the two costs."""
    old, new = (order_bracket(counts, costs.per_row, threshold) for threshold in (since, to))
    if old is None or new is None:
        return None
    return old[0] - new[1] - optimism, old[1] - new[0] - optimism
