"""What a loss looks like along the score: convex or not, with kinks or without.

It is looked at, not declared: the slope of a convex loss never falls, which is checked on a grid of
some thousand scores of both signs and 24 orders of magnitude for several truths. For a formula of
one's own that is strong evidence and no proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.fit.objective.score import ScoreLoss

_TRUTHS = 9
_DISTANCES = np.logspace(-12, 12, 577)
_EXPONENTS = np.linspace(-30, 30, 1201)
_HALVINGS = 1100  # from 1e12 down to the smallest float


@dataclass(frozen=True)
class Shape:
    """Facts about a loss that decide how it may be minimised, and what can be proved then."""

    convex: bool
    kink: float | None
    """The score of a jump in the slope, for one truth; None where there is none."""
    bounded: bool
    """Whether it is never below 0."""


def shape_of(score_loss: ScoreLoss, y_true: Floats) -> Shape:
    """Look at a loss for truths like these: (n,), at least one.

    >>> from offby.fit.objective.score import toward_score
    >>> from offby.losses import Absolute, Huber, Tukey
    >>> truths = np.array([0.0, 1.0, 5.0])
    >>> shape_of(toward_score(Huber(1.5)), truths)
    Shape(convex=True, kink=None, bounded=True)
    >>> shape_of(toward_score(Absolute()), truths).kink
    0.0
    >>> shape_of(toward_score(Tukey(4.0)), truths).convex
    False
    """
    chosen = np.unique(np.quantile(y_true, np.linspace(0, 1, _TRUTHS), method="nearest"))
    looks = [_look(score_loss, truth) for truth in chosen]
    kinks = [look.kink for look in looks if look.kink is not None]
    return Shape(
        all(look.convex for look in looks),
        kinks[0] if kinks else None,
        all(look.bounded for look in looks),
    )


def _look(score_loss: ScoreLoss, truth: float) -> Shape:
    grid = _grid(score_loss, truth)
    value, slope, bend = score_loss.at(truth, grid)
    fine = np.isfinite(value) & np.isfinite(slope)
    grid, slope, bend = grid[fine], slope[fine], bend[fine]
    noise = 1e-9 * (np.abs(slope[1:]) + np.abs(slope[:-1]))
    rise = np.diff(slope)
    explained = 4 * np.maximum(np.abs(bend[1:]), np.abs(bend[:-1])) * np.diff(grid)
    steep = np.flatnonzero(np.abs(rise) > explained + noise)
    convex = bool(np.all(rise >= -noise))
    return Shape(
        convex,
        _jump(score_loss, truth, grid, steep) if convex and steep.size else None,
        bool(np.all(value[fine] >= -1e-12)),
    )


def _grid(score_loss: ScoreLoss, truth: float) -> Floats:
    if score_loss.link == "log":
        return _EXPONENTS
    sides = np.concatenate([-_DISTANCES, [0.0], _DISTANCES])
    return np.unique(np.concatenate([sides, truth + sides]))


def _jump(
    score_loss: ScoreLoss, truth: float, grid: Floats, cells: NDArray[np.intp]
) -> float | None:
    """The score where a rise of the slope stays as it is, however narrow the cell around it."""
    low, high = grid[cells], grid[cells + 1]
    rise = whole = _slope(score_loss, truth, high) - _slope(score_loss, truth, low)
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if np.all((middle <= low) | (middle >= high)):
            break
        at = _slope(score_loss, truth, middle)
        right = np.abs(_slope(score_loss, truth, high) - at) > np.abs(
            at - _slope(score_loss, truth, low)
        )
        low, high = np.where(right, middle, low), np.where(right, high, middle)
        rise = _slope(score_loss, truth, high) - _slope(score_loss, truth, low)
    kept = np.flatnonzero(np.abs(rise) > np.abs(whole) / 2)
    return float(high[kept[0]]) if kept.size else None


def _slope(score_loss: ScoreLoss, truth: float, score: Floats) -> Floats:
    return score_loss.at(truth, score, score_loss.slope)[0]
