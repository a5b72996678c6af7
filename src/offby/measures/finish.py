"""From totals to measurements: the value, or why there is none, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np

from offby.engine.state import State
from offby.formula.aggregates import MOMENTS, aggregates_of
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression, walk
from offby.formula.words import y
from offby.measures.aggregate import Aggregate, Undefined, aggregate
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.order_interval import order_interval
from offby.measures.uncertainty import effective_n, interval, moments_only, standard_error


def measurement(state: State, measure: Measure, confidence: float) -> Measurement:
    """What the pass says of one measure."""
    nothing = blank(state, measure, confidence)
    try:
        found = {part: aggregate(state, part) for part in aggregates_of(measure.formula)}
        value, bracket = _value(measure, found)
    except Undefined as reason:
        return replace(nothing, undefined=_said(reason, measure))
    valued = replace(nothing, value=value, bracket=bracket)
    try:
        error, low, high = _interval(state, measure, found, value, confidence)
    except Undefined as reason:
        return replace(valued, unsure=str(reason))
    return replace(valued, standard_error=error, low=low, high=high)


def blank(state: State, measure: Measure, confidence: float) -> Measurement:
    """What is known of a measure before its value is."""
    return Measurement(
        measure.name, None, n=state.sums.rows, units=measure.units, better=measure.better,
        confidence=confidence, range=measure.range,
    )  # fmt: skip


def _value(
    measure: Measure, found: dict[Expression, Aggregate]
) -> tuple[float, tuple[float, float] | None]:
    value = _evaluate(measure.formula, {part: number.value for part, number in found.items()})
    loose = [part for part, number in found.items() if number.low != number.high]
    if not loose:
        return value, None
    ends = []
    for corner in product((0, 1), repeat=len(loose)):  # measures are monotone in each of these
        numbers = {part: number.value for part, number in found.items()}
        for part, side in zip(loose, corner, strict=True):
            numbers[part] = (found[part].low, found[part].high)[side]
        ends.append(_evaluate(measure.formula, numbers))
    return value, (min(ends), max(ends))


def _evaluate(formula: Expression, numbers: dict[Expression, float]) -> float:
    values = {part: np.float64(number) for part, number in numbers.items()}
    with np.errstate(all="ignore"):
        for current in walk(formula, values):
            if current.op == "divide" and evaluate(current.args[1], values) == 0:
                raise Undefined(_zero(current.args[1]))
        value = float(evaluate(formula, values))
    if math.isnan(value):
        raise Undefined("its formula has no value on these rows")
    return value


def _zero(denominator: Expression) -> str:
    if denominator.op == "variance" and denominator.args[0] is y:
        return "y_true is constant, so its variance is 0"
    return f"{denominator!r} is 0"


def _said(reason: Undefined, measure: Measure) -> str:
    if reason.rows and measure.needs:
        return f"{reason.reason} (needs {measure.needs}; the first is row {reason.first + 1})"
    if reason.rows:
        return f"{reason.reason} (the first is row {reason.first + 1})"
    return reason.reason


def _why_infinite(state: State, measure: Measure) -> str:
    """The rows whose terms are infinite, such as the log of a prediction of 0."""
    for part in aggregates_of(measure.formula):
        for term in part.args if part.op in MOMENTS else ():
            positive, negative, _, first = state.sums.unusual(state.plan.exact[term])
            if positive or negative:
                rows = positive + negative
                where = f"{rows:,} row{'s' * (rows > 1)}, the first is row {first + 1}"
                return f"its term is infinite in {where}"
    return "the value exceeds float64"


def _interval(
    state: State,
    measure: Measure,
    found: dict[Expression, Aggregate],
    value: float,
    confidence: float,
) -> tuple[float, float, float]:
    """Standard error and interval; raises `Undefined`."""
    if not math.isfinite(value):
        raise Undefined(_why_infinite(state, measure))
    n = effective_n(state)
    if n <= 1:
        raise Undefined("one row: no interval")
    if not moments_only(measure.formula):
        return order_interval(state, measure, found, value, confidence)
    if value in measure.range:
        raise Undefined(f"the value stands at the edge of its range, {value:g}")
    error, degrees = standard_error(state, measure.formula, found)
    if not math.isfinite(error):
        raise Undefined("its standard error exceeds float64")
    return error, *interval_of(measure, value, error, degrees, confidence)


def interval_of(
    measure: Measure, value: float, error: float, degrees: float, confidence: float
) -> tuple[float, float]:
    """The interval of a measure of moments, on its natural scale."""
    if measure.formula.op == "sqrt":  # a root has the roots of the interval below it
        low, high = interval(1.0, 2 * error / value, degrees, confidence, (0.0, math.inf))
        return value * math.sqrt(low), value * math.sqrt(high)
    return interval(value, error, degrees, confidence, measure.range)
