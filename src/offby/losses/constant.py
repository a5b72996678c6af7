"""The constant prediction that minimises a loss over a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import as_column
from offby.errors import DataError

if TYPE_CHECKING:
    from offby.losses.loss import Loss

Floats = NDArray[np.float64]


def best_constant(loss: Loss, y_true: Any, sample_weight: Any = None) -> float:
    """The minimiser of the mean loss; for a flat stretch of minimisers, its middle."""
    values, weights = counted(y_true, sample_weight)
    if loss.functional == "mean":
        return float(np.average(values, weights=weights))
    quantile = {"median": 0.5, "quantile": loss.parameters.get("tau", 0.5)}.get(loss.functional)
    if quantile is not None:
        return weighted_quantile(values, weights, quantile)
    return _search(loss, values, weights)


def counted(y_true: Any, sample_weight: Any = None) -> tuple[Floats, Floats]:
    """The truths that have a weight, and their weights; raises `DataError` where there are none."""
    values = as_column(y_true, "y_true")
    weights = np.ones(values.size) if sample_weight is None else as_column(
        sample_weight, "sample_weight")  # fmt: skip
    values, weights = values[weights > 0], weights[weights > 0]
    if not values.size:
        raise DataError("the best constant of no rows is undefined")
    return values, weights


def weighted_quantile(values: Floats, weights: Floats, q: float) -> float:
    """The middle of all constants that minimise the pinball loss at q."""
    order = np.argsort(values)
    values, cumulated = values[order], np.cumsum(weights[order])
    target = q * cumulated[-1]
    at = min(int(np.searchsorted(cumulated, target * (1 - 1e-15))), values.size - 1)
    if np.isclose(cumulated[at], target, rtol=1e-12, atol=0) and at + 1 < values.size:
        return float(values[at] + (values[at + 1] - values[at]) / 2)
    return float(values[at])


def _search(loss: Loss, values: Floats, weights: Floats) -> float:
    """Golden section about the best of many candidates, since a loss may have several valleys."""
    from scipy.optimize import minimize_scalar

    def cost(constant: float) -> float:
        return float(np.average(loss.value(values, constant), weights=weights))

    grid = np.quantile(values, np.linspace(0, 1, 101))
    costs = np.array([cost(c) for c in grid])
    best = int(np.nanargmin(costs))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    if low == high:
        return float(low)
    precision = 1e-12 * max(abs(low), abs(high), 1e-300)
    found = minimize_scalar(
        cost, bounds=(low, high), method="bounded", options={"xatol": precision}
    )
    return float(found.x if found.fun <= costs[best] else grid[best])
