"""The words a formula is written in: columns, numbers that are given later, and functions."""

from __future__ import annotations

from typing import Any

from offby.formula.expression import Expression, apply, symbol

y = symbol("y")
"""The truth (`y_true`)."""
p = symbol("p")
"""The prediction (`y_pred`)."""
r = symbol("r")
"""The error, p - y, computed once."""
z = symbol("z")
"""The prediction, where it is on the log or logit scale."""
w = symbol("w")
"""The weight of the row."""


def where(condition: Any, yes: Any, no: Any) -> Expression:
    """`yes` in the rows where `condition` holds, `no` in the others."""
    return apply("where", condition, yes, no)


def exp(x: Any) -> Expression:
    """e to the power x."""
    return apply("exp", x)


def expm1(x: Any) -> Expression:
    """exp(x) - 1, exact near zero."""
    return apply("expm1", x)


def log(x: Any) -> Expression:
    """The natural logarithm; log(0) is -inf."""
    return apply("log", x)


def log1p(x: Any) -> Expression:
    """log(1 + x), exact near zero."""
    return apply("log1p", x)


def sqrt(x: Any) -> Expression:
    """The square root."""
    return apply("sqrt", x)


def sign(x: Any) -> Expression:
    """-1, 0 or 1."""
    return apply("sign", x)


def maximum(a: Any, b: Any) -> Expression:
    """The larger of the two."""
    return apply("maximum", a, b)


def minimum(a: Any, b: Any) -> Expression:
    """The smaller of the two."""
    return apply("minimum", a, b)


def tanh(x: Any) -> Expression:
    """The hyperbolic tangent."""
    return apply("tanh", x)


def sigmoid(x: Any) -> Expression:
    """1 / (1 + exp(-x)), exact in both tails."""
    return apply("sigmoid", x)


def softplus(x: Any) -> Expression:
    """log(1 + exp(x)), exact in both tails."""
    return apply("softplus", x)


def logcosh(x: Any) -> Expression:
    """log(cosh(x)), which overflows nowhere and is exact near zero."""
    return apply("logcosh", x)


def xlogy(x: Any, t: Any) -> Expression:
    """x log(t), and 0 where x is 0."""
    return apply("xlogy", x, t)


def xlog1py(x: Any, t: Any) -> Expression:
    """x log(1 + t), exact near t = 0, and 0 where x is 0."""
    return apply("xlog1py", x, t)


def ratio(x: Any, t: Any) -> Expression:
    """x / t, and 0 for 0 / 0: the slope of what has no weight."""
    return apply("ratio", x, t)


def bd0(x: Any, m: Any) -> Expression:
    """x log(x/m) + m - x without its cancellation (Loader 2000): half the Poisson deviance."""
    return apply("bd0", x, m)


def itakura_saito(x: Any, m: Any) -> Expression:
    """x/m - log(x/m) - 1 without its cancellation: half the gamma deviance."""
    return apply("itakura_saito", x, m)


def tweedie_divergence(x: Any, m: Any, power: Any) -> Expression:
    """Half the Tweedie deviance of a power other than 1 and 2."""
    return apply("tweedie_divergence", x, m, power)
