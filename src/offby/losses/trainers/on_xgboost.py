"""A loss as XGBoost's objective and metric."""

from __future__ import annotations

from typing import Any

from offby.losses import Poisson
from offby.losses.trainers.boosting import POISSON_STEP, Boosted, Floats, Metric, in_order
from offby.losses.trainers.softmax import SoftmaxScore

_TRANSFORMS = {"identity": "reg:squarederror", "log": "reg:gamma", "logit": "binary:logistic"}
"""The built-in objectives that make predictions of raw scores as the links do."""


class XGBoost(Boosted):
    """A loss for `xgboost.train` and for XGBoost's scikit-learn estimators."""

    careful = True

    @property
    def params(self) -> dict[str, Any]:
        """What `xgboost.train` is told beside `obj` and `custom_metric`.

        The objective named there is used for nothing but its way from raw scores to predictions,
        so that a saved model predicts on the scale of the targets without offby.
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
        base = float(self.response(self.start))
        return told | {"objective": _TRANSFORMS[score.shown.name], "base_score": base}

    def objective(
        self, first: Any, second: Any, sample_weight: Any = None
    ) -> tuple[Floats, Floats]:
        """The gradient and the curvature: `obj` of `train`, `objective` of the estimators."""
        return self.slopes(*in_order(first, second, sample_weight))

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
