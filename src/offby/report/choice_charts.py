"""Pictures of the choice: the noise, what losses charge for it, and which rows pull at the fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from offby.choice import Study
from offby.choice.judge import short
from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import percent
from offby.drawing.plot import BLUE, GREEN, MUTED, ORANGE, PAPER, PINK, Axis, Floats, Spec
from offby.formula.expression import walk
from offby.formula.words import p, y
from offby.losses import Absolute, Huber, Loss, Pinball, Squared

_STEPS = 240
_TOP = 1e150  # beyond, squares overflow
_SERIES: tuple[tuple[str, tuple[int, ...]], ...] = (
    (ORANGE, ()), (BLUE, ()), (GREEN, (8, 3)), (PINK, (3, 2)),
)  # fmt: skip
_WORST = 0.01


def charts(study: Study, losses: Sequence[Loss] = (), whose: str = "") -> list[Chart]:
    """Three pictures of errors, for these losses; none where nothing can be said of the errors.

    Without losses they are of MSE, Huber, MAE and the judge's own; `whose` the errors are is told.
    """
    errors = study.errors
    if study.unsure or np.abs(errors).max() > _TOP:
        return []
    x = Axis("noise: actual − predicted", *plot.around(0.0, *plot.bulk(errors)))
    shown = losses or _losses(study)
    return [
        _noise(study, x, whose), _shapes(errors, x, shown), _influence(errors, x, shown),
    ]  # fmt: skip


def of_error(loss: Loss) -> bool:
    """Whether it depends on the error alone, so that it is one curve over errors.

    >>> from offby.losses import Poisson
    >>> of_error(Huber(1.5)), of_error(Poisson())
    (True, False)
    """
    return not any(leaf is y or leaf is p for leaf in walk(loss.expression))


def _losses(study: Study) -> list[Loss]:
    """MSE, the efficient Huber, MAE, and the judge's own where that is a loss of the error."""
    delta = study.evidence["huber_delta"].value
    found: list[Loss] = [Squared(), Absolute()]
    if delta is not None:
        found.insert(1, Huber(float(f"{delta:.3g}")))
    own = study.judge.loss
    return [*found, own] if isinstance(own, Pinball | Huber) and own not in found else found


def _noise(study: Study, x: Axis, whose: str) -> Chart:
    """The distribution of the errors, with the likeliest noise, the Gaussian and the next."""
    bins = int(np.clip(2 * study.errors.size ** (1 / 3), 12, plot.CELLS))
    edges = x.edges(study.errors, bins)
    widths = np.diff(edges)
    heights = np.histogram(study.errors, edges)[0] / study.errors.size / widths * widths[0]
    at = np.linspace(x.low, x.high, _STEPS + 1)
    shown = [one for one in study.likenesses if one.noise is not None]
    picked = [*shown[:2], *(one for one in shown[2:] if one.name == "Gaussian")]
    curves = [
        np.exp(one.noise.log_density(at)) * widths[0] for one in picked if one.noise is not None
    ]
    top = 1.1 * float(heights.max())
    up = Axis("share of rows", 0.0, top, "~%", 5)
    layers = [plot.bars(x, up, edges, heights, MUTED, opacity=0.35, stroke=PAPER, strokeWidth=0.5)]
    keys = [Key("faint", MUTED, "rows")]
    for one, curve, (color, dash) in zip(picked, curves, _SERIES, strict=False):
        low = curve <= top
        layers.append(plot.line(x, up, at[low], curve[low], color, strokeDash=list(dash)))
        keys.append(Key("line", color, one.words, dash))
    title = "The errors, and noise fitted to them"
    said = (
        whose + "The better a curve follows the bars, in the tails above all, the likelier it is."
    )
    likely = study.noise
    if likely is not None and likely.noise is None:
        said += f" Only noise that is the same everywhere is drawn; {likely.name} noise is not."
    return Chart(title, said + _outside(study.errors, x), tuple(keys), plot.draw(layers, title))


def _shapes(errors: Floats, x: Axis, losses: Sequence[Loss]) -> Chart:
    """What each loss charges for the errors that occur."""
    at = np.union1d(np.linspace(x.low, x.high, _STEPS + 1), [0.0])
    curves = [_values(loss, at) / np.mean(_values(loss, errors)) for loss in losses]
    title = "What each loss charges"
    return _drawn(
        errors, x, at, curves, losses, title, "cost, in multiples of the average row's",
        "A loss that is steep where few errors lie is about those few.",
    )  # fmt: skip


def _influence(errors: Floats, x: Axis, losses: Sequence[Loss]) -> Chart:
    """How strongly each row pulls at the fit."""
    at = np.linspace(x.low, x.high, _STEPS + 1)
    pulls = [_pull(loss, errors) for loss in losses]
    curves = [_pull(loss, at) / np.mean(pull) for loss, pull in zip(losses, pulls, strict=True)]
    title = "How strongly a row pulls"
    owned = ", ".join(
        f"{percent(_owned(pull))} under {short(loss)}"
        for loss, pull in zip(losses, pulls, strict=True)
    )
    return _drawn(
        errors, x, at, curves, losses, title, "pull, in multiples of the average row's",
        f"Of the gradient, the 1 % of rows that pull most give {owned}.",
    )  # fmt: skip


def _drawn(
    errors: Floats, x: Axis, at: Floats, curves: Sequence[Floats], losses: Sequence[Loss],
    title: str, upward: str, said: str,
) -> Chart:  # fmt: skip
    up = Axis(upward, 0.0, 1.04 * max(float(curve.max()) for curve in curves))
    layers = [_behind(errors, x, up), *_lines(x, up, at, curves)]
    named = zip(losses, _SERIES, strict=False)
    keys = tuple(Key("line", color, short(loss), dash) for loss, (color, dash) in named)
    return Chart(title, said, (*keys, Key("faint", MUTED, "where the errors lie")),
                 plot.draw(layers, title))  # fmt: skip


def _lines(x: Axis, up: Axis, at: Floats, curves: Sequence[Floats]) -> Iterator[Spec]:
    for curve, (color, dash) in zip(curves, _SERIES, strict=False):
        yield plot.line(x, up, at, curve, color, strokeDash=list(dash))


def _behind(errors: Floats, x: Axis, up: Axis) -> Spec:
    edges = x.edges(errors)
    counts = np.histogram(errors, edges)[0]
    heights = counts / max(counts.max(), 1) * 0.5 * up.high
    return plot.bars(x, up, edges, heights, MUTED, opacity=0.25)


def _values(loss: Loss, errors: Floats) -> Floats:
    """The loss of errors, actual less predicted."""
    return np.asarray(loss.value(errors, np.float64(0.0)), np.float64)


def _pull(loss: Loss, errors: Floats) -> Floats:
    return np.abs(np.asarray(loss.gradient(errors, np.float64(0.0)), np.float64))


def _owned(pull: Floats) -> float:
    """The share of the summed pull that the strongest 1 % of rows have."""
    count = max(round(_WORST * pull.size), 1)
    return float(np.sort(pull)[-count:].sum() / pull.sum())


def _outside(errors: Floats, x: Axis) -> str:
    count = int(np.count_nonzero(~x.holds(errors)))
    return f" {count:,} of {errors.size:,} rows drawn lie outside the picture." if count else ""
