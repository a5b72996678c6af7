"""Slopes and curvatures of losses made of straight lines: the absolute error, the quantile loss.

Their second derivative is 0, and a trainer that divides by 0 learns nothing. So they are smoothed
as He et al. (2023, conquer) smooth quantile regression: averaged over predictions no further than
a `WIDTH` away. Beyond it nothing changes; within it the slope goes from one side's to the other's,
and the curvature is that slope's own. It also helps where there is no need: of the few rows in a
leaf, signs of errors tell less than their sizes.

The width follows the errors, so that it shrinks as the model learns: 1.25 times the size that as
many errors stay below as lie on the emptier side of the kink, and up to twice that size where few
do. Twice for a median would be, of normal errors, about Huber's 1.345 standard deviations; it
learns skewed ones worse.

Smoothing moves a quantile to the side where errors lie less dense. Of a median that is made good,
by moving all slopes until they add up to the loss's own; of other quantiles less and less: they
move outwards, which offsets that models draw them inwards by learning their own rows by heart.

Beyond the width, dividing the slope by the error would never step past what it aims at, but lets
rows on the flatter side move too far; half the jump over the error, too little (Hunter & Lange
2000). Their geometric mean trained best.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from offby.formula.derive import hessian
from offby.formula.expression import Expression, substitute, symbol, walk
from offby.formula.words import maximum, p, r, sqrt, where, y
from offby.losses import Loss
from offby.losses.loss import FLOOR, LEAST_CURVATURE

WIDTH = symbol("width")
"""How far from its kink a loss of straight lines counts as bent."""
NARROW = 2.0**-20
"""How much of a width counts as nothing, and yet is no less than what numbers are rounded by."""
SAMPLE = 1 << 14
"""How many rows tell of the errors' sizes, at least where there are as many."""


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


def slopes(loss: Loss) -> tuple[Expression, Expression]:
    """The gradient and the curvature for a trainer: the loss's own, or those within a `WIDTH`."""
    slope, own = loss.derived()
    if not straight(loss):
        return slope, hessian(loss.formula) if quadratic(loss) else own
    ahead, behind = (
        substitute(loss.expression, {p: p + side, r: r + side}) for side in (WIDTH, -WIDTH)
    )
    bend = substitute(own, {FLOOR: WIDTH}) if loss.surrogate is not None else _bend(slope)
    return (ahead - behind) / (2 * WIDTH), bend


def _bend(slope: Expression) -> Expression:
    """The curvature of one kink, where the error is 0."""
    above, below = (substitute(slope, {p: y + side, r: side}) for side in (WIDTH, -WIDTH))
    jump = abs(above - below) / 2
    bend = where(abs(r) <= WIDTH, jump / WIDTH, sqrt(abs(slope) * jump) / abs(r))
    return maximum(bend, LEAST_CURVATURE)


def width(loss: Loss, errors: Any) -> float:
    """The `WIDTH` for these errors.

    >>> from offby.losses import Absolute
    >>> width(Absolute(), np.array([-3.0, -1.0, 1.0, 5.0]))
    2.5
    """
    if loss.scale == "margin":
        return 1.0  # margins are counted in this unit
    share, sizes = _emptier(errors), np.abs(errors[errors != 0])
    return (2 - 1.5 * share) * float(np.quantile(sizes, share)) if sizes.size else 1.0


def balance(errors: Any) -> float:
    """How much of what smoothing takes from the sum of all slopes is given back.

    >>> balance(np.array([-1.0, 1.0])), balance(np.array([-1.0, 1.0, 1.0, 1.0]))
    (1.0, 0.5)
    """
    return 2 * _emptier(errors)


def _emptier(errors: Any) -> float:
    """The share of rows on the emptier side of the kink; of those on it, half."""
    above, below = float(np.mean(errors > 0)), float(np.mean(errors < 0))
    return min(above, below) + (1 - above - below) / 2
