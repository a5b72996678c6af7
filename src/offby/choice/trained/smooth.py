"""Losses with a kink, rounded off: Newton's steps then find their minimum, fold after fold.

A kink max(x, 0) becomes width · softplus(x / width), its mean under logistic noise of that width.
Quantile regression so smoothed is as accurate to first order, and a little more so in finite
samples (Fernandes, Guerre & Horta 2021); the width is that of conquer (He et al. 2023).
"""

from __future__ import annotations

import math

import numpy as np

from offby.engine.rows import Floats
from offby.formula.words import r, softplus, y, z
from offby.losses import Absolute, BinaryLoss, Hinge, Loss, Parameter, Pinball

_LEAST, _LOGISTIC = 0.05, math.pi / math.sqrt(3)
_QUARTILE = 0.6744897501960817


class RoundedPinball(Loss):
    """The pinball loss with its kink rounded off over errors as small as `width`.

    >>> RoundedPinball(tau=0.9, width=0.01).value([1.0, 3.0], 2.0).round(6)
    array([0.1, 0.9])
    """

    name = "rounded_pinball"
    tau = Parameter(0.5, above=0, below=1)
    width = Parameter(1.0, units="y", above=0)
    formula = width * softplus(r / width) - tau * r
    functional, units = "quantile", "y"


class RoundedHinge(BinaryLoss):
    """The hinge loss with its kink rounded off over margins as small as `width`.

    >>> RoundedHinge(width=0.01).value([1, 1, 0], [2.0, 0.25, 0.25]).round(6)
    array([0.  , 0.75, 1.25])
    """

    name = "rounded_hinge"
    width = Parameter(0.05, above=0)
    formula = y * width * softplus((1 - z) / width) + (1 - y) * width * softplus((1 + z) / width)
    functional, scale = "mode", "margin"


def smooth(loss: Loss, errors: Floats, columns: int) -> Loss:
    """The loss, or a smooth neighbour if it has a kink; `errors` (n,) say how near it must be.

    >>> smooth(Absolute(), np.arange(-50.0, 51.0), 2)
    RoundedPinball(tau=0.5, width=3.43)
    """
    if isinstance(loss, Hinge):
        return RoundedHinge()
    if not isinstance(loss, Absolute | Pinball):
        return loss
    tau = loss.tau if isinstance(loss, Pinball) else 0.5
    middle = errors - np.quantile(errors, tau)
    spread = float(np.median(np.abs(middle))) / _QUARTILE or float(np.std(middle)) or 1.0
    share = math.sqrt(tau * (1 - tau)) * ((columns + math.log(errors.size)) / errors.size) ** 0.4
    width = max(share, _LEAST) * spread / _LOGISTIC
    return RoundedPinball(tau, float(f"{width:.3g}"))
