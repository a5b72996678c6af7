"""A comparison is a formula too: a measure of one model less the same measure of another.

Each column of each model's predictions is a symbol of its own, so that one pass sums what all of
them need, and the delta method knows how their errors go together: that makes it paired.
"""

from __future__ import annotations

from offby.classification.task import Task, q, rank, square, top
from offby.formula.aggregates import MOST_CLASSES, Mean
from offby.formula.expression import Expression, node, substitute, symbol
from offby.formula.words import p, r, sign, where, y
from offby.measures.measure import Measure


def own(column: Expression, place: int) -> Expression:
    """What the model at this place has in a column, such as its p or its q.

    >>> own(p, 0)
    p_1
    """
    return symbol(f"{column.data}_{place + 1}")


def model(place: int) -> Expression:
    """The predictions of the model at this place."""
    return own(p, place)


def of_model(root: Expression, place: int) -> Expression:
    """A formula of y, p and r (and q, square, rank, top), said of one model's predictions.

    >>> of_model(Mean(abs(r)), 0)
    mean(abs(p_1 - y))
    """
    columns = {column: own(column, place) for column in (p, q, square, rank, top)}
    return substitute(root, {**columns, r: model(place) - y})


def inputs(task: Task, models: int) -> tuple[Expression, ...]:
    """The truth, and every column of every model's predictions.

    >>> inputs(Task(), 2)
    (y, p_1, p_2)
    """
    columns = [column for column in task.inputs if column is not y]
    return (y, *(own(column, place) for place in range(models) for column in columns))


def difference(measure: Expression, a: int, b: int) -> Expression:
    """The measure of `b` less that of `a`; of means it is the mean of the rows' differences.

    >>> difference(Mean(r**2), 0, 1)
    mean((p_2 - y)**2 - (p_1 - y)**2)
    """
    if measure.op == "mean":
        term = measure.args[0]
        return Mean(of_model(term, b) - of_model(term, a))
    return of_model(measure, b) - of_model(measure, a)


def total(measure: Expression, a: int, b: int) -> Expression:
    """The measure of `b` and that of `a` together."""
    return of_model(measure, b) + of_model(measure, a)


def ratio(measure: Expression, a: int, b: int) -> Expression:
    """The measure of `b` over that of `a`; 1 less it is the skill of `b` over `a`."""
    return of_model(measure, b) / of_model(measure, a)


def nearer(task: Task, a: int, b: int) -> Expression:
    """The share of rows where `b` is nearer to the truth than `a`; ties count half.

    >>> nearer(Task(), 0, 1)
    (1 + mean(sign(abs(p_1 - y) - abs(p_2 - y))))/2
    """
    return (1 + Mean(sign(of_model(task.worst, a) - of_model(task.worst, b)))) / 2


def as_means(measure: Measure) -> Expression:
    """The measure's formula; an accuracy that is read off counted classes, as a mean of rows."""
    if not is_accuracy(measure):
        return measure.formula
    return Mean(_right(measure))


def is_accuracy(measure: Measure) -> bool:
    """Whether a measure is the share of rows whose class is right."""
    return measure.formula.op == "confusion" and measure.formula.data[0] == "accuracy"


def only_right(measure: Measure, a: int, b: int) -> Expression:
    """The share of rows that `b` alone gets right: what McNemar's test counts."""
    right = _right(measure)
    return Mean(of_model(right, b) * (1 - of_model(right, a)))


def counted_together(measure: Measure, a: int, b: int) -> Expression:
    """Rows counted by their class and what both models predicted: how confusions are paired."""
    own_key = of_model(measure.formula.args[0], a)
    key = own_key * MOST_CLASSES + of_model(predicted(measure), b)
    return node("confusion", (key,), ("together", None))


def predicted(measure: Measure) -> Expression:
    """The predicted class, which is the last part of what a measure of classes counts."""
    return measure.formula.args[0].args[-1]


def _right(measure: Measure) -> Expression:
    """1 where the predicted class is the one that came."""
    return where(predicted(measure) == y, 1, 0)
