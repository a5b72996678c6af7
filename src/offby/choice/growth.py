"""How the variance grows with the prediction, and what deviances that weigh by it would save.

The unit deviance with variance function mean**power is that of the normal (0), Poisson (1), gamma
(2) and inverse Gaussian (3) families; all aim at the mean, and differ in which rows they trust.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from offby.choice.estimate import Estimate, percentile
from offby.engine.rows import Floats
from offby.losses import Gamma, InverseGaussian, Loss, Poisson, Squared, Tweedie

_METHOD = "gamma regression of squared errors, log link, sandwich interval"
_LINE = "sandwich variance of a line through the predictions, bootstrap of 256 groups of rows"
_LEAST_SPREAD = 0.05  # of the log prediction: within it all variances are one
_STEPS, _LONGEST = 100, 1.0
_MOST_WITH_ZEROS = 1.9  # from 2 on, a truth of zero costs without end
_GROUPS, _REPLICATES, _SEED = 256, 200, 5


def power(y: Floats, p: Floats, confidence: float, weights: Floats | None = None) -> Estimate:
    """The power of the prediction that the variance goes with.

    >>> random = np.random.default_rng(0)
    >>> mean = random.uniform(1, 20, 4000)
    >>> power(random.poisson(mean).astype(float), mean, 0.95).holds(1.0)
    True
    """
    if p.min() <= 0:
        return Estimate(None, method=_METHOD, why="a prediction is not positive")
    share = np.full(y.size, 1 / y.size) if weights is None else weights / weights.sum()
    x = np.log(p)
    x -= share @ x
    if np.std(x) < _LEAST_SPREAD:
        return Estimate(None, method=_METHOD, why="all predictions are nearly alike")
    squares = (y - p) ** 2 / (share @ (y - p) ** 2)
    level, slope = 0.0, 0.0
    spread = float(share @ (x * x))
    for _ in range(_STEPS):
        excess = squares * np.exp(-level - slope * x) - 1
        up, tilt = float(share @ excess), float(share @ (excess * x)) / spread
        level, slope = level + _short(math.log1p(up)), slope + _short(tilt)
        if abs(up) + abs(tilt) < 1e-9:
            break
    reach = float(special.stdtrit(max(x.size - 2, 1), (1 + confidence) / 2))
    reach *= _standard_error(squares * np.exp(-level - slope * x), x, share)
    return Estimate(slope, slope - reach, slope + reach, _METHOD)


def _standard_error(ratios: Floats, x: Floats, share: Floats) -> float:
    """Of the slope: the sandwich of the observed information and the scores' own spread."""
    columns = np.stack([np.ones(x.size), x])
    bread = np.linalg.inv((share * ratios * columns) @ columns.T)
    scores = share * (ratios - 1) * columns
    return math.sqrt(float((bread @ (scores @ scores.T) @ bread)[1, 1]))


def _short(step: float) -> float:
    return max(-_LONGEST, min(_LONGEST, step))


def deviances(y: Floats, found: Estimate) -> list[Loss]:
    """Those of the catalogue that targets like these have, and the one of the power found."""
    positive = y.min() > 0
    losses: list[Loss] = [Squared(), Poisson()]
    if found.value is not None and 1.05 < found.value < (1.95 if positive else np.inf):
        losses.append(Tweedie(min(round(found.value, 1), _MOST_WITH_ZEROS)))
    return [*losses, Gamma(), InverseGaussian()] if positive else losses


def order(loss: Loss) -> float:
    """The power of a deviance.

    >>> order(Squared()), order(Tweedie(1.3))
    (0.0, 1.3)
    """
    fixed: dict[type[Loss], float] = {Squared: 0.0, Poisson: 1.0, Gamma: 2.0, InverseGaussian: 3.0}
    return fixed[type(loss)] if type(loss) in fixed else loss.parameters["power"]


class Line:
    """Errors about a line through the predictions, fitted under deviances by their weights."""

    def __init__(
        self, y: Floats, p: Floats, confidence: float, weights: Floats | None = None
    ) -> None:
        self._y, self._confidence = y, confidence
        self._weight = np.ones(y.size) if weights is None else weights / weights.mean()
        self._p = p / float(np.mean(p))
        self._columns = np.stack([np.ones(p.size), self._p])
        random = np.random.default_rng(_SEED)
        count = min(_GROUPS, p.size)
        self._groups = random.permutation(p.size) % count
        self._draws = random.multinomial(count, np.full(count, 1 / count), _REPLICATES)

    def saving(self, loss: Loss, judge: Loss) -> Estimate:
        """The share of the rows that one deviance can do without and be as sure as the other."""
        one, other = (self._sums(order(each)) for each in (loss, judge))
        whole = np.ones((1, self._draws.shape[1]))
        value = 1 - float((_spread(whole @ one) / _spread(whole @ other))[0])
        found = 1 - _spread(self._draws @ one) / _spread(self._draws @ other)
        return percentile(value, found.tolist(), self._confidence, _LINE)

    def _sums(self, power: float) -> Floats:
        """By group: moments of the columns, weighted by 1, w and w² e²; three of each."""
        weight = self._weight * self._p**-power
        first, second = self._columns
        products = np.stack([first * first, first * second, second * second])
        matrix = _symmetric((weight * products).sum(1))
        slopes = np.linalg.solve(matrix, (weight * self._columns) @ self._y)
        error = self._y - slopes @ self._columns
        moments = self._weight * products
        rows = np.concatenate([moments, weight * products, (weight * error) ** 2 * products])
        groups = self._draws.shape[1]
        return np.stack([np.bincount(self._groups, row, groups) for row in rows], axis=1)


def _symmetric(three: Floats) -> Floats:
    return np.asarray(three[..., [[0, 1], [1, 2]]], np.float64)


def _spread(sums: Floats) -> Floats:
    """The mean variance of the fitted line over its rows: tr(A⁻¹ B A⁻¹ M), for each replicate."""
    moments, bread, meat = (_symmetric(sums[:, at : at + 3]) for at in (0, 3, 6))
    inverse = np.linalg.inv(bread)
    inside = inverse @ meat @ inverse @ moments
    return np.asarray(np.trace(inside, axis1=-2, axis2=-1), np.float64)
