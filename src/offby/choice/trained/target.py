"""The target of a training as numbers: as they are, a yes as 1, or the numbers of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.tables.floats import Place, to_float64

MOST_CLASSES = 100
_YES = ("1", "1.0", "true", "True", "yes", "Yes")


@dataclass(frozen=True, eq=False)
class Target:
    """Targets (n,), NaN where they are missing: numbers, 1 for a yes, or places in `labels`."""

    y: Floats
    positive: str = ""
    """The label of a yes; empty where the target holds no yes and no."""
    labels: tuple[str, ...] = ()
    """The classes, where they are more than two."""


def numbers_of(column: Any, place: Place) -> Floats:
    """A column of numbers, also of such as a file without types holds: (n,) with NaN for none."""
    labels = [] if _is_number(column) else [str(x) for x in _distinct(column)]
    if are_numbers(labels):
        return _numbers(column, {label: float(label) for label in labels})
    return to_float64(column, place)


def target_of(column: Any, place: Place, classes: bool | None, positive: Any) -> Target:
    """Read a column; `classes` None is told by what it holds. Raises `DataError`.

    With `positive` a class of several is a yes against the rest.

    >>> target_of(pa.array(["a", "c", "b"]), Place("table", "y"), None, None).labels
    ('a', 'b', 'c')
    """
    labels = sorted(str(x) for x in _distinct(column))
    if classes is None:
        text = pa.types.is_boolean(column.type) or not are_numbers(labels)
        classes = text or {label.removesuffix(".0") for label in labels} == {"0", "1"}
    if not classes:
        return Target(numbers_of(column, place))
    if len(labels) > 2 and positive is None:
        return _several(column, place, labels)
    if len(labels) < 2:
        raise DataError(f"target {place.column!r} holds one class only ({', '.join(labels)})")
    yes = _positive(labels, positive)
    return Target(_numbers(column, {label: float(label == yes) for label in labels}), yes)


def _several(column: Any, place: Place, labels: list[str]) -> Target:
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"target {place.column!r} has {len(labels):,} classes ({', '.join(labels[:5])}, …), "
            f"and choose trains on {MOST_CLASSES} at most; numbers are judged by mse and the like, "
            "and one class against the rest is asked for by positive="
        )
    ordered = sorted(labels, key=float) if are_numbers(labels) else labels
    places = {label: float(k) for k, label in enumerate(ordered)}
    return Target(_numbers(column, places), labels=tuple(ordered))


def _numbers(column: Any, known: dict[str, float]) -> Floats:
    return np.array([known.get(str(x), np.nan) for x in column.to_pylist()], np.float64)


def _distinct(column: Any) -> list[Any]:
    """The distinct values of a column, without those that are missing."""
    return [x for x in column.unique().to_pylist() if x is not None and x == x]


def are_numbers(labels: Sequence[str]) -> bool:
    """Whether all of these texts are numbers, and there is one.

    >>> are_numbers(["1", "2.5"]), are_numbers(["1", "red"]), are_numbers([])
    (True, False, False)
    """
    try:
        return bool([float(label) for label in labels])
    except ValueError:
        return False


def _is_number(column: Any) -> bool:
    return bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def _positive(labels: list[str], asked: Any) -> str:
    found = [x for x in labels if (x in _YES if asked is None else x == str(asked))]
    if len(found) != 1:
        raise DataError(
            f"which of {', '.join(map(repr, labels[:5]))} is the positive class? name it: "
            f"positive={labels[1]!r}"
        )
    return found[0]
