"""What the loss would fall by, if the worst segment came to the level of the rest.

The worst of many looks worse than it is. What a search found was chosen on one half of the rows and
is estimated on the other, so that its choice has no part in the estimate. Segments that were asked
for are all estimated on the same rows: there the interval is so wide that those of all segments
hold together (Bonferroni), and so does that of whichever is picked; the value itself stays a little
too large.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from offby.measures.measurement import Measurement
from offby.segments.gap import Gap
from offby.segments.search import Culprit
from offby.segments.segment import Segment


@dataclass(frozen=True)
class Relief:
    """A segment, its share of the weight, and what the loss would fall by, with its interval.

    That is the loss of all rows less that of the rows outside: the share times the gap.
    """

    segment: str
    share: float
    value: float
    low: float
    high: float
    relative: float
    among: int = 0
    """How many segments the interval holds for together, if the worst was picked among them."""


def of_culprit(found: Sequence[Culprit], confidence: float, *, root: bool = False) -> Relief | None:
    """That of the first segment that a search confirmed; of a root of the loss if told.

    None where there is none, or where the interval reaches 0.

    >>> one = Culprit((("a", "b"),), 1000, 3.0, 1.0, 2.0, 1.5, 2.5, 0.001, 0.25, 0.5)
    >>> relief = of_culprit([one], 0.95)
    >>> relief.value, relief.relative, round(relief.low, 2)
    (0.5, 0.3333333333333333, 0.37)
    """
    if not found or not found[0].loss_share > 0:
        return None
    one = found[0]
    share, whole = one.rows_share, one.rows_share * one.loss / one.loss_share
    value = share * one.gap
    spread = _of_share(value, share, one.rows / 2, (1 + confidence) / 2)
    low = value - math.hypot(share * (one.gap - one.low), spread)
    high = value + math.hypot(share * (one.high - one.gap), spread)
    if root:
        value, low, high = (_off_root(whole, end) for end in (value, low, high))
        whole = math.sqrt(whole)
    return _sure(Relief(one.label, share, value, low, high, value / whole))


def _off_root(mean: float, less: float) -> float:
    """What the root of a mean falls by, if the mean falls by so much."""
    return math.sqrt(mean) - math.sqrt(max(mean - less, 0.0))


def of_segments(
    segments: Sequence[Segment], name: str, whole: Measurement, *, root: bool = False
) -> Relief | None:
    """That of the segment which would surely relieve a loss most; None where none surely would."""
    judged = [(one, gap) for one in segments if (gap := one.gaps[name]) is not None]
    found = [
        relief
        for one, gap in judged
        if gap.sure and gap.value > 0 and not one.others
        and (relief := _of_segment(one, gap, name, whole, len(judged), root)) is not None
    ]  # fmt: skip
    return max(found, key=lambda relief: relief.low, default=None)


def _of_segment(
    one: Segment, gap: Gap, name: str, whole: Measurement, among: int, root: bool
) -> Relief | None:
    mean, inside = whole.value, one[name].value
    assert mean is not None
    assert inside is not None
    rest, power = inside - gap.value, 2 if root else 1
    value = mean - rest
    share = (mean**power - rest**power) / (inside**power - rest**power)
    slope = 1 - (1 - share) * rest / mean if root else share  # of the whole less the rest
    each = 1 - (1 - whole.confidence) / 2 / among
    wider = float(special.ndtri(each) / special.ndtri((1 + whole.confidence) / 2))
    spread = _of_share(value, share, one.rows, each)
    low = value - math.hypot(slope * wider * (gap.value - gap.low), spread)
    high = value + math.hypot(slope * wider * (gap.high - gap.value), spread)
    return _sure(Relief(one.label, share, value, low, high, value / mean, among))


def _of_share(value: float, share: float, rows: float, each: float) -> float:
    """What the share's own uncertainty adds to the interval: of so many rows, that of a count."""
    return float(special.ndtri(each)) * value * math.sqrt(max(1 - share, 0.0) / rows)


def _sure(relief: Relief) -> Relief | None:
    return relief if relief.low > 0 and math.isfinite(relief.high) else None
