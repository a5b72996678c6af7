"""The second verb: which model is better, by how much, and may that be chance?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from offby.classification.catalogue import asks_for_classes
from offby.classification.infer import Options
from offby.classification.task import Kind, Task
from offby.engine.rows import Policy
from offby.errors import MeasureError
from offby.losses import Loss
from offby.measures.measure import Measure
from offby.pairs.gathered import Asked, Gathered
from offby.pairs.judge import Judge
from offby.pairs.parts import Part
from offby.report.comparing import compared
from offby.report.comparison import Comparison
from offby.segments.grouping import TooManySegments
from offby.segments.lists import SegmentLists
from offby.tables import open_table
from offby.tables.label_text import label_text
from offby.verbs import compared_models, compared_rows, compared_segments
from offby.verbs.compared_models import Models
from offby.verbs.compared_rows import Arrays, Coded, Progress
from offby.verbs.segments import MOST, By


def compare(
    data: Any,
    predictions: Mapping[str, Any] | None = None,
    *,
    true: str | None = None,
    pred: str | Iterable[str] = (),
    weight: str | None = None,
    sample_weight: Any = None,
    measures: str | Measure | Loss | Iterable[Any] | None = None,
    task: Kind | None = None,
    positive: Any = None,
    threshold: float = 0.5,
    costs: Any = None,
    labels: Iterable[Any] = (),
    by: By = None,
    bins: int = 5,
    edges: Mapping[str, Sequence[float]] | None = None,
    most_segments: int = MOST,
    time: Any = None,
    horizon: int | None = None,
    confidence: float = 0.95,
    nan: Policy = "raise",
    progress: Progress | None = None,
) -> Comparison:
    """Compare models: `compare(y_true, {"a": ..., "b": ...})`, or `compare(table, pred=[...])`.

    Predictions are (n,) numbers, probabilities or labels, or (n, K) probabilities of K classes. A
    table is whatever `measure` takes; each of `pred` is a column, or `a_*` for the columns of the
    probabilities of each label; the first is what others are compared with. The task is told apart
    as `measure` does, unless told.

    `by` names columns in whose segments models are compared, too (beside arrays a mapping of names
    to columns), as in `measure`. `time` is a column (or an array beside arrays) of when rows were;
    standard errors then allow for losses that go together in time, over `horizon` - 1 steps if that
    is given. With it, and for measures that are no formulas of means (medians, AUC), all columns
    are kept in memory.

    Raises `OffbyError` with what arrived, what was expected and what to do.

    >>> found = compare([1, 2, 3, 4], {"old": [2, 4, 4, 6], "new": [1, 2, 3, 5]})
    >>> found["mae"].value, found["mae"].verdict
    (-1.25, 'better')
    >>> found.difference("mae", "old", "new").value
    1.25
    >>> pets = {"old": ["cat", "cat", "cat", "dog"], "new": ["cat", "dog", "dog", "dog"]}
    >>> compare(["cat", "dog", "cat", "dog"], pets)["accuracy"].alone
    (1, 1)
    """
    if not 0 < confidence < 1:
        raise MeasureError(f"confidence is {confidence}; expected a number between 0 and 1")
    if horizon is not None and time is None:
        raise MeasureError("a horizon needs the time of the rows: time=... (--time COLUMN)")
    told = tuple(map(label_text, labels))
    options = Options(task, positive, threshold, costs, told, asks_for_classes(measures))
    cut: dict[str, Any] = {"bins": bins, "edges": edges, "most": most_segments}

    asked = Asked(measures=measures, nan=nan, timed=time is not None)
    judged = partial(_judged, asked=asked, confidence=confidence, horizon=horizon)
    if predictions is not None:
        if true is not None or pred or weight is not None:
            raise MeasureError(
                "true, pred and weight name columns of a table; beside arrays give weights as "
                "sample_weight"
            )
        _check_named(predictions)
        arrays = Arrays.of(data, predictions, options)
        segmented, codes = compared_segments.of_arrays(by, len(arrays.truth), **cut)
        coded = Coded(arrays.task, arrays.labels)
        part = arrays.read(coded, sample_weight, time, codes)
        return judged(arrays.task, list(arrays.parts), coded, [part], segmented)
    if sample_weight is not None:
        raise MeasureError("sample_weight goes with arrays; for a table name its column: weight=")
    table = open_table(data)
    models = compared_models.of_table(table, true, pred, options)
    segmented = compared_segments.of_table(table, by, **cut)

    def run() -> Comparison:
        name = "sample_weight" if weight is None else f"column {weight!r}"
        coded = Coded(models.task, models.labels, name)
        parts = compared_rows.batches(table, models, coded, weight, time, segmented, progress)
        return judged(models.task, models.names, coded, parts, segmented)

    try:
        found = run()
    except TooManySegments:
        segmented.find_largest()
        found = run()
    how = _how(models, weight, time, found.columns)
    return replace(found, source=table.source, columns=how)


def _judged(
    task: Task, names: Sequence[str], coded: Coded, parts: Iterable[compared_rows.Part],
    segmented: SegmentLists, *, asked: Asked, confidence: float, horizon: int | None,
) -> Comparison:  # fmt: skip
    """Count the rows and compare every two models, in an order that the asking cannot change."""
    order = sorted(range(len(names)), key=names.__getitem__)
    lists = segmented.groupings
    gathered = Gathered(len(names), replace(asked, task=task, lists=len(lists)))
    for outputs, time, codes in parts:
        gathered.add([outputs[k] for k in order], time, codes)
    labels, shown, told = coded.classes
    counted = gathered.finish(labels, shown, told=told)
    pairs = len(names) * (len(names) - 1) // 2
    judge = Judge(counted, [names[k] for k in order], confidence, horizon, pairs)
    found = [
        Part(grouping.columns, *grouping.named(k), judge.of_part(part))
        for place, grouping in enumerate(lists)
        for k, part in gathered.parts(place, counted)
    ]
    return compared(judge, tuple(names), gathered.dropped, found)


def _check_named(predictions: Mapping[str, Any]) -> None:
    if not isinstance(predictions, Mapping):
        raise MeasureError(
            f"predictions arrived as {type(predictions).__name__}; give each model a name: "
            "{'old': predictions, 'new': predictions}"
        )
    if len(predictions) < 2:
        raise MeasureError(
            f"{len(predictions)} model arrived; a comparison takes the predictions of two or more"
        )


def _how(models: Models, weight: str | None, time: str | None, kind: str) -> str:
    """Which columns were taken, in a sentence."""
    first, *others = models.columns.values()
    several = ", ".join(map(_shown, others))
    extra = f", weighted by {weight!r}" if weight is not None else ""
    extra += f", in order of {time!r}" if time is not None else ""
    return f"true is {models.true!r}; {several} against {_shown(first)}{extra}. {kind}"


def _shown(columns: Sequence[str]) -> str:
    return repr(columns[0]) if len(columns) == 1 else f"{columns[0]!r} … {columns[-1]!r}"
