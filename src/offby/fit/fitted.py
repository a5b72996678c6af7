"""What is known of a fit: its coefficients, how good they are, and how that was found out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offby.engine.rows import Floats
from offby.fit.objective.score import Link
from offby.fit.solvers.history import Path
from offby.fit.statistics.inference import Inference
from offby.losses import CategoricalLoss, Loss


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients for the features as they came, (outputs, p), and the facts beside them.

    There is one output, or one for each class where these are several. `gap` is None where
    nothing is proved; `scale` the errors' standard deviation where the loss was in its units.
    """

    coefficients: Floats
    intercepts: Floats
    loss: Loss | CategoricalLoss
    link: Link
    objective: float
    gap: float | None
    certificate: str
    converged: bool
    escapes: bool
    iterations: int
    rank: int
    rows: int
    history: dict[str, Floats]
    inference: Inference | None
    scale: float | None = None
    blurred: bool = False
    """Whether columns lie so far from 0 that coefficients in their units blur predictions."""
    explained: float | None = None
    """The share of the best constant's loss that is saved, where it is known."""
    path: Path | None = None
    """Where the search stood at each iteration; no file keeps it."""

    def in_rows(self, flat: Floats) -> tuple[Floats, Floats | None]:
        """Numbers that stand beside all that was found, split: (outputs, p) and (outputs,)."""
        outputs, features = self.coefficients.shape
        table = flat.reshape(outputs, -1)
        return table[:, :features], table[:, -1] if table.shape[1] > features else None

    def flat(self, *, intercept: bool) -> Floats:
        """Coefficients, and intercept if there is one, of each output in turn."""
        if not intercept:
            return self.coefficients.ravel()
        return np.column_stack([self.coefficients, self.intercepts]).ravel()
