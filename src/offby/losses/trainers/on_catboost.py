"""A loss as CatBoost's objective and metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

    def predict(self, model: Any, data: ArrayLike) -> Floats:
        """The predictions of an estimator, on the scale of the targets."""
        raw = np.asarray(model.predict(data, prediction_type="RawFormulaVal"))
        return self.response(raw + self.start)


@dataclass(frozen=True)
class CatBoostObjective:
    """An objective as CatBoost calls it: its derivatives are those of what it maximises."""

    made: CatBoost
    no_jit = no_jit

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> NDArray[Any]:
        """Both derivatives of each row: (n, 2)."""
        slopes = self.made.slopes(targets, approxes + self.made.start, weights)
        return -np.column_stack(slopes)


@dataclass(frozen=True)
class CatBoostClasses:
    """An objective of several classes as CatBoost calls it, for one row at a time."""

    made: CatBoost
    no_jit = no_jit

    def calc_ders_multi(
        self, approxes: Any, target: float, weight: float
    ) -> tuple[Floats, NDArray[Any]]:
        """The derivatives towards each logit, and the matrix of second ones."""
        raw = np.add(approxes, self.made.start)
        slope = self.made.score.slopes([target], raw[None], [weight])[0][0]
        chances = self.made.response(raw)
        return -slope, weight * (np.outer(chances, chances) - np.diag(chances))


@dataclass(frozen=True)
class MeanLoss:
    """The mean loss as CatBoost's metric, under this name."""

    made: CatBoost
    no_jit = no_jit

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
