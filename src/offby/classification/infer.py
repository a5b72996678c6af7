"""Which task a table is: told, or told apart by what its first rows hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.classification.task import REGRESSION, Kind, Task
from offby.errors import DataError, OffbyError
from offby.tables.floats import Place, to_float64
from offby.tables.label_text import label_text
from offby.tables.labels import LabelCodes

Floats = NDArray[np.float64]
_FEW_CLASSES = 20
_ENOUGH_ROWS = 30
_LOOKED_AT = 1 << 14  # rows
_KNOWN_POSITIVE: dict[tuple[str, ...], str] = {
    ("0", "1"): "1",
    ("-1", "1"): "1",
    ("false", "true"): "true",
    ("False", "True"): "True",
}


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
    kind = options.kind
    truth = truth[:_LOOKED_AT] if _varied(truth[:_LOOKED_AT]) else truth  # sorted by class, perhaps
    predictions = [column[:_LOOKED_AT] for column in predictions]
    if kind == "regression" or (kind is None and not _are_classes(truth, predictions, options)):
        return REGRESSION
    scores = len(predictions) > 1 or _are_probabilities(predictions[0], truth)
    if kind is None:
        kind = "multiclass" if len(predictions) > 1 else "binary" if scores else None
    seen = _labels(truth, *(() if scores else predictions[:1]))
    if kind is None:
        known = options.positive is not None or tuple(sorted(seen)) in _KNOWN_POSITIVE
        kind = "binary" if len(seen) <= 2 and known else "multiclass"
    positive = _positive(seen, options) if kind == "binary" else None
    costs = options.costs
    return Task(kind, scores, positive, options.threshold, _frozen(costs))


def _varied(column: Any) -> bool:
    try:
        return len(set(column.tolist())) > 1
    except TypeError:  # lists, which are no labels
        return True


def _frozen(costs: Any) -> Any:
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
    values = np.unique(first[~np.isnan(first)])
    if np.array_equal(values, [0, 1]):
        return bool(np.nanmin(second) >= 0 and np.nanmax(second) <= 1) if second.size else False
    return _are_codes(first, values, second)


def _labels_fit(truth: Any, prediction: Any, numbers: tuple[Floats | None, Floats | None]) -> bool:
    """Labels beside probabilities or labels they share; else regression says what is no number."""
    try:
        first, second = set(_labels(truth)), set(_labels(prediction))
    except DataError:
        return False
    if numbers[1] is not None and numbers[1].size and not second <= first:
        return bool(np.nanmin(numbers[1]) >= 0 and np.nanmax(numbers[1]) <= 1)
    return second <= first if numbers[0] is not None else bool(first & second)


def _are_codes(first: Floats, values: Floats, second: Floats) -> bool:
    """Few whole numbers, and predictions that are all among them."""
    if not 2 <= values.size <= _FEW_CLASSES or first.size < _ENOUGH_ROWS:
        return False
    guesses = np.unique(second[~np.isnan(second)])
    whole = np.array_equal(values, np.floor(values)) and guesses.size > 1
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
    return bool(found.min() >= 0 and found.max() <= 1 and not {"0", "1"} >= set(_labels(truth)))


def _positive(seen: list[str], options: Options) -> str:
    if options.positive is not None:
        told = label_text(options.positive)
        if told not in seen and len(seen) >= 2:
            raise DataError(
                f"the positive label {told!r} does not occur; the labels are "
                f"{', '.join(map(repr, seen[:10]))}"
            )
        return told
    known = _KNOWN_POSITIVE.get(tuple(sorted(seen)))
    if known is None and len(seen) == 1:
        known = next((positive for pair, positive in _KNOWN_POSITIVE.items() if seen[0] in pair),
                     None)  # fmt: skip
    if known is None:
        raise DataError(
            f"the labels are {', '.join(map(repr, seen[:10]))}: say which of them the probability "
            "is of: --positive LABEL (in Python: positive='LABEL')"
        )
    return known


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
        if not isinstance(column, np.ndarray) and _is_text(column):
            column = column.cast(pa.float64())
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
