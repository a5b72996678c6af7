"""What a covariance of coefficients is made of: sums over rows at a solution."""

from __future__ import annotations

from dataclasses import dataclass

from offby.engine.rows import Floats
from offby.fit.passes.added import Added


@dataclass(frozen=True, eq=False)
class Spread(Added):
    """Sums over rows: their count and weight, w u² and w h, and the matrices of w h and w² u²."""

    rows: int
    weight: float
    squares: float
    bends: float
    bend: Floats
    meat: Floats
