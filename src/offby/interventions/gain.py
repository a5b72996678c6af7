"""What a correction takes off a loss, on rows it was not fitted to; how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.interventions.judged import Judged
from offby.interventions.numeric import Fit
from offby.interventions.seen import Seen
from offby.measures.uncertainty import interval

_LINE = (-math.inf, math.inf)


@dataclass(frozen=True)
class Gain:
    """Loss before less loss after, with its t interval; `chance` is that of so much by luck."""

    value: float
    relative: float
    low: float | None
    high: float | None
    chance: float


def held_out(seen: Seen, fit: Fit) -> Floats:
    """Each row's prediction changed by what was learnt from the other half."""
    after = np.empty(seen.p.size)
    one, other = seen.halves
    for learnt, left in ((one, other), (other, one)):
        after[left] = fit(seen.where(learnt)).change(seen.p[left])
    return after


def gain(
    judged: Judged, seen: Seen, before: Floats, after: Floats, confidence: float
) -> Gain | None:
    """What the rows' losses fall by from `before` to `after`; None where it cannot be told.

    The two losses of a row are paired, so their difference is what varies.

    >>> from offby.interventions.judged import ABSOLUTE
    >>> seen = Seen(np.zeros(4), np.zeros(4), np.ones(4))
    >>> found = gain(ABSOLUTE, seen, np.array([4.0, 3, 4, 5]), np.array([1.0, 2, 1, 0]), 0.95)
    >>> found.value, found.relative, round(found.low, 3), round(found.chance, 3)
    (3.0, 0.75, 0.402, 0.017)
    """
    if not np.isfinite(after).all():
        return None
    means = seen.mean(before), seen.mean(after)
    if means[0] == math.inf:
        return Gain(math.inf, 1.0, None, None, 0.0)
    if not all(map(math.isfinite, means)) or means[0] <= 0:
        return None
    first, second = map(judged.of_mean, means)
    moved = judged.slope(means[0]) * (before - means[0]) - judged.slope(means[1]) * (
        after - means[1]
    )
    rows = seen.effective
    error = math.sqrt(np.sum((seen.w * moved) ** 2) * rows / max(rows - 1, 1)) / float(seen.w.sum())
    if not math.isfinite(error):
        return None
    value = first - second
    low, high = interval(value, error, rows - 1, confidence, _LINE)
    chance = float(special.stdtr(rows - 1, -value / error)) if error > 0 else float(value <= 0)
    return Gain(value, value / first, low, high, chance)


def holm(chances: Sequence[float], level: float) -> list[bool]:
    """Which of several claims stand together: all of them do, but for a chance of `level`.

    >>> holm([0.04, 0.001, 0.02], 0.05)
    [True, True, True]
    >>> holm([0.04, 0.001, 0.03], 0.05)
    [False, True, False]
    """
    stands = [False] * len(chances)
    for left, place in enumerate(np.argsort(chances, kind="stable").tolist()):
        if chances[place] > level / (len(chances) - left):
            break
        stands[place] = True
    return stands
