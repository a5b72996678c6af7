"""A loss as XGBoost's objective and metric."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.losses import Absolute, Pinball, Poisson, Tweedie
from offby.losses.trainers.boosting import POISSON_STEP, Boosted, Floats, Metric, in_order
from offby.losses.trainers.single import RawScore
from offby.losses.trainers.softmax import SoftmaxScore

_TRANSFORMS = {"identity": "reg:squarederror", "log": "reg:gamma", "logit": "binary:logistic"}
"""The built-in objectives that make predictions of raw scores as the links do."""


class XGBoost(Boosted):
    """A loss for `xgboost.train` and for XGBoost's scikit-learn estimators."""

    careful = True

    @property
    def params(self) -> dict[str, Any]:
        """What `xgboost.train` is told beside `obj` and `custom_metric`.

        Beside `obj`, the objective named there is used for its way from raw scores to predictions,
        so that a saved model predicts on the scale of the targets without offby; and of the
        absolute error and the quantile loss, for renewing the values of leaves.
        """
        told: dict[str, Any] = {"disable_default_eval_metric": 1}
        score = self.score
        if isinstance(score, SoftmaxScore):
            return told | {"objective": "multi:softprob", "num_class": self.columns,
                           "base_score": list(self.start)}  # fmt: skip
        if isinstance(score.loss, Poisson):
            told["max_delta_step"] = POISSON_STEP
        if score.shown.name not in _TRANSFORMS:
            return told | {"objective": _TRANSFORMS["identity"], "base_score": self.start}
        told["objective"] = _TRANSFORMS[score.shown.name]
        if score.link.name == "log":
            told |= _of_logs(score.loss)
        told |= _of_leaves(score)
        return told | {"base_score": float(self.response(self.start))}

    def objective(
        self, first: Any, second: Any, sample_weight: Any = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The gradient and the curvature: `obj` of `train`, `objective` of the estimators.

        Where leaves are renewed, curvatures only choose splits; those that are all alike choose
        best. The estimators' own interface leaves no way to ask for that.
        """
        y_true, raw, weight = in_order(first, second, sample_weight)
        score, own_interface = self.score, hasattr(second, "get_label")
        if isinstance(score, RawScore) and own_interface and _of_leaves(score):
            slope = score.gradient(y_true, raw, weight, self.kept)
            return slope, np.ones_like(slope) if weight is None else weight
        return self.slopes(y_true, raw, weight)

    @property
    def metric(self) -> Metric:
        """The mean loss: `custom_metric` of `train`, `eval_metric` of the estimators."""
        return Metric(self.name, self._metric)

    def _metric(self, first: Any, second: Any, sample_weight: Any) -> Any:
        value = self.score.mean(*in_order(first, second, sample_weight))
        return (self.name, value) if hasattr(second, "get_label") else value

    def predict(self, model: Any, data: Any) -> Floats:
        """The predictions of a Booster or an estimator, on the scale of the targets."""
        import xgboost

        if isinstance(model, xgboost.Booster) and not isinstance(data, xgboost.DMatrix):
            data = xgboost.DMatrix(data)
        return self.response(model.predict(data, output_margin=True))


def _of_logs(loss: object) -> dict[str, Any]:
    """XGBoost's own objective of the same loss, where it has one: it trains alike without `obj`."""
    match loss:
        case Poisson():
            return {"objective": "count:poisson"}
        case Tweedie(power=power) if 1 < power < 2:
            return {"objective": "reg:tweedie", "tweedie_variance_power": power}
    return {}


def _of_leaves(score: RawScore) -> dict[str, Any]:
    """XGBoost's own objective where, named beside `obj`, it also renews the values of leaves.

    Once a tree has grown, it puts the quantile of each leaf's errors there.
    """
    match score.loss:
        case Absolute() if score.link.name == "identity":
            return {"objective": "reg:absoluteerror"}
        case Pinball(tau=tau) if score.link.name == "identity":
            return {"objective": "reg:quantileerror", "quantile_alpha": tau}
    return {}
