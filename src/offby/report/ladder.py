"""Segments one below the other: a name, a dot for the value and a line for the interval of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offby.drawing import plot
from offby.drawing.plot import GREEN, MUTED, ORANGE, Axis, Floats, Spec

NAMED = 20
"""Segments that are drawn one by one, with their names."""
_LETTERS = 26  # of a name
_ROOM = 0.5  # of the intervals' width, for the names
_ORDER = (MUTED, GREEN, ORANGE)  # what matters most is drawn last


def view(about: float, ends: Floats) -> tuple[float, float]:
    """From where to where the axis goes: most of (low, value, high) and what they lie about.

    An interval that is very wide must not hide the others.
    """
    reach = np.median(ends[:, 2] - ends[:, 0]) * 4
    low = np.maximum(ends[:, 0], ends[:, 1] - reach)
    high = np.minimum(ends[:, 2], ends[:, 1] + reach)
    return plot.around(about, float(low.min()), float(high.max()))


def axis(name: str, low: float, high: float, marks: tuple[float, ...] = ()) -> Axis:
    """The axis of the values, with room for the names before it."""
    return Axis(name, low - _ROOM * (high - low), high, marks=marks)


def rungs(x: Axis, names: Sequence[str], ends: Floats, colors: Sequence[str]) -> list[Spec]:
    """The segments from above, each of its colour."""
    up = Axis("", -len(names) - 0.5, -0.5, labels=False)
    heights: Floats = -1.0 - np.arange(len(names), dtype=np.float64)
    layers = []
    for color in _ORDER:
        at = [k for k, one in enumerate(colors) if one == color]
        if at:
            layers.append(_spans(x, up, ends[at], heights[at], color))
            layers.append(plot.dots(x, up, ends[at, 1], heights[at], color))
    for name, height in zip(names, heights.tolist(), strict=True):
        layers.append(plot.words(x, up, x.low, height, _short(name), align="left",
                                 baseline="middle", fontSize=11, dx=2))  # fmt: skip
    return layers


def _spans(x: Axis, up: Axis, ends: Floats, heights: Floats, color: str) -> Spec:
    """A level line from low to high for each segment."""
    data = plot.rows(a=x.place(ends[:, 0]), b=x.place(ends[:, 2]), y=up.place(heights))
    channels = {"x": x.channel("a"), "x2": {"field": "b"}, "y": up.channel("y")}
    return plot.layer(data, "rule", channels, stroke=color, strokeWidth=2, opacity=0.6)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"
