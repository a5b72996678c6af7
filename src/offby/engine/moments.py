"""Covariances from the sums of products: what standard errors are made of.

A measure g of aggregates moves with a row as sum_j dg/dA_j * influence_j, and each aggregate's
influence is linear in its basis terms (Variance: (x - mean)^2 - var, with x shifted by the pilot).
So a squared standard error is one quadratic form in the products the pass summed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from offby.engine.plan import Plan
from offby.engine.sums import POINT, Sums
from offby.formula.expression import Expression
from offby.formula.words import w

Floats = NDArray[np.float64]


Pilot = tuple[Floats, Floats]
"""Shift and scale of the linear basis terms."""


@dataclass(frozen=True)
class Comoments:
    """Summed products of (1, basis ...), NaN where one was not asked for, and the basis means.

    `fourths` holds sums of w^4 b^k for k up to 4, where such were asked for.
    """

    matrix: Floats
    means: Floats
    fourths: dict[int, Floats]

    @classmethod
    def of(cls, plan: Plan, sums: Sums, pilot: Pilot) -> Comoments:
        """Those of the sums; without weights the first row is what the exact sums already hold."""
        size = len(plan.basis) + 1
        matrix = np.full((size, size), np.nan)
        means = basis_means(plan, sums, pilot)
        for i, j in _pairs(plan):
            matrix[i + 1, j + 1] = matrix[j + 1, i + 1] = sums.moments[plan.moments[i, j]]
        if not plan.weighted:
            matrix[0, 0] = sums.rows
            matrix[0, 1:] = matrix[1:, 0] = sums.rows * means
            for place, term in enumerate(plan.basis, start=1):
                if isinstance(term, tuple):
                    i, j = term[0] + 1, term[1] + 1
                    matrix[i, j] = matrix[j, i] = matrix[0, place]
        return cls(matrix, means, _fourths(plan, sums, matrix))

    def centred(self, places: list[int]) -> Floats:
        """The sums of w² (b_i - mean_i)(b_j - mean_j) over the rows, for these basis terms."""
        if len(places) == 1:
            return self.spreads[places].reshape(1, 1)
        pick = np.array(places) + 1
        means = self.means[places]
        crossed = np.outer(means, self.matrix[0, pick])
        inner = self.matrix[np.ix_(pick, pick)] - crossed - crossed.T
        return np.asarray(inner + self.matrix[0, 0] * np.outer(means, means))

    @cached_property
    def spreads(self) -> Floats:
        """The sums of w² (b - mean)² over the rows, for every basis term."""
        first, squares = self.matrix[0, 1:], np.diagonal(self.matrix)[1:]
        return np.asarray(squares - 2 * self.means * first + self.matrix[0, 0] * self.means**2)

    def fourth(self, place: int) -> float:
        """The sum of w^4 (b - mean)^4 over the rows, for a basis term that has it."""
        none, one, two, three, four = self.fourths[place].tolist()
        mean = float(self.means[place])
        return float(four - mean * (4 * three - mean * (6 * two - mean * (4 * one - mean * none))))


def _pairs(plan: Plan) -> list[tuple[int, int]]:
    return [(places[0], places[1]) for places in plan.moments if len(places) == 2]


def _fourths(plan: Plan, sums: Sums, matrix: Floats) -> dict[int, Floats]:
    """The sums of w^4 b^k; without weights the lower ones are the matrix's."""
    found = {}
    for i in (places[-1] for places in plan.moments if len(places) == 4 and places[0] >= 0):
        keys = [(*[-1] * (4 - k), *[i] * k) for k in range(5)]
        if not plan.weighted:
            low = [matrix[0, 0], matrix[0, i + 1], matrix[i + 1, i + 1]]
            high = [sums.moments[plan.moments[key]] for key in ((i, i, i), (i, i, i, i))]
            found[i] = np.array([*low, *high])
        else:
            found[i] = np.array([sums.moments[plan.moments[key]] for key in keys])
    return found


