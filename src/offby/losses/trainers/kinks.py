"""Curvatures of losses made of straight lines: the absolute error, the quantile loss.

Their second derivative is 0, and a trainer that divides by 0 learns nothing. Their gradients are
left as they are; what stands in for the curvature of a row with the error r is

    s / sqrt(r² + w²)

where s is a slope and w a width. With the mean of both slopes of the loss, s = (a + b) / 2, it is
that of the parabola that touches the loss at r and -r and lies above it (Hunter & Lange 2000,
"Quantile regression via an MM algorithm"), rounded off near 0 as they do too: steps do not go
uphill, and where errors are balanced they are nearly Newton's, whose curvature is a + b times the
density of errors at the kink. For outer quantiles it is too cautious, since most rows lie where
the slope is the smaller one. Their geometric mean, s = sqrt(a b), trained best, leaning a little
(`LEAN`) to the slope of the row's own side: so the curvature of a leaf comes from its many rows,
and not from the few beyond the quantile, whose number would decide the splits. `SCALE`, `LEAN`
and `REACH` were chosen by held-out losses.

The width on either side is how far the errors' quantiles around the level of the kink lie from it:
it follows the errors, so it shrinks as the model learns, and has their units.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from offby.formula.derive import hessian
from offby.formula.expression import Expression, constant, substitute, symbol, walk
from offby.formula.words import maximum, p, r, sqrt, where, y
from offby.losses import Loss
from offby.losses.loss import FLOOR, LEAST_CURVATURE

BEHIND, AHEAD = symbol("behind"), symbol("ahead")
"""The widths of predictions that are too low and too high."""
WIDTH = where(r < 0, BEHIND, AHEAD)
"""How far from its kink a loss of straight lines counts as bent."""
LEAN, SCALE, REACH = 0.15, 1.1, 0.5
"""How far s leans to the row's own slope, its factor, and how far beside the level quantiles are
taken, as a part of the emptier side."""
LEAST = 0.2
"""The least width of a side, as a part of the mean of both."""
NARROW = 2.0**-20
"""The least width, as a part of the errors' mean size."""
STEEP = 2.0**-6
"""The least slope that a flat side counts as, as a part of the kink's jump."""
SAMPLE = 1 << 14
"""How many rows tell of the errors' sizes, at least where there are as many."""


@lru_cache(maxsize=64)  # asked in every round
def straight(loss: Loss) -> bool:
    """Whether the loss is made of straight lines.

    >>> from offby.losses import Huber, Pinball
    >>> straight(Pinball(0.9)), straight(Huber())
    (True, False)
    """
    bend = hessian(loss.formula)
    return bend.op == "constant" and bend.data == 0


def quadratic(loss: Loss) -> bool:
    """Whether the loss bends everywhere alike.

    >>> from offby.losses import Huber, Squared
    >>> quadratic(Squared()), quadratic(Huber())
    (True, False)
    """
    bend = hessian(loss.formula)
    return bend.op == "constant" and bend.data > 0


def of_errors(loss: Loss) -> bool:
    """Whether the loss is a formula of r = p - y alone, and so in units of y or their square.

    >>> from offby.losses import Huber, Poisson
    >>> of_errors(Huber()), of_errors(Poisson())
    (True, False)
    """
    return all(leaf is r for leaf in walk(loss.formula) if leaf.op == "symbol")


def curvature(loss: Loss) -> Expression:
    """The curvature for a trainer: the loss's own, or that of straight lines within a `WIDTH`."""
    slope, own = loss.derived()
    if not straight(loss):
        return hessian(loss.formula) if quadratic(loss) else own
    if loss.surrogate is not None:
        return substitute(own, {FLOOR: WIDTH})
    return maximum(_bend(slope), LEAST_CURVATURE)


def _bend(slope: Expression) -> Expression:
    """The curvature of one kink, where the error is 0."""
    above, below = (abs(substitute(slope, {p: y + side, r: side})) for side in (AHEAD, -BEHIND))
    least = (above + below) * STEEP
    above, below = maximum(above, least), maximum(below, least)
    own = where(r < 0, below, above)
    steep = (above * below) ** constant((1 - LEAN) / 2) * own ** constant(LEAN)
    return SCALE * steep / sqrt(r**2 + WIDTH**2)


@lru_cache(maxsize=64)
def level(loss: Loss) -> float:
    """The share of errors below 0 where the mean loss is least.

    >>> from offby.losses import Absolute, Pinball
    >>> level(Absolute()), level(Pinball(0.75))
    (0.5, 0.25)
    """
    if not of_errors(loss):
        return 0.5
    below, above = np.abs(loss.gradient(0.0, np.array([-1.0, 1.0])))
    return float(above / (above + below)) if above * below else 0.5


def widths(loss: Loss, errors: Any) -> dict[Expression, float]:
    """How wide `BEHIND` and `AHEAD` are for these errors.

    >>> from offby.losses import Absolute
    >>> list(widths(Absolute(), np.array([-3.0, -2.0, 0.0, 1.0, 5.0])).values())
    [2.0, 1.0]
    """
    if loss.scale == "margin":
        return {BEHIND: 1.0, AHEAD: 1.0}  # margins are counted in this unit
    at = level(loss)
    beside = REACH * min(at, 1 - at)
    low, high = np.quantile(errors, [at - beside, at + beside])
    size = float(np.mean(np.abs(errors))) or 1.0
    least = max(LEAST * float(high - low) / 2, NARROW * size)
    return {BEHIND: max(-float(low), least), AHEAD: max(float(high), least)}
