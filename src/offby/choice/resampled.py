"""What sorted errors say, and what they would have said: a bootstrap that keeps the two halves.

Huber's threshold is chosen on one half and judged on the other, so that the saving it promises is
not the luck of having looked at many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.choice.estimate import Estimate, percentile
from offby.choice.ordered import DELTAS, Ordered
from offby.engine.rows import Floats
from offby.losses import Huber, Loss, Squared
from offby.measures.tail import tail_of

REPLICATES = 200
_SEED = 5
_METHOD = "bootstrap"
_WORST = 0.01
Part = tuple[Floats, Floats | None]
"""Errors, and their weights, if they have any."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The errors of the rows of two halves, sorted; all else is made when asked for, and let go."""

    first: Part
    second: Part
    offset: float
    """What was taken off the errors before they were sorted, in the same units."""

    @property
    def whole(self) -> Ordered:
        """All of them."""
        one, other = self.halves
        return one.joined(other)

    @property
    def halves(self) -> tuple[Ordered, Ordered]:
        """Each half."""
        return Ordered(*self.first), Ordered(*self.second)


def _sorted(values: Floats, weights: Floats | None) -> Part:
    """Errors in order, each with its weight."""
    if weights is None:
        return np.sort(values), None
    order = np.argsort(values)
    return values[order], weights[order]


def _part(errors: Floats, weights: Floats | None, rows: NDArray[np.bool_]) -> Part:
    return errors[rows], None if weights is None else weights[rows]


def _drawn(part: Part, random: np.random.Generator) -> Part:
    """As many rows as there are, each with its weight, by chance alone."""
    values, weights = part
    rows = random.integers(values.size, size=values.size)
    return _sorted(values[rows], None if weights is None else weights[rows])


@dataclass(frozen=True)
class Sizes:
    """Sizes of errors, as the tail estimate takes them."""

    middles: Floats
    weights: Floats
    effective_n: float


class Bootstrap:
    """Errors in units of their typical size, and their replicates; one sort of each is enough."""

    def __init__(
        self, errors: Floats, first: NDArray[np.bool_], offset: float, confidence: float,
        weights: Floats | None = None,
    ) -> None:  # fmt: skip
        one, other = (_part(errors, weights, half) for half in (first, ~first))
        self.confidence = confidence
        self.seen = Seen(_sorted(*one), _sorted(*other), offset)
        self.chosen = [half.efficient() for half in self.seen.halves]
        random = np.random.default_rng(_SEED)
        self.replicates = [
            Seen(_drawn(one, random), _drawn(other, random), offset) for _ in range(REPLICATES)
        ]

    def estimate(self, of: Callable[[Seen], float], method: str = _METHOD) -> Estimate:
        """A number with the interval of its replicates."""
        with np.errstate(all="ignore"):
            found = [of(seen) for seen in self.replicates]
            return percentile(of(self.seen), found, self.confidence, method)

    def gap(self, loss: Loss, judge: Loss) -> Estimate:
        """By how much what one loss aims at lies above what the other does."""

        def between(seen: Seen) -> float:
            whole = seen.whole
            return whole.centre(loss) - whole.centre(judge)

        return self.estimate(between)

    def saving(self, loss: Loss, judge: Loss) -> Estimate:
        """The share of the rows that one loss can do without and be as sure as the other."""

        def saved(seen: Seen) -> float:
            whole = seen.whole
            return _less(whole.variance(loss), whole.variance(judge))

        return self.estimate(saved, f"asymptotic variances E[psi²]/E[psi']², {_METHOD}")

    def efficient_saving(self, judge: Loss) -> Estimate:
        """The same of Huber's loss, its threshold chosen on the other half."""

        def saved(seen: Seen) -> float:
            one, other = (
                half.variance(Huber(float(DELTAS[at])))
                for half, at in zip(seen.halves, self.chosen[::-1], strict=True)
            )
            return _less(math.sqrt(one * other), seen.whole.variance(judge))

        return self.estimate(
            saved, f"asymptotic variances, delta chosen on the other half, {_METHOD}"
        )

    def efficient_delta(self) -> Estimate:
        """The threshold of the least asymptotic variance."""
        return self.estimate(
            lambda seen: float(DELTAS[seen.whole.efficient()]),
            f"least E[psi²]/E[psi']², {_METHOD}",
        )

    def skewness(self) -> Estimate:
        """The third standardised moment, which a heavy tail leaves without a sure interval."""
        return self.estimate(lambda seen: _skewness(seen.whole), f"moments, {_METHOD}")

    def octile_skewness(self) -> Estimate:
        """How far the outer octiles lie to one side of the median, from -1 to 1 (Hinkley 1975)."""
        return self.estimate(lambda seen: _leaning(seen.whole), f"octiles, {_METHOD}")

    def worst_share(self) -> Estimate:
        """The share of the sum of squares that the worst 1 % of the rows own."""
        return self.estimate(lambda seen: _worst(_sizes(seen)))

    def tail(self) -> Estimate:
        """The tail index, as the degrees of freedom of a Student t with the same Hill estimate."""
        return self.estimate(_tail, f"Hill estimate, {_METHOD}")


