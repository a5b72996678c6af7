"""The exact mean of a formula over arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from offby.engine.planning import plan_for
from offby.engine.rows import fit_rows, update
from offby.engine.state import State
from offby.errors import DataError
from offby.formula.aggregates import Mean
from offby.formula.expression import Expression


def exact_mean(formula: Expression, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """sum(w f) / sum(w), correctly rounded; infinite or NaN where a term is."""
    first, second = np.broadcast_arrays(y_true, y_pred)
    weights = None if sample_weight is None else np.broadcast_to(sample_weight, first.shape)
    rows = fit_rows(first.reshape(-1), second.reshape(-1),
                    None if weights is None else weights.reshape(-1), singles=True)  # fmt: skip
    state = State(plan_for((Mean(formula),), weights is not None))
    update(state, rows)
    total = state.sums.weight(state.plan)
    if not total:
        raise DataError("the mean of no rows, or of rows whose weights are all 0, is undefined")
    positive, negative, missing, _ = state.sums.unusual(state.plan.exact[formula])
    if positive or negative or missing:
        return (
            float("nan") if missing or (positive and negative) else (positive and np.inf) or -np.inf
        )
    return float(state.sums.exact(state.plan.exact[formula]) / total)
