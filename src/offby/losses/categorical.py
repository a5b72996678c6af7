"""Losses of K columns, one for each class: which class came true, and what each was given.

A loss that adds up over the columns is one formula in p, what a column was given, and y, its
target: 1 for the class that came true and 0 for the others, or a cost. All else is derived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from offby.errors import DataError, FormulaError
from offby.formula.expression import parameter
from offby.formula.words import p, r, ratio, where, xlogy, y
from offby.losses import tensors
from offby.losses.columns import Columnwise, Smoothed
from offby.losses.loss import LEAST_CURVATURE


@dataclass(frozen=True)
class CategoricalCrossEntropy(Smoothed, Columnwise):
    """Minus the log of the probability given to the class that came true; 0 given costs inf.

    >>> CategoricalCrossEntropy().value([0, 2], [[0.5, 0.25, 0.25], [0.5, 0.5, 0.0]])
    array([0.69314718,        inf])
    >>> CategoricalCrossEntropy(classes=["cat", "dog"]).mean(["dog"], [[0.75, 0.25]])
    1.3862943611198906
    """

    name = "categorical_cross_entropy"
    formula = -xlogy(y, p)


@dataclass(frozen=True)
class CategoricalBrier(Columnwise):
    """The squared error of the probabilities, summed over the columns (Brier 1950): 0 to 2.

    >>> CategoricalBrier().value([0, 0], [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    array([0.5, 2. ])
    """

    name = "categorical_brier"
    formula = r**2


@dataclass(frozen=True)
class CategoricalFocal(Columnwise):
    """Cross-entropy less for what is almost right, by (1 - p)^gamma (Lin et al. 2017).

    >>> CategoricalFocal(gamma=2).value([0, 1], [[0.5, 0.5], [0.1, 0.9]])
    array([0.1732868 , 0.00105361])
    """

    name = "categorical_focal"
    gamma: float = 2.0
    # by `where`, since for gamma < 1 the slope is infinite at the end, and the log there is 0
    doubt = where(p < 1, (1 - p) ** parameter("gamma"), 0)
    formula = -(doubt * xlogy(y, p))
    surrogate = doubt * ratio(ratio(y, p), p)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.gamma < np.inf:
            raise FormulaError(f"{self.name}: gamma is {self.gamma!r}; it must be above 0")


@dataclass(frozen=True)
class CostMatrix(Columnwise):
    """The expected cost of acting by lot, on each class with the probability given to it.

    `costs` is K x K: its row is the class that came true, its column the class acted upon.

    >>> CostMatrix([[0, 1], [5, 0]]).value([0, 1], [[0.75, 0.25], [0.75, 0.25]])
    array([0.25, 3.75])
    """

    name = "cost_matrix"
    costs: Sequence[Sequence[float]] = ((0.0, 1.0), (1.0, 0.0))
    formula = y * p  # y is what acting upon this column's class costs

    def __post_init__(self) -> None:
        super().__post_init__()
        table = np.asarray(self.costs, dtype=np.float64)
        if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.isfinite(table).all():
            raise FormulaError(
                f"{self.name}: costs has shape {table.shape}; expected K rows of K finite numbers"
            )
        object.__setattr__(self, "costs", tuple(map(tuple, table.tolist())))

    def _targets(self, xp: Any, labels: Any, given: Any) -> Any:
        """What acting upon each column's class costs, given what came true."""
        if given.shape[-1] != len(self.costs):
            raise DataError(
                f"costs is {len(self.costs)} x {len(self.costs)}, and y_pred has "
                f"{given.shape[-1]} columns; expected a row and a column of costs for each class"
            )
        return tensors.one_hot(xp, labels, given) @ tensors.beside(xp, self.costs, given)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Smoothed):
    """Cross-entropy of logits: log(sum(exp(z))) less the z of what came true, exact in the tails.

    >>> SoftmaxCrossEntropy().value([0, 1], [[0.0, -37.0], [1e20, 0.0]])
    array([8.53304763e-17, 1.00000000e+20])
    """

    name = "softmax_cross_entropy"
    scale = "logit"

    def value(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each row: (n,)."""
        xp, targets, logits = self._read(y_true, y_pred)
        with np.errstate(all="ignore"):
            _, top, others = _from_the_top(xp, logits)
            costs = top - logits + xp.log1p(others.sum(-1))[..., None]
            return xp.where(targets == 0, 0.0, targets * costs).sum(-1)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        """The derivative towards each logit, its chance less its target: (n, K)."""
        xp, targets, logits = self._read(y_true, y_pred)
        chances, rest = _softmax(xp, logits)
        return chances * (1 - targets) - targets * rest

    def hessian(self, y_true: Any, y_pred: Any) -> Any:
        """The diagonal of each row's matrix of second derivatives, q (1 - q) of its chances q."""
        xp, _, logits = self._read(y_true, y_pred)
        chances, rest = _softmax(xp, logits)
        return chances * rest

    def curvature(self, y_true: Any, y_pred: Any) -> Any:
        """Twice the diagonal of the hessian, which bounds the whole matrix: no cell is left out."""
        twice = 2 * self.hessian(y_true, y_pred)
        xp = tensors.namespace(tensors.library_of(twice))
        return xp.where(twice > LEAST_CURVATURE.data, twice, LEAST_CURVATURE.data)


def _from_the_top(xp: Any, logits: Any) -> tuple[Any, Any, Any]:
    """Where the largest logit is, that logit, and exp(z - largest) of all others."""
    largest = tensors.one_hot(xp, xp.argmax(logits, -1), logits) == 1
    top = xp.where(largest, logits, 0.0).sum(-1)[..., None]
    return largest, top, xp.where(largest, 0.0, xp.exp(logits - top))


def _softmax(xp: Any, logits: Any) -> tuple[Any, Any]:
    """The chances, and what each leaves of 1, which is never had by subtracting what is near 1."""
    with np.errstate(all="ignore"):
        largest, _, others = _from_the_top(xp, logits)
        rest = others.sum(-1)[..., None]
        whole = 1 + rest
        chances = xp.where(largest, 1.0, others) / whole
        return chances, xp.where(largest, rest, whole - others) / whole
