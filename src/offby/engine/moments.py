"""Covariances from the sums of products: what standard errors are made of.

A measure g of aggregates moves with a row as sum_j dg/dA_j * influence_j, and each aggregate's
influence is linear in its basis terms (Variance: (x - mean)^2 - var, with x shifted by the pilot).
So a squared standard error is one quadratic form in the products the pass summed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.plan import Plan
from offby.engine.sums import Sums
from offby.formula.expression import Expression

Floats = NDArray[np.float64]


def second_moments(plan: Plan, sums: Sums) -> Floats:
    """The matrix of summed products of (1, basis ...), NaN where a product was not asked for."""
    size = len(plan.basis) + 1
    matrix = np.full((size, size), np.nan)
    for (i, j), place in plan.moments.items():
        matrix[i + 1, j + 1] = matrix[j + 1, i + 1] = sums.moments[place]
    if not plan.weighted:
        matrix[0, 0] = sums.rows
    return matrix


Pilot = tuple[Floats, Floats]
"""Shift and scale of the linear basis terms."""


def rebased(plan: Plan, sums: Sums, taken: Pilot, wanted: Pilot) -> Sums:
    """The sums, taken about one pilot, as if they had been taken about another."""
    matrix = second_moments(plan, sums)
    change = _change(plan, *taken, *wanted)
    known = np.nan_to_num(matrix)
    moved = change @ known @ change.T
    moments = np.array([moved[i + 1, j + 1] for i, j in plan.moments])
    return replace(sums, moments=moments.reshape(-1))


def _change(
    plan: Plan, shift: Floats, scale: Floats, new_shift: Floats, new_scale: Floats
) -> Floats:
    """The linear map that takes (1, basis ...) about one pilot to another."""
    size = len(plan.basis) + 1
    change = np.zeros((size, size))
    change[0, 0] = 1.0
    factor = np.divide(new_scale, scale, out=np.ones_like(scale), where=scale != 0)
    offset = (shift - new_shift) * new_scale
    at = 0
    for place, term in enumerate(plan.basis, start=1):
        if isinstance(term, Expression):
            change[place, place], change[place, 0] = factor[at], offset[at]
            at += 1
    for place, term in enumerate(plan.basis, start=1):
        if isinstance(term, tuple):
            i, j = term[0] + 1, term[1] + 1
            change[place, place] = change[i, i] * change[j, j]
            change[place, i] += change[i, i] * change[j, 0]
            change[place, j] += change[j, j] * change[i, 0]
            change[place, 0] = change[i, 0] * change[j, 0]
    return change
