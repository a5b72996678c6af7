"""The rows of several models: counted as they come, and kept where a measure needs them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.classification.catalogue import resolve
from offby.classification.task import REGRESSION, Task
from offby.engine.groups import Groups
from offby.engine.planning import plan_for
from offby.engine.rows import Floats, Policy, Rows, check_policy, together, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.errors import MeasureError
from offby.formula.expression import Expression, symbol
from offby.formula.words import w, y
from offby.measures.measure import Measure
from offby.measures.uncertainty import moments_only
from offby.pairs import formulas
from offby.pairs.counted import Counted, needs_rows
from offby.pairs.formulas import model, of_model, own

TIME = symbol("time")
DEFAULTS = {
    ("regression", False): ("mae", "rmse", "r2"),
    ("binary", True): ("log_loss", "brier", "accuracy", "roc_auc"),
    ("binary", False): ("accuracy", "balanced_accuracy", "f1", "mcc"),
    ("multiclass", True): ("log_loss", "brier", "accuracy", "balanced_accuracy", "f1"),
    ("multiclass", False): ("accuracy", "balanced_accuracy", "f1", "mcc", "cohen_kappa"),
}
"""What is compared where nothing is asked for; the first measure decides."""
Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Asked:
    """What is to be compared; `lists` counts the lists of segments that are compared, too."""

    task: Task = REGRESSION
    measures: Any = None
    nan: Policy = "raise"
    timed: bool = False
    lists: int = 0


class Gathered:
    """Counts the truth and every model's predictions, row by row."""

    def __init__(self, models: int, asked: Asked) -> None:
        check_policy(asked.nan)
        self.models, self.asked, self.task = models, asked, asked.task
        wanted = _usual(asked.task) if asked.measures is None else asked.measures
        self.measures = resolve(wanted, asked.task)
        _refuse_rankings(self.measures)
        self.dropped = 0
        self.state: State | None = None
        self._inputs = formulas.inputs(self.task, models)
        self._sample = Sample(len(self._inputs))
        self._keeps = asked.timed or any(map(needs_rows, self.measures))
        self._kept: list[Rows] = []
        self._groups: list[Groups] = []

    def add(
        self, outputs: Sequence[Rows], time: Floats | None = None, segments: Sequence[Codes] = ()
    ) -> None:
        """Add rows: the truth with each model's predictions, when they were, their segments.

        Raises `DataError`; what was counted is of no more use then.
        """
        state = self._state(weighted=outputs[0].weight is not None)
        parts = [*outputs] if time is None else [*outputs, _in_time(outputs[0], time)]
        fit = together(parts, self.asked.nan, state.span)
        more: dict[Expression, Floats] = {} if time is None else {TIME: time}
        for place, rows in enumerate(outputs):
            more[model(place)] = rows.y_pred
            more |= {own(name, place): column for name, column in rows.more.items()}
        more |= {segment(k): codes.astype(np.float64) for k, codes in enumerate(segments)}
        self._count(state, replace(fit[0], more=more))

    def _state(self, *, weighted: bool) -> State:
        if self.state is None:
            plan = plan_for(tuple(self._formulas()), weighted, self._inputs, self._worst)
            self.state = State(plan)
            self._groups = [Groups(plan) for _ in range(self.asked.lists)]
        return self.state

    @property
    def _worst(self) -> Expression:
        return of_model(self.task.worst, 0)

    def _formulas(self) -> Iterator[Expression]:
        """What the pass must sum for every measure of every model and every pair."""
        pairs = list(combinations(range(self.models), 2))
        for measure in self.measures:
            yield from (of_model(measure.formula, place) for place in range(self.models))
            for pair in pairs:
                yield from _paired(measure, *pair)
        yield from (formulas.nearer(self.task, *pair) for pair in pairs)

    def _count(self, state: State, rows: Rows) -> None:
        start = state.span
        kept = update(state, rows, self.asked.nan)
        self.dropped += kept.dropped
        columns = {y: kept.y_true, **kept.more}
        self._sample.update(*(columns[name] for name in self._inputs))
        ids = start + (np.arange(kept.count) if kept.place is None else kept.place)
        weighted = columns if kept.weight is None else {**columns, w: kept.weight}
        for k, groups in enumerate(self._groups):
            groups.add(weighted, kept.more[segment(k)].astype(np.int32), ids)
        if self._keeps:
            self._kept.append(kept)

    def finish(self, labels: tuple[str, ...], shown: tuple[int, ...], *, told: bool) -> Counted:
        """What was counted, once all rows are in; `labels` are the classes by their code."""
        drawn = dict(zip(self._inputs, self._sample.columns(), strict=True))
        return Counted(
            self.task, self.measures, self.models, self._state(weighted=False), self._rows(), drawn,
            self.asked.timed, labels, shown, told,
        )  # fmt: skip

    def parts(self, place: int, whole: Counted) -> Iterator[tuple[int, Counted]]:
        """What was counted of each segment of a list, with its number."""
        groups = self._groups[place].finished()
        codes = whole.rows.get(segment(place), np.zeros(0))
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(groups.count + 1))
        for k in np.flatnonzero(groups.rows[: groups.count]).tolist():
            yield k, whole.part(groups.state(k), order[ends[k] : ends[k + 1]])

    def _rows(self) -> dict[Expression, Floats]:
        """All rows that were kept, by the symbols of their columns; without weights w is 1."""
        kept, self._kept = self._kept, []
        truth = np.concatenate([rows.y_true for rows in kept] or [np.zeros(0)])
        columns = {y: truth}
        for name in kept[0].more if kept else ():
            columns[name] = np.concatenate([rows.more[name] for rows in kept])
        weights = [rows.weight for rows in kept if rows.weight is not None]
        return {**columns, w: np.concatenate(weights) if weights else np.ones(truth.size)}


def segment(place: int) -> Expression:
    """In which segment of a list a row is."""
    return symbol(f"segment{place + 1}")


def _usual(task: Task) -> tuple[str, ...]:
    costly = ("expected_cost",) if task.costs is not None else ()
    return costly + DEFAULTS[task.kind, task.scores]


def _refuse_rankings(measures: Sequence[Measure]) -> None:
    """Measures of every class against the rest are not formulas of one model's columns."""
    for measure in measures:
        if measure.formula.op in ("against_rest", "class_skill"):
            raise MeasureError(
                f"{measure.name!r} of several classes cannot be compared; compare by log_loss, "
                "brier, accuracy, balanced_accuracy, f1, mcc, cohen_kappa or ece, or measure each "
                "model by itself"
            )


def _in_time(first: Rows, time: Floats) -> Rows:
    return Rows(first.y_true, time, None, names=(first.names[0], "the time", ""))


def _paired(measure: Measure, a: int, b: int) -> Iterator[Expression]:
    """What the pass must sum for one measure of a pair."""
    paired = formulas.as_means(measure)
    if measure.formula.op == "confusion" and not formulas.is_accuracy(measure):
        yield formulas.counted_together(measure, a, b)
    elif moments_only(paired):
        yield from (make(paired, a, b) for make in
                    (formulas.difference, formulas.total, formulas.ratio))  # fmt: skip
    if formulas.is_accuracy(measure):
        yield formulas.only_right(measure, a, b)
        yield formulas.only_right(measure, b, a)
