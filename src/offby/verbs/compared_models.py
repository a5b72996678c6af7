"""The models of a comparison: which columns hold the predictions of each, and what task they make.

A model is one column of predictions, or a column of probabilities for each class: `a_*` names those
that are called a_ and a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

from offby.classification.infer import Options
from offby.classification.task import REGRESSION, Task
from offby.errors import DataError, TableError
from offby.tables import Columns, Table, find_true
from offby.verbs import class_columns

_STAR = "*"
Part = TypeVar("Part", bound=Sized)


@dataclass(frozen=True)
class Models:
    """The columns of each model by its name, and what the table is."""

    true: str
    columns: Mapping[str, tuple[str, ...]]
    task: Task
    labels: tuple[str, ...] = ()  # of the columns of probabilities, in their order

    @property
    def names(self) -> list[str]:
        """What the models are called."""
        return list(self.columns)


def of_table(table: Table, true: str | None, pred: str | Iterable[str], options: Options) -> Models:
    """The models of a table; raises `OffbyError` where columns do not fit together."""
    truth = find_true(table) if true is None else true
    table.check(truth)
    patterns = [_pattern(table, name, truth) for name in _named(table, pred)]
    labels = options.labels
    if any(_STAR in name and name not in table.columns for name in patterns):
        labels = labels or class_columns.labels_of(table, truth)
    columns = _by_name(table, truth, patterns, labels)

    def task_of(found: tuple[str, ...]) -> Task:
        return class_columns.of_table(table, Columns((truth,), found, None, ""), options)

    return Models(truth, columns, agreed(columns, task_of), labels)


def _named(table: Table, pred: str | Iterable[str]) -> list[str]:
    """The models as they were asked for."""
    named = [pred] if isinstance(pred, str) else list(pred)
    if len(named) == 1 and named[0] not in table.columns:
        named = [name.strip() for name in named[0].split(",")]
    if len(named) < 2:
        raise TableError(
            f"{len(named)} column of predictions is named; a comparison takes two or more: "
            "--pred A --pred B (in Python: pred=['A', 'B'])"
        )
    return named


def _pattern(table: Table, name: str, truth: str) -> str:
    """A column; or where there is none of this name, the pattern of those called so and a label."""
    if name in table.columns or _STAR in name:
        return name
    begun = [column for column in table.columns if column.startswith(f"{name}_")]
    return f"{name}_{_STAR}" if len(begun) > 1 and name != truth else name


def _by_name(
    table: Table, truth: str, patterns: Sequence[str], labels: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The columns of each model, each named once."""
    found: dict[str, tuple[str, ...]] = {}
    for pattern in patterns:
        single = pattern in table.columns or _STAR not in pattern
        columns = (pattern,) if single else _of_classes(table, pattern, labels)
        name = pattern if single else pattern.replace(_STAR, "").strip("_-. ") or pattern
        for column in columns:
            table.check(column)
        if name in found or truth in columns:
            again = truth if truth in columns else name
            raise TableError(f"column {again!r} is named twice; name the truth and each model once")
        found[name] = columns
    return found


def _of_classes(table: Table, pattern: str, labels: Sequence[str]) -> tuple[str, ...]:
    """The column of each label."""
    wanted = [pattern.replace(_STAR, label) for label in labels]
    missing = [name for name in wanted if name not in table.columns]
    if pattern.count(_STAR) > 1 or missing or len(labels) < 2:
        lacks = f"has no column {missing[0]!r}" if missing else f"has labels {', '.join(labels)}"
        raise TableError(
            f"{pattern!r} stands for a column of probabilities for each class, with the label in "
            f"place of the star, and {table.source} {lacks}; name the labels as the columns do: "
            "--labels a,b,c (in Python: labels=[…])"
        )
    return tuple(wanted)


def agreed(columns: Mapping[str, Part], task_of: Callable[[Part], Task]) -> Task:
    """The task that all models' predictions serve; raises `DataError` where there is none."""
    tasks = _tasks(columns, task_of)
    found = list(tasks.values())
    if any(task.kind == "regression" for task in found):
        return REGRESSION
    if len({len(of) for of in columns.values()}) > 1:
        told = ", ".join(f"{name!r} has {len(of)}" for name, of in columns.items())
        raise DataError(
            f"models with different numbers of columns cannot be compared: {told}; give all "
            "probabilities of the same classes, or all labels"
        )
    several = [task for task in found if task.kind == "multiclass"]
    scored = [task for task in several or found if task.scores]
    if several and 0 < len(scored) < len(found):
        odd = next(name for name, task in tasks.items() if not task.scores)
        raise DataError(
            f"{odd!r} predicts labels where others predict probabilities; compare like with like"
        )
    return (scored or several or found)[0]


def _tasks(columns: Mapping[str, Part], task_of: Callable[[Part], Task]) -> dict[str, Task]:
    """The task of each model; where one predicts labels, others that seem odd alone do, too."""
    found, refused = {}, None
    for name, part in columns.items():
        try:
            found[name] = task_of(part)
        except DataError as error:
            refused = error
    labels = [task.kind == "multiclass" and not task.scores for task in found.values()]
    if refused is not None and not (labels and all(labels)):
        raise refused
    return found
