"""The rows of a comparison as they come: of arrays all at once, of tables batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from offby.classification.encode import Encoder, as_labels
from offby.classification.infer import Options, inferred, unseen
from offby.classification.task import REGRESSION, Task
from offby.engine.rows import Floats, Rows, as_array, as_column
from offby.errors import DataError
from offby.segments.coding import Codes
from offby.segments.lists import SegmentLists
from offby.tables import Batch, Place, Table
from offby.tables.times import to_times
from offby.verbs.classes import array_labels, spelt_alike
from offby.verbs.compared_models import Models, agreed

Progress = Callable[[Batch], None]
Places = Sequence[Sequence[Place]]
Part = tuple[list[Rows], Floats | None, Sequence[Codes]]
"""The rows of every model, when they were, and their segments in every list."""


class Coded:
    """Turns the columns of a batch into the rows of every model; labels share one list of codes."""

    def __init__(
        self, task: Task, labels: Sequence[str], weight_name: str = "sample_weight"
    ) -> None:
        self._encoder = None if task.kind == "regression" else Encoder(task, labels)
        self._weight_name = weight_name

    def rows(
        self, truth: Any, models: Sequence[Sequence[Any]], weight: Floats | None, places: Places
    ) -> list[Rows]:
        """The rows of each model; `places` tell where the truth and its columns stand."""
        make = _numbers if self._encoder is None else self._encoder.rows
        found = [make(truth, columns, weight, at) for columns, at in
                 zip(models, places, strict=True)]  # fmt: skip
        return [replace(rows, names=(*rows.names[:2], self._weight_name)) for rows in found]

    @property
    def classes(self) -> tuple[tuple[str, ...], tuple[int, ...], bool]:
        """The labels by their code, the codes in order, and whether they were told beforehand."""
        if self._encoder is None:
            return ("0", "1"), (0, 1), True
        told = self._encoder.task.kind == "binary" or bool(self._encoder.told)
        return self._encoder.labels, self._encoder.shown, told


def _numbers(
    truth: Any, columns: Sequence[Any], weight: Floats | None, places: Sequence[Place]
) -> Rows:
    names = (places[0].column, places[1].column, "")
    return Rows(as_column(truth, names[0]), as_column(columns[0], names[1]), weight, names=names)


@dataclass(frozen=True)
class Arrays:
    """Arrays of the truth and of the predictions of every model, and what they are."""

    truth: Any
    parts: Mapping[str, list[Any]]
    task: Task
    labels: tuple[str, ...]

    @classmethod
    def of(cls, y_true: Any, predictions: Mapping[Any, Any], options: Options) -> Arrays:
        """Raises `OffbyError` where they do not fit together."""
        truth = as_labels(y_true, "y_true")
        parts = {str(name): _columns(values, _called(name)) for name, values in predictions.items()}
        for name, columns in parts.items():
            _check_length(truth, columns[0], _called(name))
        if options.kind == "regression":
            parts = {name: [_one(columns, _called(name))] for name, columns in parts.items()}
            return cls(truth, parts, REGRESSION, ())
        for _ in range(2):  # what the second model says of the truth holds for the first one too
            for name, columns in parts.items():
                truth, parts[name] = spelt_alike(truth, columns)
        task = agreed(parts, partial(_task, truth, options))
        many = max(len(columns) for columns in parts.values())
        labels = array_labels(truth, many, options) if many > 1 else options.labels
        return cls(truth, parts, task, labels)

    def read(self, coded: Coded, sample_weight: Any, time: Any, codes: Sequence[Codes]) -> Part:
        """All rows."""
        weight = None
        if sample_weight is not None:
            weight = as_column(sample_weight, "sample_weight")
            _check_length(self.truth, weight, "sample_weight")
        places = [_places(name, columns) for name, columns in self.parts.items()]
        outputs = coded.rows(self.truth, list(self.parts.values()), weight, places)
        return outputs, None if time is None else _times(self.truth, time), codes


def _columns(values: Any, name: str) -> list[Any]:
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] != 1:
        return [array[:, k] for k in range(array.shape[1])]
    return [as_labels(array, name)]


def _one(columns: Sequence[Any], name: str) -> Any:
    if len(columns) > 1:
        raise DataError(
            f"{name} has {len(columns)} columns; regression takes one value a row: (n,) or (n, 1)"
        )
    return columns[0]


def _called(name: Any) -> str:
    return f"predictions of {str(name)!r}"


def _places(name: str, columns: Sequence[Any]) -> list[Place]:
    single = len(columns) == 1
    names = [_called(name) + ("" if single else f"[:, {k}]") for k in range(len(columns))]
    return [Place("the arrays", each) for each in ("y_true", *names)]


def _task(truth: Any, options: Options, columns: Sequence[Any]) -> Task:
    if len(truth):
        return inferred(truth, columns, options)
    return unseen(len(columns) > 1, options) if options.says_classes else REGRESSION


def _check_length(truth: Any, column: Any, name: str) -> None:
    if len(column) != len(truth):
        raise DataError(
            f"{name} has {len(column)} rows and y_true has {len(truth)}; they must be the same "
            "rows in the same order"
        )


def _times(truth: Any, time: Any) -> Floats:
    times = to_times(np.asarray(time), Place("arrays", "time"))
    if times.size != len(truth):
        raise DataError(f"time has {times.size} rows and y_true has {len(truth)}; give one a row")
    return times


def batches(
    table: Table, models: Models, coded: Coded, weight: str | None, time: str | None,
    segmented: SegmentLists, progress: Progress | None,
) -> Iterator[Part]:  # fmt: skip
    """The rows of a table, batch by batch."""
    every = [name for columns in models.columns.values() for name in columns]
    numeric, scores = models.task.kind == "regression", models.task.scores
    numbers = [*([models.true] if numeric else ()), *(every if numeric or scores else ())]
    labels = [*(() if numeric else [models.true]), *(() if numeric or scores else every)]
    heavy, when = ([name] if name is not None else [] for name in (weight, time))
    for batch in table.read(
        [*numbers, *heavy, *segmented.numbers], [*labels, *when, *segmented.labels]
    ):
        truth = (batch.columns if numeric else batch.labels)[models.true]
        held = batch.columns if numeric or scores else batch.labels
        outputs = coded.rows(
            truth,
            [[held[name] for name in columns] for columns in models.columns.values()],
            None if weight is None else batch.columns[weight],
            [_stand(table, (models.true, *columns), batch, quoted=numeric)
             for columns in models.columns.values()],
        )  # fmt: skip
        place = None if time is None else Place(table.source, time, batch.first_row)
        times = None if place is None else to_times(batch.labels[place.column], place)
        yield outputs, times, segmented.codes(segmented.columns(batch))
        if progress is not None:
            progress(batch)


def _stand(table: Table, names: Sequence[str], batch: Batch, *, quoted: bool) -> list[Place]:
    called = [f"column {name!r}" if quoted else name for name in names]
    return [Place(table.source, name, batch.first_row) for name in called]
