"""A loss as XGBoost's objective and metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from offby.losses import Absolute, Gamma, Logistic, LogLoss, Pinball, Poisson, Squared, Tweedie
from offby.losses.trainers.boosting import POISSON_STEP, Boosted, Floats, Metric, in_order
from offby.losses.trainers.links import LINKS
from offby.losses.trainers.single import RawScore
from offby.losses.trainers.softmax import SoftmaxScore

Objective = Callable[..., tuple[NDArray[Any], NDArray[Any]]]
_TRANSFORMS = {"identity": "reg:squarederror", "log": "reg:gamma", "logit": "binary:logistic"}
"""The built-in objectives that make predictions of raw scores as the links do."""


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
        told: dict[str, Any] = {"disable_default_eval_metric": 1}
        score = self.score
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
        score = self.score
        if isinstance(score, SoftmaxScore):
            return self._in_python if score.loss.smoothing else None
        return None if _its_own(score) else self._in_python

    @property
    def estimator_params(self) -> dict[str, Any]:
        """What `XGBRegressor` and, of losses of classes, `XGBClassifier` are told.

        Where the objective is Python's, these take `base_score` for a number as it is, or for a
        chance, whatever the link.
        """
        if self.objective is None:
            return {name: value for name, value in self.params.items() if name != "num_class"}
        score, start = self.score, self.start
        if isinstance(score, SoftmaxScore):
            start = list(start)
        elif score.shown.name == "logit" or score.loss.scale == "margin":
            start = float(LINKS["logit"].at(start))
        return {"objective": self.objective, "base_score": start}

    def _in_python(
        self, first: Any, second: Any, sample_weight: Any = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
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


def _its_own(score: RawScore) -> dict[str, Any]:
    """XGBoost's objective of the same loss, if it has one."""
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
