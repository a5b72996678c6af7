"""A loss as one of raw scores: what a trainer's model puts out, any number or K of them."""

from __future__ import annotations

from offby.errors import FormulaError
from offby.losses import CategoricalLoss, Loss
from offby.losses.trainable import Trainable
from offby.losses.trainers.links import link_of
from offby.losses.trainers.single import RawScore
from offby.losses.trainers.softmax import SoftmaxScore, softmax_score

Score = RawScore | SoftmaxScore


def score_of(loss: Trainable, link: str | None = None) -> Score:
    """The loss as one of raw scores, by the link of that name or the usual one.

    >>> from offby.losses import Poisson
    >>> score_of(Poisson()).response(0.0).item()
    1.0
    """
    if isinstance(loss, CategoricalLoss) and link in (None, "softmax"):
        return softmax_score(loss)
    if isinstance(loss, Loss):
        return RawScore(loss, link_of(loss, link))
    raise FormulaError(f"{loss!r} takes K logits; its link is softmax, and {link!r} was given")
