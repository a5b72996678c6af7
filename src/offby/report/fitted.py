"""What a fit of a table found: the model, how it was found, and how far off it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any

from offby.drawing.landscape import Landscape
from offby.drawing.plot import Floats
from offby.report import fitted_page, fitted_text
from offby.report.printed import printed
from offby.report.report import Report, strict


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
class Fitted:
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

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain values; infinities and NaN as the strings JSON has no number for."""
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
        return strict(found)  # type: ignore[no-any-return]

    def to_json(self, indent: int | None = 2) -> str:
        """The fit as strict JSON; what JSON lacks is "Infinity", "-Infinity" or "NaN"."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """The fit as one page that opens offline; written to `path` if one is given."""
        text = fitted_page.render(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def to_text(self, width: int | None = None, *, color: bool = False) -> str:
        """The fit as the terminal shows it."""
        return printed(partial(fitted_text.show, self), width, color)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return fitted_page.fragment(self)
