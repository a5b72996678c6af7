"""Losses of a score z: its sign says yes (y = 1) or no (y = 0), its size says how surely.

Each is y times its cost for a yes plus 1 - y times that for a no. Written so, nothing cancels:
both tails keep all their digits, and so do their derivatives.
"""

from __future__ import annotations

from offby.formula.expression import constant
from offby.formula.words import exp, log, maximum, sigmoid, sign, softplus, where, y, z
from offby.losses.binary import BinaryLoss
from offby.losses.loss import FLOOR, LEAST_CURVATURE, Noise, Parameter


class Logistic(BinaryLoss):
    """Cross-entropy of the logit z: log loss of 1 / (1 + exp(-z)), exact however sure z is.

    >>> Logistic().value([1, 0, 1], [0.0, -37.0, -1e20])
    array([6.93147181e-01, 8.53304763e-17, 1.00000000e+20])
    """

    name = "logistic"
    formula = y * softplus(-z) + (1 - y) * softplus(z)
    functional, scale = "mean", "logit"
    link = log(y / (1 - y))
    noise = Noise("Bernoulli", lambda: 0.0)


class SmoothedLogistic(BinaryLoss):
    """Cross-entropy of the logit z with the label moved to y (1 - epsilon) + epsilon / 2.

    It is least at a finite z, so that no score grows without end (Szegedy et al. 2016).

    >>> SmoothedLogistic(epsilon=0.1).value(1, [0.0, 2.9444, 20.0])
    array([0.69314718, 0.19851524, 1.        ])
    """

    name = "smoothed_logistic"
    epsilon = Parameter(0.1, above=0, below=1)
    yes, no = y * (1 - epsilon) + epsilon / 2, (1 - y) * (1 - epsilon) + epsilon / 2
    formula = yes * softplus(-z) + no * softplus(z)
    functional, scale = "smoothed_logistic", "logit"
    link = log(yes / no)


class CostLogistic(BinaryLoss):
    """Cross-entropy of the logit z where a false alarm and a miss weigh what they cost.

    Its best z is 0 where the chance of a yes is false_positive / (false_positive + false_negative),
    the threshold for acting (Elkan 2001). `false_negative` is the `pos_weight` of torch.

    >>> CostLogistic(false_positive=1, false_negative=5).value([1, 0], 0.0)
    array([3.4657359 , 0.69314718])
    """

    name = "cost_logistic"
    false_positive = Parameter(1.0, above=0)
    false_negative = Parameter(1.0, above=0)
    formula = false_negative * (y * softplus(-z)) + false_positive * ((1 - y) * softplus(z))
    functional, scale = "cost_logistic", "logit"
    link = log(false_negative * y / (false_positive * (1 - y)))


class FocalLogit(BinaryLoss):
    """The focal loss of the logit z, exact however sure z is (Lin et al. 2017). Not convex in z.

    >>> FocalLogit(gamma=2).value(1, [0.0, 40.0])
    array([1.73286795e-01, 7.66764807e-53])
    """

    name = "focal_logit"
    gamma = Parameter(2.0, above=0)
    missed = y * exp(-gamma * softplus(z))
    alarmed = (1 - y) * exp(-gamma * softplus(-z))
    formula = missed * softplus(-z) + alarmed * softplus(z)
    functional, scale = "focal_logit", "logit"
    surrogate = maximum((missed + alarmed) * (sigmoid(z) * sigmoid(-z)), LEAST_CURVATURE)


class Hinge(BinaryLoss):
    """Nothing from a margin of 1 on, then as far as z is from it: support vectors (Vapnik 1995).

    It elicits only which class is likelier, not how likely.

    >>> Hinge().value([1, 1, 0], [2.0, 0.25, 0.25])
    array([0.  , 0.75, 1.25])
    """

    name = "hinge"
    formula = y * maximum(0, 1 - z) + (1 - y) * maximum(0, 1 + z)
    functional, scale = "mode", "margin"
    link = sign(2 * y - 1)
    surrogate = y / (2 * maximum(abs(1 - z), FLOOR)) + (1 - y) / (2 * maximum(abs(1 + z), FLOOR))


class SquaredHinge(BinaryLoss):
    """The square of the hinge loss: smooth, and its best z tells the chance, as 2 chance - 1.

    >>> SquaredHinge().value([1, 1, 0], [2.0, 0.5, 0.5])
    array([0.  , 0.25, 2.25])
    """

    name = "squared_hinge"
    formula = y * maximum(0, 1 - z) ** 2 + (1 - y) * maximum(0, 1 + z) ** 2
    functional, scale = "squared_hinge", "margin"
    link = 2 * y - 1
    surrogate = constant(2)


class Exponential(BinaryLoss):
    """exp(-z) for a yes, exp(z) for a no: AdaBoost's (Freund & Schapire 1997); outliers rule it.

    >>> Exponential().value([1, 0], [0.0, 1.0])
    array([1.        , 2.71828183])
    """

    name = "exponential"
    # what has no weight does not count, were it infinite
    formula = where(y == 0, 0, y * exp(-z)) + where(y == 1, 0, (1 - y) * exp(z))
    functional, scale = "exponential", "margin"
    link = log(y / (1 - y)) / 2
