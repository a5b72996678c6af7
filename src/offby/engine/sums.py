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
POINT = 1074
"""Binary digits behind the point of the smallest float64."""
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
    known: list[int] | None = None
    """The exact sums as whole numbers, where they were worked out already."""

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
        total = self.units(places)
        zeros = min((total & -total).bit_length() - 1, POINT) if total else POINT
        return Fraction(total >> zeros, 1 << (POINT - zeros))  # short numbers are fast ones

    def units(self, places: list[int]) -> int:
        """The same sum as a whole number of the smallest float64s, 2^-POINT."""
        known = self.known
        return sum(_integer(self.limbs[k]) if known is None else known[k] for k in places)

    def integers(self) -> list[int]:
        """Every exact sum as a whole number of the smallest float64s."""
        return self.known or integers(self.limbs)

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
    return integers(limbs[None])[0]


def integers(limbs: NDArray[np.int64]) -> list[int]:
    """Each row of limbs as one integer; every second limb starts where the one before ends."""
    totals = [0] * len(limbs)
    for start in (0, 1):
        part = limbs[:, start::2]
        low, high = part[:, :-1].astype("<u4").tobytes(), part[:, -1].tolist()
        width = 4 * (part.shape[1] - 1)
        for k, top in enumerate(high):
            number = int.from_bytes(low[k * width : (k + 1) * width], "little")
            totals[k] += (number + (top << (8 * width))) << (16 * start)
    return totals


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
