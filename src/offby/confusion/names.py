"""Measures of a confusion matrix by name: ``f1``, ``recall:cat``, ``fbeta:2:macro`` …"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from offby.confusion.agreement import KappaWeights, as_costs, cohen_kappa, expected_cost, mcc
from offby.confusion.estimate import Estimate
from offby.confusion.share import Average, Share
from offby.confusion.shares import (
    accuracy,
    balanced_accuracy,
    f1,
    fbeta,
    jaccard,
    npv,
    precision,
    recall,
    specificity,
)
from offby.confusion.table import Confusion
from offby.errors import MeasureError
from offby.measures.measure import Better

Evaluate = Callable[[Confusion, float], Estimate]
SHARES = {share.name: share for share in (precision, recall, specificity, npv, jaccard, f1)}
AVERAGES = ("macro", "micro", "weighted")
_ACCURACIES = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
_KAPPAS = {"": None, "linear": "linear", "quadratic": "quadratic"}


@dataclass(frozen=True)
class ConfusionMeasure:
    """A measure of a confusion matrix: which way is good, its range, and how to work it out.

    `evaluate` takes a `Confusion` and a confidence, and raises `Undefined` where it has no value.
    """

    name: str
    evaluate: Evaluate
    better: Better = "higher"
    range: tuple[float, float] = (0.0, 1.0)


def known_names() -> list[str]:
    """Every name, with an example of what may follow a colon.

    >>> known_names()[:3]
    ['accuracy', 'balanced_accuracy', 'precision']
    """
    kappas = ["cohen_kappa", "cohen_kappa:linear", "cohen_kappa:quadratic"]
    return [*_ACCURACIES, *SHARES, "fbeta:2", "f1:macro", "f1:micro", "f1:weighted", "mcc",
            *kappas, "expected_cost"]  # fmt: skip


def by_name(name: str, costs: Any = None) -> ConfusionMeasure | None:
    """The measure that a text names, or None if it is none of a confusion matrix.

    Shares (precision, recall, specificity, npv, jaccard, f1, fbeta:2) may name a class or an
    average after a colon; alone they are those of the second of two classes, or the mean over
    more classes. `costs` belong to expected_cost. Raises `MeasureError` where a known name is
    followed by what it does not understand.

    >>> table = Confusion.of(["cat", "cat", "dog"], ["cat", "dog", "dog"])
    >>> [by_name(name).evaluate(table, 0.95).value for name in ("recall", "recall:cat")]
    [1.0, 0.5]
    >>> by_name("rmse") is None
    True
    """
    head, _, tail = name.partition(":")
    if head in SHARES:
        return _share(name, SHARES[head], tail)
    if head == "fbeta":
        beta, _, tail = tail.partition(":")
        return _share(name, fbeta(_number(beta)), tail)
    if head == "cohen_kappa":
        return _kappa(name, tail)
    if head not in (*_ACCURACIES, "mcc", "expected_cost"):
        return None
    if tail:
        raise MeasureError(f"{head} has nothing after a colon; got {name!r}")
    return _expected_cost(costs) if head == "expected_cost" else _plain(head)


def _plain(name: str) -> ConfusionMeasure:
    if name == "mcc":
        return ConfusionMeasure(name, mcc, range=(-1.0, 1.0))
    return ConfusionMeasure(name, _ACCURACIES[name])


def _share(name: str, share: Share, of: str) -> ConfusionMeasure:
    if name.endswith(":") and not of:
        raise MeasureError(f"{name!r} names no class after the colon")
    return ConfusionMeasure(name, partial(_of, share, of))


def _of(share: Share, of: str, confusion: Confusion, confidence: float) -> Estimate:
    if of in AVERAGES:
        return share(confusion, cast(Average, of), confidence)
    return share(confusion, _place(confusion, of) if of else None, confidence)


def _place(confusion: Confusion, label: str) -> int:
    if label not in confusion.labels:
        everything = range(len(confusion.labels))
        raise MeasureError(
            f"{label!r} is neither an average ({', '.join(AVERAGES)}) nor a class; "
            f"classes are {confusion.named(everything)}"
        )
    return confusion.labels.index(label)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise MeasureError("fbeta needs a number after a colon, such as fbeta:2") from None


def _kappa(name: str, tail: str) -> ConfusionMeasure:
    if tail not in _KAPPAS:
        raise MeasureError(f"{name!r}: expected cohen_kappa, alone or with :linear or :quadratic")
    weights = cast("KappaWeights | None", _KAPPAS[tail])
    evaluate = partial(_kappa_of, weights)
    return ConfusionMeasure(name, evaluate, range=(-1.0, 1.0))


def _kappa_of(weights: KappaWeights | None, confusion: Confusion, confidence: float) -> Estimate:
    return cohen_kappa(confusion, weights, confidence)


def _expected_cost(costs: Any) -> ConfusionMeasure:
    if costs is None:
        raise MeasureError(
            "expected_cost needs costs: two numbers, of a false positive and a false negative, or "
            "a table by true and predicted class"
        )
    least = 0.0 if (as_costs(costs) >= 0).all() else -math.inf
    evaluate = partial(_cost_of, costs)
    return ConfusionMeasure("expected_cost", evaluate, "lower", (least, math.inf))


def _cost_of(costs: Any, confusion: Confusion, confidence: float) -> Estimate:
    return expected_cost(confusion, costs, confidence)
