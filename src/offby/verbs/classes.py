"""Measuring classes: which columns to read as what, and what to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from offby.classification.encode import as_labels
from offby.classification.infer import Options, inferred
from offby.classification.task import REGRESSION, Task
from offby.engine.rows import as_array
from offby.errors import DataError, TableError
from offby.report.report import Report
from offby.tables import Batch, Columns, find_columns
from offby.tables.floats import Place
from offby.tables.probabilities import find_probabilities
from offby.tables.table import Table
from offby.verbs.classified import ClassTotals

Make = Callable[[Task, Sequence[str]], ClassTotals]


def of_arrays(y_true: Any, y_pred: Any, options: Options) -> Task:
    """The task of two arrays."""
    truth, prediction = as_array(y_true, "y_true"), as_array(y_pred, "y_pred")
    several = truth.ndim > 2 or (truth.ndim == 2 and truth.shape[1] > 1)
    if options.kind == "regression" or not truth.size or not prediction.ndim or several:
        return REGRESSION
    if prediction.ndim == 2 and prediction.shape[1] > 1 and len(prediction) != len(truth):
        return REGRESSION  # whose message on shapes says it
    return inferred(as_labels(truth, "y_true"), _parts(prediction), options)


def arrays(
    task: Task, y_true: Any, y_pred: Any, sample_weight: Any, options: Options, make: Make
) -> Report:
    """The report on two arrays of classes."""
    truth, parts = as_labels(y_true, "y_true"), _parts(as_array(y_pred, "y_pred"))
    labels = _array_labels(truth, parts, options) if len(parts) > 1 else ()
    totals = make(task, labels)
    weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    places = (Place("the arrays", "y_true"), Place("the arrays", "y_pred"))
    found = totals.add(truth, parts, weight, places).report()
    return replace(found, columns=told(totals))


def _parts(prediction: Any) -> list[Any]:
    if prediction.ndim == 2:
        return [prediction[:, k] for k in range(prediction.shape[1])]
    return [prediction]


def _array_labels(truth: Any, parts: Sequence[Any], options: Options) -> tuple[str, ...]:
    """The classes of K columns of probabilities: as told, 0 to K-1, or the sorted labels."""
    from offby.tables.labels import LabelCodes

    if options.labels:
        return _checked(options.labels, len(parts))
    codes = LabelCodes()
    codes.encode(truth, Place("the arrays", "y_true"))
    counted = [str(k) for k in range(len(parts))]
    if set(codes.labels) <= set(counted):
        return tuple(counted)
    return _checked(tuple(sorted(codes.labels)), len(parts))


def _checked(labels: Sequence[str], columns: int) -> tuple[str, ...]:
    if len(labels) != columns:
        raise DataError(
            f"{columns} columns of probabilities came for {len(labels)} labels "
            f"({', '.join(map(repr, labels[:10]))}); name the class of each column in their order: "
            "labels=[…] (--labels a,b,c)"
        )
    return tuple(labels)


def find(table: Table, true: Any, pred: Any, weight: str | None, options: Options) -> Columns:
    """The columns, of classes where those of regression cannot be told."""
    if options.says_classes and options.kind != "regression":
        return find_columns(table, true, pred, weight, classes=True, labels=options.labels)
    try:
        return find_columns(table, true, pred, weight)
    except TableError as error:
        if options.kind == "regression":
            raise
        try:
            return find_columns(table, true, pred, weight, classes=True)
        except TableError:
            raise error from None


def of_table(table: Table, columns: Columns, options: Options) -> Task:
    """The task of a table, from its first rows; what can be read only once is not looked at."""
    if options.kind == "regression" or len(columns.true) > 1:
        return REGRESSION
    if table.once:
        return REGRESSION if not options.says_classes else _unseen(columns, options)
    names = (columns.true[0], *columns.pred)
    for batch in table.read((), names):
        truth, *predictions = (batch.labels[name] for name in names)
        return inferred(truth, predictions, options)
    return REGRESSION


def _unseen(columns: Columns, options: Options) -> Task:
    """The task of a stream that was said to be of classes."""
    several = len(columns.pred) > 1
    if options.kind == "multiclass" or several:
        return Task("multiclass", several, None, options.threshold, options.costs)
    positive = "1" if options.positive is None else str(options.positive)
    return Task("binary", True, positive, options.threshold, options.costs)


def with_probabilities(
    table: Table, columns: Columns, task: Task, pred: Any, options: Options
) -> tuple[Columns, Task, tuple[str, ...]]:
    """Where classes have columns of probabilities, those and their labels in the same order."""
    if task.kind != "multiclass":
        return columns, task, ()
    if (not task.scores and pred is not None) or (table.once and not options.labels):
        return _without_names(table, columns, task)
    labels = options.labels or tuple(table.count_labels(columns.true[0]))
    if task.scores:
        found = find_probabilities(list(columns.pred), labels)
        if found is not None:
            return replace(columns, pred=found), task, tuple(labels)
        return columns, task, _checked(_in_order(labels), len(columns.pred))
    others = [name for name in table.columns if name != columns.true[0]]
    found = find_probabilities(others, labels)
    if found is None:
        return columns, task, ()
    how = (
        f"true is {columns.true[0]!r} and pred is {found[0]!r} … {found[-1]!r}, found by their "
        "names."
    )
    return replace(columns, pred=found, how=how), replace(task, scores=True), tuple(labels)


def _without_names(
    table: Table, columns: Columns, task: Task
) -> tuple[Columns, Task, tuple[str, ...]]:
    if task.scores:
        raise TableError(
            f"{table.source} can be read only once: name the classes of the columns of "
            "probabilities, in their order: --labels a,b,c (in Python: labels=[…])"
        )
    return columns, task, ()


def _in_order(labels: Sequence[str]) -> list[str]:
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def batches(
    table: Table, columns: Columns, task: Task, ahead: Callable[[Iterator[Batch]], Iterator[Batch]]
) -> Iterator[tuple[Batch, Any, list[Any], Any, tuple[Place, Place]]]:
    """Batches as `ClassTotals.add` takes them."""
    true, pred = columns.true[0], columns.pred
    numbers = [*(pred if task.scores else ()), *([columns.weight] if columns.weight else [])]
    labels = (true,) if task.scores else (true, *pred)
    for batch in ahead(table.read(numbers, labels)):
        parts = [batch.columns[n] if task.scores else batch.labels[n] for n in pred]
        weight = None if columns.weight is None else batch.columns[columns.weight]
        places = tuple(Place(table.source, name, batch.first_row) for name in (true, pred[0]))
        yield batch, batch.labels[true], parts, weight, places  # type: ignore[misc]


def told(totals: ClassTotals) -> str:
    """The sentence that says which task was taken, and how to say otherwise."""
    task = totals.task
    if task.kind == "binary":
        what = (
            f"Taken as binary, positive is {totals.encoder.labels[-1]!r}"
            if (task.scores)
            else f"Taken as binary labels, positive is {task.positive!r}"
        )
    else:
        classes = len(totals.encoder.labels)
        what = f"Taken as multiclass with {classes} classes" + ("" if task.scores else " (labels)")
    return f"{what}; --task and --positive say otherwise."
