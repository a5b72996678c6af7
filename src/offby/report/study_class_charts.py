"""Pictures of a trial on yes and no: what moving a threshold gives beside weighting classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from offby.choice.trained.judged import HIGHER, Costs, cost_of
from offby.choice.trained.verdict import Weighed
from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import number, percent
from offby.drawing.plot import BLUE, DASH, GREEN, INK, MUTED, ORANGE, PINK, Axis, Floats, Spec
from offby.losses import BinaryLoss
from offby.report import study_words
from offby.scores import ScoreCounts, precision_recall_curve
from offby.scores.curves import thin

_SERIES = (ORANGE, BLUE, GREEN, PINK, INK, MUTED)
_LARGEST, _STEP = 190, 28  # of dots, so that those at one place are seen as rings
_HALF = 0.5
_ALONG = ("accuracy", "f1", "cost")  # what a threshold between the extremes is best for


def charts(found: Weighed, costs: Costs | None) -> list[Chart]:
    """Where each candidate stands on the first one's curve, and the judge along its thresholds."""
    told = found.trial.told[0]
    if told.ndim > 1:  # several classes have no one threshold
        return []
    seen = np.isfinite(told)
    y, scores = found.y[seen], told[seen]
    pictures = [_precision_recall(found, y, scores), _thresholds(found, y, scores, costs)]
    return [one for one in pictures if one is not None]


def _precision_recall(found: Weighed, y: Floats, scores: Floats) -> Chart:
    """The curve that thresholds of the first candidate trace, with all candidates as they are."""
    curve = precision_recall_curve(ScoreCounts.of(y, scores))
    x = Axis("found (recall)", -0.02, 1.03, "~%")
    up = Axis("right (precision)", 0.0, min(1.03, 1.2 * float(curve.y.max())), "~%")
    have, base = found.trial.scored.names[0], float(np.mean(y))
    layers = [
        plot.line(x, up, [0, 1], [base, base], MUTED, strokeDash=DASH, strokeWidth=1.5),
        plot.line(x, up, curve.x, curve.y, ORANGE),
    ]
    keys = [Key("line", ORANGE, f"all thresholds of {have}")]
    for place, (name, at, height) in enumerate(_stands(found)):
        color = _SERIES[place % len(_SERIES)]
        size = max(_LARGEST - place * _STEP, _STEP)
        layers.append(plot.dots(x, up, [at], [height], color, size=size))
        keys.append(Key("dot", color, name))
    title = "Weighting, or moving the threshold?"
    caption = (
        f"A loss whose dot lies on the curve does no more than another threshold of {have} would; "
        f"above the curve it does. Of rows picked at random {percent(base)} are a yes (dashed)."
    )
    return Chart(title, caption, tuple(keys), plot.draw(layers, title))


def _stands(found: Weighed) -> Iterator[tuple[str, float, float]]:
    """Each candidate's recall and precision, averaged over folds, where both are defined."""
    scored = found.trial.scored
    recall, precision = (scored.judges.index(name) for name in ("recall", "precision"))
    for place, name in enumerate(scored.names):
        at = study_words.value(scored, place, recall)
        height = study_words.value(scored, place, precision)
        if at is not None and height is not None:
            yield name, at, height


def _thresholds(found: Weighed, y: Floats, scores: Floats, costs: Costs | None) -> Chart | None:
    """The judge at every threshold of the first candidate, beside what the others give."""
    scored, first = found.trial.scored, found.trial.candidates[0].family
    judge = scored.judges[0]
    if judge not in _ALONG or not isinstance(first, BinaryLoss) or first.scale != "logit":
        return None
    at, height = _along(judge, y, special.expit(scores), costs)
    others = list(_levels(found))
    x = Axis("threshold: a row that reaches it is a yes", 0.0, float(at.max()))
    top = 1.06 * max(float(height.max()), *(level for _, level in others))
    up = Axis(judge, 0.0, top)
    layers: list[Spec] = [plot.line(x, up, at, height, ORANGE)]
    keys = [Key("line", ORANGE, f"{judge} of {scored.names[0]}")]
    for color, (name, level) in zip((GREEN, PINK, BLUE, INK), others, strict=False):
        layers.append(plot.line(x, up, [x.low, x.high], [level, level], color, strokeDash=DASH))
        keys.append(Key("line", color, name, DASH))
    if x.holds(_HALF):
        layers.append(plot.rule(x, _HALF, MUTED, strokeWidth=1.5))
        keys.append(Key("line", MUTED, "the usual threshold, 0.5"))
    title = f"What a threshold gives: {judge}"
    return Chart(title, _best(judge, at, height), tuple(keys), plot.draw(layers, title))


def _along(judge: str, y: Floats, chances: Floats, costs: Costs | None) -> tuple[Floats, Floats]:
    """Thresholds from the highest down, and the judge where rows that reach it are a yes."""
    order = np.argsort(-chances, kind="stable")
    at, truths = chances[order], y[order]
    hits, alarms = np.cumsum(truths), np.cumsum(1 - truths)
    found = cost_of(judge, hits, alarms, float(y.sum()), float(y.size), costs)
    last = np.append(at[1:] < at[:-1], True)
    at, height = at[last], (1 - found if judge in HIGHER else found)[last]
    kept = thin(at, height)
    return at[kept], height[kept]


def _levels(found: Weighed) -> Iterator[tuple[str, float]]:
    """What the candidates that weight their classes give."""
    scored = found.trial.scored
    for place, name in enumerate(scored.names):
        level = study_words.value(scored, place, 0)
        if name.startswith(study_words.WEIGHTED) and level is not None:
            yield name, level


def _best(judge: str, at: Floats, height: Floats) -> str:
    place = int(np.argmax(height) if judge in HIGHER else np.argmin(height))
    most = "largest" if judge in HIGHER else "least"
    return (
        f"On the rows held out {judge} is {most} at {number(float(at[place]), 3)}, where it is "
        f"{number(float(height[place]), 3)}; a threshold chosen on other rows gives a little less."
    )
