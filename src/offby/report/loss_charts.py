"""Pictures of what the losses make of the errors: who owns them, and what each one punishes."""

from __future__ import annotations

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import number, percent, rows
from offby.drawing.plot import BLUE, DASH, GREEN, INK, MUTED, ORANGE, PINK, Axis, Floats, Spec
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression
from offby.formula.words import p, r, y, z
from offby.report.drawn import Drawn

_STEPS = 120
_MOST = 1e6  # average rows: what costs more is no cost that a picture can compare
_LOG_FROM = 1000  # rows from which the worst 1 % is worth a place of its own
_FEW = 40  # rows that are marked where they stand, as in the other pictures
_SERIES: tuple[tuple[str, tuple[int, ...]], ...] = (
    (ORANGE, ()), (BLUE, ()), (GREEN, (8, 3)), (PINK, (3, 2)), (INK, (1, 4)),
)  # fmt: skip
_OWNERS = (("MSE", 2, ORANGE), ("MAE", 1, BLUE))


def concentration(drawn: Drawn) -> Chart | None:
    """The share of the loss that the worst x % of the rows own."""
    whole = float(drawn.weights.sum())
    if drawn.rows < 2 or not whole or not drawn.sizes.max(initial=0.0):
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
        drawn.draw(layers, title),
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
    return np.asarray(np.interp(at, rows_so_far, owned))


def _marked(x: Axis, up: Axis, worst: float, shares: list[float]) -> list[Spec]:
    """The worst 1 % (or the worst row) picked out on both curves, with notes where none runs."""
    layers = []
    for place, (share, (name, _, color)) in enumerate(zip(shares, _OWNERS, strict=True)):
        note = f"{percent(share)} of the {name}"
        if x.log:  # left of the upper curve, right of the lower
            look: Spec = {
                "align": ("right", "left")[place],
                "dx": (-9, 9)[place],
                "dy": (-8, 9)[place],
            }
            text = plot.words(x, up, worst, share, note, **look)
        else:  # the corner below the diagonal
            note = f"worst {'row' if worst > 0.01 else '1 %'}: {note}"
            text = plot.words(x, up, 0.98, 0.15 - 0.08 * place, note, align="right")
        layers += [plot.dots(x, up, [worst], [share], color, size=60), text]
    return layers


def _who(count: int, worst: float, shares: list[float]) -> str:
    several = max(round(worst * count), 1)
    part = f"{percent(worst)} ({rows(several)})"
    who = "The worst row owns" if several == 1 else f"The worst {part} own"
    return (
        f"{who} {percent(shares[0])} of the MSE and {percent(shares[1])} of the MAE; the higher a "
        "curve stands over the dashed one, the more that number is about a few rows."
    )


def shapes(drawn: Drawn) -> Chart | None:
    """Each loss over the errors that occur, in multiples of what the average row costs."""
    if drawn.rows < 2:
        return None
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
    top = max(float(np.nanmax(curve)) for (_, curve), _ in series)
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
        (*keys, Key("faint", MUTED, "where the errors lie")),
        drawn.draw(layers, title),
    )


def _relative(drawn: Drawn, formula: Expression, at: Floats) -> Floats | None:
    """A loss at these errors of a middling row, over its mean; None where that has no value."""
    middle = float(np.median(drawn.y_true))
    values = _values(formula, drawn.y_true, drawn.y_pred, drawn.errors)
    mean = float(np.sum(values / values.size)) if np.isfinite(values).all() else np.inf
    if not 0 < mean < np.inf:
        return None
    curve = _values(formula, np.full(at.size, middle), middle + at, at)
    finite = np.isfinite(curve) & (curve < _MOST * mean)
    return np.where(finite, curve, np.nan) / mean if finite.any() else None


def _values(formula: Expression, truths: Floats, guesses: Floats, errors: Floats) -> Floats:
    with np.errstate(all="ignore"):
        found = evaluate(formula, {y: truths, p: guesses, z: guesses, r: errors})
    return np.array(np.broadcast_to(found, errors.shape), dtype=np.float64)


def _behind(drawn: Drawn, x: Axis, up: Axis) -> Spec:
    """The distribution of the errors, faint and without a scale."""
    edges = x.edges(drawn.errors if drawn.errors.size > _FEW else np.empty(0))
    counts = np.histogram(drawn.errors, edges)[0]
    heights = counts / max(counts.max(), 1) * 0.5 * up.high
    return plot.bars(x, up, edges, heights, MUTED, opacity=0.25)


def _prices(drawn: Drawn, curves: dict[str, Floats], at: Floats) -> str:
    """What a large error costs under each loss."""
    error, which = _large(drawn)
    costs = [
        f"{number(float(np.interp(error, at, curve)), 2)} times under {name}"
        for name, curve in curves.items()
    ]
    return (
        f"{which} {number(error, 3)}, costs what the average row costs {_listed(costs)}; the "
        "steeper a curve, the more rows so far off weigh."
    )


def _large(drawn: Drawn) -> tuple[float, str]:
    """A large but not rare error; of few rows the largest."""
    sizes = np.abs(drawn.errors)
    size = float(np.quantile(sizes, 0.95))
    if sizes.size < 20 or size == 0:
        return float(drawn.errors[sizes.argmax()]), "The largest error,"
    return (size if size <= drawn.axis.high else -size), "An error that one row in twenty exceeds,"


def _listed(items: list[str]) -> str:
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else items[0]
