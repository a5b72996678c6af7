"""What was counted of a classifier, and the report on it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from offby.classification.against_rest import counted_for
from offby.classification.catalogue import by_name, resolve
from offby.classification.encode import Encoder, Places, as_labels, parts_of
from offby.classification.infer import frozen
from offby.classification.order import need_two_labels
from offby.classification.recode import occurring, recoded
from offby.classification.sampled import sampled_columns, sampled_rows
from offby.classification.statistics import measurement
from offby.classification.task import Task, chance, q
from offby.engine.plan import Plan
from offby.engine.planning import plan_for
from offby.engine.rows import Policy, Rows, as_column, check_lengths, check_policy, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.engine.storage import pack, unpack
from offby.errors import DataError, MeasureError
from offby.formula.expression import Expression
from offby.interventions import Trials
from offby.measures.measure import Measure
from offby.measures.measurement import check_confidence
from offby.measures.stored import from_tree, to_tree
from offby.measures.uncertainty import effective_n
from offby.report.class_findings import ClassEvidence, findings, needed_names
from offby.report.class_seen import confused_key, view_of
from offby.report.report import Report
from offby.verbs.segments import Beside


class ClassTotals:
    """The mergeable totals of a classifier's measures: binary or multiclass.

    `task` says what comes: labels with probabilities of the positive class (binary), labels with a
    probability for each of `labels` (multiclass), or two columns of labels. Nothing is guessed from
    the rows. Values do not depend on their order or chunking, nor on how totals were merged, to the
    last bit; the rows are not kept, save a few thousand that corrections are tried on.

    >>> totals = ClassTotals(["accuracy"]).update([1, 1, 0], [0.9, 0.3, 0.1])
    >>> totals.report()["accuracy"].value
    0.6666666666666666
    >>> words = Task("multiclass")
    >>> first = ClassTotals(["accuracy"], words).update(["cat"], ["dog"])
    >>> other = ClassTotals(["accuracy"], words).update(["dog"], ["dog"])
    >>> first.merge(other).report()["accuracy"].value
    0.5
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
        check_policy(nan)
        check_confidence(confidence)
        self.asked = resolve(measures, task)
        # in an order that asking cannot change
        asked = sorted(self.asked, key=lambda measure: measure.name)
        self.needed = resolve([*resolve(needed_names(task), task), *asked], task)
        ranked = any(measure.formula.op == "against_rest" for measure in self.needed)
        self.encoder = Encoder(task, labels, ranked=ranked)
        self.state: State | None = None
        self.dropped = 0
        self.sample: Sample | None = None
        self.beside: Beside | None = None  # told of every row, if anything is to be seen beside
        self.worst: dict[int, tuple[float, ...]] = {}

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Self:
        """Add rows: labels, and probabilities (n,) or (n, K), or predicted labels."""
        weight = None if sample_weight is None else as_column(sample_weight, "sample_weight")
        first = self.state.span if self.state else 0
        return self.add(as_labels(y_true, "y_true"), *parts_of(y_pred, first), weight)

    def add(
        self, truth: Any, predictions: Sequence[Any], places: Places, weight: Any = None
    ) -> Self:
        """Add a batch as it was read."""
        check_lengths(truth, predictions, weight)
        with self.encoder.all_or_nothing():
            rows = self.encoder.rows(truth, predictions, weight, places)
            state = self._state(weight is not None)
            start = state.span
            kept = update(state, rows, self.nan)
        self.state = state
        if self.beside is not None:
            self.beside.judge_by(self.asked, self.task.loss)
            self.beside.add(self.state, kept, start)
        self.dropped += kept.dropped
        self._sample(kept)
        self._remember(rows, start)
        return self

    def _state(self, weighted: bool) -> State:
        """The state there is; a new one while no row has been seen."""
        if self.state is None or not self.state.span:
            return State(self._plan(weighted))
        if self.state.plan.weighted != weighted:
            before, now = ("without", "with") if weighted else ("with", "without")
            raise DataError(
                f"rows {now} weights arrived where earlier rows came {before}; give weights for "
                "all rows or for none"
            )
        return self.state

    def _plan(self, weighted: bool) -> Plan:
        formulas = [part for measure in self.needed
                    for part in counted_for(measure.formula, self.encoder.told)]  # fmt: skip
        inputs = (*self.task.inputs, *self._chances)
        return plan_for(tuple(formulas), weighted, inputs, self.task.worst)

    @property
    def _chances(self) -> tuple[Expression, ...]:
        """The probabilities of all classes, where one is ranked against the rest."""
        return tuple(map(chance, range(len(self.encoder.told)))) if self.encoder.ranked else ()

    def _sample(self, kept: Rows) -> None:
        """Keep a few rows, if there are probabilities."""
        if not self.task.scores:
            return
        columns = sampled_columns(self.task, kept, self._chances)
        if self.sample is None:
            self.sample = Sample(len(columns))
        self.sample.update(*columns)

    def _remember(self, rows: Rows, start: int) -> None:
        """Keep what the worst rows held, while they are at hand."""
        if self.state is None or not self.task.scores:
            return
        places = [place for place in self.state.worst_places() if place >= 0]
        columns = [rows.y_true, rows.y_pred, *(rows.more[name] for name in (q,) if rows.more)]
        for place in places:
            if 0 <= place - start < rows.count:
                weight = 1.0 if rows.weight is None else float(rows.weight[place - start])
                self.worst[place] = (weight, *(float(x[place - start]) for x in columns))
        self.worst = {place: self.worst[place] for place in places}

    def merge(self, other: ClassTotals) -> Self:
        """Add what another `ClassTotals` of the same measures and classes has counted."""
        _check_alike(self, other)
        if other.state is None or not other.state.span:
            return self
        self.state = self._state(other.state.plan.weighted)
        theirs = self._in_my_codes(other, other.state)
        moved = {place + self.state.span: values for place, values in other.worst.items()}
        self.state.merge(theirs)
        if other.sample is not None:
            self.sample = self.sample or Sample(other.sample.width)
            self.sample.merge(other.sample)
        self.dropped += other.dropped
        both = {**self.worst, **moved}
        self.worst = {k: both[k] for k in self.state.worst_places() if k in both}
        return self

    def _in_my_codes(self, other: ClassTotals, state: State) -> State:
        """Another's state, its labels coded as they are here; without scores codes are all it has.

        With scores codes stand in no sum: they are 0 and 1, or the places of the same columns.
        """
        with self.encoder.all_or_nothing():
            codes = self.encoder.learn(other.encoder.codes.labels)
            if self.task.kind == "binary":
                need_two_labels(self.encoder.codes.labels, self.task.positive)
        if self.task.scores or np.array_equal(codes, np.arange(codes.size)):
            return state
        return recoded(state, confused_key(self.task), codes)

    def report(self) -> Report:
        """What was measured so far."""
        state = self.state or State(self._plan(weighted=False))
        labels = self.encoder.labels
        order = self._shown(state)
        sampled = sampled_rows(self.task, self.sample, weighted=state.plan.weighted)
        measured = partial(
            measurement, confidence=self.confidence, labels=labels, order=order, sampled=sampled
        )
        found = {measure.name: measured(state, measure) for measure in self.needed}
        if self.beside is not None:
            found = self.beside.refined(state, self.needed, found, measured)
        answers = {measure.name: found[measure.name] for measure in self.asked}
        view = view_of(state, self.task, labels, order, self.worst, self.confidence)
        worth = effective_n(state) if state.sums.rows else 0.0
        evidence = ClassEvidence(state.sums.rows, self.dropped, found, answers, view, worth)
        report = Report(
            state.sums.rows, answers, findings(evidence), self.dropped, task=self.task.kind,
            view=view, trials=self._trials(len(labels)),
        )  # fmt: skip
        if self.beside is None:
            return report
        return self.beside.told(report, state, self.asked, measured, self.confidence)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order in which they are shown: those told, or those that occur."""
        order = self.encoder.shown if self.state is None else self._shown(self.state)
        return tuple(self.encoder.labels[k] for k in order)

    def _shown(self, state: State) -> tuple[int, ...]:
        """Codes in order; labels that only rows without weight have are as absent as the rows."""
        if self.task.kind == "binary" or self.encoder.told:
            return self.encoder.shown
        came = occurring(state, confused_key(self.task))
        return tuple(k for k in self.encoder.shown if came is None or k in came)

    def to_bytes(self) -> bytes:
        """The totals as bytes, for `from_bytes` of the same version; nothing in them is code."""
        state = self.state
        return pack(
            {
                "task": vars(self.task),
                "told": self.encoder.told,
                "labels": self.encoder.codes.labels,
                "asked": [_named(measure, self.task) for measure in self.asked],
                "formulas": [repr(measure.formula) for measure in self.needed],
                "nan": self.nan,
                "confidence": self.confidence,
                "dropped": self.dropped,
                "worst": [[place, *values] for place, values in self.worst.items()],
                "weighted": state is not None and state.plan.weighted,
                "state": None if state is None else state.to_tree(),
                "sample": None if self.sample is None else self.sample.to_tree(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ClassTotals:
        """The totals that `to_bytes` wrote; raises `DataError` on damaged or foreign bytes."""
        tree = unpack(data)
        if "task" not in tree:
            raise DataError("these are totals of numbers, not of classes; read them with Totals")
        task = Task(**{**tree["task"], "costs": frozen(tree["task"]["costs"])})
        asked = [
            item if isinstance(item, str) else from_tree(item, task.words) for item in tree["asked"]
        ]
        options = {"nan": tree["nan"], "confidence": tree["confidence"]}
        totals = cls(asked, task, tree["told"], **options)
        if [repr(measure.formula) for measure in totals.needed] != tree["formulas"]:
            raise DataError(
                "these totals were written by an offby that sums other formulas for the same "
                "measures; use the offby that wrote them, or measure again"
            )
        totals._restore(tree)
        return totals

    def _restore(self, tree: dict[str, Any]) -> None:
        self.encoder.learn(tree["labels"])
        self.dropped = tree["dropped"]
        self.worst = {int(place): tuple(values) for place, *values in tree["worst"]}
        if tree["state"] is not None:
            self.state = State.from_tree(self._plan(tree["weighted"]), tree["state"])
        if tree["sample"] is not None:
            self.sample = Sample.from_tree(tree["sample"])

    def _trials(self, classes: int) -> Trials | None:
        if self.sample is None:
            return None
        weighted = self.state is not None and self.state.plan.weighted
        columns = self.sample.columns()[: 2 + weighted]
        return Trials(columns, self.asked, self.task, classes, self.confidence)


def _check_alike(a: ClassTotals, b: ClassTotals) -> None:
    """Raise unless the two count the same; `distinct` refuses one name for two formulas."""
    names = [sorted(measure.name for measure in totals.asked) for totals in (a, b)]
    if a.task != b.task or names[0] != names[1]:
        raise MeasureError(
            f"totals of {', '.join(names[0])} ({a.task.kind}) cannot be merged with totals of "
            f"{', '.join(names[1])} ({b.task.kind}); measure the same in both"
        )
    resolve([*a.asked, *b.asked], a.task)
    if a.task.kind == "multiclass" and a.task.scores and a.encoder.told != b.encoder.told:
        raise DataError(
            f"the columns of probabilities are of {', '.join(a.encoder.told[:5])} in one and of "
            f"{', '.join(b.encoder.told[:5])} in the other; give both the same labels, in one order"
        )


def _named(measure: Measure, task: Task) -> str | dict[str, Any]:
    """What tells the measure: its name where the task knows it, else all of it."""
    known = by_name(measure.name, task)
    return measure.name if known and known.formula is measure.formula else to_tree(measure)
