"""How much less a model's probabilities of several classes cost than the classes' frequencies."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from offby.measures.aggregate import Undefined
from offby.scores.counts import Floats
from offby.scores.estimate import Estimate, mean_error

_ROUNDING = 1e-13
FREQUENCY_SCORES: dict[str, Callable[[Floats], Floats]] = {
    "log": lambda shares: -np.log(shares),
    "brier": lambda shares: 1 - 2 * shares + np.sum(shares * shares),
}
"""What constant chances score on a row of each class."""


def class_skill(
    score: str, loss: tuple[float, float], weights: Floats, squares: Floats, alike: float
) -> Estimate:
    """1 - loss / loss of the frequencies: D², with its standard error by the delta method.

    `loss` is the mean loss of a row with its standard error, `weights` and `squares` the summed
    weights and squared weights of each class that occurs, and `alike` the correlation over the rows
    of the loss with that of the frequencies. These are held fixed: they are the best constant, so
    to first order nothing else matters. Raises `Undefined` where all rows are of one class.

    >>> even = np.array([50.0, 50.0])
    >>> class_skill("brier", (0.25, 0.02), even, even, 0.0)
    Estimate(value=0.5, standard_error=0.04, low=None, high=None, bracket=None, unsure=None)
    """
    total = float(weights.sum())
    shares = weights / total
    costs = FREQUENCY_SCORES[score](shares)
    least = float(shares @ costs)
    if weights.size < 2:
        raise Undefined("all rows are of one class, which its frequency tells as surely")
    ratio = loss[0] / least
    n = total**2 / float(squares.sum())
    error = mean_error(float(squares @ (costs - least) ** 2), total, n)
    apart = loss[1] ** 2 + (ratio * error) ** 2
    spread = apart - 2 * ratio * alike * loss[1] * error
    if not spread > max(_ROUNDING * apart, (_ROUNDING * least) ** 2):
        return Estimate(1 - ratio, unsure="its rows do not vary: no interval")
    return Estimate(1 - ratio, math.sqrt(spread) / least)


def alikeness(score: str, losses: Floats, truth: Floats, weight: Floats, weights: Floats) -> float:
    """The correlation of the losses of some rows with those of the classes' frequencies.

    `truth` holds the place of each row's class among `weights`, the summed weights of all rows.
    """
    with np.errstate(divide="ignore"):
        costs = FREQUENCY_SCORES[score](weights / weights.sum())[truth.astype(np.int64)]
    moved = [weight * (column - np.average(column, weights=weight)) for column in (losses, costs)]
    sizes = [float(np.linalg.norm(column)) for column in moved]
    return float(moved[0] @ moved[1]) / (sizes[0] * sizes[1]) if all(sizes) else 0.0