def _less(variance: float, than: float) -> float:
    """The share that one variance is smaller; unknown where errors that repeat leave none."""
    return 1 - variance / than if variance > 0 and than > 0 else math.nan


def _sizes(seen: Seen) -> Sizes:
    whole = seen.whole
    sizes = np.abs(whole.values + seen.offset)
    if whole.weights is None:
        return Sizes(np.sort(sizes), np.ones(sizes.size), whole.rows)
    order = np.argsort(sizes)
    return Sizes(sizes[order], whole.weights[order], whole.rows)


def _skewness(rows: Ordered) -> float:
    away = rows.values - rows.mean(rows.values)
    return float(np.divide(rows.mean(away**3), rows.mean(away**2) ** 1.5))


def _leaning(rows: Ordered) -> float:
    low, middle, high = (rows.quantile(tau) for tau in (0.125, 0.5, 0.875))
    return (low + high - 2 * middle) / (high - low) if high > low else math.nan


def _worst(sizes: Sizes) -> float:
    """A row may count in part, as on a Lorenz curve."""
    squares = (sizes.middles[::-1] / sizes.middles[-1]) ** 2
    weights = sizes.weights[::-1]
    before = np.cumsum(weights) - weights
    taken = np.clip(_WORST * weights.sum() - before, 0.0, weights)
    return float(np.sum(taken * squares) / np.sum(weights * squares))


def _tail(seen: Seen) -> float:
    found = tail_of(_sizes(seen))
    return math.nan if found is None else found.index


def surely_shifted(
    errors: Floats, groups: Sequence[NDArray[np.bool_]], delta: float, level: float,
    weights: Floats | None = None,
) -> list[bool]:  # fmt: skip
    """In which groups the mean and Huber's centre surely differ, by their influences' t statistic.

    >>> skewed = np.random.default_rng(0).exponential(size=999)
    >>> surely_shifted(skewed, [np.ones(999, bool)], 1.0, 0.05)
    [True]
    """
    from scipy import special

    found = []
    for group in groups:
        some = Ordered(errors[group], None if weights is None else weights[group])
        mean, centre = some.mean(some.values), some.centre(Huber(delta))
        away = some.values - centre
        slope = some.mean((np.abs(away) <= delta).astype(np.float64))
        moved = some.values - mean - np.clip(away, -delta, delta) / max(slope, 1e-9)
        error = math.sqrt(Ordered(moved, some.weights).variance(Squared()) / away.size)
        reach = -float(special.stdtrit(away.size - 1, level / 2 / len(groups)))
        found.append(abs(mean - centre) > reach * error)
    return found
