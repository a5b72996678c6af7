"""Training under every candidate, on the same folds, until done or stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Ints, Split
from offby.choice.trained.judged import MOVABLE, Held, Judges, best_cut
from offby.choice.trained.linear import Data, Shared
from offby.choice.trained.others import Apart
from offby.choice.trained.scored import Scored
from offby.engine.rows import Floats
from offby.errors import OffbyError
from offby.losses import BinaryLoss, Loss, Squared

Progress = Callable[[int, int], None]
WORST = 0.01


class Fits(Protocol):
    """Models of one candidate, one for each fold."""

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row, seen or not: (n, folds)."""
        ...


@dataclass(frozen=True, eq=False)
class Task:
    """Rows (n, p) and (n,), folds, candidates, measures, and what to refit or move under."""

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


@dataclass(frozen=True, eq=False)
class Trial:
    """What was found: the costs, also without the rows that cost most; and what was not tried."""

    scored: Scored
    trimmed: Scored
    worst: Ints
    """The rows left out of `trimmed`, those that cost most first, on average over candidates."""
    candidates: tuple[Candidate, ...]
    skipped: dict[str, str]
    first: Floats
    """Predictions of the first candidate for rows not seen, NaN for those never held out: (n,)."""
    folds: int
    finished: bool


def run(task: Task, progress: Progress | None = None) -> Trial:
    """Train and judge; Ctrl-C ends it with what is finished, if anything is.

    Repeats are finished one after another, so that all candidates have seen the same folds.
    """
    held: dict[str, list[Held]] = {}
    skipped = {one.name: why for one in task.candidates if (why := _impossible(one, task))}
    wanted = [one for one in task.candidates if one.name not in skipped]
    fits: dict[str, Fits] = {}
    done, total = 0, len(wanted) * len(task.splits)
    stopped = False
    data = Data.of(task.X, task.y) if task.model == "linear" else None
    try:
        for split in task.splits:
            seen: dict[str, Floats] = {}
            for one in wanted:
                if one.name in skipped:
                    continue
                try:
                    base = one.name.partition("+")[0]
                    if base not in fits:
                        fits[base] = _fits(task, data, one)
                    if base not in seen:
                        seen[base] = fits[base].scores(split)
                    held.setdefault(one.name, []).append(_held(task, one, seen[base], split))
                except OffbyError as error:
                    skipped[one.name] = str(error)
                done += 1
                if progress is not None:
                    progress(done, total)
    except KeyboardInterrupt:
        stopped = True
        if len(held) < 2:
            raise
    kept = [one for one in wanted if one.name in held and one.name not in skipped]
    return _judged(task, kept, held, skipped, finished=not stopped)


def _impossible(one: Candidate, task: Task) -> str:
    if one.refit and task.model != "linear":
        return "errors of trees on the rows they were trained on are too small to refit on"
    first = task.judges.names[0]
    if one.moved and first not in MOVABLE:
        return f"judged by {first}, no threshold is best but a trivial one, or none counts"
    return one.impossible(task.y)


def _fits(task: Task, data: Data | None, one: Candidate) -> Fits:
    return Apart(task.model, task.X, task.y, one) if data is None else Shared(data, one)


def _held(task: Task, one: Candidate, scores: Floats, split: Split) -> Held:
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
    """Where each fold's training rows are judged best; trees by scores of rows not seen."""
    cuts = np.zeros(task.y.size)
    for fold in range(split.folds):
        train = split.train(fold)
        own = scores[:, fold] if task.model == "linear" else found
        usable = train & np.isfinite(own)
        usable = usable if usable.any() else train
        own = own if np.isfinite(own[usable]).all() else scores[:, fold]
        cut = best_cut(task.judges.names[0], task.y[usable], own[usable], task.costs)
        cuts[split.test(fold)] = cut
    return cuts


def refitted(aim: Loss, seen: Floats, y: Floats, new: Floats) -> Floats:
    """Predictions with the intercept and the scale that are best under a loss for other rows.

    >>> from offby.losses import Absolute
    >>> refitted(Squared(), np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), np.array([3.0]))
    array([7.])
    """
    from offby.choice.trained.candidate import Candidate

    one = Shared(Data.of(seen[:, None], y), Candidate("", aim))
    whole = Split(np.zeros(y.size, np.int64), np.ones((1, 1), bool), np.zeros(1, np.int64))
    told = one.scores(whole)[:, 0]
    moving = np.ptp(seen) > 0
    low, high = int(np.argmin(seen)), int(np.argmax(seen))
    slope = (told[high] - told[low]) / (seen[high] - seen[low]) if moving else 0.0
    return np.asarray(told[low] + slope * (new - seen[low]))


def _judged(
    task: Task, kept: list[Candidate], held: dict[str, list[Held]], skipped: dict[str, str],
    *, finished: bool,
) -> Trial:  # fmt: skip
    repeats = min(len(held[one.name]) for one in kept)
    splits = task.splits[:repeats]
    tested = np.mean([[np.isin(s.block, s.tests)] for s in splits], axis=0)[0] > 0
    costs = np.zeros(task.y.size)
    for one in kept:
        for found in held[one.name][:repeats]:
            each = task.judges.each(task.y, found)
            costs += np.where(tested & np.isfinite(each), each, 0.0)
    worst = np.argsort(-costs, kind="stable")[: max(int(WORST * tested.sum()), 1)]
    without = np.ones(task.y.size, bool)
    without[worst] = False

    def scored(rows: np.ndarray) -> Scored:
        each = [
            np.concatenate(
                [
                    task.judges.folds(task.y, found, split, rows)
                    for found, split in zip(held[one.name], splits, strict=False)
                ],
                axis=1,
            )
            for one in kept
        ]
        ratio = float(np.mean([split.ratio for split in splits]))
        return Scored(tuple(one.name for one in kept), task.judges.names, np.stack(each), ratio,
                      task.confidence, task.relative)  # fmt: skip

    every = np.ones(task.y.size, bool)
    first = np.mean([found.scores for found in held[kept[0].name][:repeats]], axis=0)
    return Trial(scored(every), scored(without), worst, tuple(kept), skipped, first,
                 sum(split.folds for split in splits), finished)  # fmt: skip
