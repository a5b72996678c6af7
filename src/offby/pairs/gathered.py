"""The rows of several models: counted as they come, and kept where a measure needs them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.classification.catalogue import resolve
from offby.classification.task import Task
from offby.engine.plan import plan_for
from offby.engine.rows import Floats, Policy, Rows, together, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.errors import DataError
from offby.formula.expression import Expression, symbol
from offby.formula.words import w, y
from offby.measures.measure import Measure
from offby.measures.uncertainty import moments_only
from offby.pairs import formulas
from offby.pairs.formulas import model

TIME = symbol("time")
DEFAULTS = {
    "regression": ("mae", "rmse", "r2"),
    "binary": ("log_loss", "brier", "accuracy", "roc_auc"),
}
"""What is compared where nothing is asked for; the first measure decides."""


@dataclass(frozen=True)
class Asked:
    """What is to be compared; without a task, the rows tell which it is."""

    task: Task | None = None
    measures: Any = None
    nan: Policy = "raise"
    threshold: float = 0.5
    timed: bool = False


class Gathered:
    """What was counted of the truth and of every model's predictions.

    Where nobody told whether the table holds numbers, or yes and no with probabilities, rows are
    held back until one tells that it holds numbers: then nothing but sums is kept of them.
    """

    def __init__(self, models: int, asked: Asked) -> None:
        self.models, self.asked, self.task = models, asked, asked.task
        self.dropped = self.seen = 0
        self.samples = [Sample() for _ in range(models)]
        self.measures: tuple[Measure, ...] = ()
        self._held: list[Rows] = []
        self._kept: list[Rows] = []
        self._classes: set[float] = set()

    def add(self, outputs: Sequence[Rows], time: Rows | None = None) -> None:
        """Add rows: the truth with each model's predictions, and when they were.

        Raises `DataError`; what was counted is of no more use then.
        """
        if self.task is not None and self.task.kind == "binary":
            self._check_binary(outputs)
        parts = [*outputs, time] if time is not None else outputs
        fit = together(parts, self.asked.nan, self.seen)
        self.seen += fit[0].count
        more = {model(k): rows.y_pred for k, rows in enumerate(outputs)}
        if time is not None:
            more[TIME] = time.y_pred
        rows = replace(fit[0], more=more)
        if self.task is not None:
            self._count(rows)
            return
        self._held.append(rows)
        if not self._may_be_binary(rows):
            self._settle(Task())

    def finish(self) -> Task:
        """The task, once all rows are in."""
        if self.task is None:
            both = self._classes >= {0.0, 1.0}
            self._settle(binary(self.asked.threshold) if both else Task())
        elif not self.measures:
            self._start(weighted=False)
        assert self.task is not None
        return self.task

    def _may_be_binary(self, rows: Rows) -> bool:
        """Whether these rows may be yes and no with probabilities, as all before them."""
        here = ~np.isnan(rows.y_true)
        self._classes |= set(np.unique(rows.y_true[here])[:3].tolist())
        columns = (rows.more[model(k)][here] for k in range(self.models))
        inside = all(bool(np.all((x >= 0) & (x <= 1))) for x in columns)
        return inside and self._classes <= {0.0, 1.0}

    def _settle(self, task: Task) -> None:
        self.task, held, self._held = task, self._held, []
        self._start(weighted=bool(held) and held[0].weight is not None)
        for rows in held:
            self._count(rows)

    def _start(self, *, weighted: bool) -> None:
        """Lay out what is to be counted."""
        assert self.task is not None
        wanted = self.asked.measures
        self.measures = resolve(DEFAULTS[self.task.kind] if wanted is None else wanted, self.task)
        parts = [of for measure in self.measures for of in self._formulas(measure)]
        parts += [formulas.nearer(a, b) for a, b in self._pairs()]
        self.state = State(plan_for(tuple(parts), weighted, *self.layout))

    @property
    def layout(self) -> tuple[tuple[Expression, ...], Expression]:
        """The columns that come, and what is largest in the worst rows."""
        return (y, *(model(k) for k in range(self.models))), abs(model(0) - y)

    def _pairs(self) -> list[tuple[Expression, Expression]]:
        return list(combinations([model(k) for k in range(self.models)], 2))

    def _formulas(self, measure: Measure) -> list[Expression]:
        """What the pass must sum for one measure of every model and every pair."""
        one = [formulas.of_model(measure.formula, model(k)) for k in range(self.models)]
        paired = formulas.as_means(measure)
        if not moments_only(paired):
            return one
        kinds = [formulas.difference, formulas.total, formulas.ratio]
        found = one + [make(paired, a, b) for a, b in self._pairs() for make in kinds]
        if formulas.is_accuracy(measure):
            found += [formulas.only_right(measure, a, b) for a, b in self._pairs()]
            found += [formulas.only_right(measure, b, a) for a, b in self._pairs()]
        return found

    def _count(self, rows: Rows) -> None:
        if not self.measures:
            self._start(weighted=rows.weight is not None)
        kept = update(self.state, rows, self.asked.nan)
        self.dropped += kept.dropped
        for k, sample in enumerate(self.samples):
            sample.update(kept.y_true, kept.more[model(k)])
        if self.asked.timed or any(needs_rows(measure) for measure in self.measures):
            self._kept.append(kept)

    def _check_binary(self, outputs: Sequence[Rows]) -> None:
        """Refuse what is no class, or no probability; what is missing is another's affair."""
        truth = outputs[0]
        bad = (truth.y_true != 0) & (truth.y_true != 1)
        self._refuse(truth.names[0], truth.y_true, bad, "0 or 1")
        for rows in outputs:
            bad = (rows.y_pred < 0) | (rows.y_pred > 1)
            self._refuse(rows.names[1], rows.y_pred, bad, "a probability")

    def _refuse(self, name: str, column: Floats, bad: NDArray[np.bool_], wanted: str) -> None:
        places = np.flatnonzero(bad & np.isfinite(column))
        if places.size:
            first = int(places[0])
            raise DataError(
                f"{name} is {column[first]:g} in row {self.seen + first + 1} (counted from 1); "
                f"where yes and no are compared (task 'binary') {wanted} was expected"
            )

    @cached_property
    def rows(self) -> dict[Expression, Floats]:
        """All rows that were kept, by the symbols of their columns; without weights w is 1."""
        truth = np.concatenate([rows.y_true for rows in self._kept] or [np.zeros(0)])
        columns = {y: truth}
        for name in self._kept[0].more if self._kept else ():
            columns[name] = np.concatenate([rows.more[name] for rows in self._kept])
        weights = [rows.weight for rows in self._kept if rows.weight is not None]
        return {**columns, w: np.concatenate(weights) if weights else np.ones(truth.size)}

    @cached_property
    def drawn(self) -> dict[Expression, Floats]:
        """A few thousand rows, evenly spread over the table, by the symbols of their columns."""
        pairs = [sample.columns() for sample in self.samples]
        return {y: pairs[0][0], **{model(k): pair[1] for k, pair in enumerate(pairs)}}


def binary(threshold: float = 0.5) -> Task:
    """The task of a truth of 0 and 1 with probabilities of 1."""
    return Task("binary", scores=True, positive="1", threshold=threshold)


def needs_rows(measure: Measure) -> bool:
    """Whether a measure can be compared only with the rows at hand."""
    return not moments_only(formulas.as_means(measure))
