"""What a fit of a table found: the model, how it was found, and how far off it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from offby.drawing.landscape import Landscape
from offby.drawing.plot import Floats
from offby.report import fitted_page, fitted_text
from offby.report.answer import Answer
from offby.report.report import Report

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Coefficient:
    """A number that was fitted; error and interval are None where none could be found."""

    name: str
    value: float
    error: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, Any]:
        """The coefficient as plain values."""
        return {"name": self.name, "value": self.value, "standard_error": self.error,
                "low": self.low, "high": self.high}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Fitted(Answer):
    """A fitted model and the report on the rows held out.

    `report` is what `offby measure` says of those rows, or of the very rows that were fitted where
    none were held out. `walk` has a column for each fact of the search, a number an iteration;
    `cautions` say what to know before the coefficients are believed.
    """

    model: Any
    report: Report
    source: str
    target: str
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    """Columns that were not taken as features, since they hold no numbers."""
    choice: str
    """What was chosen without being told, in a sentence."""
    coefficients: tuple[Coefficient, ...]
    trained: int
    held_out: int
    walk: Mapping[str, Floats]
    cautions: tuple[str, ...]
    survey: Callable[[], Landscape | None] = field(compare=False)

    @cached_property
    def landscape(self) -> Landscape | None:
        """The loss around the model with the path walked, made when it is first asked for."""
        return self.survey()

    def _values(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "source": self.source,
            "target": self.target,
            "features": list(self.features),
            "left_out": list(self.left_out),
            "choice": self.choice,
            "loss": self.model.loss_name,
            "scale": self.model.scale_,
            "rows": {"trained": self.trained, "held_out": self.held_out},
            "objective": self.model.objective_,
            "explained": self.model.explained_,
            "gap": self.model.gap_,
            "certificate": self.model.certificate_,
            "converged": self.model.converged_,
            "iterations": self.model.n_iter_,
            "coefficients": [one.to_dict() for one in self.coefficients],
            "walk": {name: column.tolist() for name, column in self.walk.items()},
            "cautions": list(self.cautions),
            "report": self.report.to_dict(),
        }
        return found

    def _show(self, console: Console) -> None:
        fitted_text.show(self, console)

    def _page(self, *, whole: bool) -> str:
        return fitted_page.render(self, whole=whole)
