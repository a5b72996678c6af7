"""Labels and probabilities as they come become the columns that formulas speak of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.classification.order import in_order, need_two_labels
from offby.classification.task import Task, chance, q, rank, square, top
from offby.engine.evaluate import compute
from offby.engine.rows import Rows, as_array, as_column
from offby.errors import DataError, OffbyError
from offby.formula.expression import Expression
from offby.formula.words import maximum, minimum, where, y
from offby.tables.floats import Place
from offby.tables.labels import LabelCodes

Floats = NDArray[np.float64]
Places = Sequence[Place]
"""Where the truth and each column of predictions stand, for messages."""
_OFF_BY = 1e-6
_OTHER = {"1": "0", "true": "false", "True": "False"}  # where 0 and 1 came, and no words


class Encoder:
    """Turns labels into codes, batch by batch, and remembers what they stand for.

    `labels` are the classes of probability columns, in their order; of two columns of a binary task
    the second is the positive one's, unless they say otherwise. Where classes are `ranked`, their
    probabilities are kept beside what follows from them.
    """

    def __init__(self, task: Task, labels: Sequence[str] = (), *, ranked: bool = False) -> None:
        self.task, self.ranked = task, ranked
        if task.kind == "multiclass" and task.scores and len(labels) < 2:
            raise DataError(
                "probabilities of several classes need a column for each; name the class of each "
                "column, in their order: labels=[…] (--labels a,b,c)"
            )
        self.told = tuple(labels)
        self.codes = LabelCodes(labels=list(labels)) if labels else LabelCodes()

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes by their code; of two with probabilities, the positive is the second."""
        known = self.codes.labels
        positive = self.task.positive
        if self.task.kind != "binary" or positive is None:
            return tuple(known)
        others = [label for label in known if label != positive]
        other = others[0] if others else _OTHER.get(positive, f"not {positive}")
        return (positive, other) if known[:1] == [positive] and not self.task.scores else (
            other, positive
        )  # fmt: skip

    @property
    def shown(self) -> tuple[int, ...]:
        """The codes as people look for labels: sorted, numbers by size; the positive one last.

        Columns of probabilities keep their order.
        """
        if self.task.scores:
            return tuple(range(len(self.labels)))
        return in_order(self.labels, self.task.positive)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Forget the labels that were met on the way to an error."""
        before = self.codes.labels
        try:
            yield
        except OffbyError:
            if not self.told:
                self.codes = LabelCodes()
                self.learn(before)
            raise

    def learn(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """The code of each of these labels, new ones among them."""
        return self.codes.merge(LabelCodes(labels))

    def rows(self, truth: Any, predictions: Sequence[Any], weight: Any, places: Places) -> Rows:
        """The columns of a batch; raises `DataError` naming the first row that does not fit."""
        names = (places[0].column, places[1].column, "sample_weight")
        if not self.task.scores:
            labels = (self._coded(truth, places[0]), self._coded(predictions[0], places[1]))
            if self.task.kind == "binary":
                self._need_two_labels()
            return Rows(*labels, weight, names=names)
        if self.task.kind == "binary":
            column = self._chance(predictions, places[1:])
            return Rows(self._is_positive(truth, places[0]), column, weight, names=names)
        return self._spread(truth, predictions, weight, places, names)

    def _chance(self, predictions: Sequence[Any], places: Sequence[Place]) -> Floats:
        """The probability of the positive class, from its column or from one for each class."""
        self._need_columns(len(predictions), 2 if len(predictions) > 1 else 1)
        columns = []
        for column, place in zip(predictions, places, strict=True):
            columns.append(as_column(column, place.column))
            _check_probabilities(columns[-1], place)
        if len(columns) == 1:
            return columns[0]
        _check_sums(abs(columns[0] + columns[1] - 1), places[0].first_row)
        positive = self.task.positive
        return columns[0 if self.told and self.told[0] == positive else 1]

    def _spread(
        self, truth: Any, predictions: Sequence[Any], weight: Any, places: Places, names: Any
    ) -> Rows:
        self._need_columns(len(predictions), len(self.told))
        columns = [_numbers(x, at.column) for x, at in zip(predictions, places[1:], strict=True)]
        label = self._coded(truth, places[0])
        predicted, more, (least, excess) = spread(label, columns)
        if np.any(least < 0) or np.any(more[top] > 1):
            for column, place in zip(columns, places[1:], strict=True):
                _check_probabilities(column, place)
        _check_sums(excess, places[1].first_row)
        if self.ranked:
            more |= {chance(k): np.ascontiguousarray(x) for k, x in enumerate(columns)}
        missing = np.isnan(excess)
        if missing.any():  # one is, so all are
            predicted = np.where(missing, np.nan, predicted)
            lacking = next(k for k, column in enumerate(columns) if np.isnan(column).any())
            names = (names[0], places[1 + lacking].column, names[2])
        return Rows(label, predicted, weight, names=names, more=more)

    def _need_columns(self, came: int, expected: int) -> None:
        if came != expected:
            raise DataError(
                f"{came} columns of probabilities came where {expected} were expected: a "
                f"{self.task.kind} task has one for each class"
            )

    def _coded(self, values: Any, place: Place) -> Floats:
        codes = self.codes.encode(values, place).astype(np.float64)
        codes[codes < 0] = np.nan
        return codes

    def _is_positive(self, truth: Any, at: Place) -> Floats:
        plain = _zeros_and_ones(truth) if self.task.positive in _OTHER else None
        if plain is not None:
            return plain
        codes = self._coded(truth, at)
        self._need_two_labels()
        known = self.task.positive in self.codes.labels
        place = self.codes.labels.index(str(self.task.positive)) if known else -1
        return np.where(np.isnan(codes), np.nan, (codes == place) * 1.0)

    def _need_two_labels(self) -> None:
        need_two_labels(self.codes.labels, self.task.positive)


def spread(
    label: Floats, columns: Sequence[Floats]
) -> tuple[Floats, dict[Expression, Floats], tuple[Floats, Floats]]:
    """From K probabilities a row: the class, what measures ask for, the least and |sum - 1|."""
    symbols = tuple(chance(k) for k in range(len(columns)))
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


def _check_probabilities(column: Floats, place: Place) -> None:
    bad = np.flatnonzero((column < 0) | (column > 1))
    if bad.size:
        raise DataError(
            f"{place.column} is {column[bad[0]]:g} in row {place.first_row + int(bad[0]) + 1} "
            f"(counted from 1), and beyond 0 and 1 in {_rows(bad.size)}: that is no probability; "
            "for logits apply the sigmoid first, or measure with --task regression"
        )


def _check_sums(excess: Floats, first_row: int) -> None:
    bad = np.flatnonzero(excess > _OFF_BY)
    if not bad.size:
        return
    worst = int(bad[np.argmax(excess[bad])])
    more = f", row {first_row + worst + 1} by {excess[worst]:.3g}" if worst != bad[0] else ""
    raise DataError(
        f"the probabilities do not sum to 1 in {_rows(bad.size)}: row "
        f"{first_row + int(bad[0]) + 1} (counted from 1) is off by {excess[bad[0]]:.3g}{more}; "
        "divide each row by its sum"
    )


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count > 1)}"


def parts_of(y_pred: Any, first_row: int = 0) -> tuple[list[Any], list[Place]]:
    """The columns of predictions, and where they and the truth before them stand.

    >>> [place.column for place in parts_of([[0.5, 0.5]])[1]]
    ['y_true', 'y_pred[:, 0]', 'y_pred[:, 1]']
    """
    prediction = as_array(y_pred, "y_pred")
    if prediction.ndim == 2 and prediction.shape[1] != 1:
        columns = [prediction[:, k] for k in range(prediction.shape[1])]
        names = [f"y_pred[:, {k}]" for k in range(len(columns))]
    else:
        columns, names = [as_labels(prediction, "y_pred")], ["y_pred"]
    return columns, [Place("the arrays", name, first_row) for name in ("y_true", *names)]


def as_labels(values: Any, name: str) -> NDArray[Any]:
    """A column of labels, one a row."""
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected one label a row: (n,)")
    return array
