"""A loss as a scikit-learn scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from offby.errors import DataError
from offby.losses import BinaryLoss, CategoricalLoss, Loss
from offby.losses.trainable import Trainable


def scorer(loss: Trainable, positive: Any) -> Any:
    """Minus the mean loss, for estimators that give what the loss is about."""
    from sklearn.metrics import make_scorer

    named = {} if positive is None else {"pos_label": positive}
    return make_scorer(
        MeanLoss(loss), greater_is_better=False, response_method=response_method(loss), **named
    )


@dataclass(frozen=True)
class MeanLoss:
    """The mean loss as a function in scikit-learn's manner, of which a scorer is made."""

    loss: Any

    @property
    def __name__(self) -> str:
        """What scikit-learn shows."""
        return str(self.loss) if isinstance(self.loss, Loss) else str(self.loss.name)

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, pos_label: Any = None
    ) -> float:
        """sum(w l) / sum(w), where `pos_label` is the label of a yes."""
        truth, given = np.asarray(y_true), np.asarray(y_pred)
        if isinstance(self.loss, BinaryLoss):
            truth = _yes(truth, pos_label)
        elif isinstance(self.loss, CategoricalLoss) and given.ndim == 1:
            given = np.column_stack([_of_the_other(given, self.loss.scale), given])
        return float(self.loss.mean(truth, given, sample_weight))


def response_method(loss: Trainable) -> str:
    """What an estimator is asked for, so that the loss speaks of it.

    >>> from offby.losses import LogLoss, Logistic, Poisson
    >>> response_method(LogLoss()), response_method(Logistic()), response_method(Poisson())
    ('predict_proba', 'decision_function', 'predict')
    """
    if not isinstance(loss, BinaryLoss | CategoricalLoss):
        return "predict"
    return "predict_proba" if loss.scale == "identity" else "decision_function"


def _of_the_other(given: Any, scale: str) -> Any:
    """The column of the first of two classes, which scikit-learn leaves out."""
    return 1 - given if scale == "identity" else np.zeros_like(given)


def _yes(labels: Any, pos_label: Any) -> Any:
    if pos_label is not None:
        return labels == pos_label
    strange = labels[~np.isin(labels, (0, 1))]
    if strange.size:
        raise DataError(
            f"y_true holds {strange[0].item()!r}, not only 0 and 1; say which label is a yes: "
            "sklearn_scorer(positive=...)"
        )
    return labels
