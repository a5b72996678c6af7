"""Losses to train with, as they are asked for: `mse`, `huber:auto`, `huber:auto+refit`.

What a candidate takes from the rows (`auto`) it takes from those it trains on alone: the size of
their errors, and by folds within them the best of a few values in that unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from offby.choice.judge import Judge, short
from offby.choice.noise import middle
from offby.engine.rows import Floats
from offby.errors import MeasureError
from offby.fit.data.truths import defined_for
from offby.losses import (
    Absolute,
    BinaryLoss,
    CostLogistic,
    EpsilonInsensitive,
    Expectile,
    FocalLogit,
    Hinge,
    Huber,
    Logistic,
    Loss,
    Pinball,
    PseudoHuber,
    Squared,
    Tweedie,
    from_text,
)

Weights = Floats | None
Tune = Callable[[Floats, Floats, Weights], Loss]
_NORMAL = 1.345
"""Huber's delta, in standard deviations, that costs Gaussian noise 5 % (Huber 1981)."""
_QUARTILE = 0.6744897501960817
_TIMES = (1.0, 0.5, 2.0, 4.0)
"""Multiples of the usual threshold; at the largest, Huber's loss is nearly squared."""
_POWERS = (1.5, 1.1, 1.3, 1.7, 1.9)
_SCORED = {
    "logistic": Logistic, "log_loss": Logistic, "cross_entropy": Logistic, "bce": Logistic,
    "focal": FocalLogit, "hinge": Hinge, "cost_weighted": CostLogistic,
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A way to train: under a loss, perhaps tuned to the rows, and what is done afterwards.

    Of `options`, the usual one first, folds within the training rows choose one. With `refit`,
    intercept and scale are fitted again under the judge; with `moved`, the threshold of a
    classifier is set where the judge is best on the rows it was trained on.
    """

    name: str
    family: Loss
    tune: Tune | None = None
    refit: bool = False
    moved: bool = False
    options: tuple[Candidate, ...] = ()

    def tuned(self, y: Floats, errors: Floats, weight: Weights = None) -> Loss:
        """The loss for these training rows: their truths, errors and weights, (n,) each."""
        return self.family if self.tune is None else self.tune(y, errors, weight)

    @property
    def functional(self) -> str:
        """What it aims at."""
        if isinstance(self.family, Pinball) and self.family.tau == 0.5:
            return "median"
        if isinstance(self.family, Expectile) and self.family.tau == 0.5:
            return "mean"
        return self.family.functional

    def aims_with(self, judge: Judge) -> bool:
        """Whether it aims at what the judge elicits, whatever the noise."""
        if self.refit:
            return True
        if self.functional in ("quantile", "expectile"):
            return self.family == judge.loss
        return self.functional == judge.functional

    @property
    def central(self) -> bool:
        """Whether, of symmetric noise, it aims at the centre."""
        one_sided = isinstance(self.family, Pinball | Expectile | EpsilonInsensitive)
        symmetric = self.functional in ("mean", "median") or not one_sided
        return symmetric and self.family.domain is None

    def impossible(self, y: Floats) -> str:
        """Why it cannot be trained on these truths, if so."""
        bad = y[~defined_for(self.family, y)]
        if not bad.size:
            return ""
        return f"not defined for {bad.size:,} of {y.size:,} targets, such as {bad[0]:g}"


def candidate(text: str) -> Candidate:
    """Read one of a list for numbers; raises `MeasureError` or `FormulaError`.

    >>> found = candidate("huber:auto+refit")
    >>> found.refit, found.tuned(np.zeros(3), np.array([-2.0, 0.1, 2.0]))
    (True, Huber(delta=3.79))
    """
    base, _, more = text.strip().partition("+")
    if more not in ("", "refit"):
        raise MeasureError(f"{text!r} ends in +{more}; known is +refit")
    family, _, parameter = base.partition(":")
    if parameter != "auto":
        loss = from_text(base)
        _of_numbers(loss)
        return Candidate(short(loss) + text[len(base) :].strip(), loss, refit=bool(more))
    loss = from_text(family)
    _of_numbers(loss)
    options = tuple(_options(text.strip(), loss))
    return replace(options[0], refit=bool(more), options=options)


def _of_numbers(loss: Loss) -> None:
    if isinstance(loss, BinaryLoss):
        raise MeasureError(f"{loss} is a loss of yes and no, and the target holds numbers")


def _options(name: str, loss: Loss) -> Iterator[Candidate]:
    """The loss with each value that its parameter may have, the usual one first."""
    if isinstance(loss, Tweedie):
        yield from (Candidate(name, Tweedie(power)) for power in _POWERS)
        return
    named = [spec.name for spec in loss.parameter_specs if spec.units == "y"]
    if len(named) != 1:
        raise MeasureError(
            f"{loss.name}:auto: {loss.name} has no threshold in units of y to find, and no power"
        )
    usual = _NORMAL if isinstance(loss, Huber | PseudoHuber) else loss.parameters[named[0]]
    for times in _TIMES:
        yield Candidate(name, loss, _in_deviations(loss, named[0], times * usual))


def _in_deviations(loss: Loss, named: str, usual: float) -> Tune:
    """The loss with its threshold in standard deviations, by the errors' median size."""

    def tuned(_: Floats, errors: Floats, weight: Weights) -> Loss:
        away = np.abs(errors - middle(errors, weight))
        spread = middle(away, weight) / _QUARTILE or float(np.std(errors)) or 1.0
        return loss.with_parameters(**{named: float(f"{usual * spread:.3g}")})

    return tuned


def usual(judge: Judge) -> list[Candidate]:
    """The candidates where none are named; the first is what one would have."""
    own = Candidate(short(judge.loss), judge.loss)
    names = ["mae", "huber:auto", "huber:auto+refit", "poisson", "gamma", "tweedie:auto"]
    found = [Candidate("mse", Squared()), own, *map(candidate, names)]
    if judge.functional == "mean":
        found.append(candidate("mae+refit"))
    return distinct(found)


def distinct(found: list[Candidate]) -> list[Candidate]:
    """Each name once, in the order of the first."""
    return list({one.name: one for one in found}.values())


def of_classes(text: str) -> Candidate:
    """Read one of a list for yes and no: cross_entropy, class_weighted, focal:2, hinge, …

    >>> of_classes("cross_entropy+threshold").moved, of_classes("focal:1").family
    (True, FocalLogit(gamma=1))
    """
    base, _, more = text.strip().partition("+")
    if more not in ("", "threshold"):
        raise MeasureError(f"{text!r} ends in +{more}; known is +threshold")
    family, _, numbers = base.partition(":")
    if family == "class_weighted":
        return Candidate(text.strip(), CostLogistic(), _balanced, moved=bool(more))
    if family in _SCORED:
        loss: Loss = _SCORED[family](*(float(x) for x in numbers.split(":") if x))
    else:
        loss = from_text(base)
    if not isinstance(loss, BinaryLoss) or loss.scale == "identity":
        raise MeasureError(
            f"{base!r} is no loss of a score of yes and no; known are {', '.join(_SCORED)} and "
            "class_weighted"
        )
    return Candidate(text.strip(), loss, moved=bool(more))


def _balanced(y: Floats, _: Floats, weight: Weights) -> Loss:
    """Cross-entropy in which both classes weigh alike."""
    share = float(np.average(y, weights=weight))
    if not 0 < share < 1:
        return CostLogistic()
    return CostLogistic(float(f"{0.5 / (1 - share):.4g}"), float(f"{0.5 / share:.4g}"))


def usual_of_several(*, costly: bool) -> list[Candidate]:
    """The candidates for several classes; deciding anew pays only where errors differ in cost."""
    moved = ["cross_entropy+threshold"] if costly else []
    return [of_classes(name) for name in ("cross_entropy", *moved, "class_weighted", "focal:2")]


def usual_of_classes(costs: Sequence[Any] | None) -> list[Candidate]:
    """The candidates for yes and no; the first is what one would have."""
    names = ["cross_entropy", "cross_entropy+threshold", "class_weighted", "focal:2", "hinge"]
    if costs is not None:
        names.append(f"cost_weighted:{costs[0]:g}:{costs[1]:g}")
    return [of_classes(name) for name in names]


def robust(one: Candidate) -> bool:
    """Whether it is a plain loss of the kind that section one's noise speaks of."""
    return isinstance(one.family, Huber | Absolute | Squared) and not one.refit
