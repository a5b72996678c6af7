"""The second verb: which model is better, by how much, and may that be chance?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from offby.classification.catalogue import asks_for_classes
from offby.classification.task import Task
from offby.engine.rows import Floats, Policy, Rows, as_column
from offby.errors import DataError, MeasureError, TableError
from offby.losses import Loss
from offby.measures.measure import Measure
from offby.pairs.gathered import Asked, Gathered, binary
from offby.pairs.judge import Judge
from offby.report.comparing import compared
from offby.report.comparison import Comparison
from offby.tables import Batch, Place, Table, find_true, open_table
from offby.tables.times import to_times

Progress = Callable[[Batch], None]
Part = tuple[list[Rows], Rows | None]
Compared = Literal["regression", "binary"]


def compare(
    data: Any,
    predictions: Mapping[str, Any] | None = None,
    *,
    true: str | None = None,
    pred: str | Iterable[str] = (),
    weight: str | None = None,
    sample_weight: Any = None,
    measures: str | Measure | Loss | Iterable[Any] | None = None,
    task: Compared | None = None,
    threshold: float = 0.5,
    time: Any = None,
    horizon: int | None = None,
    confidence: float = 0.95,
    nan: Policy = "raise",
    progress: Progress | None = None,
) -> Comparison:
    """Compare models: `compare(y_true, {"a": ..., "b": ...})`, or `compare(table, pred=[...])`.

    A table is whatever `measure` takes; the first of `pred` is what others are compared with. The
    task is binary where the truth is 0 and 1 and all predictions are probabilities, unless told.
    `time` is a column (or an array beside arrays) of when rows were; standard errors then allow
    for losses that go together in time, over `horizon` - 1 steps if that is given. With it, and
    for measures that are no formulas of means (medians, AUC), all columns are kept in memory.

    Raises `OffbyError` with what arrived, what was expected and what to do.

    >>> found = compare([1, 2, 3, 4], {"old": [2, 4, 4, 6], "new": [1, 2, 3, 5]})
    >>> found["mae"].value, found["mae"].verdict
    (-1.25, 'better')
    >>> found.difference("mae", "old", "new").value
    1.25
    """
    if not 0 < confidence < 1:
        raise MeasureError(f"confidence is {confidence}; expected a number between 0 and 1")
    if horizon is not None and time is None:
        raise MeasureError("a horizon needs the time of the rows: time=... (--time COLUMN)")
    asked = Asked(_task(task, threshold, measures), measures, nan, threshold, time is not None)
    if predictions is not None:
        if true is not None or pred or weight is not None:
            raise MeasureError(
                "true, pred and weight name columns of a table; beside arrays give weights as "
                "sample_weight"
            )
        names, parts = _named(predictions), _arrays(data, predictions, sample_weight, time)
        return _judged(names, parts, asked, confidence, horizon)
    if sample_weight is not None:
        raise MeasureError("sample_weight goes with arrays; for a table name its column: weight=")
    table = open_table(data)
    columns = _columns(table, true, pred)
    found = _judged(
        columns[1:], _batches(table, columns, weight, time, progress), asked, confidence, horizon
    )
    return replace(found, source=table.source, columns=_how(columns, weight, time, found.columns))


def _task(kind: Compared | None, threshold: float, measures: Any) -> Task | None:
    """The task as told, or as a measure's name tells."""
    if kind not in (None, "regression", "binary"):
        raise MeasureError(f"task is {kind!r}; models are compared on 'regression' or 'binary'")
    task = binary(threshold)  # raises where the threshold is no probability
    if kind == "binary" or (kind is None and asks_for_classes(measures)):
        return task
    return Task() if kind == "regression" or measures is not None else None


def _judged(
    names: list[str],
    parts: Iterable[Part],
    asked: Asked,
    confidence: float,
    horizon: int | None,
) -> Comparison:
    """Count the rows and compare every two models, in an order that the asking cannot change."""
    order = sorted(range(len(names)), key=names.__getitem__)
    gathered = Gathered(len(names), asked)
    for outputs, time in parts:
        gathered.add([outputs[k] for k in order], time)
    gathered.finish()
    judge = Judge(gathered, [names[k] for k in order], confidence, horizon)
    return compared(judge, tuple(names))


