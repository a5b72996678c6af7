"""From the totals of a pass to the numbers that measures are formulas over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from offby.engine.order import KeyCounts
from offby.engine.plan import Counter
from offby.engine.state import State
from offby.formula.expression import Expression
from offby.measures import ordered


@dataclass(frozen=True)
class Undefined(Exception):  # noqa: N818  # a state of a number, not a mistake
    """Why a number does not exist, and (if rows are to blame) how many and the first."""

    reason: str
    rows: int = 0
    first: int = -1

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Aggregate:
    """A number read off the totals, with guaranteed bounds where it is not exact."""

    value: float
    low: float
    high: float


def aggregate(state: State, part: Expression) -> Aggregate:
    """The value of one aggregate; raises `Undefined`."""
    if state.sums.rows == 0:
        raise Undefined("there are no rows")
    if part.op == "mean":
        return _one(mean(state, part.args[0]))
    if part.op in ("variance", "covariance"):
        return _one(covariance(state, part.args[0], part.args[-1]))
    if part.op == "largest":
        return _one(_largest(state, part.args[0]))
    counted = _counted(state, part.args[0])
    return Aggregate(*ordered.read(part, counted, state.plan.weighted))


def _one(value: float) -> Aggregate:
    return Aggregate(value, value, value)


def mean(state: State, term: Expression) -> float:
    """The mean of a term, correctly rounded; infinite where a term is."""
    return _quotient(state, state.plan.exact[term])


def _quotient(state: State, places: list[int]) -> float:
    positive, negative, missing, first = state.sums.unusual(places)
    if missing or (positive and negative):
        rows = missing + positive + negative
        raise Undefined(
            f"{rows:,} row{'s have' if rows > 1 else ' has'} no defined value", rows, first
        )
    if positive or negative:
        return math.inf if positive else -math.inf
    return _rounded(state.sums.exact(places) / state.sums.weight(state.plan))


def _rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def covariance(state: State, a: Expression, b: Expression) -> float:
    """The mean product about the means, in exact arithmetic and rounded once."""
    plan, sums = state.plan, state.sums
    for places in (plan.exact[a], plan.exact[b], plan.squares[a, b]):
        if not math.isfinite(_quotient(state, places)):
            raise Undefined(
                "a value or its square exceeds the largest float64; rescale the columns"
            )
    total = sums.weight(plan)
    means = [sums.exact(plan.exact[term]) / total for term in (a, b)]
    return _rounded(sums.exact(plan.squares[a, b]) / total - means[0] * means[1])


def _largest(state: State, term: Expression) -> float:
    for place, known in enumerate(state.plan.largest):
        if known is term:
            return float(state.sums.sizes[place, 0])
    raise KeyError(term)


def _counted(state: State, key: Expression) -> ordered.Counted:
    for place, counter in enumerate(state.plan.counters):
        if counter.key is key:
            return _reading(counter, state.sums.counted[place])
    raise KeyError(key)


@lru_cache(maxsize=8)
def _reading(counter: Counter, counts: KeyCounts) -> ordered.Counted:
    """One reading for all measures, since it remembers what it added up."""
    return ordered.Counted(counter, counts)


def counted_by(state: State, key: Expression) -> ordered.Counted | None:
    """The counts of a formula's values, if the pass kept them."""
    try:
        return _counted(state, key)
    except KeyError:
        return None
