"""What a pass must sum for the measures asked for: the distinct terms, each once.

Values come from exact sums of terms (and of exact products, for variances). Standard errors come
from plain sums of products of *basis* terms, shifted and scaled by a pilot so that nothing
overflows or cancels; they stand outside the promise on digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from offby.engine.program import Program
from offby.formula.derive import simplify
from offby.formula.expression import Expression, constant
from offby.formula.words import r, w

ONE = constant(1)
Floats = NDArray[np.float64]
Basis = Expression | tuple[int, int]
"""A shifted and scaled term, or the product of two such (by their places)."""


@dataclass(frozen=True, eq=False)
class Counter:
    """Rows counted by the value of a formula, with sums of other formulas for each value."""

    key: Expression
    columns: tuple[Expression, ...]
    budget: int


@dataclass
class Plan:
    """The layout of a pass's totals, and the program that fills them."""

    weighted: bool
    inputs: tuple[Expression, ...]
    exact: dict[Expression, list[int]] = field(default_factory=dict)  # term -> its exact sums
    squares: dict[tuple[Expression, Expression], list[int]] = field(default_factory=dict)
    basis: list[Basis] = field(default_factory=list)
    moments: dict[tuple[int, ...], int] = field(default_factory=dict)  # basis terms -> their sum
    counters: list[Counter] = field(default_factory=list)
    worst: Expression = field(default=abs(r))
    largest: list[Expression] = field(default_factory=list)  # first what tells the worst rows
    shifts: list[tuple[int, int]] = field(default_factory=list)  # registers (scale, -shift*scale)
    exact_sums: int = 0
    program: Program = field(init=False)
    checks: Program = field(init=False)  # only asks whether all rows can be used

    @property
    def weight(self) -> Expression:
        """The weight of a row, as a formula."""
        return w if self.weighted else ONE

    def pilot_registers(self, shift: Floats, scale: Floats) -> dict[int, float]:
        """The registers that shift and scale the linear basis terms, with their values."""
        values = zip(scale.tolist(), (-shift * scale).tolist(), strict=True)
        return {
            register: value
            for places, pair in zip(self.shifts, values, strict=True)
            for register, value in zip(places, pair, strict=True)
        }

    @property
    def linear(self) -> list[Expression]:
        """The basis terms that have a pilot, in order."""
        return [term for term in self.basis if isinstance(term, Expression)]


def count_columns(aggregate: Expression, weight: Expression) -> list[Expression]:
    """What to sum beside the count of each key: powers of the weight, and what they multiply."""
    columns = [] if weight is ONE else [weight, weight * weight]
    if aggregate.op == "least_pinball":
        term, _, beside = aggregate.args
        columns += [simplify(weight * term), simplify(simplify(weight * weight) * beside)]
    return columns
