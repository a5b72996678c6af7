"""The third verb on data: train under each loss, and see which the judge likes best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from offby.choice.trained.choosing import Asked, weigh
from offby.choice.trained.reading import Wanted, read
from offby.engine.rows import Policy
from offby.report.choice import Choice
from offby.report.study import tried
from offby.tables import Batch

Progress = Callable[[Batch], None]
Trained = Callable[[int, int], None]


def choose_by_training(
    data: Any,
    target: str,
    asked: Asked,
    *,
    features: Sequence[str] | None = None,
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    positive: Any = None,
    task: Literal["regression"] | None = None,
    nan: Policy = "raise",
    progress: Progress | None = None,
    trained: Trained | None = None,
) -> Choice:
    """Choose a loss by training under each: (n, p) features and (n,) targets of a table.

    Differences over held-out folds have the corrected resampled t interval (Nadeau & Bengio 2003).
    Ctrl-C during the training leaves what is finished. Raises `OffbyError`.
    """
    classes = False if task == "regression" else asked.classes
    chosen = None if features is None else tuple(features)
    wanted = Wanted(target, chosen, group, time, classes, positive, weight)
    rows = read(data, wanted, nan, progress)
    return tried(weigh(rows, asked, trained), rows, asked.costs)
