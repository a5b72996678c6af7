"""What is kept of the few rows that corrections, and errors of averages, are learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offby.classification.task import Task, q, square
from offby.engine.rows import Floats, Rows
from offby.engine.sample import Sample
from offby.formula.expression import Expression
from offby.scores import SampledRows

_MOST_SCORES = 64
"""Classes whose probabilities are kept: of more it would take tens of megabytes."""


def sampled_columns(task: Task, rows: Rows, chances: Sequence[Expression]) -> list[Floats]:
    """Truth, the probability that was given to it, the weight if any, and what else is of use.

    In a binary task the probability is the positive class's. `chances` are the probabilities of
    all classes where those are ranked.
    """
    weight = [] if rows.weight is None else [rows.weight]
    if task.kind == "binary":
        return [rows.y_true, rows.y_pred, *weight]
    scores = chances if len(chances) <= _MOST_SCORES else ()
    more = [rows.more[name] for name in (square, *scores)]
    return [rows.y_true, rows.more[q], *weight, *more]


def sampled_rows(task: Task, sample: Sample | None, *, weighted: bool) -> SampledRows | None:
    """The rows of several classes that were kept, with their losses; None of other tasks."""
    if sample is None or task.kind != "multiclass":
        return None
    truth, given, *more = sample.columns()
    weight = more.pop(0) if weighted else np.ones(truth.size)
    squares, *scores = more
    with np.errstate(divide="ignore"):
        losses = {"log": -np.log(given), "brier": squares}
    return SampledRows(truth, weight, tuple(scores), losses)
