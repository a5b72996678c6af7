"""From the totals of a classifier to what its pictures and findings look at."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from offby.classification.counts import confusion_of, score_counts
from offby.classification.task import Task, q
from offby.engine.state import State
from offby.formula.aggregates import Confused, Scored
from offby.formula.expression import Expression
from offby.formula.words import log, p, y
from offby.losses import LogLoss
from offby.measures.aggregate import Undefined
from offby.report.class_view import ClassView, worst_rows

Read = TypeVar("Read")


def view_of(
    state: State,
    task: Task,
    labels: tuple[str, ...],
    order: tuple[int, ...],
    worst: Mapping[int, Sequence[float]],
    confidence: float,
) -> ClassView:
    """The view of these totals; `order` is that in which classes are shown."""
    scores = confusion = None
    if state.sums.rows:
        confusion = _or_none(confusion_of, state, confused_key(task), labels, order)
        if task.scores and task.kind == "binary":
            scores = _or_none(score_counts, state, Scored("", y > 0, p).args[0])
    whole, impossible = _log_loss(state, task)
    shown = tuple(labels[k] for k in order)
    rows = worst_rows(worst, labels, task, whole) if task.scores else ()
    return ClassView(task, shown, scores, confusion, rows, confidence, impossible)


def confused_key(task: Task) -> Expression:
    """What pairs of classes are counted by."""
    return Confused("", task.predicted).args[0]


def _log_loss(state: State, task: Task) -> tuple[float, int]:
    """The log loss of all rows together, and in how many of them it is infinite."""
    if not task.scores or not state.sums.rows:
        return 0.0, 0
    term = -log(q) if task.kind == "multiclass" else LogLoss.formula
    places = state.plan.exact[term]
    infinite = sum(state.sums.unusual(places)[:2])
    return math.inf if infinite else float(state.sums.exact(places)), infinite


def _or_none(read: Callable[..., Read], *arguments: Any) -> Read | None:
    try:
        return read(*arguments)
    except Undefined:
        return None
