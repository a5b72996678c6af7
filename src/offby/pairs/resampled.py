"""The paired bootstrap, for measures that are no formulas of means.

Rows are drawn again with their truth and the predictions of every model together. It needs the
rows, and a pass over as many of them for every draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from offby.classification.statistics import measurement
from offby.engine.evaluate import Floats
from offby.engine.planning import plan_for
from offby.engine.state import State
from offby.formula.expression import Expression
from offby.formula.words import w, y
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.pairs.counted import Counted, needs_rows
from offby.pairs.difference import TARGETS
from offby.pairs.estimate import Estimate
from offby.pairs.formulas import inputs, of_model

DRAWS = 300
SEED = 20_261_121
_MOST_LOST = 0.05


@dataclass(frozen=True, eq=False)
class Replicates:
    """The values of measures on rows drawn again: a row a draw, a column a model."""

    values: dict[str, Floats]

    def estimate(self, measure: Measure, a: int, b: int, whole: Sequence[Measurement]) -> Estimate:
        """The difference on all rows, with the spread of what the draws make of it."""
        drawn = _distance(measure, self.values[measure.name])
        ends = _distance(measure, np.array([found.value for found in whole], np.float64))
        gaps = drawn[:, b] - drawn[:, a]
        gaps = gaps[np.isfinite(gaps)]
        value = float(ends[1] - ends[0])
        if gaps.size < (1 - _MOST_LOST) * len(drawn):
            return Estimate(value, reason="too many draws of the rows leave it undefined")
        return Estimate(value, float(gaps.std(ddof=1)), math.inf)


def resampled(counted: Counted) -> Replicates:
    """Draw the rows again and again, and measure every model on each draw."""
    asked = [measure for measure in counted.measures if needs_rows(measure)]
    own = {
        (measure.name, k): replace(measure, formula=of_model(measure.formula, k))
        for measure in asked
        for k in range(counted.models)
    }
    weighted = counted.state.plan.weighted
    worst = of_model(counted.task.worst, 0)
    plan = plan_for(tuple(m.formula for m in own.values()), weighted, _inputs(counted), worst)
    values = {measure.name: np.empty((DRAWS, counted.models)) for measure in asked}
    for draw, columns in enumerate(_draws(counted, weighted)):
        state = State(plan)
        state.update(columns, columns[y].size, careful=False)
        for (name, k), measure in own.items():
            found = measurement(state, measure, 0.95, counted.labels, counted.shown).value
            values[name][draw, k] = math.nan if found is None else found
    return Replicates(values)


def _draws(counted: Counted, weighted: bool) -> Iterator[dict[Expression, Floats]]:
    """All rows, drawn with replacement as often as there are."""
    names = (*_inputs(counted), w) if weighted else _inputs(counted)
    columns = [(name, counted.rows[name]) for name in names]
    count = counted.rows[y].size
    random = np.random.default_rng(SEED)
    for _ in range(DRAWS):
        drawn = random.integers(0, count, count)
        yield {name: values[drawn] for name, values in columns}


def _inputs(counted: Counted) -> tuple[Expression, ...]:
    return inputs(counted.task, counted.models)


def _distance(measure: Measure, values: Floats) -> Floats:
    """What is compared: the distance from what the measure is best at, if that is in its middle."""
    if measure.better not in TARGETS:
        return values
    return np.abs(values - TARGETS[measure.better])
