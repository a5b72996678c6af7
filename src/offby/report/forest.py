"""Differences with their intervals, one below the other, about a line at zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.plot import BLUE, GREEN, INK, MUTED, ORANGE, PINK, Axis, Spec

_COLORS: Final = {
    "better": GREEN, "recommended": BLUE, "worse": ORANGE, "aims elsewhere": PINK,
}  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """A difference to be drawn: in which units, and what it is called."""

    name: str
    value: float
    low: float
    high: float
    verdict: str

    @property
    def color(self) -> str:
        """What stands for its verdict."""
        return _COLORS.get(self.verdict, MUTED)


def reach(bars: Sequence[Bar]) -> tuple[float, float]:
    """From where to where an axis goes that shows them all, and zero."""
    return plot.around(0.0, *(end for bar in bars for end in (bar.low, bar.high)))


def forest(bars: Sequence[Bar], x: Axis, title: str, caption: str) -> Chart | None:
    """A line for each difference, from one end of its interval to the other."""
    if not bars:
        return None
    up = Axis("", -len(bars) - 0.4, -0.2, labels=False)
    layers = [plot.rule(x, 0.0, INK, strokeWidth=1.2)]
    for place, bar in enumerate(bars, start=1):
        layers += _layers(x, up, bar, -place)
    seen = {bar.verdict: Key("line", bar.color, bar.verdict) for bar in bars}
    return Chart(title, caption, tuple(seen.values()), plot.draw(layers, title))


def _layers(x: Axis, up: Axis, bar: Bar, height: float) -> Iterator[Spec]:
    yield plot.line(x, up, [bar.low, bar.high], [height, height], bar.color, strokeWidth=4)
    if x.holds(bar.value):
        yield plot.dots(x, up, [bar.value], [height], bar.color, size=110)
    yield _name(x, up, bar, height + 0.22)


def _name(x: Axis, up: Axis, bar: Bar, height: float) -> Spec:
    """What is drawn, above its line and within the picture."""
    middle = (x.low + x.high) / 2
    side = "left" if bar.value < middle else "right"
    at = bar.low if side == "left" else bar.high
    return plot.words(x, up, at, height, bar.name, align=side)
