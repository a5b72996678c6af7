"""Rows counted by true and predicted class: the ground of every measure of labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import as_array, as_column
from offby.errors import DataError
from offby.measures.aggregate import Undefined

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Confusion:
    """How many rows of each true class (row) were predicted as each class (column).

    `weights` are counts or summed weights, `squares` summed squared weights (counts, without
    weights). Raises `DataError` where these are no such tables.

    >>> table = Confusion.of(["cat", "cat", "dog"], ["cat", "dog", "dog"])
    >>> table.labels, table.weights.tolist()
    (('cat', 'dog'), [[1.0, 1.0], [0.0, 1.0]])
    """

    weights: Floats
    squares: Floats
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        expected = (len(self.labels), len(self.labels))
        for cells in (self.weights, self.squares):
            if cells.shape != expected:
                raise DataError(f"a table of shape {cells.shape} came with {len(self.labels)} "
                                f"labels; expected {expected}")  # fmt: skip
            if not (np.isfinite(cells).all() and (cells >= 0).all()):
                raise DataError("a confusion matrix holds a negative or non-finite weight")
        if len(set(self.labels)) < len(self.labels):
            raise DataError(f"the labels {', '.join(self.labels)} are not all different")

    @classmethod
    def of(cls, y_true: Any, y_pred: Any, labels: Any = None, sample_weight: Any = None) -> Self:
        """The table of two columns of labels; rows of weight 0 count as absent.

        Classes are `labels`, in that order, or all that occur, sorted.

        >>> Confusion.of([1, 0], [1, 1], sample_weight=[2, 3]).weights.tolist()
        [[0.0, 3.0], [0.0, 2.0]]
        """
        truth, predicted = _classes(y_true, "y_true"), _classes(y_pred, "y_pred")
        weight = np.ones(truth.size) if sample_weight is None else _weights(sample_weight)
        _same_rows(truth, predicted, weight)
        present = weight > 0
        _same_kind(truth, predicted, "y_pred")
        both = np.stack([truth, predicted])[:, present]
        known = np.unique(both) if labels is None else _classes(labels, "labels")
        _same_kind(both, known, "labels")
        size = known.size
        cells = _places(both[0], known, "y_true") * size + _places(both[1], known, "y_pred")
        counted = [
            np.bincount(cells, weight[present] ** power, size * size).astype(np.float64)
            for power in (1, 2)
        ]
        weights, squares = (bins.reshape(size, size) for bins in counted)
        return cls(weights, squares, tuple(map(_name, known.tolist())))

    @cached_property
    def shares(self) -> Floats:
        """The share of each cell in all rows; raises `Undefined` where there are none."""
        if not self.weights.any():
            raise Undefined("there are no rows")
        return np.asarray(self.weights / self.total)

    @cached_property
    def total(self) -> float:
        """The weight of all rows."""
        return float(self.weights.sum())

    @cached_property
    def support(self) -> Floats:
        """The weight of the rows that truly are of each class."""
        return np.asarray(self.weights.sum(1))

    @property
    def effective_n(self) -> float:
        """(sum w)^2 / sum w^2: how many rows of equal weight would be as sure."""
        return self.total**2 / float(self.squares.sum())

    @cached_property
    def outcomes(self) -> tuple[Floats, Floats]:
        """True and false positives, false and true negatives (rows) of each class (columns).

        Of the weights, and of the squared weights.
        """
        return _outcomes(self.weights), _outcomes(self.squares)

    @cached_property
    def verdicts(self) -> tuple[Floats, Floats]:
        """The rows predicted right and those predicted wrong: weights, and squared weights."""
        return _verdicts(self.weights), _verdicts(self.squares)

    def named(self, classes: Iterable[int], most: int = 5) -> str:
        """Classes as a message names them."""
        names = [repr(self.labels[place]) for place in classes]
        rest = f" and {len(names) - most} more" if len(names) > most else ""
        return ", ".join(names[:most]) + rest


def _outcomes(cells: Floats) -> Floats:
    """By sums only: total - row - column + cell would leave dust where there is nothing."""
    others = 1.0 - np.eye(len(cells))
    elsewhere = others @ cells  # the rows of all other classes
    right = cells.diagonal()
    return np.array(
        [right, elsewhere.diagonal(), (cells * others).sum(1), (elsewhere * others).sum(1)]
    )


def _verdicts(cells: Floats) -> Floats:
    right = np.eye(len(cells), dtype=bool)
    return np.array([cells[right].sum(), cells[~right].sum()])


def _classes(values: Any, name: str) -> NDArray[Any]:
    """One label a row, text or number."""
    array = as_array(values, name)
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected one label a row: (n,) or (n, 1)")
    if array.dtype == object:
        array = _from_objects(array.tolist(), name)
    if array.dtype.kind == "f" and np.isnan(array).any():
        row = int(np.isnan(array).argmax())
        raise DataError(f"{name} has no label in row {row + 1} (counted from 1)")
    if array.dtype.kind not in "biufU":
        raise DataError(f"{name} holds {array.dtype}; expected labels that are text or numbers")
    return array


def _from_objects(values: list[Any], name: str) -> NDArray[Any]:
    if not any(isinstance(value, str) for value in values):
        return as_column(np.array(values, object), name)
    for row, value in enumerate(values, start=1):
        if not isinstance(value, str):
            raise DataError(f"{name} has {value!r} among text, in row {row} (counted from 1)")
    return np.array(values, str)


def _weights(values: Any) -> Floats:
    weight = as_column(values, "sample_weight")
    unfit = ~(np.isfinite(weight) & (weight >= 0))
    if unfit.any():
        row = int(unfit.argmax())
        raise DataError(f"sample_weight is {weight[row]} in row {row + 1} (counted from 1); "
                        "weights are 0 or more, and finite")  # fmt: skip
    return weight


def _same_rows(truth: NDArray[Any], predicted: NDArray[Any], weight: Floats) -> None:
    if not truth.size == predicted.size == weight.size:
        raise DataError(
            f"y_true has {truth.size} rows, y_pred {predicted.size} and sample_weight "
            f"{weight.size}; they must be the same rows in the same order"
        )


def _same_kind(truth: NDArray[Any], other: NDArray[Any], name: str) -> None:
    """NumPy would turn 1 into '1' beside text."""
    if truth.size and other.size and (truth.dtype.kind == "U") != (other.dtype.kind == "U"):
        raise DataError(
            f"y_true holds {truth.dtype} and {name} {other.dtype}; give both the same kind of label"
        )


def _places(values: NDArray[Any], known: NDArray[Any], name: str) -> NDArray[np.intp]:
    """Where each label stands among the known ones; raises `DataError` for another."""
    if not known.size and values.size:
        raise DataError("labels is empty; name the classes, or leave it out")
    order = np.argsort(known)
    found = order[np.searchsorted(known, values, sorter=order).clip(max=known.size - 1)]
    foreign = known[found] != values
    if foreign.any():
        stray = values[foreign.argmax()].item()
        raise DataError(f"{name} has the label {stray!r}, which is not among labels")
    return np.asarray(found)


def _name(label: object) -> str:
    """A label as text: 1.0 is '1', as in the column of integers it was before a NaN came by."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
