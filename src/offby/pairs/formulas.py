"""A comparison is a formula too: a measure of one model less the same measure of another.

Each model's predictions are a symbol of their own, so that one pass sums what all of them need, and
the delta method knows how their errors go together: that is what makes the difference paired.
"""

from __future__ import annotations

from offby.formula.aggregates import Mean
from offby.formula.expression import Expression, substitute, symbol
from offby.formula.words import p, r, sign, where, y
from offby.measures.measure import Measure


def model(place: int) -> Expression:
    """The predictions of the model at this place."""
    return symbol(f"p{place + 1}")


def of_model(root: Expression, predictions: Expression) -> Expression:
    """A formula of y, p and r, said of one model's predictions.

    >>> of_model(Mean(abs(r)), model(0))
    mean(abs(p1 - y))
    """
    return substitute(root, {p: predictions, r: predictions - y})


def difference(measure: Expression, a: Expression, b: Expression) -> Expression:
    """The measure of `b` less that of `a`; of means it is the mean of the rows' differences.

    >>> difference(Mean(r**2), model(0), model(1))
    mean((p2 - y)**2 - (p1 - y)**2)
    """
    if measure.op == "mean":
        term = measure.args[0]
        return Mean(of_model(term, b) - of_model(term, a))
    return of_model(measure, b) - of_model(measure, a)


def total(measure: Expression, a: Expression, b: Expression) -> Expression:
    """The measure of `b` and that of `a` together."""
    return of_model(measure, b) + of_model(measure, a)


def ratio(measure: Expression, a: Expression, b: Expression) -> Expression:
    """The measure of `b` over that of `a`; 1 less it is the skill of `b` over `a`."""
    return of_model(measure, b) / of_model(measure, a)


def nearer(a: Expression, b: Expression) -> Expression:
    """The share of rows where `b` is nearer to the truth than `a`; ties count half.

    >>> nearer(model(0), model(1))
    (1 + mean(sign(abs(p1 - y) - abs(p2 - y))))/2
    """
    return (1 + Mean(sign(abs(a - y) - abs(b - y)))) / 2


def as_means(measure: Measure) -> Expression:
    """The measure's formula; an accuracy that is read off counted classes, as a mean of rows."""
    if not is_accuracy(measure):
        return measure.formula
    return Mean(_right(measure))


def is_accuracy(measure: Measure) -> bool:
    """Whether a measure is the share of rows whose class is right."""
    return measure.formula.op == "confusion" and measure.formula.data[0] == "accuracy"


def only_right(measure: Measure, a: Expression, b: Expression) -> Expression:
    """The share of rows that `b` alone gets right: what McNemar's test counts."""
    right = _right(measure)
    return Mean(of_model(right, b) * (1 - of_model(right, a)))


def _right(measure: Measure) -> Expression:
    """1 where the predicted class, the last part of what is counted, is the one that came."""
    predicted = measure.formula.args[0].args[-1]
    return where(predicted == y, 1, 0)
