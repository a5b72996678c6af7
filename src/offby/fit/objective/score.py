"""A loss as a function of the score eta = X coef + intercept, and its slope and bend there.

The formulas are derived, not written: where a prediction must be positive it is exp(eta), and the
derivatives towards eta are p times those towards p, with that p cancelled against the ones that
the formula divides by. So the slope of Poisson's deviance is 2 (p - y), with all its digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.engine.evaluate import compute
from offby.errors import FormulaError
from offby.formula.derive import gradient, simplify
from offby.formula.expression import Expression, constant, substitute, walk
from offby.formula.words import exp, p, r, y
from offby.losses.loss import Loss

Floats: TypeAlias = NDArray[np.float64]
Link = Literal["identity", "log"]
_TWINS = {"log_loss": "logistic", "cost_weighted": "cost_logistic", "focal": "focal_logit"}


@dataclass(frozen=True)
class ScoreLoss:
    """A loss along the score: formulas of y and of p, which here stands for the score."""

    loss: Loss
    link: Link
    value: Expression
    slope: Expression
    bend: Expression

    @property
    def quadratic(self) -> bool:
        """Whether one Newton step is the whole way."""
        return self.bend.op == "constant"

    @property
    def piecewise(self) -> bool:
        """Whether its bend jumps, as Huber's does where the parabola ends."""
        return any(node.op == "where" for node in walk(self.bend))

    def at(self, y_true: ArrayLike, score: ArrayLike, *formulas: Expression) -> list[Floats]:
        """The formulas at each row; by default value, slope and bend: (n,) each.

        >>> from offby.losses import Poisson
        >>> toward_score(Poisson()).at([3.0], [0.0])
        [array([2.59167373]), array([-4.]), array([2.])]
        """
        wanted = formulas or (self.value, self.slope, self.bend)
        return compute(wanted, {y: y_true, p: score})

    def majorant(self, y_true: Floats, score: Floats) -> Floats:
        """A bend that is positive everywhere, from the loss's curvature: (n,)."""
        if self.link == "identity":
            return np.asarray(self.loss.curvature(y_true, score))
        prediction = np.exp(score)
        return np.asarray(self.loss.curvature(y_true, prediction) * prediction**2)

    def predict(self, score: Floats) -> Floats:
        """The prediction that a score stands for."""
        return score if self.link == "identity" else np.exp(score)


def toward_score(loss: Loss) -> ScoreLoss:
    """The loss as a function of the score; raises `FormulaError` for losses of probabilities.

    >>> from offby.losses import Gamma, Huber
    >>> toward_score(Gamma()).slope
    2*((exp(p) - y)/exp(p))
    >>> toward_score(Huber(1.5)).link
    'identity'
    """
    link = _link(loss)
    value, slope = loss.formula, gradient(loss.formula)
    if link == "identity":
        return ScoreLoss(loss, link, *map(loss.bound, (value, slope, gradient(slope))))
    slope = times_prediction(loss.bound(slope))
    bend = times_prediction(gradient(slope))
    return ScoreLoss(loss, link, *map(_of_exponential, (loss.bound(value), slope, bend)))


def _link(loss: Loss) -> Link:
    """Whether the score is the prediction, or its logarithm since it must be positive."""
    if loss.domain is None or loss.scale != "identity":
        return "identity"
    negative, large = compute([loss.bound(loss.domain)], {y: 1.0, p: np.array([-1.0, 2.0])})[0]
    if not large:
        twin = _TWINS.get(loss.name)
        hint = f"fit {twin!r}, the same loss as a function of the score" if twin else "fit another"
        raise FormulaError(f"{loss} takes probabilities, and a linear score is none; {hint}")
    return "identity" if negative else "log"


def times_prediction(formula: Expression) -> Expression:
    """p times a formula, with p cancelled where the formula divides by it.

    >>> times_prediction(2 * ((p - y) / p))
    2*(p - y)
    >>> times_prediction((p - y) / p**3)
    (p - y)/p**2
    """
    if formula.op in ("add", "subtract"):
        left, right = map(times_prediction, formula.args)
        return left + right if formula.op == "add" else left - right
    if formula.op == "negative":
        return -times_prediction(formula.args[0])
    if formula.op == "multiply" and formula.args[0].op == "constant":
        return simplify(formula.args[0] * times_prediction(formula.args[1]))
    if formula.op == "divide":
        return _cancelled(*formula.args)
    return simplify(p * formula)


def _cancelled(above: Expression, below: Expression) -> Expression:
    if below is p:
        return above
    if below.op == "power" and below.args[0] is p and below.args[1].op == "constant":
        return simplify(above / _power_of_p(below.args[1].data - 1))
    return simplify(p * above) / below


def _of_exponential(formula: Expression) -> Expression:
    """The formula with exp(p) for p; a power of that is an exponential too, and a fast one."""
    replace = {p: exp(p), r: exp(p) - y}
    for node in walk(formula):
        if node.op == "power" and node.args[0] is p and node.args[1].op == "constant":
            replace[node] = exp(node.args[1] * p)
    return substitute(formula, replace)


def _power_of_p(exponent: float) -> Expression:
    return p if exponent == 1 else p ** constant(exponent)
