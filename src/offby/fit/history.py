"""The walk downhill, step by step, as columns to look at or to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from offby.fit.score import Floats


@dataclass(frozen=True)
class Stage:
    """Where the search stood before a step, how long that step was, and what it took.

    `validation` is the mean loss of the rows held out, NaN where there are none.
    """

    objective: float
    gradient: float
    step: float
    seconds: float
    validation: float = float("nan")


def columns_of(stages: Sequence[Stage]) -> dict[str, Floats]:
    """One array for each fact, a number for each step; no `validation` if no rows are held out.

    >>> columns_of([Stage(2.0, 1.0, 0.5, 0.01), Stage(1.0, 0.0, 0.0, 0.01)])["objective"]
    array([2., 1.])
    """
    names = [field.name for field in fields(Stage)]
    if all(np.isnan(stage.validation) for stage in stages):
        names.remove("validation")
    return {name: np.array([getattr(stage, name) for stage in stages]) for name in names}
