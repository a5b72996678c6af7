"""What a pass has counted: the rows by score and class, and the confusion matrix."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from offby.confusion import Confusion
from offby.engine.order import KeyCounts, finest_drop
from offby.engine.plan import Counter
from offby.engine.state import State
from offby.formula.aggregates import MOST_CLASSES
from offby.formula.expression import Expression
from offby.measures.aggregate import Undefined
from offby.scores import ScoreCounts

Floats = NDArray[np.float64]
_CELLS = 1 << 18
_MOST_IN_MATRIX = 2048  # classes: more would take gigabytes


def score_counts(state: State, key: Expression, *, fine: bool = False) -> ScoreCounts:
    """The rows by score and class: keys of positive rows are not negative.

    Unless `fine`, in no more cells than serve every statistic but the area under the ROC curve.
    """
    return _score_counts(*counted(state, key), fine)


@lru_cache(maxsize=8)
def _score_counts(counter: Counter, counts: KeyCounts, fine: bool) -> ScoreCounts:
    if not fine:
        counts = counts.at_level(counts.level + finest_drop(counts.keys, _CELLS))
    below = int(np.searchsorted(counts.keys, 0))  # keys of negative rows are complements
    sizes = np.concatenate([~counts.keys[:below][::-1], counts.keys[below:]])
    order = np.argsort(sizes, kind="stable")  # merges the two sorted runs
    sizes = sizes[order]
    cell = np.cumsum(np.concatenate([[True], sizes[1:] != sizes[:-1]])) - 1
    place = np.empty_like(cell)
    place[order] = cell
    amounts = weights_of(counter, counts)
    columns = []
    for amount in amounts if amounts[0] is not amounts[1] else amounts[:1]:
        for rows, held in ((amount[below:], place[below:]), (amount[:below][::-1], place[:below])):
            column = np.zeros(cell[-1] + 1)
            column[held] = rows
            columns.append(column)
    ends = replace(counts, keys=sizes[np.searchsorted(cell, np.arange(cell[-1] + 1))])
    low = ends.low()
    return ScoreCounts(
        low, low if counts.exact else ends.high(), *columns, *columns[: 4 - len(columns)]
    )


def confusion_of(
    state: State, key: Expression, labels: tuple[str, ...], order: tuple[int, ...]
) -> Confusion:
    """The confusion matrix, its classes in this order."""
    return _confusion(*counted(state, key), labels, order)


@lru_cache(maxsize=8)
def _confusion(
    counter: Counter, counts: KeyCounts, labels: tuple[str, ...], order: tuple[int, ...]
) -> Confusion:
    if not counts.exact or len(labels) > _MOST_IN_MATRIX:
        raise Undefined(f"{len(labels)} classes are more than a confusion matrix is kept for")
    codes = counts.low().astype(np.int64)
    cells = np.divmod(codes, MOST_CLASSES)
    size = max(len(labels), 1)
    tables = []
    for amount in weights_of(counter, counts):
        table = np.zeros((size, size))
        table[cells] = amount
        tables.append(table[np.ix_(order, order)])
    return Confusion(tables[0], tables[1], tuple(labels[k] for k in order))


def weights_of(counter: Counter, counts: KeyCounts) -> tuple[Floats, Floats]:
    """The sums of the weights and of their squares, a key."""
    if not counter.columns:
        rows = counts.counts.astype(np.float64)
        return rows, rows
    pairs = counts.pairs
    return pairs[:, 0] + pairs[:, 1], pairs[:, 2] + pairs[:, 3]


def counted(state: State, key: Expression) -> tuple[Counter, KeyCounts]:
    """The counter of a key, and what it has counted."""
    for counter, counts in zip(state.plan.counters, state.sums.counted, strict=True):
        if counter.key is key:
            return counter, counts
    raise KeyError(key)
