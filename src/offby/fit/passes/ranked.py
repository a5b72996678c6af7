"""Quantiles of numbers that are seen in parts and not kept: exact, mostly in one pass.

Those within a range where the answer is expected are kept, the others added up. Where the answer
lies elsewhere, the next pass looks there; where too many lie within, they are counted by their
leading bits, which tell of a narrower range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offby.engine.order import KeyCounts, ordered_bits
from offby.engine.rows import Floats

ROOM = 1 << 20
"""Numbers that are kept, before they are counted instead."""
_DEVIATIONS = 5.0  # of a sample's quantile: how far off that of all rows is expected
_TIE = 1e-12  # sums of weights differ by their order; none of a tie may hang on that
Range = tuple[float, float]
EVERYWHERE: Range = (-np.inf, np.inf)


@dataclass(frozen=True, eq=False)
class Ranked:
    """Numbers of some rows: the weights below and above a range, and the numbers within it.

    `after` is the least number above the range; `a + b` are those of the rows of both.
    """

    below: float
    above: float
    after: float
    counted: KeyCounts
    kept: tuple[tuple[Floats, Floats], ...]

    @classmethod
    def of(cls, numbers: Floats, weights: Floats | None, within: Range) -> Self:
        """Numbers (n,), none missing, with their weights (n,; None is 1 each)."""
        if weights is not None and not weights.all():
            numbers, weights = numbers[weights > 0], weights[weights > 0]
        below, above = numbers < within[0], numbers > within[1]
        inside = np.flatnonzero(~(below | above))
        return cls(
            _weight(below, weights),
            _weight(above, weights),
            float(np.min(numbers, where=above, initial=np.inf)),
            KeyCounts.empty(1),
            ((numbers[inside], np.ones(inside.size) if weights is None else weights[inside]),),
        )

    def __add__(self, other: Self) -> Self:
        counted, kept = self.counted, (*self.kept, *other.kept)
        if other.counted.keys.size:
            counted = counted.merge(other.counted)
        if sum(numbers.size for numbers, _ in kept) > ROOM:
            counted, kept = counted.merge(_counted(kept)), ()
        return type(self)(
            self.below + other.below,
            self.above + other.above,
            min(self.after, other.after),
            counted,
            kept,
        )

    def ranks(self) -> KeyCounts:
        """All numbers within the range, in order, with their weights."""
        if not self.kept:
            return self.counted
        if not self.counted.keys.size:
            return _counted(self.kept, 2 * ROOM)
        return self.counted.merge(_counted(self.kept))


def _weight(chosen: NDArray[np.bool_], weights: Floats | None) -> float:
    return float(np.count_nonzero(chosen) if weights is None else weights[chosen].sum())


def _counted(kept: tuple[tuple[Floats, Floats], ...], budget: int | None = None) -> KeyCounts:
    numbers = np.concatenate([some for some, _ in kept]) + 0.0  # of -0 and 0 one number
    weights = np.concatenate([some for _, some in kept])
    pairs = np.column_stack([weights, np.zeros(weights.size)])
    keys = ordered_bits(numbers)
    return KeyCounts.of(keys, pairs) if budget is None else KeyCounts.of(keys, pairs, budget)


def quantile_in_passes(look: Callable[[Range], Ranked], q: float, within: Range) -> float:
    """The middle of all q-quantiles of the numbers that `look` ranks within a range it is given.

    The first range is a guess: a good one saves passes and changes nothing else.

    >>> numbers = np.array([5.0, 1.0, 3.0, 2.0])
    >>> quantile_in_passes(lambda within: Ranked.of(numbers, None, within), 0.5, (4.0, 9.0))
    2.5
    """
    while True:
        found = _placed(look(within), q, within)
        if isinstance(found, float):
            return found
        within = found


def _placed(found: Ranked, q: float, within: Range) -> float | Range:
    """The quantile, or a range that it lies in."""
    ranks = found.ranks()
    upto = found.below + np.cumsum(ranks.pairs.sum(axis=1))
    inside = float(upto[-1]) if upto.size else found.below
    wanted = q * (inside + found.above)
    least = wanted * (1 - _TIE)
    if found.below >= least:
        return -np.inf, float(np.nextafter(within[0], -np.inf))
    if inside < least:
        return float(np.nextafter(within[1], np.inf)), np.inf
    at = int(np.searchsorted(upto, least))
    last = at + 1 == upto.size
    low, high = float(ranks.low()[at]), float(ranks.high()[at])
    after = found.after if last else float(ranks.low()[at + 1])
    tie = upto[at] <= wanted * (1 + _TIE) and np.isfinite(after)
    if not ranks.exact:
        return low, (after if last else float(ranks.high()[at + 1])) if tie else high
    return low + (after - low) / 2 if tie else low


def range_about(numbers: Floats, weights: Floats | None, q: float) -> Range:
    """Where the q-quantile of many rows is expected, from that of some of them.

    >>> low, high = range_about(np.arange(10_000.0), None, 0.5)
    >>> low, high
    (4749.0, 5249.0)
    """
    order = np.argsort(numbers)
    weight = np.ones(numbers.size) if weights is None else weights[order]
    total = float(weight.sum())
    if not total > 0:
        return EVERYWHERE
    half = _DEVIATIONS * np.sqrt(q * (1 - q) * float(weight @ weight)) / total
    ends = np.searchsorted(np.cumsum(weight) / total, [q - half, q + half])
    low = float(numbers[order[ends[0]]]) if q > half else -np.inf
    high = float(numbers[order[ends[1]]]) if q + half < 1 else np.inf
    return low, high
