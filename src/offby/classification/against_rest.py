"""What a pass must count for measures of several classes that are made of others."""

from __future__ import annotations

from collections.abc import Sequence

from offby.classification.task import chance
from offby.errors import MeasureError
from offby.formula.aggregates import Confused, Mean, OneOfMany
from offby.formula.expression import Expression
from offby.formula.words import p, y

AVERAGES = ("macro", "weighted")


def meant(statistic: str, labels: Sequence[str]) -> tuple[int, ...]:
    """The codes of the classes that a statistic is of: one, or all for an average.

    >>> meant("roc_auc", ["cat", "dog"]), meant("roc_auc:dog", ["cat", "dog"])
    ((0, 1), (1,))
    """
    name, _, of = statistic.partition(":")
    if of in ("", *AVERAGES):
        return tuple(range(len(labels)))
    if of not in labels:
        shown = ", ".join(map(repr, labels[:10])) + " …" * (len(labels) > 10)
        raise MeasureError(
            f"{name}:{of}: {of!r} is neither an average ({', '.join(AVERAGES)}) nor a class; "
            f"classes are {shown}"
        )
    return (list(labels).index(of),)


def counted_for(formula: Expression, labels: Sequence[str]) -> tuple[Expression, ...]:
    """The formulas that a pass must count for a measure: most are of one part, themselves."""
    if formula.op == "class_skill":
        return Mean(formula.args[0]), Confused("", p)
    return rankings(formula, labels) if formula.op == "against_rest" else (formula,)


def rankings(formula: Expression, labels: Sequence[str]) -> tuple[Expression, ...]:
    """The ranking of each class that is meant against all others."""
    return tuple(OneOfMany(len(labels), y == k, chance(k)) for k in meant(formula.data, labels))
