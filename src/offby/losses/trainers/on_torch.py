"""A loss as a torch module."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import torch

from offby.errors import FormulaError
from offby.losses.trainable import Trainable
from offby.losses.trainers.score import Score, score_of

Reduction = Literal["mean", "sum", "none"]


class LossModule(torch.nn.Module):
    """A loss of what a network puts out, in torch's order: what was given, then the target."""

    def __init__(self, score: Score, reduction: Reduction) -> None:
        super().__init__()
        if reduction not in get_args(Reduction):
            raise FormulaError(f"reduction is {reduction!r}; it must be mean, sum or none")
        self.score, self.reduction = score, reduction

    @classmethod
    def of(cls, loss: Trainable, reduction: Reduction, link: str | None) -> Self:
        """The loss as a module of raw scores."""
        return cls(score_of(loss, link), reduction)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Any:
        """The mean loss, weighted by sum(w l) / sum(w); or their sum, or each of them."""
        each = self.score.value(target, input)
        weighted = each if sample_weight is None else each * sample_weight
        if self.reduction == "none":
            return weighted
        if self.reduction == "sum":
            return weighted.sum()
        return weighted.sum() / (each.numel() if sample_weight is None else sample_weight.sum())

    def response(self, raw: Any) -> Any:
        """What the network's outputs stand for, on the scale of the targets."""
        return self.score.response(raw)

    def extra_repr(self) -> str:
        """What stands between the brackets where the module is shown."""
        return f"{self.score.loss}, reduction={self.reduction!r}"
