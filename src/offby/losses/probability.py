"""Losses of a probability: how wrong the chance p was, once a yes (1) or a no (0) came true.

None is clipped: what was called impossible and happens costs infinitely much.
"""

from __future__ import annotations

from offby.formula.words import maximum, p, r, ratio, where, xlog1py, xlogy, y
from offby.losses.binary import LABELS, BinaryLoss
from offby.losses.loss import LEAST_CURVATURE, Noise, Parameter

PROBABILITIES = LABELS & (p >= 0) & (p <= 1)


class LogLoss(BinaryLoss):
    """Binary cross-entropy, -(y log p + (1 - y) log(1 - p)), by log1p so that small p count.

    >>> LogLoss().value([1, 0, 0, 1], [1.0, 1e-20, 0.5, 0.0])
    array([0.00000000e+00, 1.00000000e-20, 6.93147181e-01,            inf])
    >>> round(LogLoss().mean([1, 1, 0], [0.9, 0.3, 0.1]), 4)
    0.4716
    """

    name = "log_loss"
    formula = xlog1py(y - 1, -p) - xlogy(y, p)  # in this order 0 is 0 and never -0
    functional = "mean"
    domain = PROBABILITIES
    link = y
    noise = Noise("Bernoulli", lambda: 0.0)


class Brier(BinaryLoss):
    """The squared error of a probability, (p - y)^2 (Brier 1950), between 0 and 1.

    Summed over the columns of several classes it runs to 2, also for two: see `CategoricalBrier`.

    >>> Brier().value([1, 0, 0], [0.9, 0.5, 1.0])
    array([0.01, 0.25, 1.  ])
    """

    name = "brier"
    formula = r**2
    functional = "mean"
    domain = PROBABILITIES
    link = y


class Focal(BinaryLoss):
    """Cross-entropy less for what is almost right, by (1 - chance given)^gamma (Lin et al. 2017).

    Its best p lies nearer to 1/2 than the chance does, so p is not to be read as the chance.

    >>> Focal(gamma=2).value(1, [0.5, 0.9])
    array([0.1732868 , 0.00105361])
    """

    name = "focal"
    gamma = Parameter(2.0, above=0)
    # by `where`, since for gamma < 1 the slope is infinite at the end, and the log there is 0
    missed = where(p < 1, (1 - p) ** gamma, 0)
    alarmed = where(p > 0, p**gamma, 0)
    formula = alarmed * xlog1py(y - 1, -p) - missed * xlogy(y, p)
    functional = "focal"
    domain = PROBABILITIES
    surrogate = maximum(
        missed * ratio(ratio(y, p), p) + alarmed * ratio(ratio(1 - y, 1 - p), 1 - p),
        LEAST_CURVATURE,
    )


class CostWeighted(BinaryLoss):
    """Cross-entropy where a false alarm and a miss weigh what they cost.

    Its best p has the odds of the chance times `false_negative` / `false_positive`: it exceeds 1/2
    exactly where the chance exceeds false_positive / (false_positive + false_negative), which is
    the threshold for acting (Elkan 2001). So act where p > 1/2, and do not read p as the chance.

    >>> CostWeighted(false_positive=1, false_negative=5).value([1, 0], 0.5)
    array([3.4657359 , 0.69314718])
    >>> str(CostWeighted(1, 5))
    'cost_weighted:1:5'
    """

    name = "cost_weighted"
    false_positive = Parameter(1.0, above=0)
    false_negative = Parameter(1.0, above=0)
    formula = false_positive * xlog1py(y - 1, -p) - false_negative * xlogy(y, p)
    functional = "cost_weighted"
    domain = PROBABILITIES
    link = false_negative * y / (false_negative * y + false_positive * (1 - y))
