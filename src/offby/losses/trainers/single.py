"""A loss of one raw score a row: its mean, its slopes, and the constant to start from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.engine.rows import as_column, columns_of, fit_rows
from offby.errors import DataError
from offby.formula.derive import gradient, hessian, simplify
from offby.formula.expression import Expression, constant, substitute
from offby.formula.words import exp, expm1, log, log1p, maximum, p, r, softplus, w, where, y, z
from offby.losses import (
    CostLogistic,
    CostWeighted,
    Focal,
    FocalLogit,
    Gamma,
    Logistic,
    LogLoss,
    Loss,
    Poisson,
    SquaredLog,
    Tweedie,
    tensors,
)
from offby.losses.average import exact_mean
from offby.losses.loss import LEAST_CURVATURE, align
from offby.losses.trainers import kinks
from offby.losses.trainers.links import LINKS, Link, usual_link

Floats = NDArray[np.float64]


class LogPoisson(Loss):
    """The Poisson deviance of the log of the prediction: finite where the prediction rounds to 0.

    >>> LogPoisson().value([0.0, 3.0], [-1000.0, 0.0])
    array([0.        , 2.59167373])
    """

    gap = z - log(where(y > 0, y, 1))
    formula = 2 * where(y > 0, y * (expm1(gap) - gap), exp(z))
    name, scale, domain = "log_poisson", "log", y >= 0


class LogGamma(Loss):
    """The gamma deviance of the log of the prediction.

    >>> LogGamma().value(1.0, [0.0, 1000.0])
    array([   0., 1998.])
    """

    gap = log(y) - z
    formula = 2 * (expm1(gap) - gap)
    name, scale, domain = "log_gamma", "log", y > 0


class LogSquared(Loss):
    """The squared error of log(1 + y), of which the score is the prediction.

    >>> LogSquared().gradient([0.0, 0.0], [-1000.0, 1.0])
    array([-2000.,     2.])
    """

    formula = (z - log1p(y)) ** 2
    name, scale, domain = "log_squared", "log1p", y > -1


_MOVING = {
    Logistic: softplus(p) - y * p,
    LogPoisson: 2 * (exp(p) - y * p),
    LogGamma: 2 * (y * exp(-p) + p),
}
"""Losses less what depends on y alone: shorter, and with the same derivatives.

