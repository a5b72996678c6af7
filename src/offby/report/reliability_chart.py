"""The picture of whether probabilities can be taken at their word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import chance, number, percent
from offby.drawing.plot import BLUE, DASH, MUTED, ORANGE, Axis, Floats, Spec
from offby.report.scored import Scored
from offby.scores import Reliability, reliability

_CELLS = 40
_STRIP = 0.16  # of the upper part: the height of a histogram below it
_ZERO = -0.25  # where both histograms stand


def calibration(drawn: Scored) -> Chart:
    """How often it came, over the probability that was given; below, how the scores spread."""
    bins = reliability(drawn.counts, confidence=drawn.confidence)
    x, up = _axes(drawn, bins)
    title = "Are the probabilities right?"
    layers = [
        *_histograms(drawn, x, up),
        plot.line(x, up, [0, x.high], [0, x.high], MUTED, strokeDash=DASH, strokeWidth=1.5),
        plot.whiskers(x, up, bins.score, (bins.low, bins.high), BLUE),
        plot.line(x, up, bins.score, bins.rate, BLUE, strokeWidth=1),
        plot.dots(x, up, bins.score, bins.rate, BLUE, size=50),
    ]
    keys = (
        Key("dot", BLUE, f"like rows, with {percent(drawn.confidence, 3)} intervals"),
        Key("line", MUTED, "perfect", DASH),
        Key("area", ORANGE, f"scores of {drawn.positive}"),
        Key("faint", MUTED, "scores of the others"),
    )
    return Chart(title, _words(bins, drawn.positive), keys, plot.draw(layers, title))


def _axes(drawn: Scored, bins: Reliability) -> tuple[Axis, Axis]:
    """Both from 0 to 1, or nearer where all is small; the upright one has room for the scores."""
    most = max(float(drawn.counts.high[-1]), float(bins.high.max()))
    top = 1.0 if most > 0.5 else most
    x = Axis(f"probability given to {drawn.positive}", -0.01 * top, 1.01 * top, "~%")
    step = 10.0 ** np.floor(np.log10(top))
    step = step / 5 if top / step < 2 else step / 2 if top / step < 5 else step
    marks = tuple(np.arange(0, 1.0001 * top, step).round(9).tolist())
    low, high = (_ZERO - 1.2 * _STRIP) * top, 1.03 * top
    return x, replace(x, title="share that came", low=low, high=high, marks=marks)


def _histograms(drawn: Scored, x: Axis, up: Axis) -> list[Spec]:
    """The scores of one class upwards and of the other downwards, each to its own scale."""
    edges = np.linspace(0.0, x.high, _CELLS + 1)
    sides = ((drawn.counts.positive, ORANGE, 1, 0.85), (drawn.counts.negative, MUTED, -1, 0.5))
    return [
        _histogram(drawn, x, up, edges, weights, color, way, opacity)
        for weights, color, way, opacity in sides
        if weights.any()
    ]


def _histogram(
    drawn: Scored, x: Axis, up: Axis, edges: Floats, weights: Floats, color: str, way: int,
    opacity: float,
) -> Spec:  # fmt: skip
    heights = np.histogram(drawn.counts.middle, edges, weights=weights)[0]
    held = heights > 0
    reach = (_ZERO + way * _STRIP * heights / heights.max()) * edges[-1]
    base = np.full(reach.size, _ZERO * edges[-1])
    return plot.boxes(
        x, up, (edges[:-1][held], edges[1:][held]), (base[held], reach[held]), color,
        opacity=opacity,
    )  # fmt: skip


def _words(bins: Reliability, positive: str) -> str:
    """One bin in words, the one that is furthest off if any surely is, and how many are off."""
    gaps = bins.rate - bins.score
    off = (bins.score < bins.low) | (bins.score > bins.high)
    place = int(np.argmax(np.abs(gaps) * off)) if off.any() else gaps.size - 1
    return (
        f"Of the rows given {_reach(bins, place)}, {percent(float(bins.rate[place]), 3)} were "
        f"{positive}: {_gap(float(gaps[place]))}. {_count(int(off.sum()), gaps.size)} The scores "
        "of either class are drawn below, each to its own scale."
    )


def _reach(bins: Reliability, place: int) -> str:
    """The probabilities from which to which a bin reaches."""
    low, high = chance(float(bins.first[place])), chance(float(bins.last[place]))
    return low if low == high else f"{low.removesuffix(' %')} – {high}"


def _gap(gap: float) -> str:
    points = number(100 * abs(gap), 2)
    if points == "0":
        return "just as foretold"
    name = "percentage point" + ("" if points == "1" else "s")
    return f"{points} {name} {'more' if gap > 0 else 'less'} than foretold"


def _count(off: int, bins: int) -> str:
    if bins == 1:
        return f"Its interval {'misses' if off else 'holds'} the line of perfect probabilities."
    if not off:
        return "Every interval holds the line of perfect probabilities."
    which = f"{off} of the {bins} intervals"
    return f"{which} {'misses' if off == 1 else 'miss'} the line of perfect probabilities."
