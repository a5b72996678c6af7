"""A table as numbers to train on: features, target, and what decides the folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from offby.choice.trained.folds import Ints, named
from offby.engine.rows import Floats
from offby.errors import DataError, TableError
from offby.tables import Batch, open_table
from offby.tables.floats import Place, to_float64
from offby.tables.table import Table
from offby.tables.times import to_times

MOST_KINDS = 20
"""A column of text with more kinds than this is left out, with fewer a column of 0 and 1 each."""
_YES = ("1", "1.0", "true", "True", "yes", "Yes")
_KINDS = ("text", "boolean", "time", "other")


@dataclass(frozen=True, eq=False)
class Read:
    """Features (n, p) with their names, and targets (n,): numbers, or 1 for the positive class."""

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

    @property
    def classes(self) -> Ints | None:
        """The target as classes, if it is that."""
        return self.y.astype(np.int64) if self.positive else None


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
    roles = [name for name in (wanted.target, wanted.group, wanted.time) if name is not None]
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
    if _are_numbers([str(x) for x in texts]) or not texts:
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
    y, positive = _target(table, wanted, columns[wanted.target])
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
    found = Read(X, y, (*numbers, *(name for name, _ in added)), positive, groups, time, left_out,
                 0, table.source)  # fmt: skip
    return _complete(found, nan)


def _complete(found: Read, nan: str) -> Read:
    """Rows without a missing number; raises `DataError` where none may be dropped."""
    good = np.isfinite(found.X).all(axis=1) & np.isfinite(found.y)
    good &= True if found.time is None else np.isfinite(found.time)
    missing = int(np.sum(~good))
    if missing and nan == "raise":
        bad = [name for name, column in zip(found.features, found.X.T, strict=True)
               if not np.isfinite(column).all()]  # fmt: skip
        raise DataError(
            f"{missing} of {good.size} rows lack a finite number (in {', '.join(bad[:5]) or 'y'}), "
            f"first row {int(np.argmin(good)) + 1}; fill them in, or drop them with nan='drop'"
        )
    return replace(
        found, X=found.X[good], y=found.y[good], dropped=missing, kept=np.flatnonzero(good),
        groups=None if found.groups is None else found.groups[good],
        time=None if found.time is None else found.time[good],
    )  # fmt: skip


def _target(table: Table, wanted: Wanted, column: Any) -> tuple[Floats, str]:
    """The target as numbers, with the label of a yes where it holds classes."""
    place = Place(table.source, wanted.target)
    labels = sorted(str(x) for x in _distinct(column))
    told = wanted.classes
    if told is None:
        text = pa.types.is_boolean(column.type) or not _are_numbers(labels)
        told = text or {_plain(x) for x in labels} == {"0", "1"}
    if not told:
        if _are_numbers(labels) and not _is_number(column):
            return np.array([np.nan if x is None else float(x) for x in column.to_pylist()]), ""
        return to_float64(column, place), ""
    if len(labels) != 2:
        raise DataError(
            f"target {wanted.target!r} has {len(labels)} classes ({', '.join(labels[:5])}"
            f"{', …' if len(labels) > 5 else ''}); choose trains under losses of two classes: make "
            "it one class against the rest"
        )
    positive = _positive(labels, wanted)
    values = column.to_pylist()
    return np.array([np.nan if x is None else float(str(x) == positive) for x in values]), positive


def _distinct(column: Any) -> list[Any]:
    """The distinct values of a column, without those that are missing."""
    return [x for x in column.unique().to_pylist() if x is not None and x == x]


def _are_numbers(labels: Sequence[str]) -> bool:
    try:
        return bool([float(label) for label in labels])
    except ValueError:
        return False


def _is_number(column: Any) -> bool:
    return bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def _plain(label: str) -> str:
    return label.removesuffix(".0")


def _positive(labels: list[str], wanted: Wanted) -> str:
    if wanted.positive is not None:
        named_ = [x for x in labels if x == str(wanted.positive)]
    else:
        named_ = [x for x in labels if x in _YES]
    if len(named_) != 1:
        raise DataError(
            f"which of {labels[0]!r} and {labels[1]!r} is the positive class? name it: "
            f"positive={labels[1]!r}"
        )
    return named_[0]


def _kinds(column: Any, kind: str) -> list[tuple[str, Floats]] | None:
    """A column of 0 and 1 for each kind but the first; None for times, and for too many kinds."""
    if kind in ("time", "other") or len(column.unique()) > MOST_KINDS:
        return None
    values = np.array([str(x) for x in column.to_pylist()])
    labels = sorted(set(values.tolist()))
    return [(label, (values == label).astype(float)) for label in labels[1:]]
