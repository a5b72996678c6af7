"""The pictures of a report: what is drawn, and one sentence that says what to look for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import number, percent
from offby.drawing.plot import BLUE, DASH, GREEN, INK, ORANGE, PAPER, Axis, Floats, Spec
from offby.report.drawn import Drawn
from offby.report.loss_charts import concentration, shapes

if TYPE_CHECKING:
    from offby.report.report import Report

_FEW = 40  # rows that are drawn one by one where more would be counted in bars
_MANY = 1500  # rows from which dots would hide one another
_SHADES = 9
_LIKE = 25  # rows at least that an average of like predictions is taken over
_SURE = 0.03  # of the picture's width: the largest standard error of such an average


def charts(report: Report, most: int | None = None, output: str = "") -> list[Chart]:
    """The pictures of a report, the most telling first."""
    drawn = Drawn.of(report, output)
    if drawn is None:
        return []
    kinds: tuple[Callable[[Drawn], Chart | None], ...]
    kinds = (_predicted, _errors, concentration, shapes)
    return [chart for kind in kinds[:most] if (chart := kind(drawn)) is not None]


def _predicted(drawn: Drawn) -> Chart:
    """Predicted against actual, with the line on which a prediction is perfect."""
    low, high = plot.around(*plot.bulk(drawn.y_true), *plot.bulk(drawn.y_pred))
    x, up = Axis("actual", low, high), Axis("predicted", low, high)
    inside = x.holds(drawn.y_true) & x.holds(drawn.y_pred)
    truths, guesses = drawn.y_true[inside], drawn.y_pred[inside]
    cloud, key = (_density if drawn.rows > _MANY else _points)(x, up, truths, guesses)
    perfect = plot.line(x, up, [low, high], [low, high], INK, strokeWidth=1.2)
    average, keys = _averages(x, up, drawn.y_true, drawn.y_pred)
    title = "Predicted against actual"
    return Chart(
        title,
        _sides(drawn) + drawn.outside(inside),
        (key, Key("line", INK, "perfect"), *keys),
        drawn.draw([cloud, perfect, *average], title),
    )


def _sides(drawn: Drawn) -> str:
    high, low = (percent(float(np.mean(side))) for side in (drawn.errors > 0, drawn.errors < 0))
    middle = number(float(np.median(np.abs(drawn.errors))), 3)
    return (
        f"Above the line a prediction is too high ({high} of rows), below it too low ({low}); "
        f"half of the rows lie within {middle} of it."
    )


def _points(x: Axis, up: Axis, truths: Floats, guesses: Floats) -> tuple[Spec, Key]:
    faint = 0.9 if truths.size <= _FEW else 0.45
    return plot.dots(x, up, truths, guesses, BLUE, opacity=faint), Key("dot", BLUE, "a row")


def _density(x: Axis, up: Axis, truths: Floats, guesses: Floats) -> tuple[Spec, Key]:
    """Cells, the stronger the more rows they hold; like neighbours in a line are one box."""
    across, upward = x.edges(truths), up.edges(guesses)
    counts = np.histogram2d(truths, guesses, (across, upward))[0]
    most = max(counts.max(initial=0.0), 1.0)
    shades = np.ceil(_SHADES * np.log1p(counts) / np.log1p(most)).astype(int)
    boxes = [box for column in range(shades.shape[0]) for box in _runs(column, shades[column])]
    at, start, stop, shade = (list(part) for part in zip(*boxes, strict=True))
    data = plot.rows(
        a=x.place(across[at]), b=x.place(across[np.add(at, 1)]),
        c=up.place(upward[start]), d=up.place(upward[stop]),
        shade=[(s / _SHADES) ** 1.3 for s in shade],
    )  # fmt: skip
    channels = {
        "x": x.channel("a"), "x2": {"field": "b"}, "y": up.channel("c"), "y2": {"field": "d"},
        "fillOpacity": {"field": "shade", "type": "quantitative", "scale": None},
    }  # fmt: skip
    return plot.layer(data, "rect", channels, fill=BLUE), Key("area", BLUE, "rows")


def _runs(column: int, shades: NDArray[np.int64]) -> list[tuple[int, int, int, int]]:
    """Stretches of one shade: (column, start, stop, shade), without the empty ones."""
    ends = np.flatnonzero(np.diff(shades, append=-1)) + 1
    starts = [0, *ends[:-1].tolist()]
    runs = zip(starts, ends.tolist(), strict=True)
    return [(column, start, stop, int(shades[start])) for start, stop in runs if shades[start]]


def _averages(
    x: Axis, up: Axis, truths: Floats, guesses: Floats
) -> tuple[list[Spec], tuple[Key, ...]]:
    """What like predictions came to on average, where that is known well enough to be drawn."""
    with np.errstate(over="ignore"):  # what lies a million widths away is far enough away
        scaled = np.clip(truths / (x.high - x.low), -1e6, 1e6)
    points = []
    for part in _alike(guesses):
        came_to, said = (float(np.sum(v[part] / part.size)) for v in (truths, guesses))
        doubt = float(np.std(scaled[part])) / math.sqrt(part.size)
        if doubt < _SURE and x.holds(came_to) and up.holds(said):
            points.append((came_to, said))
    if len(points) < 3:
        return [], ()
    across, upward = np.transpose(points)
    found = plot.line(x, up, across, upward, ORANGE, strokeWidth=2.5)
    return [found], (Key("line", ORANGE, "average actual of like predictions"),)


def _alike(guesses: Floats) -> list[NDArray[np.int64]]:
    """The places of like predictions, in up to twenty groups; equal ones stay together."""
    edges = np.unique(np.quantile(guesses, np.linspace(0, 1, 21)))
    group = np.searchsorted(edges[1:-1], guesses, side="right")
    places = [np.flatnonzero(group == g) for g in range(edges.size)]
    return [part for part in places if part.size >= _LIKE]


def _errors(drawn: Drawn) -> Chart:
    """The distribution of the signed errors, with their mean and median."""
    x, few = drawn.axis, drawn.errors.size <= _FEW
    inside = x.holds(drawn.errors)
    body = (_one_by_one if few else _histogram)(x, drawn.errors)
    middles = {
        ORANGE: ("mean (bias)", drawn.bias),
        GREEN: ("median", float(np.median(drawn.errors))),
    }
    lines = [
        plot.rule(x, at, color, strokeWidth=2.5, strokeDash=DASH, strokeDashOffset=4 * place)
        for place, (color, (_, at)) in enumerate(middles.items())  # in turns, if at one place
        if x.holds(at)
    ]
    keys = [Key("line", c, f"{name} {number(at, 3)}", DASH) for c, (name, at) in middles.items()]
    title = "Distribution of errors"
    return Chart(
        title,
        _spread(drawn) + drawn.outside(inside),
        (Key("dot", BLUE, "a row") if few else Key("area", BLUE, "rows"), *keys),
        drawn.draw([*body, plot.rule(x, 0.0, INK, strokeWidth=1.2), *lines], title),
    )


def _spread(drawn: Drawn) -> str:
    few = drawn.errors.size < 20
    low, high = np.quantile(drawn.errors, [0, 1] if few else [0.05, 0.95])
    return (
        f"{'The errors' if few else 'Nine errors in ten'} lie between {number(float(low), 3)} and "
        f"{number(float(high), 3)}; the further the orange line stands from zero, the more the "
        "predictions as a whole are too high (right) or too low (left)."
    )


def _histogram(x: Axis, errors: Floats) -> list[Spec]:
    """Bars, in shares of the rows drawn."""
    bins = int(np.clip(2 * errors.size ** (1 / 3), 12, plot.CELLS))
    edges = x.edges(errors, bins)
    shares = np.histogram(errors, edges)[0] / errors.size
    up = Axis("share of rows", 0.0, 1.05 * float(shares.max()), "~%", 5)
    return [plot.bars(x, up, edges, shares, BLUE, opacity=0.65, stroke=PAPER, strokeWidth=0.5)]


def _one_by_one(x: Axis, errors: Floats) -> list[Spec]:
    """A stem and a dot for each row."""
    up = Axis("rows, the first on top", -errors.size - 0.5, -0.5, labels=False)
    heights = -1.0 - np.arange(errors.size)
    return [plot.stems(x, up, errors, heights, BLUE), plot.dots(x, up, errors, heights, BLUE)]
