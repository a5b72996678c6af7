"""The rows of a whole that are not in a part, by subtraction: exact sums lose nothing by it."""

from __future__ import annotations

import numpy as np

from offby.engine.moments import basis_means, without
from offby.engine.state import State
from offby.engine.sums import Sums

CANCELLED = 1e-8
"""Of the whole's spread: what is left below has lost half of its digits."""


def rest_of(whole: State, part: State, *, counted: bool = True) -> State | None:
    """The state of the rows outside a part; None where their spread drowns in the part's.

    Standard errors come from plain sums, of which a part that is nearly all leaves only rounding.
    """
    rest = subtracted(whole, part, counted=counted)
    return None if rest.sums.rows and _drowned(whole, rest) else rest


def subtracted(whole: State, part: State, *, counted: bool = True) -> State:
    """The state of the rows outside a part, good for every value that is no extreme.

    Neither the largest terms are known of the rest, nor the row of its first undefined term; order
    statistics only if they are `counted`.
    """
    plan, sums, some = whole.plan, whole.sums, part.sums
    special = sums.special - some.special
    special[:, 3] = sums.special[:, 3]
    sums.known = sums.known or sums.integers()
    left = Sums(
        sums.rows - some.rows,
        sums.limbs[:0],  # known as integers
        special,
        sums.moments - some.moments,  # of the weights alone; the others have another pilot
        np.full_like(sums.sizes, -np.inf),
        np.full_like(sums.places, -1),
        [a.without(b) for a, b in zip(sums.counted, some.counted, strict=True) if counted],
        [a - b for a, b in zip(sums.known, some.integers(), strict=True)],
    )
    wanted = whole.shift, whole.scale
    if not left.rows or not some.rows:
        return State.of(plan, left, *wanted)
    means = basis_means(plan, left, wanted)
    pilots = wanted, (part.shift, part.scale)
    known = without(plan, whole.comoments(), part.comoments(), pilots, means)
    return State.of(plan, left, *wanted, known)


def _drowned(whole: State, rest: State) -> bool:
    with np.errstate(invalid="ignore"):
        before, after = (state.comoments().spreads for state in (whole, rest))
        return bool(np.any((after < CANCELLED * before) & (before > 0)))
