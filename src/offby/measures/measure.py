"""What a measure is: a formula over aggregates of the rows, and how to read its value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from offby.errors import MeasureError
from offby.formula.aggregates import AGGREGATES, aggregates_of
from offby.formula.expression import Expression, expression, walk

Better = Literal["lower", "higher", "zero", "one"]


@dataclass(frozen=True, eq=False)
class Measure:
    """How wrong a table is: a formula over `Mean(...)`, `Variance(...)` and other aggregates.

    `better` says which way is good: "lower", "higher", or nearer to "zero" or "one". `units` is
    "y", "y²" or "1". `range` is the open range of values, on whose natural scale (log, logit)
    intervals are made. `domain` is a condition on rows outside which it is undefined, said in words
    by `needs`. Raises `MeasureError` where the formula is not one over aggregates.

    >>> from offby.formula import r, where
    >>> from offby.formula.aggregates import Mean
    >>> Measure("late_cost", Mean(where(r < 0, 5 * abs(r), abs(r))), better="lower").units
    '1'
    """

    name: str
    formula: Expression
    better: Better = "lower"
    units: str = "1"
    range: tuple[float, float] = (-math.inf, math.inf)
    needs: str = ""

    def __post_init__(self) -> None:
        if self.better not in get_args(Better):
            raise MeasureError(
                f"{self.name}: better is {self.better!r}; expected {' or '.join(get_args(Better))}"
            )
        object.__setattr__(self, "formula", expression(self.formula))
        outside = _rows_outside_aggregates(self.formula)
        if outside is not None or not aggregates_of(self.formula):
            raise MeasureError(
                f"{self.name}: {self.formula!r} is a number a row, not a number a table; "
                f"wrap what varies by row in Mean(...), e.g. Mean({outside or self.formula!r})"
            )
        nested = next(
            (part for part in aggregates_of(self.formula) if len(aggregates_of(part)) > 1), None
        )
        if nested is not None:
            raise MeasureError(f"{self.name}: {nested!r} has an aggregate inside another")
        unknown = next((leaf for leaf in walk(self.formula) if leaf.op == "parameter"), None)
        if unknown is not None:
            raise MeasureError(
                f"{self.name}: the parameter {unknown!r} has no value; give a number"
            )


def _rows_outside_aggregates(root: Expression) -> Any:
    """A word of the row that stands outside every aggregate, if any."""
    if root.op in AGGREGATES:
        return None
    if root.op == "symbol":
        return root
    return next(
        (found for arg in root.args if (found := _rows_outside_aggregates(arg)) is not None), None
    )
