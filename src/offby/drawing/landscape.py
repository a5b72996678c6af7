"""The loss around a fitted model as a map, with the path that the search walked on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.contours import rings
from offby.drawing.numbers import number, percent, rows
from offby.drawing.plot import BLUE, GREEN, INK, ORANGE, PAPER, Axis, Floats, Spec
from offby.drawing.templates import template
from offby.errors import DataError

_BANDS = 14
_EACH, _EDGE = 0.09, 0.25  # how strong a band's colour is, and its edge
_MIDDLE = 0.3  # at least so dark is the middle of all places
_HIDDEN = 0.02  # of the map's width: so short is the radius of the dot
_GAP = 24  # between two maps in one picture


@dataclass(frozen=True, eq=False, repr=False)
class Landscape:
    """Heights over two directions: `loss` and `accuracy` are (upward, across).

    Steps are in units of the score, and (0, 0) is the fitted model. `walk` is (steps, 2), empty
    where no search was walked; `directions` name the columns that they are mostly made of.
    """

    across: Floats
    upward: Floats
    loss: Floats
    accuracy: Floats | None
    walk: Floats
    directions: tuple[str, str]
    name: str
    rows: int
    all_rows: int

    @cached_property
    def charts(self) -> list[Chart]:
        """The map of the loss and, for classes, that of the accuracy."""
        return [_of_loss(self)] if self.accuracy is None else [_of_loss(self), _of_accuracy(self)]

    @property
    def svg(self) -> str:
        """The maps side by side, as one SVG."""
        bodies = [chart.body for chart in self.charts]
        width = len(bodies) * (plot.WIDTH + _GAP) - _GAP
        size = f'width="{plot.WIDTH}" height="{plot.HEIGHT}"'
        inner = "".join(
            body.replace("<svg ", f'<svg x="{k * (plot.WIDTH + _GAP)}" {size} ', 1)
            for k, body in enumerate(bodies)
        )
        whole = f'width="{width}" height="{plot.HEIGHT}" viewBox="0 0 {width} {plot.HEIGHT}"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {whole}>{inner}</svg>'

    def to_html(self) -> str:
        """The maps with their captions, as one page that opens offline."""
        return self._page(whole=True) + "\n"

    def save(self, path: str | PathLike[str]) -> None:
        """Write the maps: `.svg` alone, `.html` with captions; `DataError` for another ending."""
        ending = Path(path).suffix
        if ending not in (".svg", ".html"):
            raise DataError(f"a landscape cannot be saved as {path}; end the name in .svg or .html")
        Path(path).write_text(self.svg if ending == ".svg" else self.to_html(), encoding="utf-8")

    def _page(self, *, whole: bool) -> str:
        from offby import __version__

        return template("landscape.html.j2").render(
            whole=whole, main={"headline": f"{self.name}, seen from the fitted model",
                               "charts": self.charts},
            source="", version=__version__, footnote="",
        ).strip()  # fmt: skip

    def _repr_html_(self) -> str:
        return self._page(whole=False)

    def __repr__(self) -> str:
        walked = f", {len(self.walk)} places walked" if len(self.walk) else ""
        return f"Landscape({self.name} over {' and '.join(self.directions)}{walked})"


def _of_loss(seen: Landscape) -> Chart:
    finite = seen.loss[np.isfinite(seen.loss)]
    least = float(finite.min())
    rise = np.where(np.isfinite(seen.loss), seen.loss, finite.max()) - least
    shade = _shade(rise / (rise.max() or 1.0))
    title = f"The loss{', and the walk' if len(seen.walk) else ' around the model'}: {seen.name}"
    keys = (Key("area", BLUE, "higher loss is darker"), *_keys(seen, ORANGE))
    return Chart(title, _what_loss_shows(seen, least), keys, _drawn(seen, shade, BLUE, title))


def _shade(rise: Floats) -> Floats:
    """From 0 to 1; bands of a bowl are even, and where a cliff is far higher they are finer below.

    >>> _shade(np.array([0.0, 0.25, 1.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    shade = np.sqrt(rise)
    middle = float(np.median(shade))
    power = np.log(_MIDDLE) / np.log(middle) if 0 < middle < _MIDDLE else 1.0
    return np.asarray(shade**power)


def _of_accuracy(seen: Landscape) -> Chart:
    assert seen.accuracy is not None
    low, high = float(seen.accuracy.min()), float(seen.accuracy.max())
    shade = (high - seen.accuracy) / ((high - low) or 1.0)
    title = "The same steps, by accuracy"
    keys = (Key("area", GREEN, "lower accuracy is darker"), *_keys(seen, ORANGE))
    return Chart(title, _what_accuracy_shows(seen), keys, _drawn(seen, shade, GREEN, title))


def _keys(seen: Landscape, color: str) -> tuple[Key, ...]:
    model = Key("dot", INK, "the fitted model")
    return (Key("line", color, "the walk to it"), model) if len(seen.walk) else (model,)


def _drawn(seen: Landscape, shade: Floats, color: str, title: str) -> str:
    x, y = (
        Axis(f"along {name}", float(steps[0]), float(steps[-1]))
        for name, steps in zip(seen.directions, (seen.across, seen.upward), strict=True)
    )
    layers = [*_bands(seen, x, y, shade, color)]
    if len(seen.walk):
        along, up = seen.walk.T
        layers += [
            plot.line(x, y, along, up, PAPER, strokeWidth=4, strokeOpacity=0.8),
            plot.line(x, y, along, up, ORANGE),
            plot.dots(x, y, along, up, ORANGE, size=30),
        ]
    layers.append(plot.dots(x, y, [0.0], [0.0], INK, size=70, stroke=PAPER, strokeWidth=1.5))
    return plot.draw(layers, title)


def _bands(seen: Landscape, x: Axis, y: Axis, shade: Floats, color: str) -> list[Spec]:
    """One shade upon another, each over all that is at least so dark."""
    return [
        plot.region(x, y, rings(seen.across, seen.upward, shade, level), color, fillOpacity=_EACH,
                    strokeOpacity=_EDGE)
        for level in np.linspace(0, 1, _BANDS + 1)[:-1]
    ]  # fmt: skip


def _what_loss_shows(seen: Landscape, least: float) -> str:
    highest = float(seen.loss[np.isfinite(seen.loss)].max())
    of = (
        f" It is drawn from {rows(seen.rows)} evenly spread over the {seen.all_rows:,}, with the "
        "height and the slope at the model that all of them give."
    )
    return (
        f"{_what_walk_shows(seen)} A step of 1 moves the typical row's score by 1. The loss lies "
        f"between {number(least, 5)} and {number(highest, 5)} here; bands are finer near the "
        f"minimum.{of if seen.rows < seen.all_rows else ''}"
    )


def _what_walk_shows(seen: Landscape) -> str:
    steps = len(seen.walk) - 1
    if steps < 1:
        return (
            "No walk is drawn, since the solver is exact or the model came from a file; the map "
            "shows where the loss bends most and least."
        )
    told = f"The walk takes {steps} step{'s' * (steps > 1)}"
    width = float(np.ptp(seen.walk[:, 0]))
    if width < _HIDDEN * float(np.ptp(seen.across)):
        return (
            f"{told}, so short that the dot all but hides it: the search starts where a part of "
            "the rows is fitted best."
        )
    return f"{told}, and the map shows the plane that holds most of it."


def _what_accuracy_shows(seen: Landscape) -> str:
    assert seen.accuracy is not None
    of = f"of {rows(seen.rows)} " if seen.rows < seen.all_rows else ""
    flat = np.mean(np.diff(seen.accuracy, axis=1) == 0)
    still = float(np.mean(np.diff(seen.loss, axis=1) == 0))
    return (
        f"Between {percent(float(seen.accuracy.min()), 3)} and "
        f"{percent(float(seen.accuracy.max()), 3)} {of}right. Accuracy counts rows, so it moves in "
        f"jumps, with a slope of 0 between them: {percent(float(flat), 2)} of all neighbouring "
        f"places here have the very same accuracy, and {percent(still, 2)} the same loss. That is "
        "why a loss is what is walked down."
    )
