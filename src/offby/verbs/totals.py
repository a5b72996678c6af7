"""Totals: measure a stream batch by batch, merge what was measured elsewhere, report any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from numpy.typing import NDArray

from offby.engine.planning import plan_for
from offby.engine.rows import Policy, Rows, as_array, check_policy, fit_rows, together
from offby.engine.state import State
from offby.engine.storage import pack, unpack
from offby.errors import DataError, MeasureError
from offby.formula.expression import Expression
from offby.losses import Loss
from offby.measures.measure import Measure
from offby.measures.measurement import check_confidence
from offby.measures.names import resolve
from offby.measures.stored import from_tree, to_tree
from offby.report.average import averaged
from offby.report.findings import NEEDED
from offby.report.report import Report
from offby.verbs.column import Column
from offby.verbs.segments import Beside


class Totals:
    """The mergeable totals of the measures asked for.

    `measures` are names ("rmse", "huber:1.345"), `Measure`s or losses; None is the usual report.
    `nan="drop"` leaves rows with missing values out and counts them. Values do not depend on the
    order or the chunking of the rows, nor on how totals were merged, to the last bit.
    `keep_rows=True` keeps the rows in memory for bootstrap intervals; such totals do not merge.

    >>> totals = Totals(["mae", "rmse"])
    >>> totals.update([210, 240], [200, 250]).update([320], [300]).report()["mae"].value
    13.333333333333334
    """

    def __init__(
        self,
        measures: str | Measure | Loss | Iterable[Any] | None = None,
        *,
        nan: Policy = "raise",
        confidence: float = 0.95,
        keep_rows: bool = False,
    ) -> None:
        check_policy(nan)
        check_confidence(confidence)
        self.asked = resolve(measures)
        self.needed = _with_needed(self.asked)
        self.nan, self.confidence, self.keep_rows = nan, confidence, keep_rows
        self.columns: list[Column] = []
        self.beside: Beside | None = None  # told of every row, if anything is to be seen beside

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Self:
        """Add rows: columns of one length, or (n, k) for k outputs.

        Raises `DataError`, with nothing added, on shapes that differ, text, integers that float64
        cannot hold, values that are not finite (unless dropped) and negative weights.
        """
        pairs = _outputs(y_true, y_pred)
        names = [f"output {k + 1}" for k in range(len(pairs))]
        singles = self.beside is None and not self.keep_rows  # what reads rows anew wants float64
        return self.add([fit_rows(*pair, sample_weight, singles=singles) for pair in pairs], names)

    def add(self, outputs: Sequence[Rows], names: Sequence[str], *, careful: bool = True) -> Self:
        """Add rows that are columns of float64 already, one `Rows` an output.

        If not `careful`, an error leaves the totals of no more use, and the pass is faster.
        """
        weighted = outputs[0].weight is not None
        columns = self._columns(names, weighted)
        if len(outputs) != len(columns):
            raise DataError(
                f"y has {len(outputs)} outputs where earlier rows had {len(columns)}; give the "
                "same outputs for all rows"
            )
        _check_weighted(columns[0], weighted)
        fit = together(outputs, self.nan, columns[0].state.span)
        for column, rows in zip(columns, fit, strict=True):
            column.update(rows, self.nan, keep=self.keep_rows, careful=careful)
        self.columns = columns
        return self

    def _columns(self, names: Sequence[str], weighted: bool) -> list[Column]:
        """The columns there are; new ones while no row has been seen."""
        if self.columns and self.columns[0].state.span:
            return self.columns
        formulas = _formulas(self.needed)
        columns = [Column(name, State(plan_for(formulas, weighted))) for name in names]
        if self.beside is not None:
            self.beside.attach(columns, self.asked)
        return columns

    def merge(self, other: Totals) -> Self:
        """Add what another `Totals` of the same measures has counted; returns itself."""
        if _names(self) != _names(other) or not _same_formulas(self, other):
            raise MeasureError(
                f"totals of {', '.join(_names(self))} cannot be merged with totals of "
                f"{', '.join(_names(other))}; measure the same in both"
            )
        if self.keep_rows or other.keep_rows:
            raise MeasureError("totals that keep rows for the bootstrap cannot be merged")
        if not (other.columns and other.columns[0].state.span):
            return self
        weighted = other.columns[0].state.plan.weighted
        columns = self._columns([column.name for column in other.columns], weighted)
        if len(columns) != len(other.columns):
            raise DataError(
                f"totals of {len(columns)} outputs cannot be merged with totals of "
                f"{len(other.columns)}"
            )
        _check_weighted(columns[0], weighted)
        for mine, theirs in zip(columns, other.columns, strict=True):
            mine.merge(theirs)
        self.columns = columns
        return self

    def report(self) -> Report:
        """What was measured so far."""
        columns = self.columns or self._columns([""], weighted=False)
        parts = {
            column.name: column.report(self.asked, self.needed, self.confidence)
            for column in columns
        }
        if len(parts) == 1:
            return next(iter(parts.values()))
        return averaged(parts, {measure.name: measure.range for measure in self.asked})

    def to_bytes(self) -> bytes:
        """The totals as bytes, for `from_bytes` of the same version; nothing in them is code."""
        if self.keep_rows:
            raise MeasureError("totals that keep rows for the bootstrap cannot be stored")
        return pack(
            {
                "asked": [to_tree(measure) for measure in self.asked],
                "formulas": [repr(formula) for formula in _formulas(self.needed)],
                "nan": self.nan,
                "confidence": self.confidence,
                "columns": [column.to_tree() for column in self.columns],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Totals:
        """The totals that `to_bytes` wrote; raises `DataError` on damaged or foreign bytes."""
        tree = unpack(data)
        if "task" in tree:
            raise DataError("these are totals of a classifier; read them with ClassTotals")
        asked = [from_tree(part) for part in tree["asked"]]
        totals = cls(asked, nan=tree["nan"], confidence=tree["confidence"])
        formulas = _formulas(totals.needed)
        if [repr(formula) for formula in formulas] != tree["formulas"]:
            raise DataError(
                "these totals were written by an offby that sums other formulas for the same "
                "measures; use the offby that wrote them, or measure again"
            )
        totals.columns = [Column.from_tree(formulas, column) for column in tree["columns"]]
        return totals


def _with_needed(asked: Iterable[Measure]) -> tuple[Measure, ...]:
    """What findings are made of and what was asked for, in an order that asking cannot change."""
    return resolve([*resolve(NEEDED), *sorted(asked, key=lambda measure: measure.name)])


def _formulas(measures: Iterable[Measure]) -> tuple[Expression, ...]:
    return tuple(measure.formula for measure in measures)


def _same_formulas(a: Totals, b: Totals) -> bool:
    pairs = zip(_formulas(a.needed), _formulas(b.needed), strict=True)
    return all(mine is theirs for mine, theirs in pairs)  # == would build an equation


def _names(totals: Totals) -> list[str]:
    return sorted(measure.name for measure in totals.asked)


def _check_weighted(column: Column, weighted: bool) -> None:
    if weighted != column.state.plan.weighted:
        before, now = ("with", "without") if column.state.plan.weighted else ("without", "with")
        raise DataError(
            f"rows {now} weights arrived where earlier rows came {before}; give weights for all "
            "rows or for none"
        )


def _outputs(y_true: Any, y_pred: Any) -> list[tuple[Any, Any]]:
    """The pairs of columns, one an output."""
    truth, prediction = as_array(y_true, "y_true"), as_array(y_pred, "y_pred")
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
