"""A loss as a function for JAX's optimisers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from offby.losses import tensors
from offby.losses.trainable import Trainable
from offby.losses.trainers.score import Score, score_of


@dataclass(frozen=True)
class JaxLoss:
    """The mean loss of what a model puts out, in optax's order: predictions, then targets."""

    score: Score

    @classmethod
    def of(cls, loss: Trainable, link: str | None) -> Self:
        """The loss as a function of raw scores."""
        return cls(score_of(loss, link))

    def __call__(self, predictions: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The mean, weighted by sum(w l) / sum(w); jax.grad, jit and vmap go through it."""
        return tensors.mean(self.score.value(targets, predictions), sample_weight)

    def response(self, raw: Any) -> Any:
        """What the model's outputs stand for, on the scale of the targets."""
        return self.score.response(raw)
