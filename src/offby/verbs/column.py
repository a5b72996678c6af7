"""What was counted of one output, and the report on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from offby.engine.planning import plan_for
from offby.engine.rows import Policy, Rows, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.formula.expression import Expression
from offby.formula.words import r
from offby.interventions import Trials
from offby.measures.aggregate import counted_by
from offby.measures.bootstrap import bootstrapped
from offby.measures.finish import measurement
from offby.measures.growth import moment_needed
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.ordered import Counted
from offby.measures.tail import Tail, tail_of
from offby.measures.uncertainty import effective_n
from offby.report.findings import Evidence, findings
from offby.report.report import Report
from offby.report.view import Row, View
from offby.report.view_losses import shapes
from offby.verbs.segments import Beside

_BY_SIZE = abs(r)


class Column:
    """The rows of one output: its state, the worst of its rows, and a sample of them."""

    def __init__(self, name: str, state: State) -> None:
        self.name, self.state = name, state
        self.beside: Beside | None = None
        self.sample = Sample(3 if state.plan.weighted else 2)
        self.dropped = 0
        self.kept: list[Rows] = []
        self.worst: dict[int, tuple[float, float, float]] = {}  # row -> truth, prediction, weight

    def update(self, rows: Rows, nan: Policy, *, keep: bool, careful: bool) -> None:
        """Count the rows of a batch, and keep them if the bootstrap will ask for them."""
        start = self.state.span
        kept = update(self.state, rows, nan, careful=careful)
        self.dropped += kept.dropped
        weight = () if kept.weight is None else (kept.weight,)
        self.sample.update(kept.y_true, kept.y_pred, *weight)
        self._remember(rows, start)
        if self.beside is not None:
            self.beside.add(self.state, kept, start)
        if keep:
            self.kept.append(kept)

    def _remember(self, rows: Rows, start: int) -> None:
        """Keep the values of the worst rows, while they are at hand."""
        places = [place for place in self.state.worst_places() if place >= 0]
        for place in places:
            at = place - start
            if 0 <= at < rows.count:
                weight = 1.0 if rows.weight is None else float(rows.weight[at])
                self.worst[place] = (float(rows.y_true[at]), float(rows.y_pred[at]), weight)
        self.worst = {place: self.worst[place] for place in places}

    def merge(self, other: Column) -> None:
        """Add another's rows after these."""
        moved = {place + self.state.span: values for place, values in other.worst.items()}
        self.state.merge(other.state)
        self.sample.merge(other.sample)
        self.dropped += other.dropped
        both = {**self.worst, **moved}
        self.worst = {k: both[k] for k in self.state.worst_places() if k >= 0}

    @np.errstate(over="ignore", invalid="ignore")  # what overflows is reported as such
    def report(
        self, asked: Sequence[Measure], needed: Sequence[Measure], confidence: float
    ) -> Report:
        """The measures asked for, and findings made of all the `needed` ones."""
        counted = self._counted()
        tail = tail_of(counted) if self.state.sums.rows else None
        found = {
            measure.name: _cautioned(measurement(self.state, measure, confidence), measure, tail)
            for measure in needed
        }
        measured = partial(measurement, confidence=confidence)
        if self.kept:
            found = bootstrapped(self._kept_rows(), needed, found, confidence)
        if self.beside is not None:
            found = self.beside.refined(self.state, needed, found, measured)
        answers = {measure.name: found[measure.name] for measure in asked}
        view = self._view(found["mse"].value, counted, tail, asked)
        rows = self.state.sums.rows
        worth = effective_n(self.state) if rows else 0.0
        evidence = Evidence(rows, self.dropped, found, answers, view, worth)
        trials = Trials(self.sample.columns(), tuple(asked), confidence=confidence)
        report = Report(rows, answers, findings(evidence), self.dropped, view=view, trials=trials)
        if self.beside is None:
            return report
        return self.beside.told(report, self.state, asked, measured, confidence)

    def _kept_rows(self) -> Rows:
        weights = [rows.weight for rows in self.kept if rows.weight is not None]
        return Rows(
            np.concatenate([rows.y_true for rows in self.kept]),
            np.concatenate([rows.y_pred for rows in self.kept]),
            np.concatenate(weights) if weights else None,
        )

    def _counted(self) -> Counted:
        counted = counted_by(self.state, _BY_SIZE)
        assert counted is not None  # the median absolute error is always needed
        return counted

    def _view(
        self, mse: float | None, counted: Counted, tail: Tail | None, asked: Sequence[Measure]
    ) -> View:
        """What pictures and findings look at."""
        whole = float(self.state.sums.weight(self.state.plan)) * (mse or np.nan)
        worst = tuple(
            Row(place + 1, y_true, y_pred, weight * (gap := y_pred - y_true) * gap / whole)
            for place, (y_true, y_pred, weight) in self.worst.items()
        )
        sizes = counted.middles
        y_true, y_pred, *_ = self.sample.columns()
        return View(y_true, y_pred, sizes, counted.weights, worst, tail, shapes(asked))

    def to_tree(self) -> dict[str, Any]:
        """Numbers and arrays, for `storage.pack`."""
        return {
            "name": self.name,
            "weighted": self.state.plan.weighted,
            "dropped": self.dropped,
            "worst": [[place, *values] for place, values in self.worst.items()],
            "state": self.state.to_tree(),
            "sample": self.sample.to_tree(),
        }

    @classmethod
    def from_tree(cls, formulas: tuple[Expression, ...], tree: dict[str, Any]) -> Column:
        """The column that `to_tree` wrote down."""
        plan = plan_for(formulas, tree["weighted"])
        column = cls(tree["name"], State.from_tree(plan, tree["state"]))
        column.dropped = tree["dropped"]
        column.worst = {int(place): (a, b, c) for place, a, b, c in tree["worst"]}
        column.sample = Sample.from_tree(tree["sample"])
        return column


def _cautioned(measured: Measurement, measure: Measure, tail: Tail | None) -> Measurement:
    """The measurement, with a word where the tail makes its interval worth little."""
    if tail is None or measured.low is None:
        return measured
    if not tail.heavier_than(moment_needed(measure.formula)):
        return measured
    trusted = "median_absolute_error" if tail.heavier_than(2) else "mae"
    return replace(measured, caution=f"too narrow, heavy tail: trust {trusted}")
