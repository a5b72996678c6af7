"""Pictures of a trial of losses: what each gains, and what they make of the errors held out."""

from __future__ import annotations

import math
from collections.abc import Iterator

from offby.choice import Estimate
from offby.choice.trained.judged import Costs
from offby.choice.trained.scored import Scored
from offby.choice.trained.verdict import Weighed
from offby.drawing import plot
from offby.drawing.chart import Chart
from offby.drawing.numbers import number, percent
from offby.drawing.plot import Axis
from offby.losses import Loss
from offby.report import choice_charts, study_class_charts, study_words
from offby.report.forest import Bar, forest

_MOST_LOSSES = 4
_UNSURE = "no sure difference"
_FURTHEST = 1.0  # a loss that costs twice as much is bad enough to be drawn at the edge


def charts(found: Weighed, costs: Costs | None) -> list[Chart]:
    """The gains; of numbers the errors held out, of classes what thresholds give."""
    gains = _gains(found)
    others = _errors(found) if found.judge else study_class_charts.charts(found, costs)
    return [*([gains] if gains else []), *others]


def _gains(found: Weighed) -> Chart | None:
    """Every candidate's gain over the first, with its interval."""
    scored = found.trial.scored
    bars = list(_bars(found, scored))
    least = -_FURTHEST if scored.relative else -math.inf
    judge, have = study_words.measures(found)[0], scored.names[0]
    low, high = plot.around(0.0, *(max(end, least) for bar in bars for end in (bar.low, bar.high)))
    x = Axis(f"gain over {have}", low, high, "~%" if scored.relative else None)
    caption = (
        f"To the right of the line a loss is better than {have}, judged by {judge} on rows held "
        f"out. A bar that touches the line shows no sure difference: the "
        f"{percent(scored.confidence, 3)} intervals hold for all candidates at once."
    )
    return forest(bars, x, f"What each loss gains over {have}", caption)


def _bars(found: Weighed, scored: Scored) -> Iterator[Bar]:
    for place, name in enumerate(scored.names):
        gain = scored.sure_gain(place) if place else Estimate(None)
        if gain.value is not None and gain.low is not None and gain.high is not None:
            text = study_words.signed(gain.value) if scored.relative else number(gain.value, 3)
            verdict = study_words.said(found, scored, found.verdict, place)
            verdict = _UNSURE if verdict in ("tied", "cannot tell") else verdict
            yield Bar(f"{name} {text}", gain.value, gain.low, gain.high, verdict)


def _errors(found: Weighed) -> list[Chart]:
    """The errors of the loss to take on rows held out, under the losses tried."""
    taken = found.held_out[-1]
    told = f"Errors of {taken.name}, each row's by a model that did not see it. "
    return choice_charts.charts(taken.study, _losses(found), told)


def _losses(found: Weighed) -> tuple[Loss, ...]:
    """The losses tried that are of the error alone, as tuned to the errors held out."""
    study = found.held_out[0].study
    tuned = [one.tuned(study.y, study.errors) for one in found.trial.options]
    return tuple(dict.fromkeys(loss for loss in tuned if choice_charts.of_error(loss)))[
        :_MOST_LOSSES
    ]
