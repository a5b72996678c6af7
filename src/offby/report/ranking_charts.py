"""Pictures of how well scores rank: ROC, precision over recall, gains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import number, percent
from offby.drawing.plot import BLUE, DASH, MUTED, Axis, Spec
from offby.report.scored import Scored, share_axis
from offby.scores import (
    Curve,
    average_precision,
    gain,
    gains_curve,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)

STEPS: Spec = {"interpolate": "step-before"}  # as sums over a curve take it
_TOP = 0.1


def roc(drawn: Scored) -> Chart:
    """What is found, over what is taken for it by mistake."""
    x = share_axis(f"of the others, called {drawn.positive} (false positive rate)")
    up = share_axis(f"found of {drawn.positive} (true positive rate)")
    curve = roc_curve(drawn.counts, drawn.confidence)
    title = "ROC curve"
    layers = [
        plot.line(x, up, [0, 1], [0, 1], MUTED, strokeDash=DASH, strokeWidth=1.5),
        *_curve(x, up, curve),
        drawn.mark(x, up, drawn.alarms, drawn.found),
    ]
    caption = (
        f"The cut at {drawn.threshold:g} finds {percent(drawn.found)} of the rows that are "
        f"{drawn.positive} and takes {percent(drawn.alarms)} of the others for it. In "
        f"{percent(roc_auc(drawn.counts).value)} of all pairs (the area below the curve) a row "
        f"that is {drawn.positive} scores higher than one that is not; ties count half."
    )
    keys = (_key(drawn, "the model"), Key("line", MUTED, "chance", DASH), drawn.cut)
    return Chart(title, caption, keys, plot.draw(layers, title))


def precision_recall(drawn: Scored) -> Chart:
    """How many of the rows called positive are, over how many of those are found."""
    curve = _from_none(precision_recall_curve(drawn.counts, drawn.confidence))
    x = share_axis(f"found of {drawn.positive} (recall)")
    up = share_axis("right (precision)", 1.2 * float(curve.y.max()))
    base = drawn.counts.base_rate
    title = "Precision and recall"
    layers = [
        plot.line(x, up, [0, 1], [base, base], MUTED, strokeDash=DASH, strokeWidth=1.5),
        *_curve(x, up, curve, **STEPS),
        *([drawn.mark(x, up, drawn.found, drawn.right)] if drawn.called else []),
    ]
    keys = (_key(drawn, "the model"), Key("line", MUTED, f"base rate {percent(base)}", DASH))
    shown = (*keys, drawn.cut) if drawn.called else keys
    return Chart(title, _precision(drawn), shown, plot.draw(layers, title))


def _precision(drawn: Scored) -> str:
    mean = number(average_precision(drawn.counts).value, 3)
    if not drawn.called:
        return f"No row reaches the cut at {drawn.threshold:g}. The average precision is {mean}."
    return (
        f"Of the rows that reach the cut at {drawn.threshold:g}, {percent(drawn.right)} are "
        f"{drawn.positive} (precision), and they are {percent(drawn.found)} of all that are "
        f"(recall); of rows picked at random {percent(drawn.counts.base_rate)} would be. The "
        f"average precision is {mean}."
    )


def gains(drawn: Scored) -> Chart:
    """How much of the positive class the rows with the highest scores hold."""
    x, up = share_axis("top rows by score"), share_axis(f"found of {drawn.positive}")
    curve = gains_curve(drawn.counts, drawn.confidence)
    base, reached = drawn.counts.base_rate, drawn.called / drawn.confusion.total
    title = "Gains: whom to look at first"
    layers = [
        plot.line(x, up, [0, 1], [0, 1], MUTED, strokeDash=DASH, strokeWidth=1.5),
        plot.line(x, up, [0, base, 1], [0, 1, 1], MUTED, strokeWidth=1.5),
        *_curve(x, up, curve),
        drawn.mark(x, up, reached, drawn.found),
    ]
    top = gain(drawn.counts, _TOP).value
    caption = (
        f"The {percent(_TOP)} of the rows with the highest scores hold {percent(top)} of all that "
        f"are {drawn.positive}: {number(top / _TOP, 3)} times what rows picked at random would "
        f"hold. The best that any order could do is {percent(min(_TOP / base, 1.0))}."
    )
    keys = (
        _key(drawn, "the model"), Key("line", MUTED, "perfect order"),
        Key("line", MUTED, "chance", DASH), drawn.cut,
    )  # fmt: skip
    return Chart(title, caption, keys, plot.draw(layers, title))


def _key(drawn: Scored, name: str) -> Key:
    return Key("line", BLUE, f"{name}, with {percent(drawn.confidence, 3)} intervals")


def _curve(x: Axis, up: Axis, curve: Curve, **look: Any) -> list[Spec]:
    """A curve, and the intervals of its heights."""
    return [
        plot.band(x, up, curve.x, (curve.low, curve.high), BLUE, **look),
        plot.line(x, up, curve.x, curve.y, BLUE, **look),
    ]


def _from_none(curve: Curve) -> Curve:
    """From where nothing is found: the first precision holds up to the first row found."""
    first = {name: np.append(column[0], column) for name, column in vars(curve).items()}
    return replace(Curve(**first), x=np.append(0.0, curve.x))
