"""One pass of the engine, as the tests of its measures make it."""

import numpy as np

from offby.engine.planning import plan_for
from offby.engine.rows import fit_rows, update
from offby.engine.state import State
from offby.measures.finish import measurement
from offby.measures.names import resolve


def passed(names, y_true, y_pred, weight=None, cuts=(), trees=None):
    """The measures, and a state that has seen the rows: in chunks, or merged from them."""
    measures = resolve(names)
    plan = plan_for(tuple(measure.formula for measure in measures), weight is not None)
    columns = [np.asarray(c) for c in (y_true, y_pred) + (() if weight is None else (weight,))]
    parts = [State(plan)]
    for rows in np.split(np.arange(columns[0].size), cuts):
        if trees is not None:
            parts.append(State(plan))
        update(parts[-1], fit_rows(*(column[rows] for column in columns)))
    while len(parts) > 1:
        k = int(trees.integers(0, len(parts) - 1))
        parts[k].merge(parts.pop(k + 1))
    return measures, parts[0]


def measured(names, y_true, y_pred, weight=None, confidence=0.95, **how):
    """Measurements by name."""
    measures, state = passed(names, y_true, y_pred, weight, **how)
    return {m.name: measurement(state, m, confidence) for m in measures}


def value(name, y_true, y_pred, weight=None):
    """The value of one measure."""
    (found,) = measured(name, y_true, y_pred, weight).values()
    return found.value
