"""Pictures of what the losses make of the errors: who owns them, and what each one punishes."""

from __future__ import annotations

import numpy as np

from offby.formula.arrays import evaluate
from offby.formula.expression import Expression
from offby.formula.words import p, r, y, z
from offby.report import plot
from offby.report.drawn import Chart, Drawn, Key
from offby.report.numbers import number, percent, rows
from offby.report.plot import BLUE, DASH, GREEN, INK, MUTED, ORANGE, PINK, Axis, Floats, Spec

_STEPS = 120
_LOG_FROM = 1000  # rows from which the worst 1 % is worth a place of its own
_SERIES: tuple[tuple[str, tuple[int, ...]], ...] = (
    (ORANGE, ()), (BLUE, ()), (GREEN, (8, 3)), (PINK, (3, 2)), (INK, (1, 4)),
)  # fmt: skip
_OWNERS = (("MSE", 2, ORANGE), ("MAE", 1, BLUE))


def concentration(drawn: Drawn) -> Chart | None:
    """The share of the loss that the worst x % of the rows own."""
    whole = float(drawn.weights.sum())
    if not whole or not drawn.sizes.max(initial=0.0):
        return None
    few = drawn.rows < _LOG_FROM
    x, up = _share_axis(drawn.rows, few), Axis("owned by them", 0.0, 1.02, "~%")
    at = np.linspace(0, 1, _STEPS + 1) if few else np.geomspace(x.low, 1, _STEPS + 1)
    worst = max(0.01, 1 / drawn.rows)
    curves = [(name, color, _owned(drawn, power, at)) for name, power, color in _OWNERS]
    shares = [float(_owned(drawn, power, np.array([worst]))[0]) for _, power, _ in _OWNERS]
    layers = [plot.line(x, up, at, at, MUTED, strokeDash=DASH, strokeWidth=1.5)]
    layers += [plot.line(x, up, at, curve, color, strokeWidth=2.5) for _, color, curve in curves]
    layers += _marked(x, up, worst, shares)
    title = "How few rows own the loss"
    return Chart(
        title,
        _who(drawn.rows, worst, shares),
        (
            *(Key("line", color, name) for name, color, _ in curves),
            Key("line", MUTED, "were all errors alike", DASH),
        ),
        plot.draw(layers, title),
    )


def _share_axis(count: int, few: bool) -> Axis:
    if few:
        return Axis("worst rows", 0.0, 1.0, "~%")
    return Axis("worst rows (each step ten times as many)", max(1 / count, 1e-4), 1.0, log=True)


def _owned(drawn: Drawn, power: int, at: Floats) -> Floats:
    """What the worst rows own of the sum of |error|**power, for each share of the rows."""
    terms = (drawn.sizes / drawn.sizes.max()) ** power * drawn.weights
    rows_so_far = np.append(0.0, np.cumsum(drawn.weights[::-1])) / drawn.weights.sum()
    owned = np.append(0.0, np.cumsum(terms[::-1])) / terms.sum()
    return np.interp(at, rows_so_far, owned)


def _marked(x: Axis, up: Axis, worst: float, shares: list[float]) -> list[Spec]:
    """The worst 1 % (or the worst row) picked out on both curves."""
    layers = []
    for share, (name, _, color) in zip(shares, _OWNERS, strict=True):
        left = name == "MSE" and worst < 0.5 and x.log
        look = {"align": "right" if left else "left", "dx": -9 if left else 9}
        layers.append(plot.dots(x, up, [worst], [share], color, size=60))
        note = f"{percent(share)} of the {name}"
        layers.append(plot.words(x, up, worst, share, note, dy=-8 if left else 9, **look))
    return layers


def _who(count: int, worst: float, shares: list[float]) -> str:
    several = max(round(worst * count), 1)
    who = "The worst row owns" if several == 1 else f"The worst {percent(worst)} ({rows(several)}) own"
    return (
        f"{who} {percent(shares[0])} of the MSE and {percent(shares[1])} of the MAE; the higher a "
        "curve stands over the dashed one, the more that number is about a few rows."
    )


def shapes(drawn: Drawn) -> Chart | None:
    """Each loss over the errors that occur, in multiples of what the average row costs."""
    x = drawn.axis
    at = np.union1d(np.linspace(x.low, x.high, _STEPS + 1), [0.0])
    found = {
        name: curve
        for name, formula in drawn.losses.items()
        if (curve := _relative(drawn, formula, at)) is not None
    }
    series = list(zip(found.items(), _SERIES, strict=False))
    if not series:
        return None
    top = max(float(np.nanmax(curve)) for curve, _ in ((c, s) for (_, c), s in series))
    up = Axis("cost, in multiples of the average row's", 0.0, 1.04 * top)
    layers = [_behind(drawn, x, up)]
    for (_, curve), (color, dash) in series:
        seen = np.isfinite(curve)
        layers.append(plot.line(x, up, at[seen], curve[seen], color, strokeDash=list(dash)))
    title = "What each loss punishes"
    keys = (Key("line", color, name, dash) for (name, _), (color, dash) in series)
    return Chart(
        title,
        _prices(drawn, {name: curve for (name, curve), _ in series}, at),
        (*keys, Key("area", MUTED, "where the errors lie")),
        plot.draw(layers, title),
    )
