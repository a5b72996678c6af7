"""The first verb: how far off are these predictions, and how sure is that?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from offby.verbs import class_columns, classes, segments
from offby.verbs.classified import ClassTotals
from offby.verbs.segments import Beside, By
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
    by: By = None,
    bins: int = 5,
    edges: Mapping[str, Sequence[float]] | None = None,
    most_segments: int = segments.MOST,
    find_segments: By = None,
    cluster: Any = None,
    progress: Progress | None = None,
) -> Report:
    """Measure predictions: `measure(y_true, y_pred)`, or `measure(table, true=..., pred=...)`.

    Arrays are (n,), or (n, k) for k outputs. A table is a path (CSV, Parquet, Arrow; a glob, a
    folder, "-" for standard input), a frame, or a mapping of columns; columns that are not named
    are found by their usual names, and the report says which. `interval="bootstrap"` resamples the
    rows, which it keeps in memory. `progress` is called with every batch read.

    `by` names columns whose segments are measured too, against the rest: `["region", "age"]` each
    by itself, `["region*age"]` crossed; numbers are cut at `edges`, or in `bins` of equal size.
    `find_segments` names columns to search for the segments that own most excess loss; `cluster`
    one whose values tell which rows belong together. Beside arrays give them as columns, or `by`
    and `find_segments` as mappings of names to columns.

    Raises `OffbyError` with what arrived, what was expected and what to do.

    >>> report = measure([210_000, 240_000, 320_000], [200_000, 250_000, 300_000])
    >>> report["mae"].value
    13333.333333333334
    >>> measure({"y_true": [1, 2], "y_pred": [1, 3]})["mse"].value
    0.5
    >>> shops = measure([3, 4, 5, 9], [3, 5, 5, 6], by={"shop": ["a", "b", "a", "b"]}).segments
    >>> [(one.label, one["mae"].value) for one in shops]
    [('shop = b', 2.0), ('shop = a', 0.0)]
    """
    if interval not in ("delta", "bootstrap"):
        raise MeasureError(f"interval is {interval!r}; expected 'delta' or 'bootstrap'")
    if interval == "bootstrap" and cluster is not None:
        raise MeasureError("interval='bootstrap' draws single rows; with clusters use 'delta'")
    options = Options(task, positive, threshold, costs, tuple(map(label_text, labels)),
                      asks_for_classes(measures))  # fmt: skip
    keep = interval == "bootstrap"
    totals = partial(Totals, measures, nan=nan, confidence=confidence, keep_rows=keep)
    of_classes = partial(_class_totals, measures, nan, confidence, interval)
    watch = {"by": by, "find": find_segments, "cluster": cluster, "bins": bins, "edges": edges,
             "most": most_segments}  # fmt: skip
    if y_pred is not None:
        if true is not None or pred is not None or weight is not None:
            raise MeasureError(
                "true, pred and weight name columns of a table; beside arrays give weights as "
                "sample_weight"
            )
        beside = segments.of_arrays(data, **watch)
        found = classes.of_arrays(data, y_pred, options)
        if found.kind == "regression":
            counted = segments.watched(totals(), beside).update(data, y_pred, sample_weight)
            return replace(counted.report(), columns=found.doubt)
        make = partial(of_classes, beside)
        return classes.arrays(found, data, y_pred, sample_weight, options, make)
    if sample_weight is not None:
        raise MeasureError("sample_weight goes with arrays; for a table name its column: weight=")
    table = open_table(data)
    columns = class_columns.find(table, _names(true), _names(pred), weight, options)
    found = class_columns.of_table(table, columns, options)
    if found.kind == "regression":
        columns = replace(columns, how=f"{columns.how} {found.doubt}".rstrip())
        run = partial(_of_numbers, table, columns, totals, progress)
    else:
        run = partial(_of_classes, table, columns, found, pred, options, of_classes, progress)
    return segments.with_largest(segments.of_table(table, **watch), run)


def _of_numbers(
    table: Table,
    columns: Columns,
    make: Callable[[], Totals],
    progress: Progress | None,
    beside: Beside | None,
) -> Report:
    totals = segments.watched(make(), beside)
    for batch in _counted(_ahead(segments.read(table, beside, columns.names)), progress):
        totals.add(_outputs(batch, columns), columns.true, careful=False)
    return replace(totals.report(), source=table.source, columns=columns.how)


def _of_classes(
    table: Table,
    columns: Columns,
    task: Task,
    pred: Any,
    options: Options,
    make: Callable[..., ClassTotals],
    progress: Progress | None,
    beside: Beside | None,
) -> Report:
    columns, task, labels = class_columns.with_probabilities(table, columns, task, pred, options)
    totals = make(beside, task, labels)

    def read(numbers: Sequence[str], labels: Sequence[str]) -> Iterator[Batch]:
        return _ahead(segments.read(table, beside, numbers, labels))

    for batch, *parts in classes.batches(table, columns, task, read):
        totals.add(*parts)
        if progress is not None:
            progress(batch)
    how = f"{columns.how} {classes.told(totals)}"
    return replace(totals.report(), source=table.source, columns=how)


def _class_totals(
    measures: Any, nan: Policy, confidence: float, interval: Interval, beside: Beside | None,
    task: Task, labels: Sequence[str],
) -> ClassTotals:  # fmt: skip
    if interval == "bootstrap":
        raise MeasureError("interval='bootstrap' is for regression; here use 'delta', the default")
    totals = ClassTotals(measures, task, labels, nan=nan, confidence=confidence)
    return segments.watched(totals, beside)


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
