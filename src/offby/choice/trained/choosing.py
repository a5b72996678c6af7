"""From what is asked to a trial: judge, candidates and folds for numbers or for classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from offby.choice.judge import Judge
from offby.choice.judge import judge as read_judge
from offby.choice.trained.candidate import (
    Candidate,
    candidate,
    distinct,
    of_classes,
    usual,
    usual_of_classes,
    usual_of_several,
)
from offby.choice.trained.folds import Split, splits
from offby.choice.trained.judged import HIGHER, Classes, Costs, Judges, Numbers
from offby.choice.trained.others import TREES, estimator_class
from offby.choice.trained.outcome import run
from offby.choice.trained.reading import Read
from offby.choice.trained.several import Kinds
from offby.choice.trained.trial import Progress, Task
from offby.choice.trained.verdict import Weighed
from offby.errors import DataError, MeasureError
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
    costs: Costs | None = None
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
    if asked.costs is not None and rows.classes is None:
        raise MeasureError("costs are of a false alarm and a miss, and this target is numbers")
    judge = None if rows.classes is not None else read_judge(asked.judge or "mse")
    aim, judges = (
        _of_numbers(judge, asked) if judge is not None else (Logistic(), _of_classes(rows, asked))
    )
    dealt = splits(
        rows.y.size,
        asked.folds,
        asked.repeats,
        classes=rows.classes,
        groups=rows.groups,
        time=rows.time,
    )
    _check_classes(rows, dealt)
    task = Task(
        rows.X, rows.y,
        dealt, _candidates(judge, asked, several=bool(rows.labels)), judges, aim, asked.model,
        asked.costs, asked.confidence, judge is not None, rows.weight, len(rows.labels),
    )  # fmt: skip
    return Weighed(run(task, progress), rows.y, judge, rows.weight)


def _check_model(model: str) -> None:
    if model.startswith("sklearn:"):
        estimator_class(model)
    elif model != "linear" and model not in TREES:
        raise MeasureError(
            f"model is {model!r}; known are linear, {', '.join(TREES)} and sklearn:module.Class"
        )
    elif model in TREES and find_spec(model) is None:
        raise MeasureError(f"model is {model!r}, which is not installed; pip install {model}")


def _check_classes(rows: Read, dealt: Sequence[Split]) -> None:
    """Raise `DataError` where a fold has no row of a class to train on."""
    if rows.classes is None:
        return
    for one in dealt:
        for fold in range(one.folds):
            sizes = np.bincount(rows.classes[one.train(fold)], minlength=len(rows.labels) or 2)
            if not sizes.all():
                name = rows.labels[int(np.argmin(sizes))] if rows.labels else rows.positive
                raise DataError(
                    f"a fold has no row of the class {name!r} to train on; ask for fewer folds, "
                    "or leave out or join such classes"
                )


def _candidates(judge: Judge | None, asked: Asked, *, several: bool = False) -> list[Candidate]:
    """Those that are named, or the usual ones; at least two."""
    if asked.candidates is None and several:
        return usual_of_several(costly=asked.costs is not None)
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


def _of_classes(rows: Read, asked: Asked) -> Judges:
    name, count = asked.judge or "log_loss", len(rows.labels)
    shape = np.shape(asked.costs) if asked.costs is not None else None
    if name == "cost" and shape is None:
        raise MeasureError("judged by cost, choose needs the costs: of a false alarm and of a miss")
    if shape is not None and shape != ((count, count) if count else (2,)):
        raise MeasureError(
            f"costs have the shape {shape}; expected "
            + (f"{count} rows of {count}, a row for each class that came true: "
               f"{', '.join(rows.labels)}" if count else "two, of a false alarm and of a miss")
        )  # fmt: skip
    if not count:
        return _known(Classes(name, asked.costs))
    return _known(Kinds("f1:macro" if name == "f1" else name, count, asked.costs))


def _known(judges: Classes | Kinds) -> Judges:
    """Raise `MeasureError` where it is of others that these classes are judged by."""
    if judges.first not in judges.known:
        raise MeasureError(f"{judges.first} is no measure of such classes; known are "
                           f"{', '.join(judges.known)}")  # fmt: skip
    return judges
