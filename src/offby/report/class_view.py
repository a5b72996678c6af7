"""What the report on a classifier draws, and what its findings look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offby.classification.task import Task
from offby.confusion import Confusion
from offby.scores import ScoreCounts


@dataclass(frozen=True)
class WorstRow:
    """A row that was surely wrong; `row` counts from 1."""

    row: int
    truth: str
    predicted: str
    given: float
    """The probability that was given to what came."""
    loss_share: float


def worst_rows(
    kept: Mapping[int, Sequence[float]], labels: Sequence[str], task: Task, whole: float
) -> tuple[WorstRow, ...]:
    """The rows that were most surely wrong, with the share of the `whole` log loss each owns.

    `kept` holds by row its weight, the code of its class, what was predicted, and of several
    classes the probability that was given to the one that came.
    """
    return tuple(_worst_row(place, held, labels, task, whole) for place, held in kept.items())


def _worst_row(
    place: int, held: Sequence[float], labels: Sequence[str], task: Task, whole: float
) -> WorstRow:
    weight, truth, predicted, *more = held
    if task.kind == "binary":
        given = predicted if truth else 1 - predicted
        predicted = float(predicted >= task.threshold)
    else:
        given = more[0]
    own = -weight * math.log(given) if given > 0 else math.inf
    share = own / whole if whole > 0 and math.isfinite(whole) else math.nan
    return WorstRow(place + 1, labels[int(truth)], labels[int(predicted)], given, share)


@dataclass(frozen=True)
class ClassView:
    """Pictures' data of a classifier: rows by score and class, the confusion matrix, the worst."""

    task: Task
    labels: tuple[str, ...]
    scores: ScoreCounts | None
    confusion: Confusion | None
    worst: tuple[WorstRow, ...] = ()
    confidence: float = 0.95
    impossible: int = 0
    """The rows whose log loss is infinite: 0 was given to what happened."""
