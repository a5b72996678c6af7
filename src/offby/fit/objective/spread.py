"""What a covariance of coefficients is made of: sums over rows at a solution."""

from __future__ import annotations

from dataclasses import dataclass

from offby.engine.rows import Floats


@dataclass(frozen=True, eq=False)
class Spread:
    """Sums over rows: their count and weight, w u² and w h, and the matrices of w h and w² u²."""

    rows: int
    weight: float
    squares: float
    bends: float
    bend: Floats
    meat: Floats

    def __add__(self, other: Spread) -> Spread:
        return Spread(
            self.rows + other.rows,
            self.weight + other.weight,
            self.squares + other.squares,
            self.bends + other.bends,
            self.bend + other.bend,
            self.meat + other.meat,
        )
