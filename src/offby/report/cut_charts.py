"""Pictures of where to cut between yes and no: precision, recall and F1, and what it costs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import between, number, percent
from offby.drawing.plot import BLUE, DASH, GREEN, INK, ORANGE, PINK, Axis, Floats, Spec
from offby.report.ranking_charts import STEPS
from offby.report.scored import Scored, share_axis
from offby.scores import (
    Costs,
    Curve,
    Estimate,
    Saving,
    along_thresholds,
    best_cost,
    best_f1,
    cost,
    cost_curve,
    saving,
)

_ENOUGH = 100  # rows, from which three bands do not hide one another


def thresholds(drawn: Scored) -> Chart:
    """Precision, recall and F1 at every threshold."""
    x, up = _axis(drawn), share_axis("share; F1")
    along = along_thresholds(drawn.counts, drawn.confidence)
    curves = (
        ("precision", BLUE, along.precision),
        ("recall", GREEN, _ended(along.recall, Estimate(0.0))),
        ("F1", PINK, _ended(along.f1, Estimate(0.0))),
    )
    draw = _banded if drawn.counts.effective_n >= _ENOUGH else _bare
    layers = [part for _, color, curve in curves for part in draw(x, up, curve, color)]
    layers += _rules(x, ((drawn.threshold, ORANGE),))
    title = "Precision, recall and F1 along thresholds"
    keys = (*(Key("line", color, name) for name, color, _ in curves), _cut(drawn, x))
    return Chart(title, _balance(drawn), keys, plot.draw(layers, title))


def _axis(drawn: Scored) -> Axis:
    """Thresholds up to the highest score, and to the cut unless that stands far from all scores."""
    most = float(drawn.counts.high[-1])
    if most < drawn.threshold < 2 * most:
        most = drawn.threshold
    return replace(share_axis("threshold: a row that reaches it is a yes", most), format=None)


def _cut(drawn: Scored, x: Axis) -> Key:
    name = f"the cut at {drawn.threshold:g}"
    shown = x.holds(drawn.threshold)
    return Key("line", ORANGE, name if shown else f"{name} (beyond the picture)", DASH)


def _banded(x: Axis, up: Axis, curve: Curve, color: str) -> list[Spec]:
    """A curve over thresholds, in its intervals."""
    at, low, high = (_from_zero(part) for part in (curve.x, curve.low, curve.high))
    at[0] = 0.0
    return [plot.band(x, up, at, (low, high), color, **STEPS), *_bare(x, up, curve, color)]


def _bare(x: Axis, up: Axis, curve: Curve, color: str) -> list[Spec]:
    """What holds at a score holds for thresholds down to the next lower one."""
    at, height = _from_zero(curve.x), _from_zero(curve.y)
    at[0] = 0.0
    return [plot.line(x, up, at, height, color, **STEPS)]


def _from_zero(column: Floats) -> Floats:
    return np.append(column[0], column)


def _ended(curve: Curve, last: Estimate) -> Curve:
    """A curve up to threshold 1: beyond the highest score no row is a yes."""
    low, high = (last.value if end is None else end for end in (last.low, last.high))
    ends = (1.0, last.value, low, high, math.inf)
    parts = (curve.x, curve.y, curve.low, curve.high, curve.threshold)
    return Curve(*(np.append(part, end) for part, end in zip(parts, ends, strict=True)))


def _balance(drawn: Scored) -> str:
    best = best_f1(drawn.counts, drawn.confidence)
    largest = (
        f"F1 is largest at {number(best.threshold, 3)}, where it is "
        f"{number(best.estimate.value, 3)}; on other rows a little less is to be expected."
    )
    if not drawn.called:
        return f"No row reaches the cut at {drawn.threshold:g}: nothing is found. {largest}"
    sides = drawn.right + drawn.found
    f1 = 2 * drawn.right * drawn.found / sides if sides else 0.0
    return (
        f"At {drawn.threshold:g} precision is {percent(drawn.right)}, recall "
        f"{percent(drawn.found)} and F1 {number(f1, 3)}. {largest}"
    )


def costs(drawn: Scored) -> Chart | None:
    """The mean cost of a row at every threshold."""
    if drawn.costs is None:
        return None
    never = cost(drawn.counts, drawn.costs, math.inf, drawn.confidence)
    curve = cost_curve(drawn.counts, drawn.costs, drawn.confidence)
    curve = _ended(curve, never)
    best = best_cost(drawn.counts, drawn.costs, drawn.confidence)
    x = _axis(drawn)
    up = Axis("mean cost of a row", 0.0, 1.05 * float(curve.high.max()))
    cuts = ((drawn.threshold, ORANGE), (best.threshold, GREEN), (drawn.costs.threshold, INK))
    layers = [*_banded(x, up, curve, BLUE), *_rules(x, cuts)]
    title = "What a threshold costs"
    keys = (
        Key("line", BLUE, f"mean cost, with {percent(drawn.confidence, 3)} intervals"),
        _cut(drawn, x),
        Key("line", GREEN, f"cheapest here: {_named(best.threshold)}", DASH),
        Key("line", INK, f"of a calibrated model: {number(drawn.costs.threshold, 3)}", DASH),
    )
    return Chart(title, _price(drawn, drawn.costs), keys, plot.draw(layers, title))


def _rules(x: Axis, cuts: tuple[tuple[float, str], ...]) -> list[Spec]:
    """A line for each cut, dashed in turns where they stand at one place."""
    return [
        plot.rule(x, at, color, strokeWidth=2, strokeDash=DASH, strokeDashOffset=4 * place)
        for place, (at, color) in enumerate(cuts)
        if x.holds(at)
    ]


def _named(threshold: float) -> str:
    return "never a yes" if math.isinf(threshold) else number(threshold, 3)


def _price(drawn: Scored, costs: Costs) -> str:
    """What the present cut costs, and what another would save."""
    now = cost(drawn.counts, costs, drawn.threshold, drawn.confidence).value
    gained = saving(drawn.counts, costs, drawn.threshold, None, drawn.confidence)
    return (
        f"With {number(costs.false_positive)} for a false alarm and "
        f"{number(costs.false_negative)} for a miss, the cut at {drawn.threshold:g} costs "
        f"{number(now, 3)} a row. {_saved(gained)}"
    )


def _saved(gained: Saving) -> str:
    if not gained.seen:
        return "No other cut is cheaper on these rows."
    found = gained.estimate
    reach = f", interval {between(found.low, found.high)}" if found.low is not None else ""
    where = "Never saying yes" if math.isinf(gained.to) else f"A cut at {number(gained.to, 3)}"
    return (
        f"{where} would have saved {number(gained.seen, 3)} a row here, and should save "
        f"{number(found.value, 3)} on others like them{reach}."
    )
