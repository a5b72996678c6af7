"""What a fit of several quantiles to a table found, as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offby.measures.measurement import Measurement
from offby.report import fitted_quantiles_page, fitted_quantiles_text
from offby.report.answer import Answer

if TYPE_CHECKING:
    from rich.console import Console


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
class FittedQuantiles(Answer):
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

    def _values(self) -> dict[str, Any]:
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
        return found

    def _show(self, console: Console) -> None:
        fitted_quantiles_text.show(self, console)

    def _page(self, *, whole: bool) -> str:
        return fitted_quantiles_page.render(self, whole=whole)
