"""How fast a measure's terms grow with the error: which moments its interval relies on."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from offby.formula.aggregates import MOMENTS, aggregates_of
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression
from offby.formula.words import p, y

_NEAR, _FAR = 1e4, 1e8


@lru_cache(maxsize=1024)
def moment_needed(formula: Expression) -> float:
    """The order of the moment of r that the standard error of a measure needs to exist.

    >>> from offby.formula import r
    >>> from offby.formula.aggregates import Mean
    >>> moment_needed(Mean(r**2)), moment_needed(Mean(abs(r)))
    (4.0, 2.0)
    """
    shares = [2 * part.args[1].data for part in aggregates_of(formula) if part.op == "top_share"]
    orders = shares + [
        _growth(part.args[0]) * (2 if part.op == "variance" else 1) * 2
        for part in aggregates_of(formula)
        if part.op in MOMENTS
    ]
    return max(orders, default=0.0)


def _growth(term: Expression) -> float:
    """The power of r with which a term grows, for a truth of 1 and a prediction far above."""
    values = []
    with np.errstate(all="ignore"):
        for size in (_NEAR, _FAR):
            found = evaluate(term, {y: np.float64(1.0), p: np.float64(1.0 + size)})
            values.append(abs(float(found)))
    if not all(0 < value < math.inf for value in values):
        return 0.0
    return max(round(math.log(values[1] / values[0]) / math.log(_FAR / _NEAR), 1), 0.0)
