"""Slopes and curvatures of losses made of straight lines: the absolute error, the quantile loss.

Their second derivative is 0, and a trainer that divides by 0 learns nothing. So they are smoothed
as He et al. (2023, conquer) smooth quantile regression: averaged over predictions no further than
a `WIDTH` away. Beyond it nothing changes; within it the slope goes from one side's to the other's,
and the curvature is that slope's own. It also helps where there is no need: of the few rows in a
leaf, signs of errors tell less than their sizes.

The width follows the errors, so that it shrinks as the model learns: twice the size that as many
errors stay below as lie on the emptier side of the kink. For a median and normal errors that is
1.349 standard deviations, about Huber's 1.345; for a ninth decile it is narrower.

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
_SAMPLE = 1 << 14


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
    """The `WIDTH` for these errors; of many rows, by a sample of them.

    >>> from offby.losses import Absolute
    >>> width(Absolute(), np.array([-3.0, -1.0, 1.0, 2.0, 9.0]))
    3.2
    """
    if loss.scale == "margin":
        return 1.0  # margins are counted in this unit
    some = errors[:: 1 + errors.size // _SAMPLE]
    above, below = float(np.mean(some > 0)), float(np.mean(some < 0))
    tied = 1 - above - below
    sizes = np.abs(some[some != 0])
    return 2 * float(np.quantile(sizes, min(above, below) + tied / 2)) if sizes.size else 1.0
