"""Agreement beyond chance, and the cost of the rows where labels disagree.

Kappa and the Matthews correlation are one idea: the disagreement that is seen, against the
disagreement that the margins would bring by chance. Counting disagreements, not agreements, keeps
every digit where one class is rare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from offby.confusion.estimate import Estimate, on_its_scale, standard_error
from offby.confusion.table import Confusion
from offby.errors import MeasureError
from offby.measures.aggregate import Undefined

Floats = NDArray[np.float64]
KappaWeights = Literal["linear", "quadratic"]
_CORRELATION = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class _Chance:
    """What the margins alone would bring, where true class i and predicted j are `distance` apart.

    Two labels of rows drawn at random: `crossed` a true and a predicted one, `true` two true ones,
    `predicted` two predicted ones; each the mean distance between the two.
    """

    confusion: Confusion
    distance: Floats

    @cached_property
    def margins(self) -> tuple[Floats, Floats]:
        """How far a row drawn at random is from each class: by true, and by predicted label."""
        shares = self.confusion.shares
        return self.distance @ shares.sum(1), self.distance @ shares.sum(0)

    @property
    def seen(self) -> float:
        """The mean distance between a row's two labels."""
        return float((self.distance * self.confusion.shares).sum())

    @property
    def crossed(self) -> float:
        """By chance, between a true and a predicted label."""
        return float(self.confusion.shares.sum(1) @ self.margins[1])

    @property
    def crossed_slope(self) -> Floats:
        """The derivative of `crossed` towards the share of each cell."""
        return np.asarray(self.margins[1][:, None] + self.margins[0])

    @property
    def true(self) -> float:
        """By chance, between two true labels: 0 where all rows are of one class."""
        return float(self.confusion.shares.sum(1) @ self.margins[0])

    @property
    def predicted(self) -> float:
        """By chance, between two predicted labels: 0 where all rows were predicted alike."""
        return float(self.confusion.shares.sum(0) @ self.margins[1])

    def constant(self) -> str | None:
        """Why there is nothing to agree on, if so."""
        for margin, axis, said in ((self.true, 1, "is"), (self.predicted, 0, "was predicted as")):
            if not margin:
                only = self.confusion.named(np.flatnonzero(self.confusion.weights.sum(axis)))
                return f"every row {said} {only}"
        return None


def cohen_kappa(
    confusion: Confusion, weights: KappaWeights | None = None, confidence: float = 0.95
) -> Estimate:
    """Cohen's kappa (1960), or weighted by how many places apart two classes are (1968).

    >>> table = Confusion.of([0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 2])
    >>> [round(cohen_kappa(table, w).value, 4) for w in (None, "linear", "quadratic")]
    [0.75, 0.8235, 0.8889]
    """
    chance = _Chance(confusion, _distance(len(confusion.labels), weights))
    seen, expected = chance.seen, chance.crossed
    constant = chance.constant()
    if not expected:
        raise Undefined(f"{constant}, and so predicted: nothing to agree on")
    if constant:
        return Estimate(0.0, unsure=f"{constant}, so it is 0 whatever the other labels")
    slope = seen / expected**2 * chance.crossed_slope - chance.distance / expected
    return _estimate(confusion, 1 - seen / expected, slope, confidence, _CORRELATION)


def mcc(confusion: Confusion, confidence: float = 0.95) -> Estimate:
    """Matthews' correlation, for any number of classes (Gorodkin 2004: R_K).

    >>> round(mcc(Confusion.of([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1])).value, 12)
    0.333333333333
    """
    chance = _Chance(confusion, _distance(len(confusion.labels), None))
    constant = chance.constant()
    if constant:
        raise Undefined(constant)
    root = math.sqrt(chance.true * chance.predicted)
    value = (chance.crossed - chance.seen) / root
    true, predicted = chance.margins
    slope = (chance.crossed_slope - chance.distance) / root - value * (
        true[:, None] / chance.true + predicted / chance.predicted
    )
    return _estimate(confusion, value, slope, confidence, _CORRELATION)


def expected_cost(confusion: Confusion, costs: Any, confidence: float = 0.95) -> Estimate:
    """The mean cost of a row.

    `costs` are two numbers, of a false positive and of a false negative of the second of two
    classes, or a table: what each true class (row) costs, predicted as each (column).

    >>> expected_cost(Confusion.of([1, 1, 0, 0], [1, 0, 1, 0]), costs=(1, 5)).value
    1.5
    """
    table = _cost_table(costs, len(confusion.labels))
    value = float((table * confusion.shares).sum())
    within = (0.0 if (table >= 0).all() else -math.inf, math.inf)
    return _estimate(confusion, value, table, confidence, within)


def _cost_table(costs: Any, classes: int) -> Floats:
    """Costs by true and predicted class; raises `MeasureError` where they are no such table."""
    table = as_costs(costs)
    if table.shape == (2,) and classes == 2:
        table = np.array([[0.0, table[0]], [table[1], 0.0]])
    if table.shape != (classes, classes):
        raise MeasureError(
            f"costs have shape {table.shape} for {classes} classes; expected a table of shape "
            f"{(classes, classes)}{' or two numbers' if classes == 2 else ''}"
        )
    return table


def as_costs(costs: Any) -> Floats:
    """Costs as finite numbers, whatever their shape; raises `MeasureError`."""
    try:
        found = np.asarray(costs, np.float64)
    except (TypeError, ValueError):
        raise MeasureError(f"costs must be numbers in a row or a table; got {costs!r}") from None
    if not np.isfinite(found).all():
        raise MeasureError("costs must be finite")
    return found


def _distance(classes: int, weights: KappaWeights | None) -> Floats:
    """How far apart two classes are, from 0 to 1."""
    places = np.arange(classes)
    apart = np.abs(places[:, None] - places)
    power = {None: 0, "linear": 1, "quadratic": 2}[weights]
    return np.asarray(np.where(apart > 0, (apart / max(classes - 1, 1)) ** power, 0.0))


def _estimate(
    confusion: Confusion,
    value: float,
    slope: Floats,
    confidence: float,
    within: tuple[float, float],
) -> Estimate:
    """`slope` is the derivative towards the share of each cell; its mean moves nothing."""
    influence = (slope - (slope * confusion.shares).sum()) / confusion.total
    error, n = standard_error(confusion.weights, confusion.squares, influence)
    return replace(on_its_scale(value, error, n, confidence, within), influence=lambda: influence)
