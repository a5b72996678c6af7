"""A plot's axes and marks, as Vega-Lite, and Vega-Lite as SVG that takes its colours from the page.

Vega-Lite is written as plain values: importing altair would cost more than drawing four plots does
once the renderer runs. What is drawn lies within the axes and is finite before it gets
here, at whatever size the numbers are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Span = tuple[ArrayLike, ArrayLike]
Spec = dict[str, Any]

# The page's style sheet defines these for light and dark; the fallbacks are legible on both.
BLUE = "var(--offby-blue, #2b83c6)"
ORANGE = "var(--offby-orange, #dd6b20)"
GREEN = "var(--offby-green, #17967a)"
PINK = "var(--offby-pink, #c4679f)"
INK = "var(--offby-ink, currentColor)"
MUTED = "var(--offby-muted, #808890)"
PAPER = "var(--offby-paper, transparent)"
GRID = "var(--offby-grid, #80889033)"
DASH = (4, 4)

WIDTH, HEIGHT = 460, 380
CELLS = 56
_MOST_SHARE = 0.005  # of the rows that robust limits leave out on either side
_PLAIN = "datum.value === 0 ? '0' : replace(datum.label, '%', ' %')"  # not 0k, and as in text
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """A direction of a plot, from `low` to `high` in the data's own units."""

    title: str
    low: float
    high: float
    format: str | None = None
    ticks: int = 6
    labels: bool = True
    log: bool = False  # for shares: the labels are per cent
    marks: tuple[float, ...] = ()  # where the labels stand, if not at round numbers all along

    @cached_property
    def exponent(self) -> int:
        """The power of ten taken out of the labels where numbers are very large or small."""
        size = max(abs(self.low), abs(self.high))
        power = math.floor(math.log10(size)) if size else 0
        return 0 if self.log else 3 * (power // 3) if power >= 9 or power < -3 else 0

    def holds(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Which values lie on the axis."""
        array = np.asarray(values, dtype=np.float64)
        return (array >= self.low) & (array <= self.high)

    def place(self, values: ArrayLike) -> list[float]:
        """Values in the units of the labels; those beyond the axis at its end."""
        inside = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        moved: list[float] = shifted(inside, -self.exponent).tolist()
        return moved

    def channel(self, field: str, **options: Any) -> Spec:
        """This axis as a Vega-Lite channel for a field."""
        size = max(map(abs, self.place([self.low, self.high])))
        form = self.format or ("~s" if size >= 1e4 else None)
        power = f" (×10{str(self.exponent).translate(_SUPERSCRIPTS)})" if self.exponent else ""
        axis: Spec = {
            "title": self.title + power, "format": form, "tickCount": self.ticks,
            "labels": self.labels, "grid": self.labels, "labelExpr": _PLAIN,
        }  # fmt: skip
        scale: Spec = {"domain": self.place([self.low, self.high]), "nice": False, "zero": False}
        if self.marks:
            axis["values"] = self.place(self.marks)
        if self.log:
            axis |= {"values": [1e-4, 1e-3, 1e-2, 1e-1, 1.0], "labelExpr": _PERCENT}
            scale |= {"type": "log", "base": 10}
            del scale["zero"]
        return {"field": field, "type": "quantitative", "scale": scale, "axis": axis, **options}

    def edges(self, values: Floats, cells: int = CELLS) -> Floats:
        """The borders of cells; where all values are whole numbers, none is cut in two."""
        small = max(abs(self.low), abs(self.high)) < 1e9
        if small and _reach(values) >= 2 and bool(np.all(values == np.rint(values))):
            step = max(1, math.ceil((self.high - self.low) / cells))
            start = math.floor(self.low) - 0.5
            return np.arange(start, self.high + step, step)
        return self.low + (self.high - self.low) * np.linspace(0, 1, cells + 1)


def _reach(values: Floats) -> float:
    return float(np.ptp(values)) if values.size else 0.0


def shifted(values: Floats, power: int) -> Floats:
    """Values times 10**power, in two steps so that neither end of float64 overflows."""
    half = power // 2
    moved: Floats = values * 10.0**half * 10.0 ** (power - half)
    return moved


def bulk(values: Floats) -> tuple[float, float]:
    """The least and the largest value, or where the bulk ends if a few lie far outside."""
    low, high = float(values.min()), float(values.max())
    first, last = map(float, np.quantile(values, [_MOST_SHARE, 1 - _MOST_SHARE]))
    heavy = values.size >= 200 and first < last and high - low > 2 * (last - first)
    return (first, last) if heavy else (low, high)


def around(*ends: float) -> tuple[float, float]:
    """The limits of an axis that shows all of these with a margin."""
    low, high = min(ends), max(ends)
    margin = 0.04 * (high - low)
    if margin <= 1e-12 * max(abs(low), abs(high)):
        margin = 0.05 * max(abs(low), abs(high)) or 1.0
    return low - margin, high + margin


def rows(**columns: Sequence[Any]) -> Spec:
    """Columns as the data of a layer."""
    names = list(columns)
    return {"values": [dict(zip(names, row, strict=True)) for row in zip(*columns.values())]}  # noqa: B905


def layer(data: Spec, mark: str, encoding: Spec, **look: Any) -> Spec:
    """One layer of a plot."""
    return {"data": data, "mark": {"type": mark, "clip": True, **look}, "encoding": encoding}


def line(x: Axis, y: Axis, at: ArrayLike, height: ArrayLike, color: str, **look: Any) -> Spec:
    """A line through points, in the order given."""
    across = x.place(at)
    data = rows(i=range(len(across)), x=across, y=y.place(height))
    encoding = {"x": x.channel("x"), "y": y.channel("y"), "order": {"field": "i"}}
    return layer(data, "line", encoding, **{"stroke": color, "strokeWidth": 2, **look})


def dots(x: Axis, y: Axis, at: ArrayLike, height: ArrayLike, color: str, **look: Any) -> Spec:
    """A dot at each point."""
    data = rows(x=x.place(at), y=y.place(height))
    encoding = {"x": x.channel("x"), "y": y.channel("y")}
    return layer(data, "circle", encoding, **{"fill": color, "size": 36, "opacity": 1, **look})


def stems(x: Axis, y: Axis, at: ArrayLike, height: ArrayLike, color: str) -> Spec:
    """A line from zero to each point."""
    data = rows(x=x.place(at), y=y.place(height))
    encoding = {"x": x.channel("x"), "x2": {"datum": 0}, "y": y.channel("y")}
    return layer(data, "rule", encoding, stroke=color, strokeWidth=1.5)


def rule(x: Axis, at: float, color: str, **look: Any) -> Spec:
    """A line from bottom to top."""
    encoding = {"x": x.channel("x")}
    return layer(rows(x=x.place([at])), "rule", encoding, **{"stroke": color, **look})


def bars(x: Axis, y: Axis, edges: Floats, heights: Floats, color: str, **look: Any) -> Spec:
    """Bars between edges, from zero."""
    data = rows(a=x.place(edges[:-1]), b=x.place(edges[1:]), y=y.place(heights))
    encoding = {
        "x": x.channel("a"),
        "x2": {"field": "b"},
        "y": y.channel("y"),
        "y2": {"datum": 0},
    }
    return layer(data, "rect", encoding, **{"fill": color, **look})


def boxes(x: Axis, y: Axis, across: Span, upward: Span, color: str, **look: Any) -> Spec:
    """Boxes from one side to the other, and from the bottom to the top."""
    sides = (x.place(across[0]), x.place(across[1]), y.place(upward[0]), y.place(upward[1]))
    encoding = {
        "x": x.channel("a"), "x2": {"field": "b"}, "y": y.channel("c"), "y2": {"field": "d"},
    }  # fmt: skip
    data = rows(**dict(zip("abcd", sides, strict=True)))
    return layer(data, "rect", encoding, **{"fill": color, **look})


def region(x: Axis, y: Axis, rings: Sequence[Floats], color: str, **look: Any) -> Spec:
    """The area within closed rings, points (k, 2) each; rings that run the other way are holes."""
    across = [place for ring in rings for place in (*x.place(ring[:, 0]), None)]
    upward = [place for ring in rings for place in (*y.place(ring[:, 1]), None)]
    data = rows(i=range(len(across)), x=across, y=upward)
    encoding = {"x": x.channel("x"), "y": y.channel("y"), "order": {"field": "i"}}
    # a line that is broken between rings is one path, whose fill leaves holes out
    shape = {"invalid": "break-paths-filter-domains", "fill": color, "stroke": color}
    return layer(data, "line", encoding, **{"strokeWidth": 1, **shape, **look})


def band(x: Axis, y: Axis, at: ArrayLike, upward: Span, color: str, **look: Any) -> Spec:
    """The area between two lines: where a curve may lie."""
    data = rows(x=x.place(at), c=y.place(upward[0]), d=y.place(upward[1]))
    encoding = {"x": x.channel("x"), "y": y.channel("c"), "y2": {"field": "d"}}
    return layer(data, "area", encoding, **{"fill": color, "fillOpacity": 0.16, **look})


def whiskers(x: Axis, y: Axis, at: ArrayLike, upward: Span, color: str, **look: Any) -> Spec:
    """An upright line at each place, from one height to another."""
    data = rows(x=x.place(at), c=y.place(upward[0]), d=y.place(upward[1]))
    encoding = {"x": x.channel("x"), "y": y.channel("c"), "y2": {"field": "d"}}
    return layer(data, "rule", encoding, **{"stroke": color, "strokeWidth": 1.5, **look})


def words(x: Axis, y: Axis, at: float, height: float, text: str, **look: Any) -> Spec:
    """A note at a point."""
    data = rows(x=x.place([at]), y=y.place([height]), text=[text])
    encoding = {"x": x.channel("x"), "y": y.channel("y"), "text": {"field": "text"}}
    return layer(data, "text", encoding, **{"fontSize": 12, "fill": INK, "clip": False, **look})


_CONFIG: Spec = {
    "aria": False,  # the whole is one image with a title; its parts would be read out one by one
    "view": {"stroke": None},
    "axis": {
        "domain": False, "ticks": False, "labelPadding": 6, "titlePadding": 8,
        "gridColor": GRID, "labelColor": MUTED, "titleColor": MUTED,
        "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal",
    },
}  # fmt: skip


def draw(layers: Sequence[Spec], title: str) -> str:
    """Layers as one SVG element, whose ids are its own where titles differ."""
    import vl_convert

    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH, "height": HEIGHT, "background": None, "padding": 4,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _CONFIG, "layer": list(layers),
    }  # fmt: skip
    found = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return _own(found, title)


def _own(svg: str, title: str) -> str:
    """The SVG with a title, the page's fonts, ids of its own, and no digits or words too many."""
    body = re.sub(r"<[^>]*>", _lean, svg[svg.index(">") + 1 :])
    clips = dict.fromkeys(re.findall(r"(?<=id=\")clip\d+", body))  # numbered through the process
    for place, clip in enumerate(clips):
        body = re.sub(rf'(id="|url\(#){clip}(?=["\)])', rf"\g<1>offby-plot-{place}", body)
    mark = "offby-" + sha1((title + body).encode(), usedforsecurity=False).hexdigest()[:10]
    body = re.sub(r'(id="|url\(#)offby-plot', rf"\g<1>{mark}", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{mark}"><title id="{mark}">{escape(title)}</title>{body}'
    )


def _lean(tag: re.Match[str]) -> str:
    """A tag without what nobody sees: invisible boxes, digits beyond a tenth of a pixel."""
    text = tag.group()
    if 'class="foreground"' in text or 'class="background"' in text:
        return ""
    text = re.sub(r' (class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"', "", text)
    text = re.sub(r"(\.\d)\d+(?=[^\d.]|$)", r"\1", text) if "opacity" not in text else text
    return text.replace(' opacity="1"', "").replace(' stroke-width="1"', "")
