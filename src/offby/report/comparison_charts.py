"""The pictures of a comparison: differences with their intervals, and where they come from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import number, percent
from offby.drawing.plot import BLUE, DASH, INK, Axis, Floats
from offby.pairs.difference import TARGETS, Difference
from offby.report.comparison_words import label
from offby.report.forest import Bar, forest, reach

if TYPE_CHECKING:
    from offby.report.comparison import Comparison

_MOST = 12  # differences that one picture holds
_GROUPS = 10  # of rows by their actual value
_TOP = 1e150  # beyond, squares overflow, and no picture helps
_LIKE = 25  # rows at least in such a group


def charts(comparison: Comparison) -> list[Chart]:
    """The pictures of a comparison, the most telling first."""
    of_two = len(comparison.models) == 2
    found = [_measures(comparison) if of_two else _against_best(comparison)]
    if comparison.task == "regression":
        found.append(_by_truth(comparison))
    return [chart for chart in found if chart is not None]


def _measures(comparison: Comparison) -> Chart | None:
    """By how many per cent each measure's loss is lower; of R², AUC and such, what 1 lacks."""
    b, a = comparison.models[1], comparison.models[0]
    bars = []
    for name, models in comparison.measures.items():
        found, base = comparison.difference(name), models[a].value
        if base is None or found.better in TARGETS:
            continue
        loss = base if found.better == "lower" else 1 - base
        if 0 < loss < math.inf:
            scale = -1 / loss if found.better == "lower" else 1 / loss
            bars += _bar(label(name), found, scale, percent)
    title = f"What {b} takes off the loss of {a}"
    caption = (
        f"To the right of the line {b} is better; a bar that does not touch it is more than chance "
        f"({percent(comparison.confidence, 3)} intervals). The loss of a measure that is best at 1 "
        "is what it lacks."
    )
    return forest(bars, Axis("of the loss", *reach(bars), "~%"), title, caption)


def _against_best(comparison: Comparison) -> Chart | None:
    """How far each model lies behind the best by the measure that decides."""
    best = comparison.ranking[0].model
    name = label(comparison.deciding)
    behind = [rank.behind for rank in comparison.ranking[1 : _MOST + 1]]
    bars = [
        bar for found in behind if found is not None for bar in _bar(found.model, found, 1, number)
    ]
    title = f"Behind {best} by {name}"
    side = "left" if comparison.measures[comparison.deciding][best].better == "higher" else "right"
    caption = (
        f"The {name} of each model less that of {best}: the further to the {side} the worse, and "
        "what touches the line may be as good. The intervals of all pairs hold together "
        f"({percent(comparison.confidence, 3)})."
    )
    return forest(bars, Axis(f"difference of {name}", *reach(bars)), title, caption)


def _bar(
    name: str, found: Difference, scale: float, shown: Callable[[float, int], str]
) -> list[Bar]:
    """A difference in some units, if it has an interval."""
    if found.value is None or found.low is None or found.high is None:
        return []
    low, high = sorted((scale * found.low, scale * found.high))
    value = scale * found.value
    if not all(map(math.isfinite, (value, low, high))):
        return []
    return [Bar(f"{name} {shown(value, 2)}", value, low, high, found.verdict)]


def _by_truth(comparison: Comparison) -> Chart | None:
    """By how much the errors differ in size, among rows of like actual value."""
    view = comparison.view
    b, a = (comparison.models[1], comparison.models[0]) if len(comparison.models) == 2 else (
        comparison.ranking[0].model, comparison.ranking[1].model)  # fmt: skip
    if view is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.abs(view.y_pred[b] - view.y_true) - np.abs(view.y_pred[a] - view.y_true)
    fit = (np.abs(gaps) < _TOP) & (np.abs(view.y_true) < _TOP)
    points = _groups(view.y_true[fit], gaps[fit])
    if len(points) < 3:
        return None
    at, mean, error = (np.array(column) for column in zip(*points, strict=True))
    low, high = mean - 2 * error, mean + 2 * error
    x, up = Axis("actual", *plot.around(*at)), Axis("", *plot.around(0.0, *low, *high))
    title = f"Where {b} is nearer to the truth"
    layers = [
        plot.line(x, up, [x.low, x.high], [0.0, 0.0], INK, strokeWidth=1.2),
        plot.whiskers(x, up, at, (low, high), BLUE, strokeWidth=2),
        plot.line(x, up, at, mean, BLUE, strokeDash=DASH, strokeWidth=1.2),
        plot.dots(x, up, at, mean, BLUE, size=60),
    ]
    caption = (
        f"By how much the error of {b} is larger than that of {a}, on average over rows of like "
        f"actual value: below the line {b} is nearer, above it {a}. Whiskers are two standard "
        "errors of these rows."
    )
    keys = (Key("dot", BLUE, f"|error of {b}| − |error of {a}|"),)
    return Chart(title, caption, keys, plot.draw(layers, title))


def _groups(truth: Floats, gaps: Floats) -> list[tuple[float, float, float]]:
    """Rows in groups of like truth: where each stands, its mean gap and the standard error."""
    many = min(_GROUPS, truth.size // _LIKE)
    edges = np.unique(np.quantile(truth, np.linspace(0, 1, many + 1))) if many else truth[:0]
    group = np.searchsorted(edges[1:-1], truth, side="right")
    found = []
    for k in range(max(edges.size - 1, 0)):
        here = gaps[group == k]
        if here.size >= _LIKE:
            error = float(np.std(here)) / math.sqrt(here.size)
            found.append((float(np.median(truth[group == k])), float(np.mean(here)), error))
    return found
