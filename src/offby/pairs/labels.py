"""Two confusion matrices of the same rows, and how their errors go together.

Rows are counted by their class and by what both models predicted. A measure of a confusion matrix
says how each cell moves it; a row moves the difference of two such measures by what its cell in one
matrix moves the one, less what its cell in the other moves the other. No row is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby import confusion
from offby.classification.counts import confusion_of, counted, weights_of
from offby.confusion.estimate import standard_error
from offby.engine.evaluate import Floats, compute
from offby.formula.aggregates import MOST_CLASSES
from offby.formula.expression import Expression
from offby.formula.words import w, y
from offby.measures.aggregate import Undefined
from offby.measures.measure import Measure
from offby.pairs import formulas
from offby.pairs.counted import Counted
from offby.pairs.estimate import Estimate
from offby.pairs.formulas import of_model
from offby.pairs.in_time import Timeline

Codes = NDArray[np.int64]
_TOO_MANY = "too many pairs of labels came to know how the errors go together"
_NO_SPREAD = "a value stands at the edge of its range, and no interval leads there"


def difference(found: Counted, measure: Measure, a: int, b: int, when: Timeline | None) -> Estimate:
    """By how much model `b` exceeds model `a` in a measure of the confusion matrix."""
    try:
        first, second = (_moved(found, measure, place) for place in (a, b))
    except Undefined as reason:
        return Estimate(None, reason=str(reason))
    value = second.value - first.value
    if first.influence is None or second.influence is None:
        return Estimate(value, reason=first.unsure or second.unsure)
    if when is not None:
        error, degrees = when.error(_of_rows(found, measure, (a, first), (b, second)))
    else:
        cells = _cells(found, formulas.counted_together(measure, a, b).args[0])
        if cells is None:
            return Estimate(value, reason=_TOO_MANY)
        moves = second.at(cells.truth, cells.second) - first.at(cells.truth, cells.first)
        error, n = standard_error(cells.weights, cells.squares, moves)
        degrees = n - 1
    if not math.isfinite(error) or (value and error <= 1e-14 * abs(value)):
        return Estimate(value, reason=_NO_SPREAD)
    return Estimate(value, error, degrees)


@dataclass(frozen=True, eq=False)
class _Moved:
    """A measure of one model, and how the cells of its confusion matrix move it."""

    value: float
    influence: Floats | None
    unsure: str | None
    places: Codes  # of each code in the matrix

    def at(self, truth: Codes, predicted: Codes) -> Floats:
        """By how much rows of these cells move the measure."""
        assert self.influence is not None
        return np.asarray(self.influence[self.places[truth], self.places[predicted]])


def _moved(found: Counted, measure: Measure, place: int) -> _Moved:
    """Raises `Undefined` where the measure is."""
    formula = of_model(measure.formula, place)
    evaluated = confusion.by_name(*formula.data)
    assert evaluated is not None  # the name was understood when the measure was made
    order = found.order(formula)
    table = confusion_of(found.state, formula.args[0], found.labels, order)
    if not table.total:
        raise Undefined("there are no rows")
    estimate = evaluated.evaluate(table, 0.95)
    places = np.full(max(len(found.labels), 2), -1, np.int64)
    places[list(order)] = np.arange(len(order))
    moves = None if estimate.influence is None else estimate.influence()
    return _Moved(estimate.value, moves, estimate.unsure, places)


@dataclass(frozen=True, eq=False)
class _Cells:
    """The triples of labels that occur, with the sums of weights and of their squares."""

    truth: Codes
    first: Codes
    second: Codes
    weights: Floats
    squares: Floats


def _cells(found: Counted, key: Expression) -> _Cells | None:
    """The triples in the order of their labels; None where there are too many to know each."""
    counter, counts = counted(found.state, key)
    if not counts.exact:
        return None
    pairs, second = np.divmod(counts.low().astype(np.int64), MOST_CLASSES)
    truth, first = np.divmod(pairs, MOST_CLASSES)
    rank = np.argsort(found.shown)
    order = np.lexsort((rank[second], rank[first], rank[truth]))
    weights, squares = (sums[order] for sums in weights_of(counter, counts))
    return _Cells(truth[order], first[order], second[order], weights, squares)


def _of_rows(
    found: Counted, measure: Measure, a: tuple[int, _Moved], b: tuple[int, _Moved]
) -> Floats:
    """By how much each row moves the difference, to first order."""
    rows = found.rows
    truth = rows[y].astype(np.int64)
    asked = [of_model(formulas.predicted(measure), place) for place, _ in (a, b)]
    guesses = [codes.astype(np.int64) for codes in compute(tuple(asked), rows)]
    return np.asarray(rows[w] * (b[1].at(truth, guesses[1]) - a[1].at(truth, guesses[0])))
