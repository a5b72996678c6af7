"""The regression measures, as formulas."""

from __future__ import annotations

import math

from offby.errors import MeasureError
from offby.formula.aggregates import (
    Covariance,
    Largest,
    LeastPinball,
    Mean,
    Quantile,
    TopShare,
    Variance,
)
from offby.formula.expression import Expression, constant
from offby.formula.words import log, p, r, sqrt, xlogy, y
from offby.losses import (
    Absolute,
    AbsolutePercentage,
    Gamma,
    Loss,
    Pinball,
    Poisson,
    Squared,
    Tweedie,
)
from offby.measures.measure import Measure

POSITIVE = (0.0, math.inf)
AT_MOST_ONE = (-math.inf, 1.0)
SHARE = (0.0, 1.0)

MEASURES = [
    Measure("mse", Mean(r**2), "lower", "y²", POSITIVE),
    Measure("rmse", sqrt(Mean(r**2)), "lower", "y", POSITIVE),
    Measure("mae", Mean(abs(r)), "lower", "y", POSITIVE),
    Measure("bias", Mean(r), "zero", "y"),
    Measure("r2", 1 - Mean(r**2) / Variance(y), "higher", "1", AT_MOST_ONE),
    Measure("explained_variance", 1 - Variance(r) / Variance(y), "higher", "1", AT_MOST_ONE),
    Measure(
        "squared_correlation",
        Covariance(y, p) ** 2 / (Variance(y) * Variance(p)),
        "higher",
        "1",
        SHARE,
    ),
    Measure(
        "mape",
        Mean(AbsolutePercentage.formula),
        "lower",
        "1",
        POSITIVE,
        needs="targets other than 0",
    ),
    Measure(
        "smape",
        Mean(2 * abs(r) / (abs(y) + abs(p))),
        "lower",
        "1",
        (0.0, 2.0),
        needs="rows where target and prediction are not both 0",
    ),
    Measure("wape", Mean(abs(r)) / Mean(abs(y)), "lower", "1", POSITIVE),
    Measure("max_error", Largest(abs(r)), "lower", "y", POSITIVE),
    Measure("median_absolute_error", Quantile(abs(r), 0.5), "lower", "y", POSITIVE),
]


def loss_measure(loss: Loss, name: str) -> Measure:
    """The mean of a loss."""
    needs = "" if loss.domain is None else f"{loss.bound(loss.domain)!r}"
    return Measure(name, Mean(loss.expression), "lower", loss.units, POSITIVE, needs)


def root_mean_squared_log(msle: Measure) -> Measure:
    """The root of the mean squared log error."""
    return Measure("rmsle", sqrt(msle.formula), "lower", "1", POSITIVE, msle.needs)


def error_quantile(q: float) -> Measure:
    """The value that a share q of the absolute errors does not exceed."""
    if not 0 < q < 1:
        raise MeasureError(f"error_quantile:{q:g}: the share must lie between 0 and 1")
    return Measure(f"error_quantile:{q:g}", Quantile(abs(r), q), "lower", "y", POSITIVE)


def worst_share(power: int, fraction: float) -> Measure:
    """The share of the summed |r|**power that the worst `fraction` of the rows own."""
    if not 0 < fraction < 1:
        raise MeasureError(f"worst_share: the fraction {fraction:g} must lie between 0 and 1")
    kind = {1: "absolute", 2: "squared"}[power]
    name = f"{kind}_error_share:{fraction:g}"
    return Measure(name, TopShare(abs(r), power, fraction), "lower", "1", SHARE)


def d2(loss: Loss, name: str) -> Measure:
    """Skill over the best constant: 1 - mean loss / mean loss of that constant (D squared).

    Exists where the constant is a quantile, or a mean whose mean loss is a formula of means.
    """
    least = _least_mean(loss)
    if least is None:
        raise MeasureError(
            f"{name}: the best constant of {loss} cannot be had from mergeable totals, so D² is "
            "undefined; it exists for absolute, pinball, squared, poisson, gamma and tweedie"
        )
    needs = "" if loss.domain is None else f"{loss.bound(loss.domain)!r}"
    formula = 1 - Mean(loss.expression) / least
    return Measure(name, formula, "higher", "1", AT_MOST_ONE, needs)


def _least_mean(loss: Loss) -> Expression | None:
    """The mean loss of the best constant prediction, as a formula over aggregates."""
    centre = Mean(y)
    match loss:
        case Squared():
            return Variance(y)
        case Absolute():
            return 2 * LeastPinball(y, 0.5, loss.expression)
        case Pinball():
            return LeastPinball(y, loss.parameters["tau"], loss.expression)
        case Poisson():
            return 2 * (Mean(xlogy(y, y)) - xlogy(centre, centre))
        case Gamma():
            return 2 * (log(centre) - Mean(log(y)))
        case Tweedie():
            q = constant(2 - loss.parameters["power"])
            scale = float(2 / (q.data * (q.data - 1)))
            return scale * (Mean(y**q) - centre**q)
    return None
