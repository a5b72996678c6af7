"""From the raw score that a trainer's model puts out to the prediction that a loss speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.errors import FormulaError
from offby.formula.expression import Expression, walk
from offby.formula.words import exp, expm1, log, log1p, p, sigmoid, z
from offby.losses import Loss


@dataclass(frozen=True)
class Link:
    """A scale for raw scores: any number is one, whatever numbers the loss is defined for."""

    name: str
    prediction: Expression
    """The prediction, as a formula of the raw score z."""
    raw: Expression
    """The raw score, as a formula of the prediction p."""

    def at(self, raw: Any) -> NDArray[np.float64]:
        """The predictions of raw scores."""
        return compute([self.prediction], {z: raw})[0]

    def back(self, predictions: Any) -> NDArray[np.float64]:
        """The raw scores of predictions."""
        return compute([self.raw], {p: predictions})[0]


LINKS = {
    one.name: one
    for one in (
        Link("identity", z, p),
        Link("log", exp(z), log(p)),
        Link("log1p", expm1(z), log1p(p)),
        Link("logit", sigmoid(z), log(p / (1 - p))),
    )
}
_ASKED = ((p <= 1, "logit"), (p > 0, "log"), (p > -1, "log1p"))


def usual_link(loss: Loss) -> str:
    """The scale on which every raw score is a prediction that the loss is defined for.

    >>> from offby.losses import LogLoss, Poisson, Squared
    >>> usual_link(Squared()), usual_link(Poisson()), usual_link(LogLoss())
    ('identity', 'log', 'logit')
    """
    asked = set(map(id, walk(loss.domain))) if loss.domain is not None else set()
    return next((name for condition, name in _ASKED if id(condition) in asked), "identity")


def link_of(loss: Loss, name: str | None) -> Link:
    """The link by its name, None for the usual one; raises `FormulaError` where it cannot be."""
    chosen = name or usual_link(loss)
    if chosen not in LINKS:
        raise FormulaError(f"unknown link {name!r}; known are {', '.join(LINKS)}")
    if chosen != "identity" and loss.scale != "identity":
        raise FormulaError(f"{loss} takes a {loss.scale} as it is; its link cannot be {chosen}")
    return LINKS[chosen]
