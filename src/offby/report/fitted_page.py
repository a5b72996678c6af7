"""A fit as one page that opens offline, and as what a notebook shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import between, number
from offby.drawing.plot import BLUE, INK, ORANGE, Axis, Floats
from offby.report import fitted_text, page
from offby.report.templates import filled

if TYPE_CHECKING:
    from offby.report.fitted import Coefficient, Fitted

_LISTED = 200  # coefficients


@dataclass(frozen=True)
class Main:
    """What the page says of a fit, above what it says of the rows held out."""

    headline: str
    said: list[str]
    cautions: list[str]
    charts: list[Chart]
    heads: tuple[str, ...]
    lines: list[tuple[str, ...]]
    below: str
    measured: str


def render(fitted: Fitted, *, whole: bool) -> str:
    """The page, or the same with fewer pictures for a notebook."""
    content = page.content(fitted.report, None if whole else 2)
    held, content["main"] = content["main"], _main(fitted)
    return filled("fitted.html.j2", whole=whole, held=held, **content)


def _main(fitted: Fitted) -> Main:
    landscape = fitted.landscape
    walked = [chart] if (chart := _walk(fitted)) is not None else []
    more = len(fitted.coefficients) - _LISTED
    return Main(
        headline=fitted_text.headline(fitted),
        said=fitted_text.said(fitted),
        cautions=list(fitted.cautions),
        charts=[*([] if landscape is None else landscape.charts), *walked],
        heads=("coefficient", "value", "± se", "95 % interval"),
        lines=[_line(one) for one in fitted.coefficients[:_LISTED]],
        below=f"… and {more:,} more coefficients (--json has all)" if more > 0 else "",
        measured=fitted_text.measured_on(fitted),
    )


def _line(one: Coefficient) -> tuple[str, ...]:
    error = "" if one.error is None else number(one.error, 2)
    return one.name, number(one.value, 5), error, between(one.low, one.high)


def _walk(fitted: Fitted) -> Chart | None:
    """The loss at each iteration, of the rows trained on and of those held out."""
    training = fitted.walk.get("objective", np.zeros(0))
    held_out = fitted.walk.get("held_out")
    series = [(training, BLUE, "training"), (held_out, ORANGE, "held out")]
    curves = [(curve, color, name) for curve, color, name in series if curve is not None]
    heights = np.concatenate([curve[np.isfinite(curve)] for curve, _, _ in curves])
    if training.size < 3 or not heights.size:
        return None
    x = Axis("iteration", *plot.around(1.0, float(training.size)), ticks=min(training.size, 8))
    y = Axis("mean loss", *plot.around(float(heights.min()), float(heights.max())))
    layers = []
    for curve, color, _ in curves:
        seen = np.isfinite(curve)
        at = 1.0 + np.flatnonzero(seen)
        layers.append(plot.line(x, y, at, curve[seen], color))
        if training.size <= 40:
            layers.append(plot.dots(x, y, at, curve[seen], color))
    layers += _best(x, y, held_out)
    title = "The loss, iteration by iteration"
    keys = tuple(Key("line", color, name) for _, color, name in curves)
    return Chart(title, _what_walk_shows(training, held_out), keys, plot.draw(layers, title))


def _best(x: Axis, y: Axis, held_out: Floats | None) -> list[plot.Spec]:
    if held_out is None or not np.isfinite(held_out).any():
        return []
    best = int(np.nanargmin(held_out))
    return [plot.dots(x, y, [best + 1.0], held_out[best : best + 1], INK, size=60)]


def _what_walk_shows(training: Floats, held_out: Floats | None) -> str:
    fell = f"The training loss fell from {number(training[0], 5)} to {number(training.min(), 5)}"
    if held_out is None or not np.isfinite(held_out).any():
        return f"{fell} in {training.size} iterations, with the penalty if there is one."
    best = int(np.nanargmin(held_out))
    return (
        f"{fell}; that of the rows held out was least, {number(held_out[best], 5)}, at iteration "
        f"{best + 1} of {training.size} (the dark dot)."
    )
