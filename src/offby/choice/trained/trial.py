"""Training under every candidate, on the same folds, until done or stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Split
from offby.choice.trained.judged import MOVABLE, Held, Judges, best_cut
from offby.choice.trained.linear import Data, Shared
from offby.choice.trained.others import Apart
from offby.engine.rows import Floats
from offby.errors import DataError, OffbyError
from offby.losses import BinaryLoss, Loss

Progress = Callable[[int, int], None]


class Fits(Protocol):
    """Models of one candidate, one for each fold."""

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row, seen or not: (n, folds)."""
        ...


@dataclass(frozen=True, eq=False)
class Task:
    """Rows (n, p) and (n,), folds, candidates, measures, and what to refit under."""

    X: Floats
    y: Floats
    splits: Sequence[Split]
    candidates: Sequence[Candidate]
    judges: Judges
    aim: Loss
    model: str = "linear"
    costs: tuple[float, float] | None = None
    confidence: float = 0.95
    relative: bool = True


class Training:
    """Predictions of the candidates trained so far for rows not seen, repeat after repeat."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.skipped = {one.name: why for one in task.candidates if (why := _impossible(one, task))}
        self.held: dict[str, list[Held]] = {}
        self.finished = False
        self._wanted = [one for one in task.candidates if one.name not in self.skipped]
        self._fits: dict[str, Fits] = {}
        self._data = Data.of(task.X, task.y) if task.model == "linear" else None

    def run(self, progress: Progress | None) -> None:
        """Train all; Ctrl-C ends it where at least two candidates have something to show.

        Repeats come one after another, so that all candidates have seen the same folds.
        """
        total = len(self._wanted) * len(self.task.splits)
        steps = (None for split in self.task.splits for _ in self._repeat(split))
        try:
            for done, _ in enumerate(steps, 1):
                if progress is not None:
                    progress(done, total)
            self.finished = True
        except KeyboardInterrupt:
            if len(self.held) < 2:
                raise

    @property
    def candidates(self) -> list[Candidate]:
        """Those with something to show; raises `DataError` where there is nothing to compare."""
        kept = [
            one for one in self._wanted if one.name in self.held and one.name not in self.skipped
        ]
        if len(kept) < 2:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.skipped.items())
            raise DataError(f"{len(kept)} candidates could be trained, and two are needed: "
                            f"{reasons}")  # fmt: skip
        return kept

    def _repeat(self, split: Split) -> Iterator[None]:
        seen: dict[str, Floats] = {}
        for one in self._wanted:
            if one.name not in self.skipped:
                try:
                    self._train(one, split, seen)
                except OffbyError as error:
                    self.skipped[one.name] = str(error)
            yield

    def _train(self, one: Candidate, split: Split, seen: dict[str, Floats]) -> None:
        """With what is `seen` of the same loss, where only what is done afterwards differs."""
        base = one.name.partition("+")[0]
        if base not in self._fits:
            self._fits[base] = self._fit(one)
        if base not in seen:
            seen[base] = self._fits[base].scores(split)
        self.held.setdefault(one.name, []).append(held(self.task, one, seen[base], split))

    def _fit(self, one: Candidate) -> Fits:
        if self._data is None:
            return Apart(self.task.model, self.task.X, self.task.y, one)
        return Shared(self._data, one)


def _impossible(one: Candidate, task: Task) -> str:
    """Why a candidate cannot be tried, if so."""
    if one.refit and task.model != "linear":
        return "errors of trees on the rows they were trained on are too small to refit on"
    first = task.judges.names[0]
    if one.moved and first not in MOVABLE:
        return f"judged by {first}, no threshold is best but a trivial one, or none counts"
    return one.impossible(task.y)


def held(task: Task, one: Candidate, scores: Floats, split: Split) -> Held:
    """Predictions of one repeat for the rows that each fold has not seen."""
    found, cuts = np.full(task.y.size, np.nan), np.zeros(task.y.size)
    for fold in range(split.folds):
        test = split.test(fold)
        found[test] = scores[test, fold]
        if one.refit:
            train = split.train(fold)
            found[test] = refitted(task.aim, scores[train, fold], task.y[train], found[test])
    if one.moved:
        cuts = _cuts(task, scores, found, split)
    chances = not isinstance(one.family, BinaryLoss) or one.family.scale == "logit"
    return Held(found, cuts, chances)


def _cuts(task: Task, scores: Floats, found: Floats, split: Split) -> Floats:
    """Where each fold's training rows are judged best.

    A linear model's own scores of these will do; of trees, which know them by heart, the scores by
    other folds' models, as far as there are any.
    """
    cuts, known = np.zeros(task.y.size), np.isfinite(found)
    for fold in range(split.folds):
        train = split.train(fold)
        by_others = task.model != "linear" and bool((train & known).any())
        rows = train & known if by_others else train
        own = found[rows] if by_others else scores[rows, fold]
        cuts[split.test(fold)] = best_cut(task.judges.names[0], task.y[rows], own, task.costs)
    return cuts


def refitted(aim: Loss, seen: Floats, y: Floats, new: Floats) -> Floats:
    """Predictions with the intercept and the scale that are best under a loss for other rows.

    >>> from offby.losses import Squared
    >>> refitted(Squared(), np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), np.array([3.0]))
    array([7.])
    """
    whole = Split(np.zeros(y.size, np.int64), np.ones((1, 1), np.bool_), np.zeros(1, np.int64))
    told = Shared(Data.of(seen[:, None], y), Candidate("", aim)).scores(whole)[:, 0]
    low, high = int(np.argmin(seen)), int(np.argmax(seen))
    rise = seen[high] - seen[low]
    slope = (told[high] - told[low]) / rise if rise > 0 else 0.0
    return np.asarray(told[low] + slope * (new - seen[low]))
