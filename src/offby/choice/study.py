"""All that predictions say of the loss to train with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offby.choice import advice, growth
from offby.choice.advice import Candidate
from offby.choice.amounts import Target, target
from offby.choice.estimate import Estimate
from offby.choice.heldout import Likeness, halves, likeliest, likenesses
from offby.choice.judge import Judge
from offby.choice.noise import middle, typical
from offby.choice.resampled import Bootstrap, surely_shifted
from offby.engine.rows import Floats
from offby.losses import Absolute, Squared

LEAST_ROWS = 100
_THIRDS = 3
_RANKS = ("fewer", "tied", "more", "unknown", "elsewhere")


@dataclass(frozen=True, eq=False)
class Study:
    """What the noise is like, which losses qualify under the judge, and the one to take if any.

    Noise is actual less predicted: right-skewed noise is truths far above their predictions. `y`
    and `p` are (n,) float64, finite, and `weights`, if any, above 0: importance weights, of which
    the scale does not matter. What is not asked for is not computed.

    >>> from offby.choice.judge import judge
    >>> random = np.random.default_rng(1)
    >>> p = random.normal(size=1000)
    >>> Study(judge("mse"), p + random.standard_t(2, 1000), p).advised.loss.name
    'huber'
    """

    judge: Judge
    y: Floats
    p: Floats
    confidence: float = 0.95
    weights: Floats | None = None

    @cached_property
    def errors(self) -> Floats:
        """Actual less predicted."""
        return self.y - self.p

    @cached_property
    def unsure(self) -> str:
        """Why nothing can be said, if so."""
        if self.errors.size < LEAST_ROWS:
            return f"{_rows(self.errors.size)} too little of the noise; {LEAST_ROWS} are needed"
        return "all errors are the same number" if np.ptp(self.errors) == 0 else ""

    @cached_property
    def target(self) -> Target:
        """What the truths are."""
        return target(self.y, self.p)

    @cached_property
    def likenesses(self) -> tuple[Likeness, ...]:
        """Kinds of noise, the likeliest first."""
        if self.unsure:
            return ()
        return likenesses(self.y, self.p, self.target, self.confidence, self.weights)

    @property
    def noise(self) -> Likeness | None:
        """What the noise looks like."""
        return likeliest(self.likenesses)

    @cached_property
    def unit(self) -> float:
        """The typical size of an error about the median one."""
        return typical(self.errors, self.weights)[1]

    @cached_property
    def evidence(self) -> Mapping[str, Estimate]:
        """The numbers that describe the noise, each with its interval."""
        if self.unsure:
            return {}
        delta = self._rows.efficient_delta()
        deviation = middle(np.abs(self.errors - middle(self.errors, self.weights)), self.weights)
        unknown = Estimate(None, method=delta.method, why="half of the errors are alike")
        return {
            "tail_index": self._rows.tail(),
            "skewness": self._rows.skewness(),
            "octile_skewness": self._leaning,
            "mean_less_median": self._rows.gap(Squared(), Absolute()).times(self.unit),
            "worst_share": self._rows.worst_share(),
            "huber_delta": delta.times(self.unit),
            "huber_delta_in_mads": delta.times(self.unit / deviation) if deviation else unknown,
            "variance_power": self._power,
        }

    @cached_property
    def symmetric(self) -> bool:
        """Whether no asymmetry is seen, in all rows or where predictions are low or high."""
        return not (self.unsure or self._leaning.nonzero or self._shifted)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The judge's own loss first, then those sure to need least rows."""
        others = [] if self.unsure else [*self._weighing(), *self._central()]
        others.sort(key=lambda one: (_RANKS.index(one.verdict), -advice.saved(one)))
        return (advice.own(self.judge), *others)

    @property
    def advised(self) -> Candidate | None:
        """The loss to take instead of the judge's own, if that is sure to pay."""
        return advice.advised(self.candidates)

    def _weighing(self) -> Iterator[Candidate]:
        if self.judge.functional != "mean" or self.target == "real":
            return
        losses = growth.deviances(self.y, self._power)
        yield from advice.weighing(
            self.judge, losses, growth.Line(self.y, self.p, self.confidence, self.weights)
        )

    def _central(self) -> Iterator[Candidate]:
        if self.judge.central:
            yield from advice.central(self.judge, self._rows, self.unit, symmetric=self.symmetric)
        yield from advice.elsewhere(self.judge, self._rows, self.unit)

    @cached_property
    def _rows(self) -> Bootstrap:
        centre, unit = typical(self.errors, self.weights)
        moved = (self.errors - centre) / unit
        return Bootstrap(moved, halves(moved.size), centre / unit, self.confidence, self.weights)

    @cached_property
    def _leaning(self) -> Estimate:
        return self._rows.octile_skewness()

    @cached_property
    def _power(self) -> Estimate:
        return growth.power(self.y, self.p, self.confidence, self.weights)

    @cached_property
    def _shifted(self) -> bool:
        """Whether mean and Huber's centre differ, in all rows or a third of them by prediction."""
        cuts = np.quantile(self.p, [1 / _THIRDS, 2 / _THIRDS])
        third = np.searchsorted(cuts, self.p, side="right")
        every = np.ones(self.p.size, np.bool_)
        groups = [every, *(third == k for k in range(_THIRDS))]
        large = [group for group in groups if np.count_nonzero(group) >= LEAST_ROWS // _THIRDS]
        moved = (self.errors - typical(self.errors, self.weights)[0]) / self.unit
        return any(surely_shifted(moved, large, 1.0, 1 - self.confidence, self.weights))


def _rows(count: int) -> str:
    return "1 row says" if count == 1 else f"{count:,} rows say"
