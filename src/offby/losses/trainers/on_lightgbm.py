"""A loss as LightGBM's objective and metric."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from offby.losses.trainers.boosting import Boosted, Floats, Metric, in_order


class LightGBM(Boosted):
    """A loss for `lightgbm.train` and for LightGBM's scikit-learn estimators.

    LightGBM starts objectives that are not its own from 0, whatever boost_from_average says. So
    this one adds `start` to all scores it is given, and `predict` adds it in the end.
    """

    careful = True

    @staticmethod
    def softmax_curvature(classes: int) -> float:
        """LightGBM takes K/(K - 1) of the hessian's diagonal, offby 2."""
        return classes / (classes - 1) / 2

    @property
    def params(self) -> dict[str, Any]:
        """What `lightgbm.train` is told beside `feval`."""
        told = {"objective": self.objective, "metric": "None"}
        return told | ({"num_class": self.columns} if self.columns > 1 else {})

    def objective(self, first: Any, second: Any, weight: Any = None) -> tuple[Floats, Floats]:
        """The gradient and the curvature: a parameter of `train` and of the estimators."""
        y_true, raw, given = in_order(first, second, weight)
        return self.slopes(y_true, raw + self.start, given)

    @property
    def metric(self) -> Metric:
        """The mean loss: `feval` of `train`, `eval_metric` of the estimators' `fit`."""
        return Metric(self.name, self._metric)

    def _metric(self, first: Any, second: Any, weight: Any) -> tuple[str, float, bool]:
        y_true, raw, given = in_order(first, second, weight)
        higher_is_better = False
        return self.name, self.score.mean(y_true, raw + self.start, given), higher_is_better

    def predict(self, model: Any, data: ArrayLike) -> Floats:
        """The predictions of a Booster or an estimator, on the scale of the targets."""
        return self.response(np.asarray(model.predict(data, raw_score=True)) + self.start)
