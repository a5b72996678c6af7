"""Boosted trees and scikit-learn's estimators under a loss, fold by fold."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Split
from offby.choice.trained.several import balanced, check_twin
from offby.engine.rows import Floats
from offby.errors import MeasureError
from offby.losses import FocalLogit, Logistic, Loss, SoftmaxCrossEntropy, Squared
from offby.losses.trainers.boosting import Boosted

TREES = ("xgboost", "lightgbm", "catboost")
AnyLoss = Loss | SoftmaxCrossEntropy
_ROUNDS = 100
_INNER = 4  # every fourth training row says of what size errors are
_NAMES = {
    "squared": "squared_error", "absolute": "absolute_error", "pinball": "quantile",
    "poisson": "poisson", "gamma": "gamma", "huber": "huber", "logistic": "log_loss",
    "hinge": "hinge", "squared_hinge": "squared_hinge",
    "epsilon_insensitive": "epsilon_insensitive",
}  # fmt: skip
_NUMBERS = {"pinball": ("quantile", "alpha"), "huber": ("epsilon",)}


class Apart:
    """A model for each fold, each trained by itself."""

    def __init__(
        self, model: str, X: Floats, y: Floats, weight: Floats | None, candidate: Candidate,
        classes: int = 0,
    ) -> None:  # fmt: skip
        self.model, self.X, self.y, self.candidate = model, X, y, candidate
        self.weight, self.classes = weight, classes
        if classes:
            check_twin(candidate)
            if isinstance(candidate.family, FocalLogit):
                raise MeasureError(f"{model} has no focal loss of several classes; linear has")
        if model.startswith("sklearn:"):
            self._estimator(
                Logistic() if classes else candidate.family
            )  # a loss that it has not is refused before any work

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row: (n, folds)."""
        found = [self._fold(split.train(fold)) for fold in range(split.folds)]
        return np.stack(found, axis=1)

    def _fold(self, train: np.ndarray) -> Floats:
        loss, rows = self.candidate.family, np.flatnonzero(train)
        if self.classes:
            return self._logits(rows)
        if self.candidate.tune is not None:
            inner = np.arange(rows.size) % _INNER == 0
            rough = self._predictions(Squared(), rows[~inner], rows[inner])
            y, weight = self.y[rows[inner]], self._weights(rows[inner])
            loss = self.candidate.tuned(y, y - rough, weight)
        return self._predictions(loss, rows, np.arange(self.y.size))

    def _logits(self, train: np.ndarray) -> Floats:
        """Of several classes, the logarithms of their chances but for a constant a row: (n, K)."""
        X, y = self.X[train], self.y[train]
        weight = balanced(y, self._weights(train), self.candidate)
        if self.model in TREES:
            return _BOOSTED[self.model](SoftmaxCrossEntropy(), X, y, weight, self.X)
        told: dict[str, Any] = {} if weight is None else {"sample_weight": weight}
        chances = self._estimator(Logistic()).fit(X, y, **told).predict_proba(self.X)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(chances))

    def _weights(self, rows: np.ndarray) -> Floats | None:
        return None if self.weight is None else self.weight[rows]

    def _predictions(self, loss: Loss, train: np.ndarray, wanted: np.ndarray) -> Floats:
        rows, new = (self.X[train], self.y[train], self._weights(train)), self.X[wanted]
        if self.model in TREES:
            return _BOOSTED[self.model](loss, *rows, new)
        X, y, weight = rows
        told: dict[str, Any] = {} if weight is None else {"sample_weight": weight}
        estimator = self._estimator(loss).fit(X, y, **told)
        return np.asarray(getattr(estimator, "decision_function", estimator.predict)(new), float)

    def _estimator(self, loss: Loss) -> Any:
        """The class with the loss by the name that scikit-learn has for it."""
        kind = estimator_class(self.model)
        known = set(kind().get_params())
        if loss.name not in _NAMES or "loss" not in known:
            raise MeasureError(f"{kind.__name__} cannot be told to train under {loss}")
        chosen: dict[str, Any] = {"loss": _NAMES[loss.name]}
        numbers = [name for name in _NUMBERS.get(loss.name, ()) if name in known]
        if loss.parameters and not numbers:
            raise MeasureError(f"{kind.__name__} takes no {', '.join(loss.parameters)} for {loss}")
        chosen |= dict.fromkeys(numbers[:1], next(iter(loss.parameters.values()), None))
        try:
            kind(**chosen)._validate_params()
        except (ValueError, AttributeError) as error:
            raise MeasureError(f"{kind.__name__} does not train under {loss}") from error
        return kind(**chosen)


def _xgboost(loss: AnyLoss, X: Floats, y: Floats, weight: Floats | None, new: Floats) -> Floats:
    import xgboost

    ours = loss.xgboost(y, weight)
    data = xgboost.DMatrix(X, y, weight=weight)
    booster = xgboost.train(ours.params, data, _ROUNDS, obj=ours.objective)
    return _as_judged(loss, ours, ours.scores(booster, new))


def _lightgbm(loss: AnyLoss, X: Floats, y: Floats, weight: Floats | None, new: Floats) -> Floats:
    import lightgbm

    ours = loss.lightgbm(y, weight)
    data: Any = lightgbm.Dataset(X, y, weight=weight)
    booster = lightgbm.train({**ours.params, "verbose": -1}, data, _ROUNDS)
    return _as_judged(loss, ours, ours.scores(booster, new))


def _catboost(loss: AnyLoss, X: Floats, y: Floats, weight: Floats | None, new: Floats) -> Floats:
    catboost: Any = import_module("catboost")  # it has no types
    ours = loss.catboost(y, weight)
    told: dict[str, Any] = {"iterations": _ROUNDS, "verbose": False, "allow_writing_files": False}
    kind = catboost.CatBoost({**ours.params, **told})
    return _as_judged(loss, ours, ours.scores(kind.fit(X, y, sample_weight=weight), new))


def _as_judged(loss: AnyLoss, ours: Boosted, raw: Floats) -> Floats:
    """Logits as they are, and all else on the scale of the targets."""
    return raw if loss.scale == "logit" else ours.response(raw)


_BOOSTED: dict[str, Callable[..., Floats]] = {
    "xgboost": _xgboost, "lightgbm": _lightgbm, "catboost": _catboost,
}  # fmt: skip


def estimator_class(model: str) -> Any:
    """The class that `sklearn:module.Class` names; raises `MeasureError`.

    >>> estimator_class("sklearn:sklearn.linear_model.SGDRegressor").__name__
    'SGDRegressor'
    """
    module, _, name = model.removeprefix("sklearn:").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise MeasureError(
            f"model {model!r} cannot be loaded ({error}); write linear, {', '.join(TREES)}, or "
            "such as sklearn:sklearn.ensemble.HistGradientBoostingRegressor"
        ) from error
