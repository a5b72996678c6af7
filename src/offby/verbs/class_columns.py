"""The columns of a table of classes: which they are, what task they make, whose probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from offby.classification.infer import Options, inferred, unseen, varied
from offby.classification.order import checked, in_column_order, in_order
from offby.classification.task import REGRESSION, Task
from offby.errors import DataError, TableError
from offby.tables import Columns, find_columns
from offby.tables.finding import find_true
from offby.tables.floats import Place
from offby.tables.labels import LabelCodes
from offby.tables.probabilities import find_probabilities
from offby.tables.table import Table

_MOST_COLUMNS = 1000  # of probabilities that are looked for by the labels of the truth


def find(table: Table, true: Any, pred: Any, weight: str | None, options: Options) -> Columns:
    """The columns, of classes where those of regression cannot be told."""
    says = options.says_classes and options.kind != "regression"
    try:
        return find_columns(table, true, pred, weight, classes=says, labels=options.labels)
    except TableError as error:
        if options.kind == "regression":
            raise
        for known in (lambda *_: (), labels_of):
            try:
                labels = known(table, true)
                return find_columns(table, true, pred, weight, classes=True, labels=labels)
            except (TableError, DataError):
                continue
        raise error from None


def labels_of(table: Table, true: Any) -> tuple[str, ...]:
    """The labels of the truth, sorted, to find columns of probabilities by; it takes a reading.

    Of what can be read only once they are those of the first rows: another is refused later.
    """
    name = true or find_true(table)
    if not table.once:
        labels = list(table.count_labels(name, most=_MOST_COLUMNS))
    else:
        codes = LabelCodes(most=_MOST_COLUMNS)
        for batch in table.peek([name]):
            codes.encode(batch.labels[name], Place(table.source, name))
        labels = codes.labels
    return tuple(labels[k] for k in in_order(labels))


def of_table(table: Table, columns: Columns, options: Options) -> Task:
    """The task of a table, from its first rows; what can be read only once is not looked at."""
    if options.kind == "regression" or len(columns.true) > 1:
        return REGRESSION
    names = (columns.true[0], *columns.pred)
    seen = _first_rows(table, names)
    if seen is not None:
        return inferred(seen[0], seen[1:], options)
    return unseen(len(columns.pred) > 1, options) if options.says_classes else REGRESSION


def _first_rows(table: Table, names: Sequence[str]) -> list[Any] | None:
    """The first rows in which the truth varies, or the first; None where there are none to see."""
    first = None
    for batch in table.peek(names):
        columns = [batch.labels[name] for name in names]
        first = first or columns
        if varied(columns[0]):  # else sorted by class, perhaps
            return columns
    return first


def with_probabilities(
    table: Table, columns: Columns, task: Task, pred: Any, options: Options
) -> tuple[Columns, Task, tuple[str, ...]]:
    """Where classes have columns of probabilities, those and their labels in the same order."""
    if not task.scores and pred is None:
        columns, task = _preferred(table, columns, task, options)
    if len(columns.pred) < 2:
        return columns, task, options.labels
    labels = options.labels or _all_labels(table, columns)
    found = find_probabilities(list(columns.pred), labels)
    if found is not None:
        return replace(columns, pred=found), task, labels
    if options.labels:
        return columns, task, checked(labels, len(columns.pred))
    text = table.kind(columns.true[0]) == "text"
    return columns, task, in_column_order(labels or columns.pred, len(columns.pred), text)


def _all_labels(table: Table, columns: Columns) -> tuple[str, ...]:
    labels = labels_of(table, columns.true[0])
    if table.once and not labels:
        raise TableError(
            f"{table.source} can be read only once: name the classes of the columns of "
            "probabilities, in their order: --labels a,b,c (in Python: labels=[…])"
        )
    return labels


def _preferred(
    table: Table, columns: Columns, task: Task, options: Options
) -> tuple[Columns, Task]:
    """Probabilities, where there are any beside the predicted labels; they say more."""
    true, weight = columns.true[0], columns.weight
    others = [name for name in table.columns if name != true]
    found = find_probabilities(others, options.labels or labels_of(table, true))
    if found is not None:
        weighed = f", weighted by {weight!r}" if weight is not None else ""
        how = (
            f"true is {true!r} and pred is {found[0]!r} … {found[-1]!r}, found by their "
            f"names{weighed}."
        )
        return replace(columns, pred=found, how=how), replace(task, scores=True)
    try:
        single = find_columns(table, true, None, weight, classes=True)
    except TableError:
        return columns, task
    again = of_table(table, single, options) if single.pred != columns.pred else task
    return (single, again) if again.scores else (columns, task)