_CHOOSE = np.array([[math.comb(k, j) for j in range(5)] for k in range(5)], np.float64)
_POWER = np.arange(5)
_LEFT = np.maximum(_POWER[:, None] - _POWER, 0)


def shifted(powers: Floats, factor: Floats, offset: Floats) -> Floats:
    """The sums of powers of b * factor + offset, for terms b in rows."""
    with np.errstate(invalid="ignore", over="ignore"):  # terms that were infinite
        change = _CHOOSE * factor[:, None, None] ** _POWER * offset[:, None, None] ** _LEFT
        return np.asarray((change @ powers[:, :, None])[:, :, 0])


def basis_means(plan: Plan, sums: Sums, pilot: Pilot) -> Floats:
    """The (weighted) means of the basis terms, from the exact sums and rounded once.

    Worked out in whole numbers of the smallest float64s, which is exact and faster than fractions.
    """
    many = sums.units(plan.exact[w]) if plan.weighted else sums.rows
    unit = 1 << POINT
    total, per = (many, unit) if plan.weighted else (many, 1)
    shift, scale = (iter(part.tolist()) for part in pilot)
    linear: dict[int, tuple[int, int, float]] = {}
    means = []
    for place, term in enumerate(plan.basis):
        if isinstance(term, Expression):
            centre = units(next(shift))
            linear[place] = x, c, s = sums.units(plan.exact[term]), centre, next(scale)
            means.append(_quotient(x * per - c * total, total * unit, s))
        else:
            (x, c, s), (y, d, t) = (linear[k] for k in term)
            a, b = (plan.basis[k] for k in term)
            crossed = sums.units(plan.squares[a, b]) * unit - c * y - d * x  # type: ignore[index]
            product = crossed * per + c * d * total
            means.append(_quotient(product, total * unit * unit, s, t))
    return np.array(means)


def _quotient(over: int, under: int, *powers: float) -> float:
    """A quotient times powers of two, rounded once: between them nothing overflows."""
    exponent = sum(math.frexp(power)[1] - 1 for power in powers)
    return (over << max(exponent, 0)) / (under << max(-exponent, 0))


def units(value: float) -> int:
    """A float64 as a whole number of the smallest ones."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator << POINT) // denominator


def rebased(plan: Plan, sums: Sums, taken: Pilot, wanted: Pilot) -> Sums:
    """The sums, taken about one pilot, as if they had been taken about another."""
    matrix, fourths = _moved(plan, Comoments.of(plan, sums, taken), taken, wanted)
    moments = np.zeros_like(sums.moments)
    for i, j in _pairs(plan):
        moments[plan.moments[i, j]] = matrix[i + 1, j + 1]
    for i, powers in fourths.items():
        for places, at in plan.moments.items():
            if len(places) > 2 and set(places) <= {-1, i}:
                moments[at] = powers[places.count(i)]
    return replace(sums, moments=moments)


def _moved(
    plan: Plan, before: Comoments, taken: Pilot, wanted: Pilot
) -> tuple[Floats, dict[int, Floats]]:
    """The products and the powers about another pilot."""
    change = _change(plan, *taken, *wanted)
    places = np.array(list(before.fourths), np.int64)
    powers = np.array(list(before.fourths.values())).reshape(-1, 5)
    moved = shifted(powers, change[places + 1, places + 1], change[places + 1, 0])
    fourths = dict(zip(before.fourths, moved, strict=True))
    with np.errstate(over="ignore", invalid="ignore"):  # terms that were infinite
        return change @ np.nan_to_num(before.matrix) @ change.T, fourths


def without(
    plan: Plan, whole: Comoments, part: Comoments, pilots: tuple[Pilot, Pilot], means: Floats
) -> Comoments:
    """The comoments of the rows outside a part, whose means are known; `pilots` are of both."""
    matrix, fourths = _moved(plan, part, pilots[1], pilots[0])
    left = {i: powers - fourths[i] for i, powers in whole.fourths.items()}
    return Comoments(whole.matrix - matrix, means, left)


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
