"""A classifier class by class, and the classes it confuses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offby.confusion.estimate import Estimate
from offby.confusion.share import Average, Share
from offby.confusion.shares import f1, precision, recall
from offby.confusion.table import Confusion
from offby.measures.aggregate import Undefined

Found = Estimate | Undefined
_AVERAGES: tuple[Average, ...] = ("micro", "macro", "weighted")


@dataclass(frozen=True)
class ReportRow:
    """Precision, recall and F1 of a class or an average, each undefined with its reason."""

    name: str
    precision: Found
    recall: Found
    f1: Found
    support: float
    is_average: bool = False


def report_rows(confusion: Confusion, confidence: float = 0.95) -> list[ReportRow]:
    """A row a class in the order of the labels, then the averages micro, macro and weighted.

    All of micro is the accuracy.

    >>> rows = report_rows(Confusion.of([0, 0, 1, 1], [0, 1, 1, 1]))
    >>> [(row.name, round(row.f1.value, 3), row.support) for row in rows]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('0', 0.667, 2.0), ('1', 0.8, 2.0),
     ('micro', 0.75, 4.0), ('macro', 0.733, 4.0), ('weighted', 0.733, 4.0)]
    """
    classes = [
        ReportRow(label, *_three(confusion, place, confidence), float(confusion.support[place]))
        for place, label in enumerate(confusion.labels)
    ]
    averages = [
        ReportRow(name, *_three(confusion, name, confidence), confusion.total, True)
        for name in _AVERAGES
    ]
    return classes + averages


def _three(
    confusion: Confusion, of: int | Average, confidence: float
) -> tuple[Found, Found, Found]:
    one, two, three = (
        _found(share, confusion, of, confidence) for share in (precision, recall, f1)
    )
    return one, two, three


def _found(share: Share, confusion: Confusion, of: int | Average, confidence: float) -> Found:
    try:
        return share(confusion, of, confidence)
    except Undefined as reason:
        return reason


@dataclass(frozen=True)
class Confused:
    """Rows of one class that were predicted as another, and their share of all errors."""

    true: str
    predicted: str
    weight: float
    share: float


def most_confused(confusion: Confusion, most: int = 10) -> list[Confused]:
    """The commonest errors, the largest first; none where every row was predicted right.

    >>> most_confused(Confusion.of(["a", "a", "a", "b"], ["a", "b", "b", "a"]), most=1)
    [Confused(true='a', predicted='b', weight=2.0, share=0.6666666666666666)]
    """
    errors = confusion.weights * (1.0 - np.eye(len(confusion.labels)))
    whole = errors.sum()
    found = []
    for place in np.argsort(-errors, axis=None, kind="stable")[:most]:
        true, predicted = divmod(int(place), len(confusion.labels))
        weight = float(errors[true, predicted])
        if weight:
            names = confusion.labels[true], confusion.labels[predicted]
            found.append(Confused(*names, weight, weight / float(whole)))
    return found
