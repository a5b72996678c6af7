"""What the pictures of a report are drawn from, and what one of them is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from offby.formula.expression import Expression
from offby.report import plot
from offby.report.numbers import rows
from offby.report.plot import Axis, Floats

if TYPE_CHECKING:
    from offby.report.report import Report

_TOP = float(np.finfo(np.float64).max) / 8  # so that no difference or margin overflows


@dataclass(frozen=True)
class Key:
    """What a colour stands for; `shape` is line, dot or area."""

    shape: str
    color: str
    text: str
    dash: tuple[int, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A picture with its title, its caption and what its colours stand for."""

    title: str
    caption: str
    keys: tuple[Key, ...]
    svg: str


@dataclass(frozen=True)
class Drawn:
    """The rows to draw, how |error| spreads over all rows, and the losses to show."""

    y_true: Floats
    y_pred: Floats
    sizes: Floats
    weights: Floats
    losses: dict[str, Expression]
    rows: int  # in the table, of which those drawn may be a sample
    known_bias: float | None

    @classmethod
    def of(cls, report: Report) -> Drawn | None:
        """What a report has to draw, if anything."""
        view, bias = report.view, report.measures.get("bias")
        if view is None or not view.y_true.size:
            return None
        truths, guesses, sizes = (np.clip(x, -_TOP, _TOP) for x in _columns(report))
        known = None if bias is None else bias.value
        return cls(truths, guesses, sizes, view.weights, view.losses, report.rows, known)

    @cached_property
    def errors(self) -> Floats:
        """y_pred - y_true."""
        return self.y_pred - self.y_true

    @cached_property
    def bias(self) -> float:
        """The mean error: of all rows if it was measured, else of those drawn."""
        if self.known_bias is not None and np.isfinite(self.known_bias):
            return self.known_bias
        return float(np.sum(self.errors / self.errors.size))

    @cached_property
    def axis(self) -> Axis:
        """The errors' axis."""
        return Axis("error: predicted − actual", *plot.limits(self.errors))

    def outside(self, inside: NDArray[np.bool_]) -> str:
        """How many rows lie beyond the picture, as a further sentence."""
        count = int(inside.size - inside.sum())
        if not count:
            return ""
        drawn = rows(inside.size) + (" drawn" if inside.size < self.rows else "")
        return f" {count:,} of the {drawn} {'lies' if count == 1 else 'lie'} outside the picture."


def _columns(report: Report) -> tuple[Floats, Floats, Floats]:
    view = report.view
    assert view is not None
    return view.y_true, view.y_pred, view.sizes