def _named(predictions: Mapping[str, Any]) -> list[str]:
    if not isinstance(predictions, Mapping):
        raise MeasureError(
            f"predictions arrived as {type(predictions).__name__}; give each model a name: "
            "{'old': predictions, 'new': predictions}"
        )
    if len(predictions) < 2:
        raise MeasureError(
            f"{len(predictions)} model arrived; a comparison takes the predictions of two or more"
        )
    return [str(name) for name in predictions]


def _arrays(
    y_true: Any, predictions: Mapping[str, Any], sample_weight: Any, time: Any
) -> Iterator[Part]:
    truth = as_column(y_true, "y_true")
    weight = None if sample_weight is None else _beside(truth, sample_weight, "sample_weight")
    outputs = [
        Rows(truth, _beside(truth, values, f"predictions of {name!r}"), weight,
             names=("y_true", f"predictions of {name!r}", "sample_weight"))
        for name, values in predictions.items()
    ]  # fmt: skip
    yield outputs, None if time is None else _when(truth, np.asarray(time), Place("arrays", "time"))


def _beside(truth: Floats, values: Any, name: str) -> Floats:
    column = as_column(values, name)
    if column.size != truth.size:
        raise DataError(
            f"{name} has {column.size} rows and y_true has {truth.size}; they must be the same "
            "rows in the same order"
        )
    return column


def _when(truth: Floats, values: Any, place: Place) -> Rows:
    times = to_times(values, place)
    if times.size != truth.size:
        raise DataError(f"time has {times.size} rows and y_true has {truth.size}; give one a row")
    name = f"column {place.column!r}"
    return Rows(truth, times, None, names=("y_true", name, ""))


def _columns(table: Table, true: str | None, pred: str | Iterable[str]) -> list[str]:
    """The truth and the predictions, each of its own."""
    named = [pred] if isinstance(pred, str) else list(pred)
    if len(named) == 1 and named[0] not in table.columns:
        named = [name.strip() for name in named[0].split(",")]
    truth = find_true(table) if true is None else true
    for name in (truth, *named):
        table.check(name)
    if len(named) < 2:
        raise TableError(
            f"{len(named)} column of predictions is named; a comparison takes two or more: "
            "--pred A --pred B (in Python: pred=['A', 'B'])"
        )
    again = [name for k, name in enumerate(named) if name in (truth, *named[:k])]
    if again:
        raise TableError(f"column {again[0]!r} is named twice; name the truth and each model once")
    return [truth, *named]


def _batches(
    table: Table, columns: list[str], weight: str | None, time: str | None,
    progress: Progress | None,
) -> Iterator[Part]:  # fmt: skip
    truth, *models = columns
    read = columns if weight is None else [*columns, weight]
    for batch in table.read(read, () if time is None else (time,)):
        heavy = None if weight is None else batch.columns[weight]
        outputs = [
            Rows(batch.columns[truth], batch.columns[name], heavy,
                 names=(f"column {truth!r}", f"column {name!r}", f"column {weight!r}"))
            for name in models
        ]  # fmt: skip
        when = None
        if time is not None:
            place = Place(table.source, time, batch.first_row)
            when = _when(batch.columns[truth], batch.labels[time], place)
        yield outputs, when
        if progress is not None:
            progress(batch)


def _how(columns: list[str], weight: str | None, time: str | None, kind: str) -> str:
    """Which columns were taken, in a sentence."""
    truth, first, *others = columns
    several = ", ".join(map(repr, others))
    extra = f", weighted by {weight!r}" if weight is not None else ""
    extra += f", in order of {time!r}" if time is not None else ""
    return f"true is {truth!r}; {several} against {first!r}{extra}. {kind}"
