"""The functions that the compiled loop calls by the names the primitive table gives them."""

from __future__ import annotations

import math
from math import copysign, sqrt

from offby.formula.bits import inline, select
from offby.formula.elementary import exp, expm1, log, log1p
from offby.formula.stable import LOG_2

__all__ = [
    "bd0",
    "copysign",
    "exp",
    "expm1",
    "log",
    "log1p",
    "logcosh",
    "power",
    "sigmoid",
    "softplus",
    "sqrt",
    "tanh",
    "tweedie_divergence",
    "xlog1py",
    "xlogy",
]


@inline
def power(a: float, b: float) -> float:
    """a to the power b, by libm."""
    return math.pow(a, b)


@inline
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    tail = exp(-abs(x))
    return select(x >= 0.0, 1.0, tail) / (1.0 + tail)


@inline
def softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return select(x > 0.0, x, 0.0 * x) + log1p(exp(-abs(x)))


@inline
def tanh(x: float) -> float:
    """The hyperbolic tangent, through expm1 so that small x keep their digits."""
    tail = expm1(-2.0 * abs(x))
    return copysign(-tail / (2.0 + tail), x)


@inline
def logcosh(x: float) -> float:
    """log(cosh(x)): through expm1 near 0, as |x| - log 2 far away."""
    size = abs(x)
    near = expm1(select(size < 1.0, size, 0.0))
    far = size + log1p(exp(-2.0 * size)) - LOG_2
    return select(size < 1.0, log1p(near * near / (2.0 * (1.0 + near))), far)


@inline
def xlogy(x: float, t: float) -> float:
    """x log(t), and 0 where x is 0."""
    return x * log(select((x == 0.0) & (t == t), 1.0, t))


@inline
def xlog1py(x: float, t: float) -> float:
    """x log(1 + t), and 0 where x is 0."""
    return x * log1p(select((x == 0.0) & (t == t), 0.0, t))


@inline
def bd0(x: float, m: float) -> float:
    """Loader's deviance x log(x/m) + m - x: a series where x is near m."""
    total = x + m
    v = (x - m) / select(total == 0.0, 1.0, total)
    square = v * v
    series = 2.0 / 19
    for odd in (17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
        series = series * square + 2.0 / odd
    near = (x - m) * v + x * v * (series * square)
    ratio = select((x > 0.0) & (m > 0.0), x / select(m == 0.0, 1.0, m), 1.0)
    far = select((m == 0.0) & (x > 0.0), math.inf, x * log(ratio) + (m - x))
    inside = (x >= 0.0) & (m >= 0.0)
    return select(inside, select(abs(v) < 0.1, near, far), math.nan)


@inline
def tweedie_divergence(x: float, m: float, power: float) -> float:
    """Half the Tweedie deviance: a series where x is near m, which the closed form loses."""
    q = 2.0 - power
    if not (m > 0.0 and x >= 0.0):
        return math.nan
    if x == 0.0:
        return math.pow(m, q) / q if q > 0.0 else math.nan
    log_ratio = log1p((m - x) / x) if abs(m - x) < 0.5 * x else log(m / x)
    scale = math.pow(x, q)
    if abs(log_ratio) * (1.0 + abs(q)) < 0.1:
        total, high, low, factor, ratio = 0.0, 1.0, 1.0, 1.0, 1.0
        for k in range(2, 12):
            high, low, factor = high * q, low * (q - 1.0), factor / (k - 1)
            total += (high - low) * ratio * factor / k
            ratio *= log_ratio
        return scale * log_ratio * log_ratio * total
    return scale * (expm1(q * log_ratio) / q - expm1((q - 1.0) * log_ratio) / (q - 1.0))
