"""A table as numbers to train on: features, target, and what decides the folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from offby.choice.trained.folds import Ints, named
from offby.choice.trained.target import are_numbers, numbers_of, target_of
from offby.engine.rows import Floats
from offby.errors import DataError, TableError
from offby.tables import Batch, open_table
from offby.tables.floats import Place
from offby.tables.table import Table
from offby.tables.times import to_times

MOST_KINDS = 20
"""A column of text with more kinds than this is left out, with fewer a column of 0 and 1 each."""
_KINDS = ("text", "boolean", "time", "other")


@dataclass(frozen=True, eq=False)
class Read:
    """Features (n, p) with their names, and targets (n,): numbers, 1 for a yes, or of classes."""

    X: Floats
    y: Floats
    features: tuple[str, ...]
    positive: str
    """The label of a yes; empty where the target holds numbers."""
    groups: Ints | None
    time: Floats | None
    left_out: tuple[str, ...]
    dropped: int
    source: str
    kept: Ints | None = None
    """The places of the rows in the table, where some were dropped: (n,)."""
    weight: Floats | None = None
    labels: tuple[str, ...] = ()
    """The classes, where they are more than two: `y` has their places here."""

    @property
    def classes(self) -> Ints | None:
        """The target as classes, if it is that."""
        return self.y.astype(np.int64) if self.positive or self.labels else None


@dataclass(frozen=True)
class Wanted:
    """Columns by their role; with no features all others are; `classes` None is told by the target.

    `positive` is the label of a yes.
    """

    target: str
    features: tuple[str, ...] | None = None
    group: str | None = None
    time: str | None = None
    classes: bool | None = None
    positive: Any = None
    weight: str | None = None


def read(
    data: Any, wanted: Wanted, nan: Literal["raise", "drop"] = "raise",
    progress: Callable[[Batch], None] | None = None,
) -> Read:  # fmt: skip
    """Read a table of features and a target; raises `TableError` and `DataError`.

    >>> found = read({"x": [1.0, 2, 3], "kind": ["a", "b", "b"], "y": [0, 1, 1]}, Wanted("y"))
    >>> found.features, found.X[:, 1], found.positive
    (('x', 'kind = b'), array([0., 1., 1.]), '1')
    """
    table = open_table(data)
    asked = (wanted.target, wanted.group, wanted.time, wanted.weight)
    roles = [name for name in asked if name is not None]
    names = wanted.features or tuple(name for name in table.columns if name not in roles)
    for name in (*roles, *names):
        table.check(name)
    kinds = {name: _kind(table, name) for name in names}
    texts = [name for name in names if kinds[name] in _KINDS]
    numbers = [name for name in names if name not in texts]
    X, columns = _gathered(table, numbers, list(dict.fromkeys([*roles, *texts])), progress)
    return _assembled(
        table, wanted, numbers, {name: kinds[name] for name in texts}, X, columns, nan
    )  # fmt: skip


def _gathered(
    table: Table, numbers: list[str], labels: list[str], progress: Callable[[Batch], None] | None
) -> tuple[Floats, dict[str, Any]]:
    """Columns of numbers (n, p), and the others as they stand, by name."""
    parts, words = list[Floats](), dict[str, list[Any]]({name: [] for name in labels})
    for batch in table.read(numbers, labels):
        parts.append(np.empty((batch.rows, len(numbers))))
        for k, name in enumerate(numbers):
            parts[-1][:, k] = batch.columns[name]
        for name in labels:
            words[name].append(_arrow(batch.labels[name]))
        if progress is not None:
            progress(batch)
    if not parts:
        raise TableError(f"{table.source} has no rows")
    columns = {name: pa.chunked_array(found).combine_chunks() for name, found in words.items()}
    return np.concatenate(parts), columns


def _kind(table: Table, name: str) -> str:
    """What a column holds; of files that do not say, by their first rows."""
    kind = table.kind(name)
    if kind != "unknown":
        return kind
    first = next(iter(table.peek([name])), None)
    texts = [] if first is None else [x for x in _arrow(first.labels[name]).to_pylist() if x]
    if are_numbers([str(x) for x in texts]) or not texts:
        return "number"
    try:
        to_times(pa.array([str(x) for x in texts]), Place(table.source, name))
    except DataError:
        return "text"
    return "time"


def _arrow(values: Any) -> Any:
    return values if isinstance(values, pa.Array) else pa.array(np.asarray(values))


def _assembled(
    table: Table, wanted: Wanted, numbers: list[str], texts: dict[str, str], X: Floats,
    columns: dict[str, Any], nan: str,
) -> Read:  # fmt: skip
    place = Place(table.source, wanted.target)
    target = target_of(columns[wanted.target], place, wanted.classes, wanted.positive)
    kinds = {name: _kinds(columns[name], kind) for name, kind in texts.items()}
    left_out = tuple(name for name, found in kinds.items() if found is None)
    added = [(f"{name} = {label}", column) for name, found in kinds.items()
             for label, column in (found or [])]  # fmt: skip
    X = np.column_stack([X, *(column for _, column in added)])
    if not X.shape[1]:
        raise TableError(f"{table.source} has no column to train on beside {wanted.target!r}")
    time = None
    if wanted.time is not None:
        time = to_times(columns[wanted.time], Place(table.source, wanted.time))
    groups = None
    if wanted.group is not None:
        groups = named([str(x) for x in columns[wanted.group].to_pylist()])
    weight = None
    if wanted.weight is not None:
        weight = _weights(columns[wanted.weight], Place(table.source, wanted.weight))
    found = Read(X, target.y, (*numbers, *(name for name, _ in added)), target.positive, groups,
                 time, left_out, 0, table.source, None, weight, target.labels)  # fmt: skip
    return _complete(found, nan)


def _complete(found: Read, nan: str) -> Read:
    """Rows that count, without a missing number; raises `DataError` where none may be dropped."""
    good = np.isfinite(found.X).all(axis=1) & np.isfinite(found.y)
    good &= True if found.time is None else np.isfinite(found.time)
    good &= True if found.weight is None else np.isfinite(found.weight)
    missing = int(np.sum(~good))
    counts = good if found.weight is None else good & (found.weight > 0)
    if missing and nan == "raise":
        bad = [name for name, column in zip(found.features, found.X.T, strict=True)
               if not np.isfinite(column).all()]  # fmt: skip
        raise DataError(
            f"{missing} of {good.size} rows lack a finite number (in {', '.join(bad[:5]) or 'y'}), "
            f"first row {int(np.argmin(good)) + 1}; fill them in, or drop them with nan='drop'"
        )
    return replace(
        found, X=found.X[counts], y=found.y[counts], dropped=missing, kept=np.flatnonzero(counts),
        groups=None if found.groups is None else found.groups[counts],
        time=None if found.time is None else found.time[counts],
        weight=None if found.weight is None else found.weight[counts],
    )  # fmt: skip


def _weights(column: Any, place: Place) -> Floats:
    """A column of weights; raises `DataError` for one below 0, and where none is above it."""
    found = numbers_of(column, place)
    if bool(np.any(found < 0)):
        row = int(np.argmax(found < 0))
        raise DataError(
            f"{place.column!r}: weight {found[row]:g} in row {row + 1}; expected 0 or more"
        )
    if not bool(np.any(found > 0)):
        raise DataError(f"{place.column!r}: no weight is above 0")
    return found


def _kinds(column: Any, kind: str) -> list[tuple[str, Floats]] | None:
    """A column of 0 and 1 for each kind but the first; None for times, and for too many kinds."""
    if kind in ("time", "other") or len(column.unique()) > MOST_KINDS:
        return None
    values = np.array([str(x) for x in column.to_pylist()])
    labels = sorted(set(values.tolist()))
    return [(label, (values == label).astype(float)) for label in labels[1:]]
