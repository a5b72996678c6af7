"""A loss as a Keras loss, where Keras runs on torch or JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from offby.errors import DataError
from offby.losses import tensors
from offby.losses.trainable import Trainable
from offby.losses.trainers.score import Score, score_of


@dataclass(frozen=True)
class KerasLoss:
    """The loss of each row of what a network puts out; weights and the mean are Keras's."""

    score: Score

    @classmethod
    def of(cls, loss: Trainable, link: str | None) -> Self:
        """The loss as a function of raw scores."""
        return cls(score_of(loss, link))

    @property
    def __name__(self) -> str:
        """What Keras shows."""
        return self.score.loss.name

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each row, in Keras's order."""
        if tensors.library_of(y_true, y_pred) is None:
            raise DataError(
                f"Keras gives {type(y_pred).__name__}, and offby's losses run on torch and JAX: "
                "set KERAS_BACKEND to one of them before Keras is imported"
            )
        return self.score.value(y_true, y_pred)

    def response(self, raw: Any) -> Any:
        """What the network's outputs stand for, on the scale of the targets."""
        return self.score.response(raw)
