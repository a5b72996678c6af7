"""A loss as CatBoost's objective and metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.errors import DataError
from offby.losses.trainable import Trainable
from offby.losses.trainers import kinks
from offby.losses.trainers.boosting import Boosted, Floats
from offby.losses.trainers.single import RawScore

no_jit = True
"""CatBoost compiles the methods of its objects with Numba, unless they have this attribute."""
STEPS = 5
"""How many steps a leaf's value takes under losses of straight lines, so as to come to a quantile
of its rows; CatBoost's own objectives find that by sorting."""


class CatBoost(Boosted):
    """A loss for CatBoost's estimators.

    CatBoost starts objectives that are not its own from 0. So this one adds `start` to all scores
    it is given, and `predict` adds it in the end.
    """

    whole, kept = False, np.float64

    @classmethod
    def of(cls, loss: Trainable, y_true: ArrayLike, sample_weight: Any, link: str | None) -> Self:
        """The loss as CatBoost wants it; raises `DataError` for softmax losses of two classes."""
        made = super().of(loss, y_true, sample_weight, link)
        if made.columns != 2:
            return made
        raise DataError(
            "y_true holds 2 classes, for which CatBoost keeps one score a row, and the softmax "
            "takes two; train losses.Logistic() or losses.SmoothedLogistic() instead"
        )

    @property
    def params(self) -> dict[str, Any]:
        """The arguments of `CatBoost`, `CatBoostRegressor` and `CatBoostClassifier`."""
        told: dict[str, Any] = {"loss_function": self.objective, "eval_metric": self.metric}
        if isinstance(self.score, RawScore) and kinks.straight(self.score.loss):
            told |= {"leaf_estimation_method": "Newton", "leaf_estimation_iterations": STEPS}
        return told | ({"classes_count": self.columns} if self.columns > 1 else {})

    @property
    def objective(self) -> CatBoostObjective | CatBoostClasses:
        """The `loss_function`."""
        return CatBoostClasses(self) if self.columns > 1 else CatBoostObjective(self)

    @property
    def metric(self) -> MeanLoss:
        """The `eval_metric`."""
        return MeanLoss(self)

    def scores(self, model: Any, data: Any) -> Floats:
        """The raw scores of an estimator."""
        raw = model.predict(data, prediction_type="RawFormulaVal")
        return np.asarray(raw + self.start, np.float64)


@dataclass(frozen=True)
class Given:
    """What CatBoost is given and copies, while scikit-learn's `clone` asks for the same back."""

    made: CatBoost
    no_jit = no_jit

    def __deepcopy__(self, memo: Any) -> Self:
        """Itself, as it never changes."""
        return self


class CatBoostObjective(Given):
    """An objective as CatBoost calls it: its derivatives are those of what it maximises."""

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> NDArray[Any]:
        """Both derivatives of each row: (n, 2)."""
        slopes = self.made.slopes(targets, approxes + self.made.start, weights)
        return -np.column_stack(slopes)


class CatBoostClasses(Given):
    """An objective of several classes as CatBoost calls it, for one row at a time."""

    def calc_ders_multi(
        self, approxes: Any, target: float, weight: float
    ) -> tuple[Floats, NDArray[Any]]:
        """The derivatives towards each logit, and the matrix of second ones."""
        raw = np.add(approxes, self.made.start)
        slope = self.made.score.slopes([target], raw[None], [weight])[0][0]
        chances = self.made.response(raw)
        return -slope, weight * (np.outer(chances, chances) - np.diag(chances))


class MeanLoss(Given):
    """The mean loss as CatBoost's metric, under this name."""

    def is_max_optimal(self) -> bool:
        """Less is better."""
        return False

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        """The sum of weighted losses, and that of weights."""
        several = self.made.columns > 1
        raw = (np.column_stack(approxes) if several else approxes[0]) + self.made.start
        total = float(len(target) if weight is None else weight.sum(dtype=np.float64))
        return self.made.score.mean(target, raw, weight) * total, total

    def get_final_error(self, error: float, weight: float) -> float:
        """The mean, of sums over all rows."""
        return error / weight
