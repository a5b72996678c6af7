"""What the report on a classifier draws, and what its findings look at."""

from __future__ import annotations

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


@dataclass(frozen=True)
class ClassView:
    """Pictures' data of a classifier: rows by score and class, the confusion matrix, the worst."""

    task: Task
    labels: tuple[str, ...]
    scores: ScoreCounts | None
    confusion: Confusion | None
    worst: tuple[WorstRow, ...] = ()
    confidence: float = 0.95
