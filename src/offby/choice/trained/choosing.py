"""From what is asked to a trial: judge, candidates and folds for numbers or for classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offby.choice.judge import Judge
from offby.choice.judge import judge as read_judge
from offby.choice.trained.candidate import (
    Candidate,
    candidate,
    distinct,
    of_classes,
    usual,
    usual_of_classes,
)
from offby.choice.trained.folds import splits
from offby.choice.trained.judged import HIGHER, Classes, Judges, Numbers
from offby.choice.trained.others import estimator_class
from offby.choice.trained.outcome import run
from offby.choice.trained.reading import Read
from offby.choice.trained.trial import Progress, Task
from offby.choice.trained.verdict import Weighed
from offby.errors import MeasureError
from offby.losses import Absolute, Logistic, Loss, Pinball, Squared
from offby.measures.names import split

OF_CLASSES = (*HIGHER, "log_loss", "cost")


@dataclass(frozen=True)
class Asked:
    """How to try: judge, candidates (None: the usual ones), model, folds and repeats of them."""

    judge: Any = None
    candidates: str | Sequence[str] | None = None
    model: str = "linear"
    folds: int = 5
    repeats: int = 5
    costs: tuple[float, float] | None = None
    confidence: float = 0.95

    @property
    def classes(self) -> bool | None:
        """Whether the judge is one of classes; None where it does not say."""
        named = isinstance(self.judge, str) and self.judge in OF_CLASSES
        return None if self.judge is None else named


def weigh(rows: Read, asked: Asked, progress: Progress | None = None) -> Weighed:
    """Train under each candidate and weigh what was found.

    Raises `MeasureError` for a judge, a candidate or a model that is not known.
    """
    _check_model(asked.model)
    judge = None if rows.positive else read_judge(asked.judge or "mse")
    aim, judges = (Logistic(), _of_classes(asked)) if judge is None else _of_numbers(judge, asked)
    task = Task(
        rows.X, rows.y,
        splits(rows.y.size, asked.folds, asked.repeats, classes=rows.classes, groups=rows.groups,
               time=rows.time),
        _candidates(judge, asked), judges, aim, asked.model, asked.costs, asked.confidence,
        relative=judge is not None,
    )  # fmt: skip
    return Weighed(run(task, progress), rows.y, judge)


def _check_model(model: str) -> None:
    if model.startswith("sklearn:"):
        estimator_class(model)
    elif model not in ("linear", "xgboost", "lightgbm"):
        raise MeasureError(
            f"model is {model!r}; known are linear, xgboost, lightgbm and sklearn:module.Class"
        )


def _candidates(judge: Judge | None, asked: Asked) -> list[Candidate]:
    """Those that are named, or the usual ones; at least two."""
    if asked.candidates is None:
        return usual_of_classes(asked.costs) if judge is None else usual(judge)
    names = split(asked.candidates) if isinstance(asked.candidates, str) else asked.candidates
    found = distinct([(of_classes if judge is None else candidate)(name) for name in names])
    if len(found) < 2:
        raise MeasureError(f"{len(found)} candidate arrived; name two or more losses to compare")
    return found


def _of_numbers(judge: Judge, asked: Asked) -> tuple[Loss, Judges]:
    """The judge's own loss first, then the usual ones and the quantiles trained for."""
    known: list[tuple[str, Loss]] = [("mse", Squared()), ("mae", Absolute())]
    known += [(one.name, one.family) for one in _candidates(judge, asked)
              if isinstance(one.family, Pinball) and not one.refit]  # fmt: skip
    others = {name: loss for name, loss in known if loss != judge.loss}
    return judge.loss, Numbers({judge.name: judge.loss, **others})


def _of_classes(asked: Asked) -> Judges:
    name = asked.judge or "log_loss"
    if name == "cost" and asked.costs is None:
        raise MeasureError("judged by cost, choose needs the costs: of a false alarm and of a miss")
    return Classes(name, asked.costs)
