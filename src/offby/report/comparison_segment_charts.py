"""Pictures of a comparison within segments: each difference with its interval, zero in between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.plot import GREEN, INK, MUTED, ORANGE, Axis, Floats, Spec
from offby.pairs.difference import Difference
from offby.report.comparison_segments import ComparedSegment, Pair, families
from offby.report.comparison_words import label

if TYPE_CHECKING:
    from offby.report.comparison import Comparison

_NAMED = 20  # segments that are drawn with their names
_LISTS, _PAIRS = 6, 3
_LETTERS = 26  # of a name
_ROOM = 0.5  # of the intervals' width, for the names
_COLORS = {"tied": MUTED, "better": GREEN, "worse": ORANGE}  # what matters most is drawn last


def charts(comparison: Comparison) -> Iterator[Chart]:
    """A picture a list of segments and pair of models."""
    name = comparison.deciding
    for family in families(comparison.segments)[:_LISTS]:
        for pair in list(family[0].differences[name])[:_PAIRS]:
            known = [one for one in family if _drawable(one.differences[name][pair])]
            if known:
                yield _ladder(known, name, pair)


def _drawable(found: Difference) -> bool:
    ends = (found.low, found.value, found.high)
    return all(end is not None and math.isfinite(end) for end in ends)


def _ladder(family: Sequence[ComparedSegment], name: str, pair: Pair) -> Chart:
    """A line a segment: its name, its interval and its difference."""
    shown = family[:_NAMED]
    found = [one.differences[name][pair] for one in shown]
    ends = np.array([(d.low, d.value, d.high) for d in found], np.float64)
    low, high = plot.around(0.0, *_view(ends))
    x = Axis(f"difference of {label(name)}", low - _ROOM * (high - low), high)
    up = Axis("", -len(shown) - 0.5, -0.5, labels=False)
    heights: Floats = -1.0 - np.arange(len(shown), dtype=np.float64)
    layers = [plot.rule(x, 0.0, INK, strokeWidth=1.2)]
    for verdict, color in _COLORS.items():
        at = [k for k, d in enumerate(found) if d.verdict == verdict]
        if at:
            layers.append(_spans(x, up, ends[at], heights[at], color))
            layers.append(plot.dots(x, up, ends[at, 1], heights[at], color))
    for one, height in zip(shown, heights.tolist(), strict=True):
        layers.append(plot.words(x, up, x.low, height, _short(one.name), align="left",
                                 baseline="middle", fontSize=11, dx=2))  # fmt: skip
    by, (b, a) = " × ".join(family[0].columns), pair
    title = f"{b} against {a} by {by}"
    return Chart(title, _caption(family, found[0], pair), _keys(found), plot.draw(layers, title))


def _caption(family: Sequence[ComparedSegment], found: Difference, pair: Pair) -> str:
    side = {"lower": "left", "higher": "right"}.get(found.better, "left")
    text = (
        f"A dot is the {label(found.measure)} of {pair[0]} less that of {pair[1]} in a segment, "
        f"and its line the interval: to the {side} of zero {pair[0]} is better. Colours mark what "
        "is more than chance, with Holm's correction for all segments together."
    )
    left = len(family) - _NAMED
    return f"{text} {left:,} more segments are in the JSON." if left > 0 else text


def _keys(found: Sequence[Difference]) -> tuple[Key, ...]:
    here = {d.verdict for d in found}
    return tuple(Key("dot", color, verdict) for verdict, color in _COLORS.items()
                 if verdict in here)  # fmt: skip


def _view(ends: Floats) -> tuple[float, float]:
    """The values and most of their intervals: one that is very wide must not hide the others."""
    reach = np.median(ends[:, 2] - ends[:, 0]) * 4
    low = np.maximum(ends[:, 0], ends[:, 1] - reach)
    high = np.minimum(ends[:, 2], ends[:, 1] + reach)
    return float(low.min()), float(high.max())


def _spans(x: Axis, up: Axis, ends: Floats, heights: Floats, color: str) -> Spec:
    """A level line from low to high for each segment."""
    data = plot.rows(a=x.place(ends[:, 0]), b=x.place(ends[:, 2]), y=up.place(heights))
    channels = {"x": x.channel("a"), "x2": {"field": "b"}, "y": up.channel("y")}
    return plot.layer(data, "rule", channels, stroke=color, strokeWidth=2, opacity=0.6)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"