Of a label of 1 and a score beyond 20, the logistic slope is right to 1e-16 and no longer to its
last digit; trainers add it to those of other rows.
"""


class Formulas(NamedTuple):
    """A loss of the raw score: formulas of y and p, the curvature perhaps of `kinks.WIDTH` too."""

    value: Expression
    gradient: Expression
    curvature: Expression


@dataclass(frozen=True)
class RawScore:
    """A loss of one raw score a row, from which its link makes the prediction."""

    loss: Loss
    link: Link

    @property
    def shown(self) -> Link:
        """How predictions are made of raw scores: of logits, probabilities."""
        return LINKS["logit"] if self.loss.scale == "logit" else self.link

    @property
    def quadratic(self) -> bool:
        """Whether the loss bends everywhere alike."""
        return self.formulas.curvature.op == "constant"

    @cached_property
    def formulas(self) -> Formulas:
        """The loss and what is derived from it, as formulas of y and of the raw score as p."""
        return _formulas(self.loss, self.link.name)

    def start(self, y_true: Any, sample_weight: Any = None) -> float:
        """The raw score of the constant that minimises the mean loss.

        Raises `DataError` naming the first row that the loss is not defined for.
        """
        truths = as_column(y_true, "y_true")
        self._check(truths)
        best = self.loss.best_constant(y_true, sample_weight)
        found = float(self.link.back(best))
        if math.isfinite(found):
            return found
        raise DataError(
            f"the best constant of {self.loss} is {best:g}, which has no finite {self.link.name} "
            "to start from"
        )

    def _check(self, truths: Floats) -> None:
        inside, domain = np.isfinite(truths), self.loss.domain
        if domain is not None:
            at = 1.0  # a prediction that all are defined for
            inside &= compute([self.loss.bound(domain)], {y: truths, p: at})[0] != 0
        for row in np.flatnonzero(~inside)[:1].tolist():
            raise DataError(
                f"y_true is {truths[row]:g} in row {row + 1} (counted from 1), and {self.loss} is "
                f"defined where {'y is finite' if domain is None else domain!r}; mend such rows or "
                "leave them out, or choose another loss"
            )

    def response(self, raw: Any) -> Any:
        """The predictions that raw scores stand for."""
        library = tensors.library_of(raw)
        if library:
            return tensors.evaluate(library, substitute(self.shown.prediction, {z: p}), raw, raw)
        return self.shown.at(raw)

    def mean(self, y_true: Any, raw: Any, sample_weight: Any = None) -> float:
        """The weighted mean loss of raw scores, on the loss's own scale."""
        return exact_mean(self.formulas.value, *align(y_true, np.asarray(raw)), sample_weight)

    def value(self, y_true: Any, raw: Any) -> Any:
        """The loss of each row, of tensors."""
        library = tensors.library_of(y_true, raw) or "jax"
        return tensors.evaluate(library, self.formulas.value, *align(y_true, raw))

    def slopes(
        self,
        y_true: Any,
        raw: Any,
        sample_weight: Any = None,
        scale: tuple[float, float] = (1, 1),
        dtype: type = np.float64,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The gradient and the curvature of each row, weighted, and scaled as a trainer wants.

        Raises `DataError` naming the first row that the loss is not defined for, be it by the
        target or by the prediction that the link makes.
        """
        roots = _scaled(self.formulas, sample_weight is not None, scale)
        columns = columns_of(fit_rows(y_true, raw, sample_weight, singles=True))
        alike: dict[Expression, float] = {}
        if kinks.straight(self.loss):
            errors = self._some_errors(columns[y], columns[p])
            alike = kinks.widths(self.loss, errors)
        slope, bend = compute(roots, {**columns, **alike}, dtype)
        if self.loss.domain is not None:  # these may be other rows than those it was made for
            with np.errstate(invalid="ignore", over="ignore"):
                undefined = np.isnan(slope.sum())
            if undefined:
                self._check(columns[y])
                self._check_predictions(columns[p], slope)
        return slope, bend

    def _check_predictions(self, raw: NDArray[Any], slope: NDArray[Any]) -> None:
        usual = usual_link(self.loss)
        for row in np.flatnonzero(np.isnan(slope) & (self.link.name != usual))[:1].tolist():
            raise DataError(
                f"in row {row + 1} (counted from 1) the link {self.link.name} makes the prediction "
                f"{self.response(raw[row]):g}, for which {self.loss} is not defined; with "
                f"link={usual!r} all predictions are"
            )

    def _some_errors(self, truth: NDArray[Any], scores: NDArray[Any]) -> Floats:
        some = slice(None, None, 1 + truth.size // kinks.SAMPLE)
        return np.asarray(self.response(scores[some]) - truth[some])


@lru_cache(maxsize=64)
def _formulas(loss: Loss, link: str) -> Formulas:
    made = _derived(loss, link)
    if loss.domain is None:
        return made
    at = constant(1.0) if link == usual_link(loss) else substitute(LINKS[link].prediction, {z: p})
    inside = substitute(loss.bound(loss.domain), {p: at, r: at - y})
    return made._replace(gradient=where(inside, made.gradient, math.nan))


def _derived(loss: Loss, link: str) -> Formulas:
    own = loss if link == "identity" else _own_form(loss, link)
    if own is None:
        return _through(LINKS[link], loss)
    moving = _MOVING.get(type(own))
    if moving is None:
        return Formulas(own.expression, own.derived()[0], kinks.curvature(own))
    return Formulas(own.expression, gradient(moving), maximum(hessian(moving), LEAST_CURVATURE))


def _own_form(loss: Loss, link: str) -> Loss | None:
    """The same loss as a formula of the raw score that loses no digits, where there is one."""
    if link != usual_link(loss):
        return None
    match loss:
        case LogLoss():
            return Logistic()
        case CostWeighted():
            return CostLogistic(*loss.parameters.values())
        case Focal():
            return FocalLogit(*loss.parameters.values())
        case Poisson():
            return LogPoisson()
        case Gamma():
            return LogGamma()
        case SquaredLog():
            return LogSquared()
    return None


def _through(link: Link, loss: Loss) -> Formulas:
    """By the chain rule; the curvature leaves out the link's bend, so that it stays above 0.

    Save for Tweedie deviances up to gamma's, which are convex on the log scale: with their true
    second derivative, the trainers' own objectives are met.
    """
    at = substitute(link.prediction, {z: p})
    put, moved = {p: at, r: at - y}, gradient(at)
    slope, bend = (substitute(one, put) for one in (loss.derived()[0], kinks.curvature(loss)))
    slope = slope * moved
    if isinstance(loss, Tweedie) and loss.power <= 2 and link.name == "log":
        bend = gradient(slope)
    else:
        bend = bend * moved**2
    return Formulas(substitute(loss.expression, put), slope, maximum(bend, LEAST_CURVATURE))


@lru_cache(maxsize=64)
def _scaled(
    formulas: Formulas, weighted: bool, scale: tuple[float, float]
) -> tuple[Expression, Expression]:
    scaled = (simplify(constant(k) * one) for k, one in zip(scale, formulas[1:], strict=True))
    slope, bend = (one * w for one in scaled) if weighted else scaled
    return slope, bend
