"""The shares by name: precision, recall and their kin, as in a textbook."""

from __future__ import annotations

import math

from offby.confusion.estimate import Estimate
from offby.confusion.share import FN, FP, TN, TP, Share
from offby.confusion.table import Confusion
from offby.errors import MeasureError

_NOWHERE = "no row is {0}, nor was predicted as {0}"

precision = Share("precision", TP, TP + FP, "no row was predicted as {}")
recall = Share("recall", TP, TP + FN, "no row is {}")
specificity = Share("specificity", TN, TN + FP, "every row is {}")
npv = Share("npv", TN, TN + FN, "every row was predicted as {}")
jaccard = Share("jaccard", TP, TP + FP + FN, _NOWHERE)
f1 = Share("f1", 2 * TP, 2 * TP + FP + FN, _NOWHERE)


def fbeta(beta: float) -> Share:
    """F: recall counts `beta` times as much as precision.

    >>> table = Confusion.of([1, 1, 1, 0, 0], [1, 0, 0, 1, 0])
    >>> fbeta(2)(table, 1).value, f1(table, 1).value
    (0.35714285714285715, 0.4)
    """
    if not (beta > 0 and math.isfinite(beta)):
        raise MeasureError(f"fbeta needs a beta above 0, such as 2; got {beta:g}")
    square = beta * beta
    denominator = (1 + square) * TP + FP + square * FN
    return Share(f"fbeta:{beta:g}", (1 + square) * TP, denominator, _NOWHERE)


def accuracy(confusion: Confusion, confidence: float = 0.95) -> Estimate:
    """The share of rows predicted right, with Wilson's interval.

    >>> accuracy(Confusion.of([0, 0, 1, 1], [0, 0, 1, 0])).value
    0.75
    """
    return recall(confusion, "micro", confidence)


def balanced_accuracy(confusion: Confusion, confidence: float = 0.95) -> Estimate:
    """The mean recall of the classes.

    >>> balanced_accuracy(Confusion.of([0, 0, 0, 1], [0, 0, 0, 0])).value
    0.5
    """
    return recall(confusion, "macro", confidence)
