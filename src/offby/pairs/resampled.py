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
from offby.engine.plan import plan_for
from offby.engine.state import State
from offby.formula.expression import Expression
from offby.formula.words import w, y
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.pairs.difference import TARGETS
from offby.pairs.estimate import Estimate
from offby.pairs.formulas import model, of_model
from offby.pairs.gathered import Gathered, needs_rows

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


def resampled(gathered: Gathered, classes: tuple[str, ...]) -> Replicates:
    """Draw the rows again and again, and measure every model on each draw."""
    asked = [measure for measure in gathered.measures if needs_rows(measure)]
    own = {
        (measure.name, k): replace(measure, formula=of_model(measure.formula, model(k)))
        for measure in asked
        for k in range(gathered.models)
    }
    weighted = gathered.state.plan.weighted
    plan = plan_for(tuple(m.formula for m in own.values()), weighted, *gathered.layout)
    values = {measure.name: np.empty((DRAWS, gathered.models)) for measure in asked}
    for draw, columns in enumerate(_draws(gathered, weighted)):
        state = State(plan)
        state.update(columns, columns[y].size, careful=False)
        for (name, k), measure in own.items():
            found = measurement(state, measure, 0.95, classes, (0, 1)).value
            values[name][draw, k] = math.nan if found is None else found
    return Replicates(values)


def _draws(gathered: Gathered, weighted: bool) -> Iterator[dict[Expression, Floats]]:
    """All rows, drawn with replacement as often as there are."""
    inputs, _ = gathered.layout
    columns = [(name, gathered.rows[name]) for name in ((*inputs, w) if weighted else inputs)]
    count = gathered.rows[y].size
    random = np.random.default_rng(SEED)
    for _ in range(DRAWS):
        drawn = random.integers(0, count, count)
        yield {name: values[drawn] for name, values in columns}


def _distance(measure: Measure, values: Floats) -> Floats:
    """What is compared: the distance from what the measure is best at, if that is in its middle."""
    if measure.better not in TARGETS:
        return values
    return np.abs(values - TARGETS[measure.better])
