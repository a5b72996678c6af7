"""Which task a table is: told, or told apart by what its first rows hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.classification.task import Kind, Task
from offby.errors import DataError, OffbyError
from offby.tables.floats import Place, to_float64
from offby.tables.label_text import label_text
from offby.tables.labels import LabelCodes

Floats = NDArray[np.float64]
_FEW_CLASSES = 20
_ENOUGH_ROWS = 30
_LOOKED_AT = 1 << 14  # rows
_USUAL = (("0", "1"), ("-1", "1"), ("false", "true"), ("False", "True"), ("FALSE", "TRUE"))
"""Pairs of labels that everyone reads alike, the positive one second."""
_SPELLINGS: tuple[set[str], set[str]] = ({"true", "false"}, {"0", "1"})


@dataclass(frozen=True)
class Options:
    """What the caller said of the task; None is left to be told apart."""

    kind: Kind | None = None
    positive: Any = None
    threshold: float = 0.5
    costs: Any = None
    labels: tuple[str, ...] = ()
    for_classes: bool = False
    """Whether a measure was asked for that only classes have."""

    @property
    def says_classes(self) -> bool:
        """Whether anything was said that only makes sense for classes."""
        told = (self.positive, self.costs, *self.labels)
        return (self.for_classes or any(x is not None for x in told) or self.threshold != 0.5
                or self.kind in ("binary", "multiclass"))  # fmt: skip


def inferred(truth: Any, predictions: Sequence[Any], options: Options) -> Task:
    """The task of these rows; raises `OffbyError` where the positive class must be told."""
    if varied(truth[:_LOOKED_AT]):  # else sorted by class, perhaps
        truth, *predictions = (column[:_LOOKED_AT] for column in (truth, *predictions))
    known = options.kind
    if known == "regression" or (known is None and not _are_classes(truth, predictions, options)):
        return Task(doubt="" if known else _doubt(truth, predictions[0]))
    scores = len(predictions) > 1 or _are_probabilities(predictions[0], truth)
    seen = _labels(truth, *(() if scores else predictions[:1]))
    if not scores:
        _refuse_two_spellings(truth, predictions[0])
    kind = known or _kind(scores, len(predictions), seen, options)
    positive = _positive(seen, options) if kind == "binary" else None
    return Task(kind, scores, positive, options.threshold, frozen(options.costs))


def unseen(several: bool, options: Options) -> Task:
    """The task of what was said to be of classes, where no row can be looked at."""
    costs = frozen(options.costs)
    if options.kind == "multiclass" or (several and options.kind is None):
        return Task("multiclass", several, None, options.threshold, costs)
    positive = "1" if options.positive is None else label_text(options.positive)
    return Task("binary", True, positive, options.threshold, costs)


def _kind(scores: bool, columns: int, seen: Sequence[str], options: Options) -> Kind:
    """Binary where the positive class is known; one column of probabilities is always that."""
    if scores and columns == 1:
        return "binary"
    known = options.positive is not None or _usual_positive(seen) is not None
    return "binary" if columns <= 2 and len(seen) <= 2 and known else "multiclass"


def _refuse_two_spellings(truth: Any, prediction: Any) -> None:
    """Truth and prediction that spell yes and no in two ways would never agree."""
    first, second = ({text.casefold() for text in _labels(x)} for x in (truth, prediction))
    for one, other in (_SPELLINGS, _SPELLINGS[::-1]):
        if first and second and first <= one and second <= other:
            raise DataError(
                f"the truth is {' or '.join(sorted(first))} and the prediction "
                f"{' or '.join(sorted(second))}: write both alike"
            )


def _doubt(truth: Any, prediction: Any) -> str:
    """What to say where a truth of 0 and 1 is taken as numbers, by what was predicted."""
    first, second = _numbers(truth), _numbers(prediction)
    if first is None or second is None or not _are_yes_and_no(_distinct(first)):
        return ""
    guesses = _distinct(second)
    if not guesses.size:
        return ""
    return (
        f"Taken as numbers: the truth is {_distinct(first)[0]:g} and 1, yet predictions reach "
        f"{guesses[0]:.3g} … {guesses[-1]:.3g}; a classifier's are probabilities, or labels."
    )


def varied(column: Any) -> bool:
    """Whether a column of labels holds more than one."""
    try:
        return len(set(column.tolist())) > 1
    except TypeError:  # lists, which are no labels
        return True


def frozen(costs: Any) -> Any:
    """Costs as nested tuples, which can be compared and hashed."""
    if costs is None:
        return None
    try:
        table = np.asarray(costs, np.float64)
    except (TypeError, ValueError):
        raise OffbyError(f"costs are {costs!r}; expected two numbers, or a K by K table") from None
    return tuple(map(tuple, table.tolist())) if table.ndim == 2 else tuple(table.tolist())


def _are_classes(truth: Any, predictions: Sequence[Any], options: Options) -> bool:
    if options.says_classes or len(predictions) > 1:
        return True
    first, second = _numbers(truth), _numbers(predictions[0])
    if _is_time(truth):
        return False
    if first is None or second is None or _is_boolean(truth):
        return _labels_fit(truth, predictions[0], (first, second))
    values, guesses = _distinct(first), _distinct(second)
    if not values.size or not guesses.size:
        return False
    shares = bool(guesses[0] >= 0 and guesses[-1] <= 1)
    if _are_yes_and_no(values):
        return shares or bool(np.isin(guesses, values).all())
    if values.size == 1 and values[0] in (0, 1):  # of a table that lacks the other class
        return shares and guesses.size > 1 and first.size >= _ENOUGH_ROWS
    return first.size >= _ENOUGH_ROWS and _are_codes(values, guesses)


def _distinct(column: Floats) -> Floats:
    return np.unique(column[~np.isnan(column)])


def _are_yes_and_no(values: Floats) -> bool:
    return values.size == 2 and values[0] in (-1, 0) and values[1] == 1


def _labels_fit(truth: Any, prediction: Any, numbers: tuple[Floats | None, Floats | None]) -> bool:
    """Labels beside probabilities or labels they share; else regression says what is no number."""
    try:
        first, second = set(_labels(truth)), set(_labels(prediction))
    except DataError:
        return False
    if numbers[1] is not None and numbers[1].size and not second <= first:
        guesses = _distinct(numbers[1])
        return bool(guesses.size and guesses[0] >= 0 and guesses[-1] <= 1)
    return second <= first if numbers[0] is not None else bool(first & second)


def _are_codes(values: Floats, guesses: Floats) -> bool:
    """Few whole numbers, and predictions that are all among them."""
    if not 2 <= values.size <= _FEW_CLASSES or guesses.size < 2:
        return False
    whole = np.array_equal(values, np.floor(values))
    return bool(whole) and bool(np.isin(guesses, values).all())


def _are_probabilities(prediction: Any, truth: Any) -> bool:
    """Numbers between 0 and 1 that are not all whole, or beside labels that they are none of."""
    numbers = _numbers(prediction)
    if numbers is None or not numbers.size or _is_boolean(prediction):
        return False
    found = numbers[~np.isnan(numbers)]
    if not found.size:
        return False
    if np.any(found != np.floor(found)):
        return True
    labels, guesses = ({text.casefold() for text in _labels(x)} for x in (truth, prediction))
    are_labels = guesses <= labels or labels <= set().union(*_SPELLINGS)
    return bool(found.min() >= 0 and found.max() <= 1 and not are_labels)


def _positive(seen: list[str], options: Options) -> str:
    if options.positive is not None:
        told = label_text(options.positive)
        if told not in seen and len(seen) >= 2:
            raise DataError(
                f"the positive label {told!r} does not occur; the labels are "
                f"{', '.join(map(repr, seen[:10]))}"
            )
        return told
    known = _usual_positive(seen)
    if known is None:
        raise DataError(
            f"the labels are {', '.join(map(repr, seen[:10]))}: say which of them is the positive "
            "one, whose probability is predicted: --positive LABEL (in Python: positive='LABEL')"
        )
    return known


def _usual_positive(seen: Sequence[str]) -> str | None:
    return next((pair[1] for pair in _USUAL if seen and set(seen) <= set(pair)), None)


def _labels(*columns: Any) -> list[str]:
    codes = LabelCodes()
    for column in columns:
        codes.encode(column, Place("the table", "labels"))
    return codes.labels


def _numbers(column: Any) -> Floats | None:
    """The column as numbers; None where it holds anything else."""
    try:
        if isinstance(column, np.ndarray) and column.dtype.kind in "OSU":
            column = pa.array(column, from_pandas=True)
            if _is_text(column):
                return None
        if not isinstance(column, np.ndarray) and _is_text(column):
            column = column.cast(pa.float64())  # as CSV has numbers
        return to_float64(column, Place("the table", "values"))
    except (DataError, pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _is_text(column: Any) -> bool:
    kind = getattr(column.type, "value_type", column.type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_time(column: Any) -> bool:
    if isinstance(column, np.ndarray):
        return column.dtype.kind in "mM"
    return bool(pa.types.is_temporal(column.type))


def _is_boolean(column: Any) -> bool:
    if isinstance(column, np.ndarray):
        return bool(column.dtype.kind == "b")
    return bool(pa.types.is_boolean(column.type))
