"""Labels and probabilities as they come become the columns that formulas speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.classification.task import Task, q, rank, square, top
from offby.engine.evaluate import compute
from offby.engine.rows import Rows, as_array, as_column
from offby.errors import DataError
from offby.formula.expression import Expression, symbol
from offby.formula.words import maximum, minimum, where, y
from offby.tables.floats import Place
from offby.tables.labels import LabelCodes

Floats = NDArray[np.float64]
Places = tuple[Place, Place]
"""Where truth and prediction stand, for messages."""
_OFF_BY = 1e-6
_OTHER = {"1": "0", "true": "false", "True": "False"}  # where 0 and 1 came, and no words


class Encoder:
    """Turns labels into codes, batch by batch, and remembers what they stand for.

    `labels` are the classes of probability columns, in their order.
    """

    def __init__(self, task: Task, labels: Sequence[str] = ()) -> None:
        self.task = task
        self.codes = LabelCodes(labels=list(labels)) if labels else LabelCodes()

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes by their code; of two with probabilities, the positive is the second."""
        known = self.codes.labels
        positive = self.task.positive
        if self.task.kind != "binary" or not self.task.scores or positive is None:
            return tuple(known)
        others = [label for label in known if label != positive]
        return (others[0] if others else _OTHER.get(positive, f"not {positive}"), positive)

    def rows(self, truth: Any, predictions: Sequence[Any], weight: Any, places: Places) -> Rows:
        """The columns of a batch; raises `DataError` naming the first row that does not fit."""
        names = (places[0].column, places[1].column, "sample_weight")
        if not self.task.scores:
            labels = (self._coded(truth, places[0]), self._coded(predictions[0], places[1]))
            return Rows(*labels, weight, names=names)
        if self.task.kind == "binary":
            column = as_column(predictions[0], names[1])
            _check_probabilities(column, names[1], places[1].first_row)
            return Rows(self._is_positive(truth, places[0]), column, weight, names=names)
        columns = [_numbers(column, names[1]) for column in predictions]
        label = self._coded(truth, places[0])
        predicted, more, (least, excess) = spread(label, columns)
        if label.size and not (np.nanmin(least) >= 0 and np.nanmax(more[top]) <= 1):
            for column in columns:
                _check_probabilities(column, names[1], places[1].first_row)
        _check_sums(excess, places[1].first_row)
        return Rows(label, predicted, weight, names=names, more=more)

    def _coded(self, values: Any, place: Place) -> Floats:
        codes = self.codes.encode(values, place).astype(np.float64)
        codes[codes < 0] = np.nan
        return codes

    def _is_positive(self, truth: Any, at: Place) -> Floats:
        plain = _zeros_and_ones(truth) if self.task.positive in _OTHER else None
        if plain is not None:
            return plain
        codes = self._coded(truth, at)
        if len(self.codes.labels) > 2:
            shown = ", ".join(map(repr, self.codes.labels[:5]))
            raise DataError(
                f"more than two labels came ({shown} …): for a multiclass table give a probability "
                "column for each class, or the column of predicted labels"
            )
        known = self.task.positive in self.codes.labels
        place = self.codes.labels.index(str(self.task.positive)) if known else -1
        return np.where(np.isnan(codes), np.nan, (codes == place) * 1.0)


def spread(
    label: Floats, columns: Sequence[Floats]
) -> tuple[Floats, dict[Expression, Floats], tuple[Floats, Floats]]:
    """From K probabilities a row: the class, what measures ask for, the least and |sum - 1|."""
    symbols = tuple(symbol(f"p{k}") for k in range(len(columns)))
    roots = _formulas(symbols)
    found = compute(roots, {y: label, **dict(zip(symbols, columns, strict=True))})
    predicted, of_truth, squares, above, largest, least, excess = found
    more = {q: of_truth, square: squares, rank: above, top: largest}
    return predicted, more, (least, excess)


def _formulas(columns: tuple[Expression, ...]) -> list[Expression]:
    """The first of the most probable classes, q, square, rank, top, least and |sum - 1|."""
    largest = least = of_truth = total = columns[0]
    squares: Any = (columns[0] - where(y == 0, 1, 0)) ** 2
    for k, column in enumerate(columns[1:], start=1):
        largest, least = maximum(largest, column), minimum(least, column)
        of_truth = where(y == k, column, of_truth)
        total = total + column
        squares = squares + (column - where(y == k, 1, 0)) ** 2
    predicted: Any = len(columns) - 1
    above: Any = 0
    for k in reversed(range(len(columns) - 1)):
        predicted = where(columns[k] == largest, k, predicted)
    for k, column in enumerate(columns):  # of equal probabilities the earlier class comes first
        above = above + where(
            column > of_truth, 1, where(y > k, where(column == of_truth, 1, 0), 0)
        )
    return [predicted, of_truth, squares, above, largest, least, abs(total - 1)]


def _numbers(column: Any, name: str) -> Floats:
    """A column of a matrix of numbers as it lies; anything else as a column of its own."""
    if isinstance(column, np.ndarray) and column.dtype == np.float64 and column.ndim == 1:
        return column
    return as_column(column, name)


def _zeros_and_ones(truth: Any) -> Floats | None:
    """A column of numbers that are 0, 1 or missing, as it is; None for anything else."""
    try:
        column = as_column(truth, "y_true")
    except DataError:
        return None
    fits = (column == 0) | (column == 1)
    return column if fits.all() or (fits | np.isnan(column)).all() else None


def _check_probabilities(column: Floats, name: str, first_row: int) -> None:
    if column.size and not (np.nanmin(column) >= 0 and np.nanmax(column) <= 1):
        bad = np.flatnonzero((column < 0) | (column > 1))
        if bad.size:
            raise DataError(
                f"{name} is {column[bad[0]]:g} in row {first_row + int(bad[0]) + 1} (counted from "
                f"1), and beyond 0 and 1 in {bad.size:,} row{'s' * (bad.size > 1)}: that is no "
                "probability; for logits apply the sigmoid first, or measure with --task regression"
            )


def _check_sums(excess: Floats, first_row: int) -> None:
    if excess.size and np.nanmax(excess) > _OFF_BY:
        bad = np.flatnonzero(excess > _OFF_BY)
        worst = int(bad[np.argmax(excess[bad])])
        raise DataError(
            f"the probabilities of row {first_row + int(bad[0]) + 1} (counted from 1) do not sum "
            f"to 1: they are off by {excess[bad[0]]:.3g}, and so are those of {bad.size:,} rows, "
            f"at worst by {excess[worst]:.3g} in row {first_row + worst + 1}; divide each row by "
            "its sum"
        )


def as_labels(values: Any, name: str) -> NDArray[Any]:
    """A column of labels, one a row."""
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected one label a row: (n,)")
    return array
