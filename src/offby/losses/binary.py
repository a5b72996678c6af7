"""What losses of a yes or no share: the labels they take, and the best constant for a chance."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from offby.errors import DataError
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression
from offby.formula.words import where, y
from offby.losses.constant import counted
from offby.losses.loss import Loss

LABELS = (y >= 0) & (y <= 1)
_ENDS = {"identity": (1e-300, 1 - 2.0**-53), "logit": (-1000.0, 1000.0)}


class BinaryLoss(Loss):
    """How wrong one prediction of a yes (y = 1) or a no (y = 0) is; between them, a share of yes.

    Rows outside the domain have the value NaN: a label of -1 is not silently taken for a no.
    """

    domain = LABELS
    link: ClassVar[Any] = None
    """The best prediction where the chance of a yes is y; None where only a search finds it."""

    def as_run(self, formula: Any) -> Expression:
        """A formula of this loss where it is defined, NaN elsewhere."""
        return where(self.bound(self.domain), self.bound(formula), math.nan)

    def best_constant(self, y_true: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The constant prediction that minimises the mean loss over a sample."""
        chance = _share_of_yes(y_true, sample_weight)
        best = _balance(self, chance) if self.link is None else self._linked(chance)
        if math.isfinite(best):
            return best
        raise DataError(
            f"all labels are {chance:g}, so the mean of {self} falls for ever towards {best:g}; a "
            "best constant needs rows of both classes"
        )

    def _linked(self, chance: float) -> float:
        with np.errstate(divide="ignore"):
            return float(evaluate(self.bound(self.link), {y: np.float64(chance)}))


def _share_of_yes(y_true: Any, sample_weight: Any) -> float:
    labels, weights = counted(y_true, sample_weight)
    bad = labels[~((labels >= 0) & (labels <= 1))]
    if bad.size:
        raise DataError(f"y_true holds {bad[0]:g}; labels are 0 and 1, or shares between them")
    return float(np.average(labels, weights=weights))


def _balance(loss: BinaryLoss, chance: float) -> float:
    """Where the mean slope is zero: what pulls up and what pulls down are in balance."""
    from scipy.optimize import brentq

    low, high = _ENDS[loss.scale]
    if chance in (0.0, 1.0):
        return chance if loss.scale == "identity" else math.copysign(math.inf, chance - 0.5)
    found = brentq(lambda at: loss.gradient(chance, at), low, high, xtol=1e-300, maxiter=2000)
    return float(found)
