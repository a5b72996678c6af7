"""What the loop fills for a slice of rows, and how two of them add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offby.engine.accumulate import LIMBS, carry
from offby.engine.order import KeyCounts
from offby.engine.plan import Plan
from offby.formula.words import w

WORST = 10
"""How many of the largest values, and their rows, are remembered."""
_UNIT = Fraction(1, 1 << 1074)
Floats = NDArray[np.float64]


@dataclass
class Sums:
    """What the loop fills for a slice of rows, and what merges."""

    rows: int
    limbs: NDArray[np.int64]  # exact sums; see `accumulate`
    special: NDArray[np.int64]  # counts of +inf, -inf, NaN and the first such row, a sum
    moments: Floats
    sizes: Floats  # the largest values of each term of plan.largest, and their rows
    places: NDArray[np.int64]
    counted: list[KeyCounts]

    @classmethod
    def zero(cls, plan: Plan) -> Sums:
        """The sums of no rows."""
        special = np.zeros((plan.exact_sums, 4), np.int64)
        special[:, 3] = -1
        return cls(
            0,
            np.zeros((plan.exact_sums, LIMBS), np.int64),
            special,
            np.zeros(len(plan.moments)),
            np.full((len(plan.largest), WORST), -np.inf),
            np.full((len(plan.largest), WORST), -1, np.int64),
            [KeyCounts.empty(plan.program.columns.shape[1], c.budget) for c in plan.counters],
        )

    def exact(self, places: list[int]) -> Fraction:
        """The exact sum of these accumulators, over their finite terms."""
        return sum(_integer(self.limbs[place]) for place in places) * _UNIT

    def weight(self, plan: Plan) -> Fraction:
        """The sum of the weights, or the number of rows."""
        return self.exact(plan.exact[w]) if plan.weighted else Fraction(self.rows)

    def unusual(self, places: list[int]) -> tuple[int, int, int, int]:
        """How many terms were +inf, -inf and NaN, and the first row that had one (or -1)."""
        found = self.special[places[0]]
        return int(found[0]), int(found[1]), int(found[2]), int(found[3])

    def moved(self, rows: int) -> Sums:
        """The same, with every row number moved on."""
        special = self.special.copy()
        special[:, 3] += np.where(special[:, 3] >= 0, rows, 0)
        return replace(
            self, special=special, places=self.places + np.where(self.places >= 0, rows, 0)
        )


def _integer(limbs: NDArray[np.int64]) -> int:
    """The limbs as one integer; every second limb starts where the one before ends."""
    total = 0
    for start in (0, 1):
        part = limbs[start::2]
        low = int.from_bytes(part[:-1].astype("<u4").tobytes(), "little")
        total += (low + (int(part[-1]) << (32 * (part.size - 1)))) << (16 * start)
    return total


def merge_sums(a: Sums, b: Sums) -> Sums:
    """Both together."""
    if not (a.rows and b.rows):
        return a if a.rows else b
    limbs = a.limbs + b.limbs
    for row in limbs:
        carry(row)
    special = a.special + b.special
    first = np.stack([a.special[:, 3], b.special[:, 3]])
    special[:, 3] = np.where(first.min(0) >= 0, first.min(0), first.max(0))
    sizes, places = np.hstack([a.sizes, b.sizes]), np.hstack([a.places, b.places])
    order = np.lexsort((places, -sizes), axis=1)[:, :WORST]  # the earlier row wins a tie
    return Sums(
        a.rows + b.rows,
        limbs,
        special,
        a.moments + b.moments,
        np.take_along_axis(sizes, order, 1),
        np.take_along_axis(places, order, 1),
        [x.merge(y) for x, y in zip(a.counted, b.counted, strict=True)],
    )
