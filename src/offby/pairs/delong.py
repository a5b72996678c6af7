"""Two areas under ROC curves on the same rows (DeLong, DeLong & Clarke-Pearson 1988).

A row's placement is the weighted share of the other class that it outranks, ties counting half; an
AUC is a mean of placements, and a difference of two a mean of differences of placements. It needs
the rows: 8 bytes each for the truth and every model, and as much again while it sorts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Placements:
    """The share of the other class that each row outranks, and the weights of both classes."""

    positive: Floats
    negative: Floats
    weights: tuple[Floats, Floats]

    @classmethod
    def of(cls, positive: NDArray[np.bool_], scores: Floats, weight: Floats) -> Placements:
        """Those of every row by its score.

        >>> truth = np.array([False, False, True, True])
        >>> Placements.of(truth, np.array([0.1, 0.4, 0.35, 0.8]), np.ones(4)).positive
        array([0.5, 1. ])
        """
        _, place = np.unique(scores, return_inverse=True)
        place = place.reshape(-1)
        above = _outranked(place, np.where(positive, 0.0, weight))
        below = 1 - _outranked(place, np.where(positive, weight, 0.0))
        return cls(above[positive], below[~positive], (weight[positive], weight[~positive]))


def difference(a: Placements, b: Placements) -> tuple[float, float]:
    """The AUC of `b` less that of `a`, and its standard error.

    >>> truth, even = np.array([False, False, True, True]), np.ones(4)
    >>> scores = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.1, 0.2, 0.7, 0.8])
    >>> difference(*(Placements.of(truth, each, even) for each in scores))
    (0.25, 0.3535533905932738)
    """
    moved = b.positive - a.positive, b.negative - a.negative
    errors = [_mean_error(x, w) for x, w in zip(moved, a.weights, strict=True)]
    weight = a.weights[0]
    return math.fsum(weight * moved[0]) / math.fsum(weight), math.hypot(*errors)


def influence(a: Placements, b: Placements, positive: NDArray[np.bool_]) -> Floats:
    """By how much each row moves the difference, to first order; over all rows it sums to 0.

    >>> truth, even = np.array([False, False, True, True]), np.ones(4)
    >>> scores = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.1, 0.2, 0.7, 0.8])
    >>> influence(*(Placements.of(truth, each, even) for each in scores), truth)
    array([-0.125,  0.125,  0.125, -0.125])
    """
    found = np.empty(positive.size)
    moved = b.positive - a.positive, b.negative - a.negative
    for rows, gaps, weight in zip((positive, ~positive), moved, a.weights, strict=True):
        total = weight.sum()
        found[rows] = weight * (gaps - np.sum(weight * gaps) / total) / total
    return found


def _outranked(place: NDArray[np.intp], weight: Floats) -> Floats:
    """The share of the weight that stands at lower places than each row, with half of its own."""
    here = np.bincount(place, weight)
    share = (np.cumsum(here) - here / 2) / here.sum()
    return np.asarray(share[place])


def _mean_error(values: Floats, weight: Floats) -> float:
    """The standard error of a weighted mean."""
    total, squares = float(weight.sum()), float(np.sum(weight**2))
    n = total**2 / squares
    if n <= 1:
        return math.nan
    gaps = values - np.sum(weight * values) / total
    return math.sqrt(float(np.sum((weight * gaps) ** 2)) * n / (n - 1)) / total
