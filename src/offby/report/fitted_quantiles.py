"""What a fit of several quantiles to a table found, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from offby.measures.measurement import Measurement
from offby.report import fitted_quantiles_page, fitted_quantiles_text
from offby.report.printed import printed
from offby.report.report import strict


@dataclass(frozen=True)
class Level:
    """How a quantile fares: its mean pinball loss, and the share of the rows that is not above.

    That share is the level itself, where the quantile is the true one.
    """

    quantile: float
    pinball: Measurement
    below: Measurement

    def to_dict(self) -> dict[str, Any]:
        """The level as plain values."""
        return {
            "quantile": self.quantile,
            "pinball": self.pinball.to_dict(),
            "share_below": self.below.to_dict(),
        }


@dataclass(frozen=True, repr=False)
class FittedQuantiles:
    """A model of several quantiles, and how each fares on the rows held out.

    `levels` are measured on the very rows that were fitted where none were held out; `cautions` say
    what to know before the coefficients are believed.
    """

    model: Any
    levels: tuple[Level, ...]
    source: str
    target: str
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    choice: str
    trained: int
    held_out: int
    cautions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain values; infinities and NaN as the strings JSON has no number for."""
        model, errors = self.model, self.model.standard_errors_
        of_intercept = model.intercept_standard_error_
        found: dict[str, Any] = {
            "source": self.source,
            "target": self.target,
            "features": list(self.features),
            "left_out": list(self.left_out),
            "loss": model.loss_name,
            "rows": {"trained": self.trained, "held_out": self.held_out},
            "objective": model.objective_.tolist(),
            "gap": model.gap_,
            "converged": model.converged_,
            "crossed": model.crossed_,
            "coefficients": model.coef_.tolist(),
            "intercepts": model.intercept_.tolist(),
            "standard_errors": None if errors is None else errors.tolist(),
            "intercept_errors": None if of_intercept is None else of_intercept.tolist(),
            "cautions": list(self.cautions),
            "levels": [level.to_dict() for level in self.levels],
        }
        return strict(found)  # type: ignore[no-any-return]

    def to_json(self, indent: int | None = 2) -> str:
        """The fit as strict JSON; what JSON lacks is "Infinity", "-Infinity" or "NaN"."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """The fit as one page that opens offline; written to `path` if one is given."""
        text = fitted_quantiles_page.render(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def to_text(self, width: int | None = None, *, color: bool = False) -> str:
        """The fit as the terminal shows it."""
        return printed(partial(fitted_quantiles_text.show, self), width, color)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return fitted_quantiles_page.fragment(self)
