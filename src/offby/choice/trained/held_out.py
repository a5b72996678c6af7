"""The errors of a candidate on rows that its model has not seen, for what is drawn of them."""

from __future__ import annotations

from dataclasses import dataclass

from offby.choice.study import Study
from offby.choice.trained.folds import Ints
from offby.losses import Loss


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A candidate's predictions of rows held out, each told once, by a model that did not see it.

    `study` has them, at most 8,192 evenly spread: `study.y`, `study.p` and `study.errors` are (n,)
    float64 in units of the target, `study.judge` is the judge. `rows` (n,) are their places among
    the rows trained on, from 0. `loss` is what it trained under; a threshold found on training rows
    is told for these errors, with the option that most folds took.
    """

    name: str
    loss: Loss
    study: Study
    rows: Ints
