"""Primitives of more than one operation on whole arrays, in the form that loses no digits.

`xp` is NumPy, torch or jax.numpy. `where` computes both branches, so that each is given arguments
it can bear. The forms for the compiled loop stand in `kernels`.
"""

from __future__ import annotations

import math
from typing import Any

LOG_2 = math.log(2.0)


def tweedie(xp: Any, x: Any, m: Any, power: Any) -> Any:
    """Half the Tweedie deviance, as y^q (expm1(qL)/q - expm1((q-1)L)/(q-1)) with L = log(m/x)."""
    q = 2 - power
    inside = (x > 0) & (m > 0)
    safe, other = xp.where(inside, x, 1.0), xp.where(inside, m, 1.0)
    gap = xp.where(xp.abs(other - safe) < 0.5 * safe, other - safe, 0.0)
    log_ratio = xp.where(gap == 0, xp.log(other / safe), xp.log1p(gap / safe))
    near = log_ratio * log_ratio * tweedie_series(log_ratio, q)
    far = xp.expm1(q * log_ratio) / q - xp.expm1((q - 1) * log_ratio) / (q - 1)
    positive = safe**q * xp.where(xp.abs(log_ratio) * (1 + xp.abs(q)) < 0.1, near, far)
    at_zero = xp.where((x == 0) & (q > 0), xp.where(m > 0, m, 1.0) ** q / q, math.nan)
    return xp.where(m > 0, xp.where(x > 0, positive, at_zero), math.nan)


def tweedie_series(log_ratio: Any, q: Any) -> Any:
    """1/2 + (2q-1) L/6 + ..., the bracket over L^2; ten terms are exact for |qL| < 0.1."""
    total, high, low, scale = 0.0 * log_ratio, 1.0, 1.0, 1.0
    for k in range(2, 12):
        high, low, scale = high * q, low * (q - 1), scale / (k - 1)
        total = total + (high - low) * log_ratio ** (k - 2) * scale / k
    return total


def logcosh(xp: Any, x: Any) -> Any:
    """log(cosh(x)): through expm1 near 0, as |x| - log 2 far away."""
    size = xp.abs(x)
    near = xp.expm1(xp.where(size < 1, size, 0.0))
    far = size + xp.log1p(xp.exp(-2 * size)) - LOG_2
    return xp.where(size < 1, xp.log1p(near * near / (2 * (1 + near))), far)


def softplus(xp: Any, x: Any) -> Any:
    """log(1 + exp(x)), without overflow."""
    return xp.where(x > 0, x, 0.0 * x) + xp.log1p(xp.exp(-xp.abs(x)))


def sigmoid(xp: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    tail = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0, tail) / (1 + tail)


def xlogy(xp: Any, x: Any, t: Any) -> Any:
    """x log(t), and 0 where x is 0: that wins over log(0), not over NaN."""
    return x * xp.log(xp.where((x == 0) & (t == t), 1.0, t))


def xlog1py(xp: Any, x: Any, t: Any) -> Any:
    """x log(1 + t), and 0 where x is 0."""
    safe = xp.where((x == 0) & (t == t), 0.0, t)
    return x * xp.where(xp.abs(safe) < 1e-17, safe, xp.log1p(safe))  # torch's loses subnormals


def bd0(xp: Any, x: Any, m: Any) -> Any:
    """Loader's deviance x log(x/m) + m - x: a series where x is near m."""
    total = x + m
    v = (x - m) / xp.where(total == 0, 1.0, total)
    near = (x - m) * v + x * v * bd0_series(v * v)
    ratio = xp.where((x > 0) & (m > 0), x / xp.where(m == 0, 1.0, m), 1.0)
    far = xp.where((m == 0) & (x > 0), math.inf, x * xp.log(ratio) + (m - x))
    inside = (x >= 0) & (m >= 0)
    return xp.where(inside, xp.where(xp.abs(v) < 0.1, near, far), math.nan)


def bd0_series(square: Any) -> Any:
    """2 (v^2/3 + v^4/5 + ...): for |v| < 0.1 the first term left out is below 1e-20."""
    series = square * 0.0
    for odd in (19, 17, 15, 13, 11, 9, 7, 5, 3):
        series = (series + 2.0 / odd) * square
    return series
