"""What was counted of a classifier, and the report on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from offby.classification.catalogue import resolve
from offby.classification.encode import Encoder, Places
from offby.classification.statistics import confusion_of, measurement, score_counts
from offby.classification.task import Task, q
from offby.engine.plan import plan_for
from offby.engine.rows import Policy, Rows, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.errors import DataError, MeasureError
from offby.formula.aggregates import Confused, Scored
from offby.formula.words import p, y
from offby.interventions import Trials
from offby.measures.aggregate import Undefined
from offby.measures.uncertainty import effective_n
from offby.report.class_findings import ClassEvidence, findings, needed_names
from offby.report.class_view import ClassView, WorstRow
from offby.report.report import Report
from offby.tables.floats import Place
from offby.verbs.segments import Beside


class ClassTotals:
    """The mergeable totals of a classifier's measures: binary or multiclass.

    `task` says what comes: labels with probabilities of the positive class (binary), labels with a
    probability for each of `labels` (multiclass), or two columns of labels. No row is kept.

    >>> from offby.classification.task import Task
    >>> totals = ClassTotals(["accuracy"], Task("binary", scores=True, positive="1"))
    >>> totals.update([1, 1, 0], [0.9, 0.3, 0.1]).report()["accuracy"].value
    0.6666666666666666
    """

    def __init__(
        self,
        measures: Any = None,
        task: Task = Task("binary", scores=True, positive="1"),  # noqa: B008  # frozen
        labels: Sequence[str] = (),
        *,
        nan: Policy = "raise",
        confidence: float = 0.95,
    ) -> None:
        self.task, self.nan, self.confidence = task, nan, confidence
        self.asked = resolve(measures, task)
        extra = resolve(list(needed_names(task)), task)
        known = {measure.name for measure in self.asked}
        self.needed = (*self.asked, *(m for m in extra if m.name not in known))
        self.encoder = Encoder(task, labels)
        self.state: State | None = None
        self.dropped = 0
        self.sample: Sample | None = None
        self.beside: Beside | None = None  # told of every row, if anything is to be seen beside
        self.worst: dict[int, tuple[float, ...]] = {}

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Self:
        """Add rows: labels, and probabilities (n,) or (n, K), or predicted labels."""
        raw = np.asarray(y_pred)
        parts = [raw[:, k] for k in range(raw.shape[1])] if raw.ndim == 2 else [raw]
        first = self.state.span if self.state else 0
        places = (Place("the arrays", "y_true", first), Place("the arrays", "y_pred", first))
        truth = np.asarray(y_true)
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return self.add(truth, parts, weight, places)

    def add(self, truth: Any, predictions: Sequence[Any], weight: Any, places: Places) -> Self:
        """Add a batch as it was read."""
        lengths = {len(part) for part in (truth, *predictions)}
        if len(lengths) > 1:
            raise DataError(
                f"y_true has {len(truth)} rows and y_pred has {len(predictions[0])}; they must be "
                "the same rows in the same order"
            )
        rows = self.encoder.rows(truth, predictions, weight, places)
        if self.state is None:
            self.state = State(self._plan(weight is not None))
        start = self.state.span
        kept = update(self.state, rows, self.nan)
        if self.beside is not None:
            self.beside.judge_by(self.asked, self.task.loss)
            self.beside.add(self.state, kept, start)
        self.dropped += kept.dropped
        self._sample(kept)
        self._remember(rows, start)
        return self

    def _plan(self, weighted: bool) -> Any:
        formulas = tuple(measure.formula for measure in self.needed)
        return plan_for(formulas, weighted, self.task.inputs, self.task.worst)

    def _sample(self, kept: Rows) -> None:
        """Keep a few rows: of several classes, the probability that was given to what came."""
        given = kept.more.get(q, kept.y_pred)
        weight = () if kept.weight is None else (kept.weight,)
        if self.sample is None:
            self.sample = Sample(2 + len(weight))
        self.sample.update(kept.y_true, given, *weight)

    def _remember(self, rows: Rows, start: int) -> None:
        """Keep what the worst rows held, while they are at hand."""
        assert self.state is not None
        places = [place for place in self.state.worst_places() if place >= 0]
        columns = [rows.y_true, rows.y_pred, *(rows.more[name] for name in (q,) if rows.more)]
        for place in places:
            if 0 <= place - start < rows.count:
                weight = 1.0 if rows.weight is None else float(rows.weight[place - start])
                self.worst[place] = (weight, *(float(x[place - start]) for x in columns))
        self.worst = {place: self.worst[place] for place in places}

    def merge(self, other: ClassTotals) -> Self:
        """Add what another `ClassTotals` of the same measures and classes has counted."""
        mine, theirs = ([m.name for m in totals.asked] for totals in (self, other))
        if (self.task, mine) != (other.task, theirs):
            raise MeasureError("totals of other measures or another task cannot be merged")
        if other.state is None:
            return self
        if self.state is None:
            self.state = State(self._plan(other.state.plan.weighted))
        if self.state.plan.weighted != other.state.plan.weighted:
            raise DataError("totals with weights cannot be merged with totals without")
        if not self._same_codes(other):
            raise DataError(
                "the two totals met their labels in another order; give both the labels: labels=[…]"
            )
        moved = {place + self.state.span: values for place, values in other.worst.items()}
        self.state.merge(other.state)
        if other.sample is not None:
            self.sample = self.sample or Sample(other.sample.width)
            self.sample.merge(other.sample)
        self.dropped += other.dropped
        both = {**self.worst, **moved}
        self.worst = {k: both[k] for k in self.state.worst_places() if k >= 0}
        return self

    def _same_codes(self, other: ClassTotals) -> bool:
        mine, theirs = self.encoder.codes.labels, other.encoder.codes.labels
        shared = min(len(mine), len(theirs))
        if mine[:shared] != theirs[:shared]:
            return False
        self.encoder.codes.merge(other.encoder.codes)
        return True

    def report(self) -> Report:
        """What was measured so far."""
        state = self.state or State(self._plan(weighted=False))
        labels = self.encoder.labels
        order = _order(labels, self.task)
        measured = partial(
            measurement, confidence=self.confidence, labels=labels, order=order
        )
        found = {measure.name: measured(state, measure) for measure in self.needed}
        if self.beside is not None:
            found = self.beside.refined(state, self.needed, found, self.confidence)
        answers = {measure.name: found[measure.name] for measure in self.asked}
        view = self._view(state, labels, order, found)
        worth = effective_n(state) if state.sums.rows else 0.0
        evidence = ClassEvidence(state.sums.rows, self.dropped, found, answers, view, worth)
        report = Report(
            state.sums.rows, answers, findings(evidence), self.dropped, task=self.task.kind,
            view=view, trials=self._trials(len(labels)),
        )  # fmt: skip
        if self.beside is None:
            return report
        return self.beside.told(report, state, self.asked, measured, self.confidence)

    def _trials(self, classes: int) -> Trials | None:
        if self.sample is None:
            return None
        columns = self.sample.columns()
        return Trials(columns, self.asked, self.task, classes, self.confidence)

    def _view(
        self, state: State, labels: tuple[str, ...], order: tuple[int, ...], found: Any
    ) -> ClassView:
        scores = confusion = None
        if state.sums.rows:
            confusion = _or_none(confusion_of, state, _confused_key(self.task), labels, order)
            if self.task.scores and self.task.kind == "binary":
                scores = _or_none(score_counts, state, _scored_key())
        whole = (
            float(state.sums.weight(state.plan)) * (found["log_loss"].value or np.nan)
            if (self.task.scores)
            else np.nan
        )
        worst = _worst_rows(self.worst, labels, self.task, whole)
        shown = tuple(labels[k] for k in order)
        return ClassView(self.task, shown, scores, confusion, worst, self.confidence)


def _confused_key(task: Task) -> Any:
    return Confused("", task.predicted).args[0]


def _scored_key() -> Any:
    return Scored("", y > 0, p).args[0]


def _or_none(read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except Undefined:
        return None


def _order(labels: tuple[str, ...], task: Task) -> tuple[int, ...]:
    """Classes as people look for them: sorted, numbers by size; the positive one of two last."""

    def key(k: int) -> tuple[Any, ...]:
        number = labels[k].lstrip("-").replace(".", "", 1).isdigit()
        return (labels[k] == task.positive, not number, float(labels[k]) if number else 0.0,
                labels[k])  # fmt: skip

    if task.scores:
        return tuple(range(len(labels)))
    return tuple(sorted(range(len(labels)), key=key))


def _worst_rows(
    kept: dict[int, tuple[float, ...]], labels: tuple[str, ...], task: Task, whole: float
) -> tuple[WorstRow, ...]:
    """The rows that were most surely wrong, with the share of the whole log loss each owns."""
    if not task.scores:
        return ()
    rows = []
    for place, (weight, truth, predicted, *more) in kept.items():
        if task.kind == "binary":
            given, guess = (
                (predicted if truth else 1 - predicted),
                float(predicted >= task.threshold),
            )
        else:
            given, guess = more[0], predicted
        own = -weight * math.log(given) if given > 0 else math.inf
        share = own / whole if whole > 0 and math.isfinite(whole) else math.nan
        rows.append(WorstRow(place + 1, labels[int(truth)], labels[int(guess)], given, share))
    return tuple(rows)
