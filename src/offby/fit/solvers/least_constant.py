"""The least mean of a convex loss that a constant score can have: Newton's steps on a line.

Where the slope is negative the minimum lies above, where it is positive below: so a step never
leaves the range between such places, and their tangents cross below the minimum, which proves how
near it is where the slope jumps and no bend is to be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Rows, Source
from offby.fit.objective.score import ScoreLoss
from offby.fit.objective.shape import Shape

_FEW = 1 << 15
_LOOKS = 200
_ENOUGH = 1e-10
_TRUSTED = 30  # looks; from then on the range is halved
_FARTHER = 4.0


@dataclass(frozen=True)
class Look:
    """The mean loss of all rows at one score, with its slope and bend there."""

    at: float
    value: float
    slope: float
    bend: float

    @property
    def fall(self) -> float:
        """How far the parabola that touches there falls to its least."""
        return self.slope**2 / (2 * self.bend) if self.bend > 0 else float("inf")


def least_of_convex(source: Source, loss: ScoreLoss, shape: Shape) -> float | None:
    """The least mean loss of one score for all rows; None where none is found.

    It is searched for among some of the rows first, so that few looks at all of them are needed.

    >>> from offby.fit.objective.score import toward_score
    >>> from offby.losses import Huber
    >>> rows = Rows(np.zeros((4, 1)), np.array([0.0, 0.0, 1.0, 99.0]))
    >>> least_of_convex(rows, toward_score(Huber(1.0)), Shape(True, None, True))
    24.583333333333332
    """
    few = source.sample(_FEW)
    smooth = shape.kink is None
    start, reach = _middle(loss, few.y), float(np.ptp(few.y)) or 1.0
    if few.count < source.count and few.weighs:
        near = _searched(few.targets, loss, start, reach, smooth=smooth)
        if near is not None:
            start, reach = near.at, reach / few.count**0.5
    found = _searched(source.targets, loss, start, reach, smooth=smooth)
    return None if found is None else found.value


def _middle(loss: ScoreLoss, truths: Floats) -> float:
    """A score that is not far from the best one for its spread."""
    if loss.loss.scale != "identity":
        return 0.0
    if loss.link == "identity":
        return float(np.median(truths))
    mean = float(truths.mean())
    return float(np.log(mean)) if mean > 0 else 0.0


def _searched(
    targets: Callable[[], Iterable[Rows]],
    loss: ScoreLoss,
    start: float,
    reach: float,
    *,
    smooth: bool,
) -> Look | None:
    """The least that was seen from `start` on; the first step is no longer than `reach`."""
    low = high = best = None
    at = start
    for count in range(_LOOKS):
        look = _look(targets(), loss, at)
        if not np.isfinite([look.value, look.slope]).all():
            return None
        best = look if best is None or look.value < best.value else best
        low, high = (low, look) if look.slope > 0 else (look, high)
        if look.slope == 0 or (smooth and look.fall <= _ENOUGH * look.value):
            return look
        if low is None or high is None:
            at, reach = _outside(look, reach, smooth=smooth), reach * _FARTHER
            continue
        if best.value - _crossing(low, high)[1] <= _ENOUGH * best.value:
            return best
        at = _inside(low, high, look, count, smooth=smooth)
        if not low.at < at < high.at:
            return best
    return None


def _outside(look: Look, reach: float, *, smooth: bool) -> float:
    """Farther down the slope, by no more than `reach`."""
    newton = abs(look.slope) / look.bend if smooth and look.bend > 0 else np.inf
    return look.at - float(np.copysign(min(newton, reach), look.slope))


def _inside(low: Look, high: Look, look: Look, count: int, *, smooth: bool) -> float:
    """Between two places that the minimum lies between."""
    if smooth and look.bend > 0 and count < _TRUSTED:
        there = look.at - look.slope / look.bend
        if low.at < there < high.at:
            return there
    if not smooth and count % 2:
        return _crossing(low, high)[0]
    return low.at + (high.at - low.at) / 2


def _crossing(low: Look, high: Look) -> tuple[float, float]:
    """Where the tangents at two places cross, and how high: no convex loss is lower."""
    along = high.value - low.value + low.slope * low.at - high.slope * high.at
    at = along / (low.slope - high.slope)
    return at, low.value + low.slope * (at - low.at)


def _look(parts: Iterable[Rows], loss: ScoreLoss, at: float) -> Look:
    sums = np.sum([_sums(part, loss, at) for part in parts], axis=0)
    return Look(at, *map(float, sums[1:] / sums[0]))


def _sums(part: Rows, loss: ScoreLoss, at: float) -> Floats:
    """The weight of some rows, and the sums of value, slope and bend."""
    return np.array([part.total_weight, *map(part.sum_of, loss.at(part.y, np.array(at)))])
