"""The doors from a loss to the trainers people use; behind each is a file of `trainers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from offby.losses.trainers.on_catboost import CatBoost
    from offby.losses.trainers.on_jax import JaxLoss
    from offby.losses.trainers.on_keras import KerasLoss
    from offby.losses.trainers.on_lightgbm import LightGBM
    from offby.losses.trainers.on_torch import LossModule, Reduction
    from offby.losses.trainers.on_xgboost import XGBoost


class Trainable:
    """A loss that trainers can minimise.

    What a trainer's model puts out is any number, so losses of positive amounts take its exp and
    losses of probabilities its sigmoid; `link` says otherwise: identity, log, log1p or logit.
    Boosters need the targets beforehand: they start from the constant that is best for them.
    """

    def xgboost(
        self, y_true: ArrayLike, sample_weight: ArrayLike | None = None, *, link: str | None = None
    ) -> XGBoost:
        """The loss for XGBoost, trained on these targets (n,) of these weights.

        The estimators take `XGBRegressor(**ours.estimator_params)`. Where XGBoost has the loss,
        `params` name its own objective, and `objective` is None. Raises `DataError` naming the row
        of a target that the loss is not defined for, and `FormulaError` for a loss or a link that
        cannot be trained.

        >>> import numpy as np, xgboost as xgb
        >>> from offby import losses
        >>> X, y = np.arange(20.0)[:, None], np.arange(20.0) ** 2
        >>> ours = losses.Huber(10.0).xgboost(y)
        >>> booster = xgb.train(ours.params, xgb.DMatrix(X, y), obj=ours.objective)
        >>> bool(losses.Huber(10.0).mean(y, ours.predict(booster, X)) < 200)
        True
        """
        from offby.losses.trainers.on_xgboost import XGBoost

        return XGBoost.of(self, y_true, sample_weight, link)

    def lightgbm(
        self, y_true: ArrayLike, sample_weight: ArrayLike | None = None, *, link: str | None = None
    ) -> LightGBM:
        """The loss for LightGBM, trained on these targets (n,) of these weights.

        The estimators take `LGBMRegressor(**ours.params)`. Raises as `xgboost` does.

        >>> import numpy as np, lightgbm as lgb
        >>> from offby import losses
        >>> X, y = np.arange(100.0)[:, None], np.arange(100.0) ** 2
        >>> ours = losses.Pinball(0.9).lightgbm(y)
        >>> booster = lgb.train({**ours.params, "verbose": -1}, lgb.Dataset(X, y))
        >>> bool(np.mean(y <= ours.predict(booster, X)) > 0.8)
        True
        """
        from offby.losses.trainers.on_lightgbm import LightGBM

        return LightGBM.of(self, y_true, sample_weight, link)

    def catboost(
        self, y_true: ArrayLike, sample_weight: ArrayLike | None = None, *, link: str | None = None
    ) -> CatBoost:
        """The loss for CatBoost's estimators, trained on these targets (n,) of these weights.

        Raises as `xgboost` does.

        >>> import numpy as np
        >>> from offby import losses
        >>> ours = losses.Poisson().catboost([0.0, 1.0, 5.0])  # CatBoostRegressor(**ours.params)
        >>> sorted(ours.params), round(float(np.exp(ours.start)), 12)
        (['eval_metric', 'loss_function'], 2.0)
        """
        from offby.losses.trainers.on_catboost import CatBoost

        return CatBoost.of(self, y_true, sample_weight, link)

    def torch(self, *, reduction: Reduction = "mean", link: str | None = None) -> LossModule:
        """The loss as a `torch.nn.Module`, called as torch's own are: (input, target).

        A third argument is the weight of each row; a mean is then sum(w l) / sum(w). `reduction`
        is mean, sum or none. Raises `FormulaError` for another, and as `xgboost` does.

        >>> import torch
        >>> from offby import losses
        >>> losses.Huber(1.345).torch()
        LossModule(huber:1.345, reduction='mean')
        >>> losses.LogLoss().torch()(torch.zeros(2), torch.tensor([0.0, 1.0]))
        tensor(0.6931)
        """
        from offby.losses.trainers.on_torch import LossModule

        return LossModule.of(self, reduction, link)

    def jax(self, *, link: str | None = None) -> JaxLoss:
        """The mean loss as a function of (predictions, targets), in optax's order, for `jax.grad`.

        A third argument is the weight of each row. Raises `FormulaError` as `xgboost` does.

        >>> import jax
        >>> from offby import losses
        >>> jax.grad(losses.Squared().jax())(jax.numpy.ones(2), jax.numpy.zeros(2))
        Array([1., 1.], dtype=float32)
        """
        from offby.losses.trainers.on_jax import JaxLoss

        return JaxLoss.of(self, link)

    def keras(self, *, link: str | None = None) -> KerasLoss:
        """The loss as a Keras loss, for `model.compile(loss=...)`; Keras must run on torch or JAX.

        Raises `FormulaError` as `xgboost` does.

        >>> from offby import losses
        >>> losses.Pinball(0.9).keras().__name__
        'pinball'
        """
        from offby.losses.trainers.on_keras import KerasLoss

        return KerasLoss.of(self, link)

    def sklearn_scorer(self, *, positive: Any = None) -> Any:
        """Minus the mean loss, as a scikit-learn scorer: for them, greater is better.

        Losses of probabilities are asked of `predict_proba`, those of logits and margins of
        `decision_function`, all others of `predict`. `positive` is the label of a yes, where
        labels are not 0 and 1; `DataError` asks for it.

        >>> import numpy as np
        >>> from sklearn.dummy import DummyRegressor
        >>> from offby import losses
        >>> model = DummyRegressor(strategy="median").fit(np.zeros((3, 1)), [0.0, 1.0, 5.0])
        >>> losses.Absolute().sklearn_scorer()(model, np.zeros((2, 1)), [0.0, 4.0])
        -2.0
        """
        from offby.losses.trainers.on_sklearn import scorer

        return scorer(self, positive)
