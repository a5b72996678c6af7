"""What a report draws and its findings look at, beside the measurements."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from offby.formula.expression import Expression
from offby.measures.tail import Tail

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One of the worst rows; `row` counts from 1."""

    row: int
    y_true: float
    y_pred: float
    mse_share: float

    @property
    def error(self) -> float:
        """y_pred - y_true."""
        return self.y_pred - self.y_true


@dataclass(frozen=True)
class View:
    """Pictures' data: a sample of the rows, the spread of |error| over all of them, the worst."""

    y_true: Floats  # a few thousand rows, evenly spread over the table
    y_pred: Floats
    sizes: Floats  # |error|, ascending
    weights: Floats  # the weight (or the rows) at each size
    worst: tuple[Row, ...] = ()
    tail: Tail | None = None
    losses: dict[str, Expression] = field(default_factory=dict)  # shapes to draw: functions of r
