"""What a measure is a formula over: numbers that summarise a formula of the rows.

They are nodes of the same tree, so that a measure is derived towards them as a loss is towards its
prediction. They have no place in the table of primitives: no row has a mean.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from offby.errors import FormulaError
from offby.formula.expression import Expression, apply, expression, node, walk
from offby.formula.words import where, y

MOMENTS = frozenset({"mean", "variance", "covariance"})
COUNTED = frozenset(
    {"quantile", "top_share", "least_pinball", "scores", "sureness", "confusion", "one_of_many",
     "against_rest", "class_skill"}
)  # fmt: skip
ORDERED = COUNTED | {"largest"}
AGGREGATES = MOMENTS | ORDERED
MOST_CLASSES = 1 << 16


def Mean(term: Any) -> Expression:  # noqa: N802  # reads as a constructor, as in a textbook
    """The (weighted) mean over the rows of a formula."""
    return apply("mean", _rows(term))


def Variance(term: Any) -> Expression:  # noqa: N802
    """The (weighted) mean square of a formula about its own mean."""
    return apply("variance", _rows(term))


def Covariance(a: Any, b: Any) -> Expression:  # noqa: N802
    """The (weighted) mean product of two formulas, each about its own mean."""
    return apply("covariance", _rows(a), _rows(b))


def Quantile(term: Any, q: Any) -> Expression:  # noqa: N802
    """The value that a share `q` of the rows does not exceed."""
    return apply("quantile", _rows(term), q)


def Largest(term: Any) -> Expression:  # noqa: N802
    """The largest value over the rows."""
    return apply("largest", _rows(term))


def TopShare(size: Any, power: float, fraction: float) -> Expression:  # noqa: N802
    """The share of the sum of size**power that the largest `fraction` of the rows own."""
    return apply("top_share", _rows(size), power, fraction)


def LeastPinball(term: Any, tau: Any, beside: Any) -> Expression:  # noqa: N802
    """The mean pinball loss of the best constant, a quantile of `term`.

    `beside` is the row formula it will be compared with: their covariance is kept for the standard
    error.
    """
    return apply("least_pinball", _rows(term), tau, _rows(beside))


def Scored(statistic: str, positive: Expression, score: Expression) -> Expression:  # noqa: N802
    """A statistic of the ranking by a score of the rows that are `positive` and of the others."""
    return node("scores", (where(positive, score, -score),), statistic)  # the sign tells the class


def OneOfMany(classes: int, positive: Expression, score: Expression) -> Expression:  # noqa: N802
    """The ranking of one of so many classes against all others; together they share a budget."""
    return node("one_of_many", (where(positive, score, -score),), classes)


def AgainstRest(statistic: str) -> Expression:  # noqa: N802
    """A statistic of such rankings, of one class or of all; the labels tell which those are."""
    return node("against_rest", (y,), statistic)


def ClassSkill(score: str, term: Expression) -> Expression:  # noqa: N802
    """What `term` saves of the mean score ("log" or "brier") of the frequencies of classes."""
    return node("class_skill", (_rows(term),), score)


def Sureness(  # noqa: N802
    statistic: str, right: Expression, score: Expression
) -> Expression:
    """A statistic of how sure rows that were `right`, and others, were: it needs no fine ranks."""
    return node("sureness", (where(right, score, -score),), statistic)


def Confused(statistic: Any, predicted: Expression) -> Expression:  # noqa: N802
    """A statistic of how often each class y was `predicted` as each class."""
    return node("confusion", (y * MOST_CLASSES + predicted,), statistic)


def _rows(term: Any) -> Expression:
    found = expression(term)
    inner = aggregates_of(found)
    if inner:
        raise FormulaError(f"{inner[0]!r} inside another aggregate: a row has no mean of its own")
    return found


@lru_cache(maxsize=1024)
def aggregates_of(root: Expression) -> tuple[Expression, ...]:
    """The aggregates of a measure's formula, each once."""
    return tuple(current for current in walk(root) if current.op in AGGREGATES)
