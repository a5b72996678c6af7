"""The losses that one could train with, beside the judge's own, and which of them to take.

A loss qualifies where it aims at what the judge elicits: by what it is (Gneiting 2011), or, for the
centre of symmetric noise, where the data show no asymmetry and leave little room for any. Of those
that qualify, one is advised only if it surely needs fewer rows, and not trivially so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from offby.choice.estimate import Estimate
from offby.choice.growth import Line
from offby.choice.judge import Judge, short
from offby.choice.ordered import DELTAS
from offby.choice.resampled import Bootstrap
from offby.losses import Absolute, Huber, Loss, Pinball, Squared

Verdict = Literal["own", "fewer", "tied", "more", "elsewhere", "unknown"]
LEAST_SAVING = 0.05
"""The share of the rows below which a saving is not worth a change of loss."""
_MOST_BIAS = 0.02  # of the judge's loss, that being off the aim may cost
_NEAR = 0.05  # savings within which two losses are as good, and the simpler is taken
_SIMPLE = ("squared", "poisson", "gamma", "tweedie", "inverse_gaussian", "huber", "absolute")


@dataclass(frozen=True)
class Candidate:
    """A loss to train with: what it aims at, and the rows it needs beside the judge's own loss.

    `gap` is how much higher its predictions are than what the judge elicits, in units of y; it is
    None where both elicit the same of any noise. `saving` is the share of rows it needs less.
    """

    loss: Loss
    gap: Estimate | None
    saving: Estimate | None
    verdict: Verdict

    @property
    def name(self) -> str:
        """The loss as it is asked for."""
        return short(self.loss)

    def to_dict(self) -> dict[str, Any]:
        """The candidate for JSON."""
        return {
            "loss": self.name,
            "functional": self.loss.functional,
            "gap": None if self.gap is None else self.gap.to_dict(),
            "saving": None if self.saving is None else self.saving.to_dict(),
            "verdict": self.verdict,
        }


def own(judge: Judge) -> Candidate:
    """The loss that the judge is the mean of."""
    return Candidate(judge.loss, None, None, "own")


def central(
    judge: Judge, rows: Bootstrap, unit: float, *, symmetric: bool
) -> Iterator[Candidate]:  # fmt: skip
    """Losses of the error that aim at the centre of symmetric noise."""
    target = scaled(judge.loss, 1 / unit)
    efficient = Huber(float(DELTAS[rows.seen.whole.efficient()]))
    for loss in (Squared(), Absolute(), efficient):
        if loss == target:
            continue
        gap = rows.gap(loss, target).times(unit)
        first = loss is efficient
        saving = rows.efficient_saving(target) if first else rows.saving(loss, target)
        told: Verdict = "elsewhere"
        if symmetric and not gap.nonzero:
            told = _verdict(saving) if _near(gap, judge, rows, unit) else "unknown"
        yield Candidate(rounded(scaled(loss, unit)), gap, saving, told)


def _near(gap: Estimate, judge: Judge, rows: Bootstrap, unit: float) -> bool:
    """Whether even the far end of a gap costs the judge little: beside a typical error, squared."""
    if gap.low is None or gap.high is None:
        return False
    away = np.abs(rows.seen.whole.values + rows.seen.offset) * unit
    mean = rows.seen.whole.mean
    typical = math.sqrt(mean(away**2)) if judge.functional == "mean" else mean(away)
    return max(-gap.low, gap.high) <= math.sqrt(_MOST_BIAS) * typical


def weighing(judge: Judge, losses: Sequence[Loss], line: Line) -> Iterator[Candidate]:
    """Deviances, which all aim at the mean."""
    for loss in losses:
        if loss != judge.loss:
            saving = line.saving(loss, judge.loss)
            yield Candidate(loss, None, saving, _verdict(saving))


def elsewhere(judge: Judge, rows: Bootstrap, unit: float) -> Iterator[Candidate]:
    """By how much the usual losses miss a quantile."""
    if isinstance(judge.loss, Pinball):
        for loss in (Squared(), Absolute()):
            gap = rows.gap(loss, judge.loss).times(unit)
            yield Candidate(loss, gap, None, "elsewhere")


def advised(found: Sequence[Candidate]) -> Candidate | None:
    """The one that surely needs least rows; of those that need about as few, the simplest."""
    fewer = [one for one in found if one.verdict == "fewer"]
    most = max((saved(one) for one in fewer), default=0.0)
    near = [one for one in fewer if saved(one) >= most - _NEAR]
    return min(near, key=lambda one: _SIMPLE.index(one.loss.name), default=None)


def scaled(loss: Loss, factor: float) -> Loss:
    """The same loss in other units of y.

    >>> scaled(Huber(2.0), 0.5)
    Huber(delta=1)
    """
    if isinstance(loss, Huber):
        return Huber(loss.parameters["delta"] * factor)
    return loss


def rounded(loss: Loss) -> Loss:
    """With a threshold of three digits, as one writes it down.

    >>> rounded(Huber(12.3456))
    Huber(delta=12.3)
    """
    return Huber(float(f"{loss.parameters['delta']:.3g}")) if isinstance(loss, Huber) else loss


def saved(one: Candidate) -> float:
    """The share of rows it needs less, and 0 where that is unknown."""
    return 0.0 if one.saving is None or one.saving.value is None else one.saving.value


def _verdict(saving: Estimate) -> Verdict:
    if saving.value is None or saving.low is None or saving.high is None:
        return "unknown"
    if saving.low > 0:
        return "fewer" if saving.value >= LEAST_SAVING else "tied"
    return "more" if saving.high < 0 else "tied"
