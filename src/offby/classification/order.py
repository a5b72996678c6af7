"""The order of labels: as people look for them, and as columns of probabilities have them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from offby.errors import DataError


def in_order(labels: Sequence[str], positive: str | None = None) -> tuple[int, ...]:
    """The places of labels, sorted: numbers by size, and the positive one last.

    >>> in_order(["10", "b", "9", "yes"], "9")
    (0, 1, 3, 2)
    """

    def key(place: int) -> tuple[bool, bool, float, str]:
        label = labels[place]
        size = _size(label)
        return (label == positive, size is None, size or 0.0, label)

    return tuple(sorted(range(len(labels)), key=key))


def in_column_order(labels: Sequence[str], columns: int, text: bool = False) -> tuple[str, ...]:
    """The classes in the order that columns of probabilities have them: sorted.

    Numbers as `text` sort in two ways, and which of them the columns have cannot be seen.

    >>> in_column_order(["10", "9"], 2)
    ('9', '10')
    """
    found = tuple(labels[k] for k in in_order(labels))
    if text and list(found) != sorted(labels):
        raise DataError(
            f"the labels {', '.join(map(repr, found[:10]))} … are numbers as text, which sort in "
            "two ways; name the class of each column of probabilities in their order: labels=[…] "
            "(--labels a,b,c)"
        )
    return checked(found, columns)


def checked(labels: Sequence[str], columns: int) -> tuple[str, ...]:
    """The labels, one for each column; raises `DataError` where there are more or fewer."""
    if len(labels) != columns:
        raise DataError(
            f"{columns} columns of probabilities came for {len(labels)} labels "
            f"({', '.join(map(repr, labels[:10]))}); name the class of each column in their order: "
            "labels=[…] (--labels a,b,c)"
        )
    return tuple(labels)


def _size(label: str) -> float | None:
    try:
        size = float(label)
    except ValueError:
        return None
    return size if math.isfinite(size) else None


def need_two_labels(labels: Sequence[str], positive: str | None) -> None:
    """Raise `DataError` unless these can be the labels of a binary table."""
    shown = ", ".join(map(repr, labels[:5])) + " …" * (len(labels) > 5)
    if len(labels) > 2:
        raise DataError(
            f"more than two labels came ({shown}): for a multiclass table give a probability "
            "column for each class, or the column of predicted labels with --task multiclass"
        )
    if len(labels) == 2 and positive not in labels:
        raise DataError(
            f"the positive label {positive!r} does not occur; the labels are {shown}; say which: "
            "--positive LABEL (in Python: positive='LABEL')"
        )
