"""The first verb: how far off are these predictions, and how sure is that?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from offby.classification.catalogue import asks_for_classes
from offby.classification.infer import Options
from offby.classification.task import Kind, Task
from offby.engine.rows import Policy, Rows
from offby.errors import MeasureError
from offby.losses import Loss
from offby.measures.measure import Measure
from offby.report.report import Report
from offby.tables import Batch, Columns, open_table
from offby.tables.label_text import label_text
from offby.tables.table import Table
from offby.verbs import classes
from offby.verbs.classified import ClassTotals
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
    task: Kind | None = None,
    positive: Any = None,
    threshold: float = 0.5,
    costs: Any = None,
    labels: Iterable[Any] = (),
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
    options = Options(task, positive, threshold, costs, tuple(map(label_text, labels)),
                      asks_for_classes(measures))  # fmt: skip
    keep = interval == "bootstrap"
    totals = partial(Totals, measures, nan=nan, confidence=confidence, keep_rows=keep)
    of_classes = partial(_class_totals, measures, nan, confidence, interval)
    if y_pred is not None:
        if true is not None or pred is not None or weight is not None:
            raise MeasureError(
                "true, pred and weight name columns of a table; beside arrays give weights as "
                "sample_weight"
            )
        found = classes.of_arrays(data, y_pred, options)
        if found.kind == "regression":
            return totals().update(data, y_pred, sample_weight).report()
        return classes.arrays(found, data, y_pred, sample_weight, options, of_classes)
    if sample_weight is not None:
        raise MeasureError("sample_weight goes with arrays; for a table name its column: weight=")
    table = open_table(data)
    columns = classes.find(table, _names(true), _names(pred), weight, options)
    found = classes.of_table(table, columns, options)
    if found.kind != "regression":
        return _of_classes(table, columns, found, pred, options, of_classes, progress)
    counted = totals()
    for batch in _counted(_ahead(table.read(columns.names)), progress):
        counted.add(_outputs(batch, columns), columns.true, careful=False)
    return replace(counted.report(), source=table.source, columns=columns.how)


def _of_classes(
    table: Table,
    columns: Columns,
    task: Task,
    pred: Any,
    options: Options,
    make: classes.Make,
    progress: Progress | None,
) -> Report:
    columns, task, labels = classes.with_probabilities(table, columns, task, pred, options)
    totals = make(task, labels)
    for batch, *parts in classes.batches(table, columns, task, _ahead):
        totals.add(*parts)
        if progress is not None:
            progress(batch)
    how = f"{columns.how} {classes.told(totals)}"
    return replace(totals.report(), source=table.source, columns=how)


def _class_totals(
    measures: Any, nan: Policy, confidence: float, interval: Interval, task: Task,
    labels: Sequence[str],
) -> ClassTotals:  # fmt: skip
    if interval == "bootstrap":
        raise MeasureError("interval='bootstrap' is for regression; here use 'delta', the default")
    return ClassTotals(measures, task, labels, nan=nan, confidence=confidence)


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
