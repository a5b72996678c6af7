"""The certificate of a quantile regression: how far its loss can be above the least, at most.

For any d with Σ w d x = 0 and τ - 1 <= d <= τ, and any coefficients b*, Σ w ρ(y - x'b*) >=
Σ w d (y - x'b*) = Σ w d y. So that is below the least loss, and what the loss of b has above it is
a bound: it is Σ w (ρ(r) - d r), of terms that are all positive, with nothing cancelled. A dual
that misses its constraints proves nothing, so its gap is infinite.

In float64, Σ w d x = e is not quite 0, and the bound is e'(b - b*) short. As Σ w |r| is at most the
loss over min(τ, 1 - τ), both at b and at the better b*, Σ w |x'(b - b*)| is at most twice that, and
e'(b - b*) at most √(e'G⁻¹e) times it, with G = Σ w² x x' of all or of some rows. The gap has that
added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats
from offby.fit.passes.doubled import add, total, two_product
from offby.fit.quantiles.problem import Problem, Sizes, blocks, pinball

_EQUAL = 1e-11  # of the largest that Σ w d x could be: what it may differ from 0
_FEW = 8192  # rows that are one block
ROUNDING = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Gap:
    """The loss of a fit, the most it can be above the least, and how sure float64 lets both be."""

    loss: float
    gap: float
    rounding: float


def duality_gap(
    rows: Problem, tau: float, coef: Floats, dual: Floats, whole: Sizes | None = None
) -> Gap:
    """The loss of `coef` and its gap to the bound that `dual` gives, infinite if it gives none.

    Of `rows` some may be lumps of those of the `whole`.

    >>> rows = Problem(np.ones((3, 1)), np.array([1.0, 2.0, 9.0]))
    >>> duality_gap(rows, 0.5, np.array([2.0]), np.array([-0.5, 0.0, 0.5])).gap
    0.0
    >>> duality_gap(rows, 0.5, np.array([2.0]), np.array([-0.5, 0.1, 0.5])).gap
    inf
    """

    loss, gap, *unmet = _totals(rows, tau, coef, dual)
    sums = loss, gap, np.array(unmet)
    return bounded(whole or rows, tau, coef, sums, boxed=_boxed(tau, dual))


def finer_gap(
    rows: Problem, tau: float, coef: Floats, dual: Floats, whole: Sizes | None = None
) -> Gap:
    """The same with Σ w d x in twice the digits.

    Of columns far from 0 for their spread, float64 cannot tell that it is 0.
    """
    loss, gap, *_ = _totals(rows, tau, coef, dual)
    sums = loss, gap, imbalance(rows, dual)
    return bounded(whole or rows, tau, coef, sums, boxed=_boxed(tau, dual))


def imbalance(rows: Problem, dual: Floats) -> Floats:
    """Σ w d x, from twice the digits of float64: (p,).

    >>> rows = Problem(np.array([[1e16], [1.0], [1e16]]), np.zeros(3))
    >>> imbalance(rows, np.array([0.5, 0.25, -0.5]))
    array([0.25])
    """
    found = np.zeros(rows.X.shape[1]), np.zeros(rows.X.shape[1])
    for part in blocks(0, rows.count):
        weight = 1.0 if rows.weight is None else rows.weight[part]
        high, low = two_product(dual[part], np.broadcast_to(weight, dual[part].shape))
        product, rest = two_product(high[:, None], rows.X[part])
        found = add(found, total((product, rest + low[:, None] * rows.X[part])))
    return found[0]


def _totals(rows: Problem, tau: float, coef: Floats, dual: Floats) -> Floats:
    """Of all rows: loss, gap, Σ w d x."""
    if rows.count <= _FEW:
        return _sums(rows, slice(None), tau, coef, dual)

    def some(start: int, stop: int) -> Floats:
        parts = blocks(start, stop)
        return sum((_sums(rows, part, tau, coef, dual[part]) for part in parts), np.zeros(1))

    return sum(in_slices(rows.count, some), np.zeros(1))


def _boxed(tau: float, dual: Floats) -> bool:
    return bool(dual.min() >= tau - 1 and dual.max() <= tau)  # NaN is not


def bounded(
    rows: Sizes, tau: float, coef: Floats, sums: tuple[float, float, Floats], *, boxed: bool
) -> Gap:
    """The gap, from the sums of the loss, of what it exceeds the dual's by, and of w d x.

    It is infinite unless the dual was `boxed`.
    """
    loss, gap, unmet = float(sums[0]), float(sums[1]), sums[2]
    feasible = boxed and bool((np.abs(unmet) <= _EQUAL * rows.column_size).all())
    gap += 2 * loss / min(tau, 1 - tau) * _norm(rows, unmet)
    rounding = ROUNDING * (rows.truth_size + float(rows.column_size @ np.abs(coef)))
    return Gap(loss, gap if feasible else np.inf, rounding)


def _sums(rows: Problem, part: slice, tau: float, coef: Floats, dual: Floats) -> Floats:
    """Of some rows: loss, gap, Σ w d x."""
    X = rows.X[part]
    residual = rows.y[part] - X @ coef
    loss = pinball(residual, tau)
    excess = loss - dual * residual
    if rows.weight is None:
        return np.concatenate([(loss.sum(), excess.sum()), dual @ X])
    weight = rows.weight[part]
    return np.concatenate([(weight @ loss, weight @ excess), (weight * dual) @ X])


def _norm(rows: Sizes, unmet: Floats) -> float:
    """√(e'G⁻¹e), or a little more."""
    mixed = unmet if rows.mixture is None else unmet @ rows.mixture
    values, vectors = rows.spread
    return math.sqrt(float(np.sum((mixed @ vectors) ** 2 / values))) if values.size else 0.0
