"""Order statistics, read off the counts of keys: exact, or with guaranteed bounds."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.order import KeyCounts
from offby.engine.plan import ONE, Counter, count_columns
from offby.formula.expression import Expression
from offby.formula.words import w

Floats = NDArray[np.float64]
Bounded = tuple[float, float, float]
"""A value and the bounds it surely lies between."""


@dataclass(frozen=True)
class Counted:
    """A counter of the plan with what it counted."""

    counter: Counter
    counts: KeyCounts

    def column(self, wanted: Expression) -> int | None:
        """The place of a column, found by identity (== builds equations)."""
        for place, column in enumerate(self.counter.columns):
            if column is wanted:
                return place
        return None

    @cached_property
    def weights(self) -> Floats:
        """The weight of each key: its rows, or the sum of their weights."""
        place = self.column(w)
        if place is None:
            return self.counts.counts.astype(np.float64)
        return self.counts.pairs[:, 2 * place] + self.counts.pairs[:, 2 * place + 1]

    @cached_property
    def ends(self) -> tuple[Floats, Floats]:
        """The smallest and the largest value each key can stand for."""
        return self.counts.low(), self.counts.high()

    @cached_property
    def middles(self) -> Floats:
        """The middle of the values that each key stands for."""
        low, high = self.ends
        return np.asarray(low + (high - low) / 2)

    @cached_property
    def cumulated(self) -> NDArray[Any]:
        """The exact weight up to and including each key: integers, or fractions."""
        place = self.column(w)
        if place is None:
            return np.cumsum(self.counts.counts)
        return np.cumsum(np.array(self.counts.column(place), dtype=object))

    @cached_property
    def effective_n(self) -> float:
        """(sum w)^2 / sum w^2."""
        place = self.column(w * w)
        if place is None:
            return float(self.counts.counts.sum())
        return float(self.weights.sum()) ** 2 / float(self.counts.pairs[:, 2 * place].sum())


def read(part: Expression, counted: Counted, weighted: bool) -> Bounded:
    """The value of an order statistic and its bounds."""
    numbers = [arg.data for arg in part.args[1:3]]
    if part.op == "quantile":
        return quantile(counted, numbers[0])
    if part.op == "top_share":
        return top_share(counted, numbers[0], numbers[1])
    return least_pinball(part, counted, numbers[0], weighted)


def quantile(counted: Counted, q: float) -> Bounded:
    """The q-quantile: the middle of the two values where the cumulated weight is exactly q."""
    first, second = quantile_places(counted, q)
    low, high = counted.ends
    bounds = [float(x[first] + (x[second] - x[first]) / 2) for x in (low, high)]
    return bounds[0] + (bounds[1] - bounds[0]) / 2, bounds[0], bounds[1]


def quantile_places(counted: Counted, q: float) -> tuple[int, int]:
    """The keys between which the quantile lies; the same key twice where it falls inside one."""
    cumulated = counted.cumulated
    share = Fraction(repr(q))  # as it is written: 0.9 of 10 rows are 9, not a little more
    target = share * (int(cumulated[-1]) if cumulated.dtype != object else cumulated[-1])
    if cumulated.dtype != object:  # whole rows: compare integers
        place = int(np.searchsorted(cumulated, math.floor(target), side="left"))
        tied = target.denominator == 1 and cumulated[place] == target
        place += int(not tied and cumulated[place] <= target)
    else:
        place = bisect_left(cumulated.tolist(), target)
        tied = cumulated[place] == target
    return place, min(place + int(tied), cumulated.size - 1)


def top_share(counted: Counted, power: float, fraction: float) -> Bounded:
    """The share of the sum of key**power that the largest `fraction` of the rows own.

    A row may count in part, as on a Lorenz curve: the worst 1 % of 250 rows are 2.5 rows.
    """
    target = fraction * float(counted.weights.sum())
    below = np.maximum(counted.weights.sum() - np.cumsum(counted.weights), 0.0)
    taken = np.clip(target - below, 0.0, counted.weights)
    low, high = (raised(counted, x, power) for x in counted.ends)
    ends = [float(np.sum(taken * x)) for x in (low, high)]
    totals = [float(np.sum(counted.weights * x)) for x in (low, high)]
    if not totals[0]:
        return math.nan, math.nan, math.nan
    if counted.counts.exact:
        share = ends[0] / totals[0]
        return share, share, share
    bounds = ends[0] / totals[1], min(ends[1] / totals[0], 1.0)
    return (ends[0] + ends[1]) / (totals[0] + totals[1]), *bounds


def raised(counted: Counted, values: Floats, power: float) -> Floats:
    """`values` to a power, in units (a power of two) in which none overflows."""
    exponent = np.frexp(counted.ends[1][-1])[1]
    return np.asarray(np.ldexp(values, -exponent) ** power)


def least_pinball(part: Expression, counted: Counted, tau: float, weighted: bool) -> Bounded:
    """The mean pinball loss of the sample's own tau-quantile.

    Where its key stands for several values, the mean's slope changes inside by that key's weight
    at most, which bounds how far the cost at the key's middle is from the least.
    """
    at, _ = quantile_places(counted, tau)
    low, high = (float(x[at]) for x in counted.ends)
    centre = low + (high - low) / 2
    column = _needed(counted, count_columns(part, w if weighted else ONE)[2 if weighted else 0])
    above = _gap(counted, column, slice(at + 1, None), centre)
    below = _gap(counted, column, slice(0, at), centre)
    whole = float(counted.weights.sum())
    cost = tau * above - (1 - tau) * below
    inside = float(counted.weights[at]) * (high - low)
    bounds = max(cost - inside, 0.0), cost + inside * max(tau, 1 - tau)
    return cost / whole, bounds[0] / whole, bounds[1] / whole


def _gap(counted: Counted, column: int, keys: slice, centre: float) -> float:
    """The sum of w (value - centre) over these keys, rounded once."""
    parts = counted.counts.pairs[keys, 2 * column : 2 * column + 2].ravel().tolist()
    weight = sum(map(Fraction, counted.weights[keys].tolist()), Fraction(0)) if counted.column(
        w) is not None else Fraction(int(counted.counts.counts[keys].sum()))  # fmt: skip
    moved = weight * Fraction(centre)
    rounded = float(moved)
    return math.fsum([*parts, -rounded, -float(moved - Fraction(rounded))])


def _needed(counted: Counted, column: Expression) -> int:
    place = counted.column(column)
    assert place is not None
    return place
