"""How sure a difference over folds is: folds share their training rows, so are not independent."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from offby.choice.estimate import Estimate
from offby.engine.rows import Floats

METHOD = "corrected resampled t (Nadeau & Bengio 2003)"


def corrected(differences: Floats, ratio: float, confidence: float, many: int = 1) -> Estimate:
    """The mean over folds, with an interval: (folds,) differences of pairs.

    The variance of J differences is taken as (1/J + ratio) of their spread, where `ratio` is the
    rows judged over the rows trained on. With `many` such intervals, all hold at once (Bonferroni).

    >>> found = corrected(np.array([1.0, 2.0, 3.0]), 0.25, 0.95)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (2.0, -1.286, 5.286)
    """
    if differences.size < 2 or not np.isfinite(differences).all():
        return Estimate(None, method=METHOD, why="undefined, or infinite, on a fold")
    mean = float(np.mean(differences))
    spread = float(np.std(differences, ddof=1))
    error = spread * math.sqrt(1 / differences.size + ratio)
    level = (1 - confidence) / 2 / max(many, 1)
    reach = -float(special.stdtrit(differences.size - 1, level)) * error
    return Estimate(mean, mean - reach, mean + reach, METHOD)
