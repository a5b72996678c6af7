"""Losses to train with, as they are asked for: `mse`, `huber:auto`, `huber:auto+refit`.

What a candidate takes from the rows (`auto`) it takes from those it trains on alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from offby.choice.judge import Judge, short
from offby.engine.rows import Floats
from offby.errors import MeasureError
from offby.fit.truths import defined_for
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
    from_text,
)

Tune = Callable[[Floats, Floats], Loss]
_NORMAL = 1.345
"""Huber's delta, in standard deviations, that costs Gaussian noise 5 % (Huber 1981)."""
_QUARTILE = 0.6744897501960817
_SCORED = {
    "logistic": Logistic, "log_loss": Logistic, "cross_entropy": Logistic, "bce": Logistic,
    "focal": FocalLogit, "hinge": Hinge, "cost_weighted": CostLogistic,
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A way to train: under a loss, perhaps tuned to the rows, and what is done afterwards.

    With `refit`, intercept and scale are fitted again under the judge; with `moved`, the threshold
    of a classifier is set where the judge is best on the rows it was trained on.
    """

    name: str
    family: Loss
    tune: Tune | None = None
    refit: bool = False
    moved: bool = False

    def tuned(self, y: Floats, errors: Floats) -> Loss:
        """The loss for these training rows: their truths and errors, (n,) each."""
        return self.family if self.tune is None else self.tune(y, errors)

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
        return f"not defined for {bad.size} of {y.size} targets, such as {bad[0]:g}"


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
    return Candidate(text.strip(), loss, _in_deviations(loss), refit=bool(more))


def _of_numbers(loss: Loss) -> None:
    if isinstance(loss, BinaryLoss):
        raise MeasureError(f"{loss} is a loss of yes and no, and the target holds numbers")


def _in_deviations(loss: Loss) -> Tune:
    """The loss with its threshold in standard deviations, by the errors' median size."""
    named = [spec.name for spec in loss.parameter_specs if spec.units == "y"]
    if len(named) != 1:
        raise MeasureError(f"{loss.name}:auto: {loss.name} has no threshold in units of y to find")
    usual = _NORMAL if isinstance(loss, Huber | PseudoHuber) else loss.parameters[named[0]]

    def tuned(_: Floats, errors: Floats) -> Loss:
        middle = np.abs(errors - np.median(errors))
        spread = float(np.median(middle)) / _QUARTILE or float(np.std(errors)) or 1.0
        return loss.with_parameters(**{named[0]: float(f"{usual * spread:.3g}")})

    return tuned


def usual(judge: Judge) -> list[Candidate]:
    """The candidates where none are named; the first is what one would have."""
    own = Candidate(short(judge.loss), judge.loss)
    names = ["mae", "huber:auto", "huber:auto+refit", "poisson", "gamma", "tweedie:1.5"]
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


def _balanced(y: Floats, _: Floats) -> Loss:
    """Cross-entropy in which both classes weigh alike."""
    share = float(np.mean(y))
    if not 0 < share < 1:
        return CostLogistic()
    return CostLogistic(float(f"{0.5 / (1 - share):.4g}"), float(f"{0.5 / share:.4g}"))


def usual_of_classes(costs: tuple[float, float] | None) -> list[Candidate]:
    """The candidates for yes and no; the first is what one would have."""
    names = ["cross_entropy", "cross_entropy+threshold", "class_weighted", "focal:2", "hinge"]
    if costs is not None:
        names.append(f"cost_weighted:{costs[0]:g}:{costs[1]:g}")
    return [of_classes(name) for name in names]


def robust(one: Candidate) -> bool:
    """Whether it is a plain loss of the kind that section one's noise speaks of."""
    return isinstance(one.family, Huber | Absolute | Squared) and not one.refit
