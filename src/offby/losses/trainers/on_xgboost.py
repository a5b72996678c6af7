"""A loss as XGBoost's objective and metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.losses import (
    CATALOGUE,
    Absolute,
    BinaryLoss,
    Gamma,
    Logistic,
    LogLoss,
    Pinball,
    Poisson,
    Squared,
    Tweedie,
)
from offby.losses.trainers.boosting import POISSON_STEP, Boosted, Floats, Metric, in_order
from offby.losses.trainers.links import LINKS
from offby.losses.trainers.score import Score
from offby.losses.trainers.softmax import SoftmaxScore

Objective = Callable[..., tuple[NDArray[Any], NDArray[Any]]]
_TRANSFORMS = {"identity": "reg:squarederror", "log": "reg:gamma", "logit": "binary:logistic"}
"""The built-in objectives that make predictions of raw scores as the links do."""
_QUIET: dict[str, Any] = {"disable_default_eval_metric": 1}
"""XGBoost's own metrics are those of other losses, and of raw scores no metrics at all."""


class XGBoost(Boosted):
    """A loss for `xgboost.train` and for XGBoost's scikit-learn estimators."""

    careful = True

    @property
    def params(self) -> dict[str, Any]:
        """What `xgboost.train` is told beside `obj` and `custom_metric`.

        The objective named there is XGBoost's own of the same loss. Where there is none, it is one
        with the same way from raw scores to predictions, so that a saved model predicts on the
        scale of the targets without offby; what it trains is then `objective`.
        """
        told, score = dict(_QUIET), self.score
        if isinstance(score, SoftmaxScore):
            return told | {"objective": "multi:softprob", "num_class": self.columns,
                           "base_score": list(self.start)}  # fmt: skip
        if score.shown.name not in _TRANSFORMS:
            return told | {"objective": _TRANSFORMS["identity"], "base_score": self.start}
        told |= {"objective": _TRANSFORMS[score.shown.name]} | _its_own(score)
        return told | {"base_score": float(self.response(self.start))}

    @property
    def objective(self) -> Objective | None:
        """`obj` of `train`: None where `params` names XGBoost's own objective of the same loss.

        XGBoost hands all scores to an objective in Python and copies its slopes back, and of the
        absolute error and the quantile loss it renews the values of leaves under its own alone.
        """
        return None if _its_own(self.score) else self._in_python

    @property
    def estimator_params(self) -> dict[str, Any]:
        """What `XGBRegressor` and, of losses of classes, `XGBClassifier` are told.

        Where the objective is Python's, the first take `base_score` for a raw score whatever the
        link, and the other, of two classes, for a chance.
        """
        if self.objective is None:
            return self.params
        score, start = self.score, np.asarray(self.start)
        several = isinstance(score, SoftmaxScore)
        if self.columns == 2 or isinstance(score.loss, BinaryLoss):
            start = LINKS["logit"].at(start)
        told = {"objective": self.objective, "base_score": start.tolist()} | _QUIET
        return told | ({"num_class": self.columns} if several else {})

    def _in_python(
        self, first: Any, second: Any, sample_weight: Any = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.slopes(*in_order(first, second, sample_weight))

    @property
    def metric(self) -> Metric:
        """The mean loss: `custom_metric` of `train`, `eval_metric` of the estimators."""
        return Metric(self.name, self._metric)

    def _metric(self, first: Any, second: Any, sample_weight: Any) -> Any:
        y_true, given, weight = in_order(first, second, sample_weight)
        raw = _scores(self.score, given) if self.objective is None else given
        value = self.score.mean(y_true, raw, weight)
        return (self.name, value) if hasattr(second, "get_label") else value

    def scores(self, model: Any, data: Any) -> Floats:
        """The raw scores of a Booster or an estimator."""
        import xgboost

        if isinstance(model, xgboost.Booster) and not isinstance(data, xgboost.DMatrix):
            data = xgboost.DMatrix(data, enable_categorical=True)
        return np.asarray(model.predict(data, output_margin=True), np.float64)


def _scores(score: Score, predictions: Any) -> Any:
    """The raw scores of predictions: these are what XGBoost shows metrics under its own objectives.

    They come rounded to float32, so one of 0, of 1 or of infinity lies beside that, and counts as
    what rounds to it just yet: no raw score is infinite.
    """
    link = LINKS["log"] if isinstance(score, SoftmaxScore) else score.shown
    if link.name == "identity":
        return predictions
    most = 1 - 2.0**-25 if link.name == "logit" else 2.0**128
    inside = np.clip(np.asarray(predictions, np.float64), 2.0**-150, most)
    return link.back(inside)


def _its_own(score: Score) -> dict[str, Any]:
    """XGBoost's objective of the same loss, if it has one."""
    if isinstance(score, SoftmaxScore):
        return {} if score.loss.smoothing else {"objective": "multi:softprob"}
    if type(score.loss) not in CATALOGUE:  # one's own, made of one of these
        return {}
    match score.loss, score.link.name:
        case Squared(), "identity":
            return {"objective": "reg:squarederror"}
        case Absolute(), "identity":
            return {"objective": "reg:absoluteerror"}
        case Pinball(tau=tau), "identity":
            return {"objective": "reg:quantileerror", "quantile_alpha": tau}
        case (Logistic(), _) | (LogLoss(), "logit"):
            return {"objective": "binary:logistic"}
        case Poisson(), "log":
            return {"objective": "count:poisson", "max_delta_step": POISSON_STEP}
        case Gamma(), "log":
            return {"objective": "reg:gamma"}
        case Tweedie(power=power), "log" if 1 < power < 2:
            return {"objective": "reg:tweedie", "tweedie_variance_power": power}
    return {}
