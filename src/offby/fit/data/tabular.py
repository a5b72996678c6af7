"""Rows of a table that need not fit in memory: read again for each pass, a batch at a time.

Of a large table nothing is kept of a batch but its sums, so a fit takes memory for the square of
the columns, however many rows there are. A small one is read once and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError, TableError
from offby.fit.data.rows import Batches, Rows, Source, joined
from offby.tables import Batch, LabelCodes, Place, Table, open_table
from offby.tables.table import listed

_AT_ONCE = 1 << 22  # numbers: 32 MB
_KEPT = 1 << 24  # numbers: 128 MB
Check = Callable[[Floats, int], None]


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are the features, which is the target, and which the weight."""

    table: Table
    features: tuple[str, ...]
    target: str
    weight: str | None = None

    @property
    def numbers(self) -> list[str]:
        """The columns that are read as numbers besides the target."""
        return [*self.features, *([self.weight] if self.weight is not None else [])]


def open_for_passes(source: Any) -> Table:
    """A table that can be read several times; raises `TableError` for another."""
    table = open_table(source)
    if table.once:
        raise TableError(
            f"{table.source} can be read only once, and a fit takes several passes; save it to a "
            "file first"
        )
    return table


def columns_of(
    source: Any, target: str, features: Sequence[str] | None, weight: str | None
) -> Columns:
    """Open a table and choose its columns; all others are features where none are named.

    Raises `TableError` for columns that are not there, and for a table that can be read only once;
    `DataError` for text among the features.
    """
    table = open_for_passes(source)
    taken = {target, weight}
    chosen = tuple(name for name in table.columns if name not in taken)
    chosen = chosen if features is None else tuple(features)
    for name in (*chosen, target, *([weight] if weight is not None else [])):
        table.check(name)
    if not chosen or taken & set(chosen):
        raise DataError(f"features are {list(chosen)}; expected columns other than {target!r}")
    if len(set(chosen)) < len(chosen):
        raise DataError(f"features are {list(chosen)}; name each column once")
    for name in chosen:
        if table.kind(name) in ("text", "time", "other"):
            raise DataError(
                f"column {name!r} of {table.source} holds {table.kind(name)}, not numbers; name "
                "those that do in `features`, or make numbers of it: a column of 0 and 1 for each "
                "category"
            )
    return Columns(table, chosen, target, weight)


def numbers_of(columns: Columns, check: Check) -> Source:
    """Rows with numbers as targets; `check` is shown these once, with the row they start at.

    They are `Rows` if there are few.
    """

    def targets(batch: Batch) -> Floats:
        return batch.columns[columns.target]

    def batches(numbers: Sequence[str]) -> Iterator[Batch]:
        return columns.table.read([*numbers, columns.target])

    return _surveyed(columns, batches, targets, check)


def classes_of(columns: Columns, positive: str | None = None) -> list[str]:
    """The classes of the target as texts, in order; of two the `positive` one, if named, is last.

    Raises `DataError` for a single class, for numbers with a fraction, and for a `positive` that is
    not one of two.
    """
    classes = _in_order(list(columns.table.count_labels(columns.target)))
    if len(classes) < 2:
        raise DataError(f"column {columns.target!r} holds one class only: {classes}")
    if columns.table.kind(columns.target) != "text":
        _refuse_continuous(classes, columns.target)
    if positive is None:
        return classes
    if positive not in classes or len(classes) > 2:
        raise DataError(
            f"positive is {positive!r}, and column {columns.target!r} holds "
            f"{listed(classes)}; expected one of two classes"
        )
    return [*(name for name in classes if name != positive), positive]


def labels_of(columns: Columns, classes: Sequence[str]) -> Source:
    """Rows whose y is the number of their class; `Rows` if there are few."""
    codes = LabelCodes(classes)

    def targets(batch: Batch) -> Floats:
        place = Place(columns.table.source, columns.target, batch.first_row)
        return codes.encode(batch.labels[columns.target], place).astype(np.float64)

    def batches(numbers: Sequence[str]) -> Iterator[Batch]:
        return columns.table.read(numbers, [columns.target])

    def check(found: Floats, first_row: int) -> None:
        _refuse(found < 0, columns.target, first_row, "a label")

    return _surveyed(columns, batches, targets, check)


def _in_order(labels: list[str]) -> list[str]:
    """By number where all are numbers, else by letter."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _refuse_continuous(classes: Sequence[str], name: str) -> None:
    """Each would be a class of its own, with a score of its own."""
    try:
        broken = [label for label in classes if not float(label).is_integer()]
    except ValueError:  # text
        return
    if broken:
        raise DataError(
            f"column {name!r} holds numbers such as {broken[0]}, not classes; fit a loss of "
            "numbers, such as squared, or make classes of them, such as a column of yes and no"
        )


def _surveyed(
    columns: Columns,
    batches: Callable[[Sequence[str]], Iterator[Batch]],
    targets: Callable[[Batch], Floats],
    check: Check,
) -> Source:
    """The rows, once all have been looked at; kept where they are few."""
    count, heaviest = 0, 0.0
    most = _KEPT // len(columns.features)
    kept: list[Rows] = []
    for batch in batches(columns.numbers):
        for name in columns.features:
            _refuse(~np.isfinite(batch.columns[name]), name, batch.first_row, "a number")
        found = targets(batch)
        _refuse(~np.isfinite(found), columns.target, batch.first_row, "a number")
        check(found, batch.first_row)
        heaviest = max(heaviest, _heaviest(columns, batch))
        count += batch.rows
        if count <= most:
            kept += _parts(columns, batch, found)
        else:
            kept.clear()
    if not count or not heaviest:
        raise DataError(f"{columns.table.source} has no rows to fit, or none with a weight")
    if count <= most:
        return joined(kept)

    def read(columns: Columns = columns) -> Iterator[Rows]:
        for batch in batches(columns.numbers):
            yield from _parts(columns, batch, targets(batch))

    return Batches(read, count, partial(read, replace(columns, features=())))


def _heaviest(columns: Columns, batch: Batch) -> float:
    if columns.weight is None:
        return 1.0
    weights = batch.columns[columns.weight]
    wrong = ~((weights >= 0) & np.isfinite(weights))
    _refuse(wrong, columns.weight, batch.first_row, "a weight, finite and not negative,")
    return float(weights.max(initial=0.0))


def _refuse(bad: Any, name: str, first_row: int, expected: str) -> None:
    if bad.any():
        raise DataError(
            f"column {name!r} lacks {expected} in {bad.sum()} of {bad.size} rows read at once, "
            f"first in row {first_row + int(np.argmax(bad)) + 1} (counted from 1); mend or leave "
            "out such rows"
        )


def _parts(columns: Columns, batch: Batch, targets: Floats) -> Iterator[Rows]:
    size = max(_AT_ONCE // max(len(columns.features), 1), 1)
    for start in range(0, batch.rows, size):
        part = slice(start, start + size)
        found = [batch.columns[name][part] for name in columns.features]
        features = np.stack(found).T if found else np.empty((batch.rows, 0))[part]
        weight = None if columns.weight is None else batch.columns[columns.weight][part]
        yield Rows(features, targets[part], weight)
