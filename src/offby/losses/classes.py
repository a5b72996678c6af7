"""Reads labels and rows of probabilities; what is not such is refused with its row."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import as_array
from offby.errors import DataError

NEAR_ONE = 1e-6
"""How far from 1 the probabilities of a row may add up to; 8 ulps in a type coarser than that."""


def traced(values: Any) -> bool:
    """Whether JAX is compiling: then there are no values yet that could be looked at."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(values, jax.core.Tracer)


def on_host(values: Any, name: str) -> NDArray[Any]:
    """The values of an array of any library as NumPy's."""
    detached = values.detach().cpu() if hasattr(values, "detach") else values
    return as_array(detached, name)


def check_shapes(y_true: Any, y_pred: Any) -> None:
    """Refuse anything but one label for each row of at least two columns."""
    first, second = tuple(np.shape(y_true)), tuple(np.shape(y_pred))
    if not second or second[:-1] != first:
        raise DataError(
            f"y_true has shape {first} and y_pred {second}; expected (n,) labels and (n, K), a "
            "column for each class"
        )
    if second[-1] < 2:
        raise DataError(
            f"y_pred has shape {second}, one column; expected one for each class; for a yes or no "
            "in one column there are LogLoss, Brier and Logistic"
        )


def class_numbers(
    labels: NDArray[Any], columns: int, classes: Sequence[Any] | None
) -> NDArray[np.int64]:
    """The column of each label; raises `DataError` naming the first that has none.

    >>> class_numbers(np.array(["dog", "cat"]), 2, ("cat", "dog"))
    array([1, 0])
    """
    if classes is not None:
        return _named(labels, columns, classes)
    if labels.dtype.kind not in "iufb":
        example = repr(labels.reshape(-1)[:1].tolist())[1:-1]
        raise DataError(
            f"y_true holds {example}; without classes= it holds column numbers from 0 on"
        )
    bad = ~((labels >= 0) & (labels < columns) & (labels == np.floor(labels)))
    if bad.any():
        place = int(np.argmax(bad))
        raise DataError(
            f"y_true is {labels.reshape(-1)[place]} in row {place + 1} (counted from 1); y_pred "
            f"has {columns} columns, so classes are 0 to {columns - 1}; give classes= where "
            "labels are names"
        )
    return labels.astype(np.int64)


def _named(labels: NDArray[Any], columns: int, classes: Sequence[Any]) -> NDArray[np.int64]:
    if len(classes) != columns:
        raise DataError(f"classes names {len(classes)} classes, and y_pred has {columns} columns")
    place = {name: column for column, name in enumerate(classes)}
    found = [place.get(label, -1) for label in labels.reshape(-1).tolist()]
    if -1 in found:
        row = found.index(-1)
        raise DataError(
            f"y_true is {labels.reshape(-1)[row].item()!r} in row {row + 1} (counted from 1), "
            f"which is none of the classes {', '.join(map(repr, classes))}"
        )
    return np.array(found, np.int64).reshape(labels.shape)


def check_probabilities(xp: Any, chances: Any) -> None:
    """Refuse what lies outside [0, 1], and rows that do not add up to 1; says which, by how much.

    `xp` is the namespace of the array's library, which does the work where the array is.
    """
    outside = ~((chances >= 0) & (chances <= 1))
    if bool(outside.any()):
        at = tuple(np.argwhere(on_host(outside, "y_pred"))[0].tolist())
        row = np.ravel_multi_index(at[:-1], chances.shape[:-1]) if at[:-1] else 0
        raise DataError(
            f"y_pred is {float(chances[at]):g} in row {row + 1}, column {at[-1] + 1} (counted from "
            "1); a probability lies between 0 and 1; for logits there is SoftmaxCrossEntropy"
        )
    gap = chances.sum(-1) - 1
    wrong = abs(gap) > max(NEAR_ONE, 8 * float(xp.finfo(chances.dtype).eps))
    if bool(wrong.any()):
        places = np.flatnonzero(on_host(wrong, "y_pred"))
        off = float(gap.reshape(-1)[int(places[0])])
        raise DataError(
            f"the probabilities of row {places[0] + 1} (counted from 1) add up to {1 + off:.9g}, "
            f"which is {abs(off):.3g} too {'much' if off > 0 else 'little'}"
            f"{f'; so do {places.size - 1} more rows' if places.size > 1 else ''}; they must add "
            "up to 1; for logits there is SoftmaxCrossEntropy"
        )
