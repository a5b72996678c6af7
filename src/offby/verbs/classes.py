"""Measuring classes: what arrays and tables of them are read as, and what to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from offby.classification.encode import Places, as_labels, parts_of
from offby.classification.infer import Options, inferred, unseen
from offby.classification.order import checked, in_column_order
from offby.classification.task import REGRESSION, Task
from offby.engine.rows import as_array, as_column
from offby.report.report import Report
from offby.tables import Batch, Columns
from offby.tables.floats import Place
from offby.tables.labels import LabelCodes
from offby.tables.table import Table
from offby.verbs.classified import ClassTotals

Make = Callable[[Task, Sequence[str]], ClassTotals]


def of_arrays(y_true: Any, y_pred: Any, options: Options) -> Task:
    """The task of two arrays."""
    truth, prediction = as_array(y_true, "y_true"), as_array(y_pred, "y_pred")
    outputs = truth.ndim > 2 or (truth.ndim == 2 and truth.shape[1] > 1) or not prediction.ndim
    alike = len(prediction) == len(truth) if prediction.ndim and truth.ndim else False
    if options.kind == "regression" or (not options.says_classes and (outputs or not alike)):
        return REGRESSION  # whose messages on shapes say what does not fit
    if not truth.size:
        several = prediction.ndim == 2 and prediction.shape[1] > 1
        return unseen(several, options) if options.says_classes else REGRESSION
    labels, (parts, _) = as_labels(truth, "y_true"), parts_of(prediction)
    return inferred(*spelt_alike(labels, parts), options)


def arrays(
    task: Task, y_true: Any, y_pred: Any, sample_weight: Any, options: Options, make: Make
) -> Report:
    """The report on two arrays of classes."""
    parts, places = parts_of(y_pred)
    truth, parts = spelt_alike(as_labels(y_true, "y_true"), parts)
    labels = array_labels(truth, len(parts), options) if len(parts) > 1 else options.labels
    totals = make(task, labels)
    weight = None if sample_weight is None else as_column(sample_weight, "sample_weight")
    found = totals.add(truth, parts, places, weight).report()
    return replace(found, columns=told(totals))


def spelt_alike(truth: Any, parts: list[Any]) -> tuple[Any, list[Any]]:
    """Of two columns of labels, true and false as 1 and 0 where the other has numbers."""
    if len(parts) > 1 or (truth.dtype.kind == "b") == (parts[0].dtype.kind == "b"):
        return truth, parts
    columns = [x.astype(np.int8) if x.dtype.kind == "b" else x for x in (truth, parts[0])]
    numbers = all(column.dtype.kind in "iu" for column in columns)
    return (columns[0], columns[1:]) if numbers else (truth, parts)


def array_labels(truth: Any, columns: int, options: Options) -> tuple[str, ...]:
    """The classes of K columns of probabilities: as told, 0 to K-1, or the sorted labels."""
    if options.labels:
        return checked(options.labels, columns)
    codes = LabelCodes()
    codes.encode(truth, Place("the arrays", "y_true"))
    counted = [str(k) for k in range(columns)]
    few = set(codes.labels) <= set(counted)
    return in_column_order(counted if few else codes.labels, columns, truth.dtype.kind in "OSU")


Read = Callable[[Sequence[str], Sequence[str]], Iterator[Batch]]


def batches(
    table: Table, columns: Columns, task: Task, read: Read
) -> Iterator[tuple[Batch, Any, list[Any], Places, Any]]:
    """Batches as `ClassTotals.add` takes them."""
    true, pred = columns.true[0], columns.pred
    numbers = [*(pred if task.scores else ()), *([columns.weight] if columns.weight else [])]
    labels = (true,) if task.scores else (true, *pred)
    for batch in read(numbers, labels):
        parts = [batch.columns[n] if task.scores else batch.labels[n] for n in pred]
        weight = None if columns.weight is None else batch.columns[columns.weight]
        places = [Place(table.source, name, batch.first_row) for name in (true, *pred)]
        yield batch, batch.labels[true], parts, places, weight


def told(totals: ClassTotals) -> str:
    """The sentence that says which task was taken, and how to say otherwise."""
    task, labels = totals.task, totals.classes
    if task.kind == "binary":
        of = "" if task.scores else " labels"
        what = f"Taken as binary{of}, positive is {task.positive!r}"
    else:
        few = len(labels) < 6
        shown = ", ".join(map(repr, labels)) if few else f"{labels[0]!r} … {labels[-1]!r}"
        counted = f"{len(labels)} class{'es' * (len(labels) != 1)}"
        of = f"probabilities of {shown}, in this order" if task.scores else "labels"
        what = f"Taken as multiclass with {counted} ({of})"
    return f"{what}; --task and --positive say otherwise."
