"""What a training found: costs on every fold, with and without the rows that cost most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Ints
from offby.choice.trained.scored import Scored
from offby.choice.trained.trial import Progress, Task, Training
from offby.engine.rows import Floats

WORST = 0.01


@dataclass(frozen=True, eq=False)
class Outcome:
    """The costs, also without the rows that cost most; and what was not tried."""

    scored: Scored
    trimmed: Scored
    worst: Ints
    """The rows left out of `trimmed`, those that cost most first, on average over candidates."""
    candidates: tuple[Candidate, ...]
    options: tuple[Candidate, ...]
    """The same, with the option that most folds took where they choose one."""
    skipped: dict[str, str]
    first: Floats
    """Predictions of the first candidate for rows not seen, NaN for those never held out: (n,)."""
    told: tuple[Floats, ...]
    """Each candidate's for the rows of the first repeat, where every row is told once: (n,)."""
    folds: int
    finished: bool


def run(task: Task, progress: Progress | None = None) -> Outcome:
    """Train and judge; Ctrl-C ends the training with what is finished, if anything is.

    Raises `DataError` where fewer than two candidates can be trained.
    """
    training = Training(task)
    training.run(progress)
    kept = training.candidates
    repeats = min(len(training.held[one.name]) for one in kept)
    worst = _worst(task, training, kept, repeats)
    weight = np.ones(task.y.size) if task.weight is None else task.weight
    without = weight.copy()
    without[worst] = 0.0
    first = [found.scores for found in training.held[kept[0].name][:repeats]]
    return Outcome(
        _scored(task, training, kept, repeats, weight),
        _scored(task, training, kept, repeats, without),
        worst, tuple(kept), tuple(map(training.option, kept)), training.skipped,
        np.mean(first, axis=0), tuple(training.held[one.name][0].scores for one in kept),
        sum(split.folds for split in task.splits[:repeats]), training.finished,
    )  # fmt: skip


def _worst(task: Task, training: Training, kept: list[Candidate], repeats: int) -> Ints:
    """The share of the judged rows that cost most, summed over candidates and repeats.

    Those of one candidate alone would flatter it.
    """
    split = task.splits[0]
    tested = np.isin(split.block, split.tests)
    costs = np.zeros(task.y.size)
    for one in kept:
        for found in training.held[one.name][:repeats]:
            each = task.judges.each(task.y, found)
            costs += np.where(tested & np.isfinite(each), each, 0.0)
    if task.weight is not None:
        costs *= task.weight
    return np.argsort(-costs, kind="stable")[: max(int(WORST * tested.sum()), 1)]


def _scored(
    task: Task, training: Training, kept: list[Candidate], repeats: int, weight: Floats
) -> Scored:
    splits = task.splits[:repeats]
    each = [
        np.concatenate(
            [
                task.judges.folds(task.y, found, split, weight)
                for found, split in zip(training.held[one.name], splits, strict=False)
            ],
            axis=1,
        )
        for one in kept
    ]
    ratio = float(np.mean([split.ratio(task.weight) for split in splits]))
    return Scored(tuple(one.name for one in kept), task.judges.names, np.stack(each), ratio,
                  task.confidence, task.relative)  # fmt: skip
