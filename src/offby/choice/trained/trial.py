"""Training under every candidate, on the same folds, until done or stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Ints, Split
from offby.choice.trained.judged import Costs, Held, Judges, best_cut
from offby.choice.trained.linear import Data, Shared
from offby.choice.trained.nested import Fits, Nested, Trials
from offby.choice.trained.others import Apart
from offby.choice.trained.several import Softmax
from offby.engine.rows import Floats
from offby.errors import DataError, OffbyError
from offby.losses import BinaryLoss, Loss

Progress = Callable[[int, int], None]
_INNER_OF_TREES = 2  # inner folds of each outer one, where fits do not share their work


@dataclass(frozen=True, eq=False)
class Task:
    """Rows (n, p), (n,) and their weights, folds, candidates, measures, what to refit under."""

    X: Floats
    y: Floats
    splits: Sequence[Split]
    candidates: Sequence[Candidate]
    judges: Judges
    aim: Loss
    model: str = "linear"
    costs: Costs | None = None
    confidence: float = 0.95
    relative: bool = True
    weight: Floats | None = None
    classes: int = 0
    """How many, where they are more than two; y are then their numbers, from 0."""

    def fit(self, one: Candidate, rows: Ints | None = None) -> Fits:
        """Models under a candidate; with `rows`, of these alone, such as tell of an option."""
        if self.classes:
            return self._several(one)
        if rows is None and self.model == "linear":
            return Shared(self._data, one)
        X, y = (self.X, self.y) if rows is None else (self.X[rows], self.y[rows])
        weight = self.weight if rows is None or self.weight is None else self.weight[rows]
        if self.model == "linear":
            return Shared(Data.of(X, y, weight), one)
        return Apart(self.model, X, y, weight, one)

    def _several(self, one: Candidate) -> Fits:
        if self.model == "linear":
            return Softmax(self._data, self.classes, one)
        return Apart(self.model, self.X, self.y, self.weight, one, self.classes)

    def nested(self, one: Candidate) -> Nested:
        """Models under the option of a candidate that inner folds choose."""
        ways = one.options
        trials = Trials.of(
            lambda at, rows: self.fit(ways[at], rows), len(ways), self.y, self.weight
        )
        most = None if self.model == "linear" else _INNER_OF_TREES
        return Nested(lambda at: self.fit(ways[at]), trials, self.aim, most)

    @cached_property
    def _data(self) -> Data:
        return Data.of(self.X, self.y, self.weight)


class Training:
    """Predictions of the candidates trained so far for rows not seen, repeat after repeat."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.skipped = {one.name: why for one in task.candidates if (why := _impossible(one, task))}
        self.held: dict[str, list[Held]] = {}
        self.finished = False
        self._wanted = [one for one in task.candidates if one.name not in self.skipped]
        self._fits: dict[str, Fits] = {}

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

    def option(self, one: Candidate) -> Candidate:
        """The candidate with the option that most folds took, if it has any."""
        fits = self._fits[_base(one)]
        return one.options[fits.usual] if isinstance(fits, Nested) else one

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
        base = _base(one)
        if base not in self._fits:
            self._fits[base] = self.task.nested(one) if one.options else self.task.fit(one)
        if base not in seen:
            seen[base] = self._fits[base].scores(split)
        self.held.setdefault(one.name, []).append(held(self.task, one, seen[base], split))


def _base(one: Candidate) -> str:
    """What it is trained under, without what is done afterwards."""
    return one.name.partition("+")[0]


def _impossible(one: Candidate, task: Task) -> str:
    """Why a candidate cannot be tried, if so."""
    if one.refit and task.model != "linear":
        return "errors of trees on the rows they were trained on are too small to refit on"
    first = task.judges.names[0]
    if one.moved and first not in task.judges.movable:
        return f"judged by {first}, no threshold is best but a trivial one, or none counts"
    return "" if task.classes else one.impossible(task.y)


def held(task: Task, one: Candidate, scores: Floats, split: Split) -> Held:
    """Predictions of one repeat for the rows that each fold has not seen."""
    found, cuts = np.full((task.y.size, *scores.shape[2:]), np.nan), np.zeros(task.y.size)
    for fold in range(split.folds):
        test = split.test(fold)
        found[test] = scores[test, fold]
        if one.refit:
            train = split.train(fold)
            weight = None if task.weight is None else task.weight[train]
            seen, truths = scores[train, fold], task.y[train]
            found[test] = refitted(task.aim, seen, truths, found[test], weight)
    if one.moved and found.ndim == 1:
        cuts = _cuts(task, scores, found, split)
    chances = not isinstance(one.family, BinaryLoss) or one.family.scale == "logit"
    return Held(found, cuts, chances, one.moved)


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
        weight = None if task.weight is None else task.weight[rows]
        cut = best_cut(task.judges.names[0], task.y[rows], own, task.costs, weight)
        cuts[split.test(fold)] = cut
    return cuts


def refitted(
    aim: Loss, seen: Floats, y: Floats, new: Floats, weight: Floats | None = None
) -> Floats:
    """Predictions with the intercept and the scale that are best under a loss for other rows.

    >>> from offby.losses import Squared
    >>> refitted(Squared(), np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), np.array([3.0]))
    array([7.])
    """
    whole = Split(np.zeros(y.size, np.int64), np.ones((1, 1), np.bool_), np.zeros(1, np.int64))
    told = Shared(Data.of(seen[:, None], y, weight), Candidate("", aim)).scores(whole)[:, 0]
    low, high = int(np.argmin(seen)), int(np.argmax(seen))
    rise = seen[high] - seen[low]
    slope = (told[high] - told[low]) / rise if rise > 0 else 0.0
    return np.asarray(told[low] + slope * (new - seen[low]))
