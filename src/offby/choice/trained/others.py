"""Boosted trees and scikit-learn's estimators under a loss, fold by fold."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Split
from offby.engine.rows import Floats
from offby.errors import MeasureError
from offby.losses import Loss, Squared

MODELS = ("linear", "xgboost", "lightgbm", "sklearn:module.Class")
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

    def __init__(self, model: str, X: Floats, y: Floats, candidate: Candidate) -> None:
        self.model, self.X, self.y, self.candidate = model, X, y, candidate
        if model.startswith("sklearn:"):
            self._estimator(candidate.family)  # a loss that it has not is refused before any work

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row: (n, folds)."""
        found = [self._fold(split.train(fold)) for fold in range(split.folds)]
        return np.stack(found, axis=1)

    def _fold(self, train: np.ndarray) -> Floats:
        loss, rows = self.candidate.family, np.flatnonzero(train)
        if self.candidate.tune is not None:
            inner = np.arange(rows.size) % _INNER == 0
            rough = self._predictions(Squared(), rows[~inner], rows[inner])
            loss = self.candidate.tuned(self.y[rows[inner]], self.y[rows[inner]] - rough)
        return self._predictions(loss, rows, np.arange(self.y.size))

    def _predictions(self, loss: Loss, train: np.ndarray, wanted: np.ndarray) -> Floats:
        X, y = self.X[train], self.y[train]
        if self.model == "xgboost":
            return self._xgboost(loss, X, y, self.X[wanted])
        if self.model == "lightgbm":
            return self._lightgbm(loss, X, y, self.X[wanted])
        estimator = self._estimator(loss).fit(X, y)
        told = getattr(estimator, "decision_function", estimator.predict)(self.X[wanted])
        return np.asarray(told, np.float64)

    def _xgboost(self, loss: Loss, X: Floats, y: Floats, wanted: Floats) -> Floats:
        import xgboost

        ours = loss.xgboost(y)
        booster = xgboost.train(ours.params, xgboost.DMatrix(X, y), _ROUNDS, obj=ours.objective)
        return np.asarray(ours.predict(booster, wanted), np.float64)

    def _lightgbm(self, loss: Loss, X: Floats, y: Floats, wanted: Floats) -> Floats:
        import lightgbm

        ours = loss.lightgbm(y)
        data: Any = lightgbm.Dataset(X, y)
        booster = lightgbm.train({**ours.params, "verbose": -1}, data, _ROUNDS)
        return np.asarray(ours.predict(booster, wanted), np.float64)

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
            f"model {model!r} cannot be loaded ({error}); write linear, xgboost, lightgbm, or "
            "such as sklearn:sklearn.ensemble.HistGradientBoostingRegressor"
        ) from error
