"""The catalogue of losses, one family a file, and their text names."""

from __future__ import annotations

import difflib

from offby.errors import FormulaError
from offby.losses.binary import BinaryLoss
from offby.losses.categorical import (
    CategoricalBrier,
    CategoricalCrossEntropy,
    CategoricalFocal,
    CostMatrix,
    SoftmaxCrossEntropy,
)
from offby.losses.columns import CategoricalLoss
from offby.losses.custom import loss
from offby.losses.deviance import (
    AbsolutePercentage,
    Gamma,
    InverseGaussian,
    Poisson,
    SquaredLog,
    Tweedie,
)
from offby.losses.distance import (
    Absolute,
    Cauchy,
    EpsilonInsensitive,
    Expectile,
    Huber,
    LogCosh,
    Pinball,
    PseudoHuber,
    Squared,
    Tukey,
    Welsch,
)
from offby.losses.loss import Loss, Noise, Parameter
from offby.losses.margin import (
    CostLogistic,
    Exponential,
    FocalLogit,
    Hinge,
    Logistic,
    SmoothedLogistic,
    SquaredHinge,
)
from offby.losses.probability import Brier, CostWeighted, Focal, LogLoss

__all__ = [
    "CATALOGUE",
    "Absolute",
    "AbsolutePercentage",
    "BinaryLoss",
    "Brier",
    "CategoricalBrier",
    "CategoricalCrossEntropy",
    "CategoricalFocal",
    "CategoricalLoss",
    "Cauchy",
    "CostLogistic",
    "CostMatrix",
    "CostWeighted",
    "EpsilonInsensitive",
    "Expectile",
    "Exponential",
    "Focal",
    "FocalLogit",
    "Gamma",
    "Hinge",
    "Huber",
    "InverseGaussian",
    "LogCosh",
    "LogLoss",
    "Logistic",
    "Loss",
    "Noise",
    "Parameter",
    "Pinball",
    "Poisson",
    "PseudoHuber",
    "SmoothedLogistic",
    "SoftmaxCrossEntropy",
    "Squared",
    "SquaredHinge",
    "SquaredLog",
    "Tukey",
    "Tweedie",
    "Welsch",
    "from_text",
    "loss",
]

CATALOGUE: tuple[type[Loss], ...] = (
    Squared, Absolute, Huber, PseudoHuber, LogCosh, Pinball, Expectile, EpsilonInsensitive,
    SquaredLog, AbsolutePercentage, Poisson, Gamma, Tweedie, InverseGaussian, Cauchy, Welsch, Tukey,
    LogLoss, Brier, Focal, CostWeighted, Logistic, SmoothedLogistic, CostLogistic, FocalLogit,
    Hinge, SquaredHinge, Exponential,
)  # fmt: skip
"""Every built-in loss."""

ALIASES = {
    "mse": "squared",
    "mae": "absolute",
    "msle": "squared_log",
    "mape": "absolute_percentage",
    "binary_cross_entropy": "log_loss",
    "bce": "log_loss",
    "cross_entropy": "log_loss",
    "brier_score": "brier",
}
NAMES = {kind.name: kind for kind in CATALOGUE}


def from_text(text: str) -> Loss:
    """The loss that a text names: ``huber:1.345``, ``pinball:0.9``, ``mse``, or a formula.

    Several numbers stand between colons, so that a list of names may be split at its commas;
    commas between them are read too.

    >>> from_text("huber:1.345")
    Huber(delta=1.345)
    >>> from_text("cost_weighted:1:5") == from_text("cost_weighted:1,5")
    True
    >>> from_text("where(r < 0, 5*abs(r), abs(r))").value(2.0, 1.0)
    5.0
    """
    name, _, numbers = text.strip().partition(":")
    name = ALIASES.get(name, name)
    if name not in NAMES:
        if name.isidentifier():
            near = difflib.get_close_matches(name, [*NAMES, *ALIASES], 3)
            hint = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(NAMES)}"
            raise FormulaError(f"unknown loss {text!r}; {hint}")
        return loss(text)
    try:
        values = [float(number) for number in numbers.replace(":", ",").split(",") if numbers]
        return NAMES[name](*values)
    except ValueError as error:
        if isinstance(error, FormulaError):
            raise
        raise FormulaError(f"{text!r}: {numbers!r} is not a number") from None
