"""Sums of products in twice the digits of float64: for the residuals of ill-conditioned fits.

A number is a pair (high, low) with high + low exact up to 106 bits (Dekker 1971, Knuth's two-sum).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from offby.engine.rows import Floats

Pair: TypeAlias = tuple[Floats, Floats]
_SPLIT = 2.0**27 + 1


def two_sum(a: Floats, b: Floats) -> Pair:
    """a + b, and what its rounding left."""
    total = a + b
    moved = total - a
    return total, (a - (total - moved)) + (b - moved)


def two_product(a: Floats, b: Floats) -> Pair:
    """a b, and what its rounding left.

    >>> two_product(np.array(1 + 2.0**-30), np.array(1 + 2.0**-30))[1] == 2.0**-60
    np.True_
    """
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, np.asarray(low)


def _halves(a: Floats) -> Pair:
    far = _SPLIT * a
    high = far - (far - a)
    return high, np.asarray(a - high)


def add(a: Pair, b: Pair) -> Pair:
    """The sum of two pairs."""
    high, low = two_sum(a[0], b[0])
    return two_sum(high, low + (a[1] + b[1]))


def total(terms: Pair) -> Pair:
    """The sum over the first axis, halving it until one is left.

    >>> total((np.array([1e16, 1.0, -1e16]), np.zeros(3)))[0]
    np.float64(1.0)
    """
    high, low = terms
    while len(high) > 1:
        half = len(high) // 2
        rest = high[2 * half :], low[2 * half :]
        high, low = add((high[:half], low[:half]), (high[half : 2 * half], low[half : 2 * half]))
        high, low = np.concatenate([high, rest[0]]), np.concatenate([low, rest[1]])
    return (high[0], low[0]) if len(high) else (np.zeros(terms[0].shape[1:]),) * 2


def residual(y: Floats, X: Floats, coefficients: Floats, intercept: float) -> Pair:
    """y - X coefficients - intercept: (n,)."""
    left = two_sum(y, np.full_like(y, -intercept))
    for column, coefficient in zip(X.T, coefficients, strict=True):
        left = add(left, two_product(column, -coefficient))
    return left
