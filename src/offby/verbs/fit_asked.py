"""What a fit is asked for: which columns, which loss, and what is chosen if nothing is told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from offby.errors import DataError
from offby.fit.data.tabular import classes_of, columns_of, open_for_passes
from offby.fit.data.truths import read_loss
from offby.formula.expression import walk
from offby.formula.words import z
from offby.losses import BinaryLoss, Logistic, Loss, Squared
from offby.tables import Table
from offby.tables.numeric import numeric_columns
from offby.tables.table import listed


@dataclass(frozen=True)
class Asked:
    """A table, its columns, and the loss; `choice` says in a sentence what was not told.

    `classes` are those of the target in order, none for numbers.
    """

    table: Table
    target: str
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    weight: str | None
    loss: Loss
    choice: str
    classes: tuple[str, ...] = ()
    positive: str | None = None
    class_weight: Any = None


def read_asked(
    source: Any,
    target: str,
    features: Sequence[str] | None,
    loss: str | Loss | None,
    weight: str | None,
    positive: str | None,
    class_weight: Any,
) -> Asked:
    """Open the table and settle what is to be fitted.

    Raises `TableError` for columns that are not there, and for what can be read only once;
    `DataError` for text among the features that were named, or as the target of a loss of numbers,
    and for what is said of classes where there are none.
    """
    table = open_for_passes(source)
    for name in (target, *([weight] if weight is not None else []), *(features or ())):
        table.check(name)
    chosen, left_out = _features(table, features, {target, weight})
    numeric = target in numeric_columns(table, [target])
    found, choice = _loss(table, target, loss, numeric)
    classifies = isinstance(found, BinaryLoss) or z in set(walk(found.formula))
    if not numeric and not classifies:
        raise DataError(
            f"the target {target!r} of {table.source} holds {_held(table, target)}, and {found} is "
            "a loss of numbers; choose a loss of classes, such as logistic, or another target"
        )
    asked = Asked(table, target, chosen, left_out, weight, found, choice)
    if not classifies:
        why = f"{found} is a loss of numbers; name a loss of classes, such as logistic"
        refuse(why, positive=positive, class_weight=class_weight)
        return asked
    classes = classes_of(columns_of(table, target, chosen, weight), positive)
    return replace(asked, classes=tuple(classes), positive=positive, class_weight=class_weight)


def refuse(why: str, **told: Any) -> None:
    """Raise `DataError` for the first thing that is told where it can have no effect.

    >>> refuse("poisson is a loss of numbers", positive=None, class_weight="balanced")
    Traceback (most recent call last):
    offby.errors.DataError: class_weight is 'balanced', and poisson is a loss of numbers
    """
    for name, value in told.items():
        if value is not None:
            raise DataError(f"{name} is {value!r}, and {why}")


def _features(
    table: Table, features: Sequence[str] | None, taken: set[str | None]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns to fit with, and those that cannot be since they hold no numbers."""
    wanted = [name for name in table.columns if name not in taken]
    wanted = wanted if features is None else list(features)
    numbers = numeric_columns(table, wanted)
    others = tuple(name for name in wanted if name not in numbers)
    if features is not None and others:
        raise DataError(
            f"features {listed(others)} of {table.source} hold no numbers; leave them out, or make "
            "a column of 0 and 1 for each of their categories"
        )
    if not numbers:
        raise DataError(
            f"{table.source} has no column of numbers besides the target; make some of "
            f"{listed(others)}: a column of 0 and 1 for each category"
        )
    return numbers, others


def _loss(table: Table, target: str, loss: str | Loss | None, numeric: bool) -> tuple[Loss, str]:
    """The loss, and what to say of it where it was not told."""
    if loss is not None:
        return read_loss(loss), ""
    if not numeric or table.kind(target) == "boolean":
        return Logistic(), f"{target!r} holds labels, so the loss is logistic."
    if _only_zeros_and_ones(table, target):
        return Logistic(), (
            f"{target!r} holds 0 and 1 alone, so it is taken as labels and the loss is logistic; "
            "--loss squared takes it as numbers."
        )
    return Squared(), (
        f"{target!r} holds numbers, and no loss was named: it is squared; --loss logistic takes "
        "numbers as labels."
    )


def _only_zeros_and_ones(table: Table, target: str) -> bool:
    with closing(table.read([target])) as batches:
        return all(bool(np.isin(batch.columns[target], (0, 1)).all()) for batch in batches)


def _held(table: Table, target: str) -> str:
    kind = table.kind(target)
    return "text" if kind == "unknown" else {"time": "times", "other": "no numbers"}.get(kind, kind)
