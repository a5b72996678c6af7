"""A loss as LightGBM's objective and metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from offby.losses import CATALOGUE, Absolute, Pinball
from offby.losses.trainers.boosting import Boosted, Floats, Metric, in_order
from offby.losses.trainers.score import Score
from offby.losses.trainers.softmax import SoftmaxScore


class LightGBM(Boosted):
    """A loss for `lightgbm.train` and for LightGBM's scikit-learn estimators.

    LightGBM starts objectives that are not its own from 0, whatever boost_from_average says. So
    this one adds `start` to all scores it is given, and `predict` adds it in the end. Of the
    absolute error and the quantile loss, LightGBM renews the values of leaves under its own
    objectives alone; these start by themselves.
    """

    careful = True

    @staticmethod
    def softmax_curvature(classes: int) -> float:
        """LightGBM takes K/(K - 1) of the hessian's diagonal, offby 2."""
        return classes / (classes - 1) / 2

    @property
    def params(self) -> dict[str, Any]:
        """What `train` is told beside `feval`, and the estimators beside `eval_metric`."""
        told = {"objective": self._in_python, "metric": "None"} | _its_own(self.score)
        return told | ({"num_class": self.columns} if self.columns > 1 else {})

    @property
    def _moved(self) -> Any:
        """What LightGBM leaves out of its scores."""
        return 0.0 if _its_own(self.score) else self.start

    def _in_python(self, first: Any, second: Any, weight: Any = None) -> tuple[Floats, Floats]:
        y_true, raw, given = in_order(first, second, weight)
        return self.slopes(y_true, raw + self._moved, given)

    @property
    def metric(self) -> Metric:
        """The mean loss: `feval` of `train`, `eval_metric` of the estimators' `fit`."""
        return Metric(self.name, self._metric)

    def _metric(self, first: Any, second: Any, weight: Any) -> tuple[str, float, bool]:
        y_true, raw, given = in_order(first, second, weight)
        higher_is_better = False
        return self.name, self.score.mean(y_true, raw + self._moved, given), higher_is_better

    def scores(self, model: Any, data: Any) -> Floats:
        """The raw scores of a Booster or an estimator."""
        return np.asarray(model.predict(data, raw_score=True) + self._moved, np.float64)


def _its_own(score: Score) -> dict[str, Any]:
    """LightGBM's objective of the same loss, where it does what slopes cannot."""
    if isinstance(score, SoftmaxScore) or type(score.loss) not in CATALOGUE:
        return {}
    match score.loss, score.link.name:
        case Absolute(), "identity":
            return {"objective": "regression_l1"}
        case Pinball(tau=tau), "identity":
            return {"objective": "quantile", "alpha": tau}
    return {}
