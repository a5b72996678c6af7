"""The walk downhill, step by step: facts as columns to look at, and the places walked by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from offby.engine.rows import Floats

_FACTS = ("objective", "gradient", "step", "seconds")


@dataclass(frozen=True, eq=False)
class Stage:
    """Where the search stood before a step, how long that step was, and what it took.

    The place is `coefficients` (outputs, p) and `intercepts` (outputs,) for the features as they
    came. `validation` is the mean loss of the rows held out, NaN where there are none.
    """

    objective: float
    gradient: float
    step: float
    seconds: float
    coefficients: Floats
    intercepts: Floats
    validation: float = float("nan")


Heard: TypeAlias = Callable[[Stage], None]
"""Told of each iteration while a search goes on."""


@dataclass(frozen=True, eq=False)
class Path:
    """Coefficients (steps, outputs, p) and intercepts (steps, outputs) before each iteration."""

    coefficients: Floats
    intercepts: Floats

    @property
    def steps(self) -> int:
        """How many places there are."""
        return int(self.coefficients.shape[0])


def columns_of(stages: Sequence[Stage]) -> dict[str, Floats]:
    """One array for each fact, a number for each step; no `validation` if no rows are held out.

    >>> at = np.zeros((1, 1)), np.zeros(1)
    >>> columns_of([Stage(2.0, 1.0, 0.5, 0.01, *at), Stage(1.0, 0.0, 0.0, 0.01, *at)])["objective"]
    array([2., 1.])
    """
    held_out = not all(np.isnan(stage.validation) for stage in stages)
    names = [*_FACTS, "validation"] if held_out else _FACTS
    return {name: np.array([getattr(stage, name) for stage in stages]) for name in names}


def path_of(stages: Sequence[Stage]) -> Path | None:
    """The places of a search; None where an exact solver needed none."""
    if not stages:
        return None
    return Path(
        np.stack([stage.coefficients for stage in stages]),
        np.stack([stage.intercepts for stage in stages]),
    )
