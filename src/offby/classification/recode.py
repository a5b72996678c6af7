"""Counted pairs of labels under other codes: the same rows, as if labels were met in that order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.order import KeyCounts, ordered_bits
from offby.engine.state import State
from offby.errors import DataError
from offby.formula.aggregates import MOST_CLASSES
from offby.formula.expression import Expression


def recoded(state: State, key: Expression, codes: NDArray[np.int64]) -> State:
    """The state with each label k as `codes[k]` in the counter of `key`, which holds pairs of them.

    Nothing else may depend on codes. Raises `DataError` where there were too many pairs to know
    each.
    """
    sums = state.sums
    counted = [
        _recoded(counts, codes) if counter.key is key else counts
        for counter, counts in zip(state.plan.counters, sums.counted, strict=True)
    ]
    found = State.of(state.plan, replace(sums, counted=counted), state.shift, state.scale)
    found.span = state.span
    return found


def occurring(state: State, key: Expression) -> set[int] | None:
    """The codes of the labels that occur, in truth or prediction; None where they are too many."""
    for counter, counts in zip(state.plan.counters, state.sums.counted, strict=True):
        if counter.key is key and counts.exact:
            return set(np.unique(np.divmod(counts.low().astype(np.int64), MOST_CLASSES)).tolist())
    return None


def _recoded(counts: KeyCounts, codes: NDArray[np.int64]) -> KeyCounts:
    if not counts.exact:
        raise DataError(
            "the two totals met too many labels in another order; give both the labels, in one "
            "order: labels=[…]"
        )
    truth, predicted = np.divmod(counts.low().astype(np.int64), MOST_CLASSES)
    keys = ordered_bits((codes[truth] * MOST_CLASSES + codes[predicted]).astype(np.float64))
    order = np.argsort(keys)
    return replace(counts, keys=keys[order], counts=counts.counts[order], pairs=counts.pairs[order])
