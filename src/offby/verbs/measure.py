"""The first verb: how far off are these predictions, and how sure is that?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

from offby.engine.rows import Policy, Rows
from offby.errors import MeasureError
from offby.losses import Loss
from offby.measures.measure import Measure
from offby.report.report import Report
from offby.tables import Batch, Columns, find_columns, open_table
from offby.verbs.totals import Totals

Interval = Literal["delta", "bootstrap"]
Progress = Callable[[Batch], None]


def measure(
    data: Any,
    y_pred: Any = None,
    *,
    true: str | Iterable[str] | None = None,
    pred: str | Iterable[str] | None = None,
    weight: str | None = None,
    sample_weight: Any = None,
    measures: str | Measure | Loss | Iterable[Any] | None = None,
    confidence: float = 0.95,
    interval: Interval = "delta",
    nan: Policy = "raise",
    progress: Progress | None = None,
) -> Report:
    """Measure predictions: `measure(y_true, y_pred)`, or `measure(table, true=..., pred=...)`.

    Arrays are (n,), or (n, k) for k outputs. A table is a path (CSV, Parquet, Arrow; a glob, a
    folder, "-" for standard input), a frame, or a mapping of columns; columns that are not named
    are found by their usual names, and the report says which. `interval="bootstrap"` resamples the
    rows, which it keeps in memory. `progress` is called with every batch read.

    Raises `OffbyError` with what arrived, what was expected and what to do.

    >>> report = measure([210_000, 240_000, 320_000], [200_000, 250_000, 300_000])
    >>> report["mae"].value
    13333.333333333334
    >>> measure({"y_true": [1, 2], "y_pred": [1, 3]})["mse"].value
    0.5
    """
    if interval not in ("delta", "bootstrap"):
        raise MeasureError(f"interval is {interval!r}; expected 'delta' or 'bootstrap'")
    totals = Totals(measures, nan=nan, confidence=confidence, keep_rows=interval == "bootstrap")
    if y_pred is not None:
        if true is not None or pred is not None or weight is not None:
            raise MeasureError(
                "true, pred and weight name columns of a table; beside arrays give weights as "
                "sample_weight"
            )
        return totals.update(data, y_pred, sample_weight).report()
    if sample_weight is not None:
        raise MeasureError("sample_weight goes with arrays; for a table name its column: weight=")
    table = open_table(data)
    columns = find_columns(table, _names(true), _names(pred), weight)
    for batch in _counted(_ahead(table.read(columns.names)), progress):
        totals.add(_outputs(batch, columns), columns.true, careful=False)
    return replace(totals.report(), source=table.source, columns=columns.how)


def _names(given: str | Iterable[str] | None) -> Any:
    return given if given is None or isinstance(given, str) else list(given)


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, each read while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _counted(batches: Iterator[Batch], progress: Progress | None) -> Iterator[Batch]:
    for batch in batches:
        yield batch
        if progress is not None:
            progress(batch)


def _outputs(batch: Batch, columns: Columns) -> list[Rows]:
    weight = None if columns.weight is None else batch.columns[columns.weight]
    return [
        Rows(
            batch.columns[true],
            batch.columns[pred],
            weight,
            names=(f"column {true!r}", f"column {pred!r}", f"column {columns.weight!r}"),
        )
        for true, pred in zip(columns.true, columns.pred, strict=True)
    ]
