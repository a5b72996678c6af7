"""What was counted of several models on the same rows: all that a comparison reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.classification.recode import occurring
from offby.classification.task import Task
from offby.engine.evaluate import Floats
from offby.engine.state import State
from offby.formula.expression import Expression
from offby.measures.measure import Measure
from offby.measures.uncertainty import moments_only


@dataclass(frozen=True, eq=False)
class Counted:
    """The totals of rows, and the rows themselves where a measure needs them.

    `labels` are the classes by their code and `shown` their codes in order; unless all are `told`,
    a model has those that occur in the truth or in its predictions. `rows` holds the columns by
    their symbols, and without weights w is 1; `drawn` a few thousand of all rows.
    """

    task: Task
    measures: tuple[Measure, ...]
    models: int
    state: State
    rows: Mapping[Expression, Floats]
    drawn: Mapping[Expression, Floats]
    timed: bool = False
    labels: tuple[str, ...] = ("0", "1")
    shown: tuple[int, ...] = (0, 1)
    told: bool = True

    def order(self, formula: Expression) -> tuple[int, ...]:
        """The codes of the classes that a model's measure is over, in order."""
        if self.told or formula.op != "confusion":
            return self.shown
        came = occurring(self.state, formula.args[0])
        return tuple(code for code in self.shown if came is None or code in came)

    def part(self, state: State, inside: NDArray[np.intp]) -> Counted:
        """The same of a part of the rows, whose totals these are."""
        rows = {name: column[inside] for name, column in self.rows.items()}
        return replace(self, state=state, rows=rows)


def needs_rows(measure: Measure) -> bool:
    """Whether a measure can be compared only with the rows at hand."""
    return not (measure.formula.op == "confusion" or moments_only(measure.formula))
