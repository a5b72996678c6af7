"""Totals: measure a stream batch by batch, merge what was measured elsewhere, report at any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from offby.engine.plan import plan_for
from offby.engine.rows import Policy, Rows, fit_rows, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.engine.storage import pack, unpack
from offby.errors import DataError, MeasureError
from offby.formula.aggregates import AGGREGATES
from offby.formula.expression import Expression
from offby.formula.parse import parse
from offby.formula.words import r
from offby.losses import Loss
from offby.measures.aggregate import counted_by
from offby.measures.bootstrap import bootstrapped
from offby.measures.finish import measurement
from offby.measures.growth import moment_needed
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.names import resolve
from offby.report.average import averaged
from offby.report.findings import NEEDED, Evidence, findings
from offby.report.report import Report
from offby.report.view import Row, View
from offby.report.view_losses import shapes
from offby.report.tail import Tail, tail_of

_BY_SIZE = abs(r)


class Totals:
    """The mergeable totals of the measures asked for.

    `measures` are names ("rmse", "huber:1.345"), `Measure`s or losses; None is the usual report.
    `nan="drop"` leaves rows with missing values out and counts them. Values do not depend on the
    order or the chunking of the rows, nor on how totals were merged, to the last bit.
    `keep_rows=True` keeps the rows in memory for bootstrap intervals; such totals do not merge.

    >>> totals = Totals(["mae", "rmse"])
    >>> totals.update([210, 240], [200, 250]).update([320], [300]).report()["mae"].value
    13333.333333333334
    """

    def __init__(
        self,
        measures: str | Measure | Loss | Iterable[Any] | None = None,
        *,
        nan: Policy = "raise",
        confidence: float = 0.95,
        keep_rows: bool = False,
    ) -> None:
        if nan not in ("raise", "drop"):
            raise DataError(f"nan is {nan!r}; expected 'raise' or 'drop'")
        if not 0 < confidence < 1:
            raise MeasureError(f"confidence is {confidence}; expected a number between 0 and 1")
        self.asked = resolve(measures)
        self.nan, self.confidence, self.keep_rows = nan, confidence, keep_rows
        self.columns: list[Column] = []

    @property
    def needed(self) -> tuple[Measure, ...]:
        """What was asked for, and what findings are made of."""
        every = {measure.name: measure for measure in resolve(NEEDED)}
        return tuple({**every, **{measure.name: measure for measure in self.asked}}.values())

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Self:
        """Add rows: columns of one length, or (n, k) for k outputs.

        Raises `DataError`, with nothing added, on shapes that differ, text, integers that float64
        cannot hold, values that are not finite (unless dropped) and negative weights.
        """
        pairs = _outputs(y_true, y_pred)
        if not self.columns:
            names = [""] if len(pairs) == 1 else [f"output {k + 1}" for k in range(len(pairs))]
            self.columns = [self._column(name, sample_weight is not None) for name in names]
        self._check_like(len(pairs), sample_weight is not None)
        fitted = [fit_rows(*pair, sample_weight) for pair in pairs]
        for column, rows in zip(self.columns, fitted, strict=True):
            column.update(rows, self.nan, keep=self.keep_rows)
        return self

    def _column(self, name: str, weighted: bool) -> Column:
        formulas = tuple(measure.formula for measure in self.needed)
        return Column(name, State(plan_for(formulas, weighted)))

    def _check_like(self, outputs: int, weighted: bool) -> None:
        if outputs != len(self.columns):
            raise DataError(f"{outputs} outputs arrived where {len(self.columns)} came before")
        if weighted != self.columns[0].state.plan.weighted:
            before = "with" if self.columns[0].state.plan.weighted else "without"
            raise DataError(f"earlier rows came {before} weights; give them for all rows or none")

    def merge(self, other: Totals) -> Self:
        """Add what another `Totals` of the same measures has counted; returns itself."""
        if [m.formula for m in self.needed] != [m.formula for m in other.needed]:
            raise MeasureError(
                f"totals of {_names(self)} cannot be merged with totals of {_names(other)}"
            )
        if self.keep_rows or other.keep_rows:
            raise MeasureError("totals that keep rows for the bootstrap cannot be merged")
        if not self.columns:
            self.columns = [
                self._column(c.name, c.state.plan.weighted) for c in other.columns
            ]
        if other.columns:
            self._check_like(len(other.columns), other.columns[0].state.plan.weighted)
            for mine, theirs in zip(self.columns, other.columns, strict=True):
                mine.merge(theirs)
        return self

    def name_outputs(self, names: Sequence[str]) -> None:
        """Call the outputs by these names in the report."""
        for column, name in zip(self.columns, names, strict=True):
            column.name = name

    def report(self) -> Report:
        """What was measured so far."""
        if not self.columns:
            self.columns = [self._column("", weighted=False)]
        parts = [self._report(column) for column in self.columns]
        if len(parts) == 1:
            return parts[0]
        return averaged({c.name: part for c, part in zip(self.columns, parts, strict=True)})

    def _report(self, column: Column) -> Report:
        counted = counted_by(column.state, _BY_SIZE)
        tail = tail_of(counted) if counted and column.state.sums.rows else None
        found = {
            measure.name: _cautioned(measurement(column.state, measure, self.confidence), measure, tail)
            for measure in self.needed
        }
        if column.kept:
            found = bootstrapped(column.kept_rows(), self.needed, found, self.confidence)
        asked = {measure.name: found[measure.name] for measure in self.asked}
        view = column.view(found["mse"].value, tail, self.asked)
        facts = {name: found[name] for name in NEEDED}
        rows = column.state.sums.rows
        evidence = Evidence(rows, column.dropped, facts, asked, view)
        return Report(rows, asked, findings(evidence), column.dropped, view=view)

    def to_bytes(self) -> bytes:
        """The totals as bytes, for `from_bytes` of the same version; nothing in them is code."""
        if self.keep_rows:
            raise MeasureError("totals that keep rows for the bootstrap cannot be stored")
        return pack(
            {
                "asked": [_measure_tree(measure) for measure in self.asked],
                "nan": self.nan,
                "confidence": self.confidence,
                "columns": [column.to_tree() for column in self.columns],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Totals:
        """The totals that `to_bytes` wrote; raises `DataError` on damaged or foreign bytes."""
        tree = unpack(data)
        asked = [_measure(**part) for part in tree["asked"]]
        totals = cls(asked, nan=tree["nan"], confidence=tree["confidence"])
        formulas = tuple(measure.formula for measure in totals.needed)
        totals.columns = [Column.from_tree(formulas, column) for column in tree["columns"]]
        return totals


def _cautioned(measured: Measurement, measure: Measure, tail: Tail | None) -> Measurement:
    """The measurement, with a word where the tail makes its interval worth little."""
    if tail is None or measured.low is None:
        return measured
    needed = moment_needed(measure.formula)
    if not tail.heavier_than(needed):
        return measured
    trusted = "median_absolute_error" if tail.heavier_than(2) else "mae"
    caution = f"too narrow, heavy tail: trust {trusted}"
    return replace(measured, caution=caution)


def _outputs(y_true: Any, y_pred: Any) -> list[tuple[Any, Any]]:
    """The pairs of columns, one an output."""
    truth, prediction = np.asarray(y_true), np.asarray(y_pred)
    if truth.ndim < 2 and prediction.ndim < 2:
        return [(truth, prediction)]
    truth, prediction = _wide(truth), _wide(prediction)
    if truth.shape != prediction.shape:
        raise DataError(
            f"y_true has shape {truth.shape} and y_pred {prediction.shape}; they must be alike"
        )
    return [(truth[:, k], prediction[:, k]) for k in range(truth.shape[1])]


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 1:
        return array[:, None]
    if array.ndim != 2 or array.shape[1] == 0:
        raise DataError(f"an array of shape {array.shape} arrived; expected (n,) or (n, outputs)")
    return array


def _measure_tree(measure: Measure) -> dict[str, Any]:
    ends = [repr(end) for end in measure.range]  # JSON has no infinity
    return {**vars(measure), "formula": repr(measure.formula), "range": ends}


def _measure(formula: str, range: list[str], **facts: Any) -> Measure:  # noqa: A002
    ends = float(range[0]), float(range[1])
    return Measure(formula=parse(formula, functions=AGGREGATES), range=ends, **facts)


def _names(totals: Totals) -> str:
    return ", ".join(measure.name for measure in totals.asked)
