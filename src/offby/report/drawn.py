"""What the pictures of a report are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from offby.drawing import plot
from offby.drawing.numbers import rows
from offby.drawing.plot import Axis, Floats, Spec
from offby.formula.expression import Expression
from offby.report.view import View

if TYPE_CHECKING:
    from offby.report.report import Report

_TOP = float(np.finfo(np.float64).max) / 8  # so that no difference or margin overflows


@dataclass(frozen=True)
class Drawn:
    """The rows to draw, how |error| spreads over all rows, and the losses to show."""

    y_true: Floats
    y_pred: Floats
    sizes: Floats
    weights: Floats
    losses: dict[str, Expression]
    rows: int  # in the table, of which those shown may be a sample
    shown: int  # with those too large for any picture
    known_bias: float | None
    output: str = ""  # whose rows these are, where a report has several

    @classmethod
    def of(cls, report: Report, output: str = "") -> Drawn | None:
        """What a report has to draw, if anything."""
        view, bias = report.view, report.measures.get("bias")
        if not isinstance(view, View):
            return None
        fit = (np.abs(view.y_true) <= _TOP) & (np.abs(view.y_pred) <= _TOP)
        if not fit.any():
            return None
        return cls(
            y_true=view.y_true[fit],
            y_pred=view.y_pred[fit],
            sizes=np.minimum(view.sizes, _TOP),
            weights=view.weights,
            losses=view.losses,
            rows=report.rows,
            shown=fit.size,
            known_bias=None if bias is None else bias.value,
            output=output,
        )

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
        """The errors' axis, with zero on it."""
        return Axis("error: predicted − actual", *plot.around(0.0, *plot.bulk(self.errors)))

    def draw(self, layers: list[Spec], title: str) -> str:
        """The layers as SVG, titled for who hears the page, too."""
        return plot.draw(layers, f"{title}: {self.output}" if self.output else title)

    def outside(self, inside: NDArray[np.bool_]) -> str:
        """How many rows lie beyond the picture, as a further sentence."""
        count = self.shown - int(inside.sum())
        if not count:
            return ""
        drawn = rows(self.shown) + (" drawn" if self.shown < self.rows else "")
        return f" {count:,} of the {drawn} {'lies' if count == 1 else 'lie'} outside the picture."
