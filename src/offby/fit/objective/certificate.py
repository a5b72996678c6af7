"""How far above its minimum an objective is at most: the duality gap to a feasible dual point.

For a convex loss f of the score, each u with Z'u = 0 (or, with a penalty, Z'u within what that
penalty balances) proves that no coefficients do better than minus the sum of f*(u). Such a u comes
with each Newton step: u = slope + bend · (what the step adds to the score) balances exactly,
because the step solves Z'(slope + bend · Z step) = 0.

f* of a formula is not known, but how far f(e) + f*(u) - u e is above 0 is, without it: with s the
slope at the score e, and e' any score where the slope lies beyond u, it is at most (u - s)(e' - e).
And where no slope reaches u, as beyond the box of Huber's dual, all of u is shrunk towards 0, which
keeps the balance: at c u the excess is at most c times that at u, plus (1 - c) f(e), as f >= 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Source
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.score import ScoreLoss
from offby.fit.passes import kernels
from offby.fit.passes.added import Added
from offby.fit.passes.blocks import Block, Linear, over_rows

_IN_BALANCE = 1e-9
"""The largest Z'u, of its root mean squares, that counts as rounding where it must be 0."""
_RESOLVED = 2.0**-50  # of what an error is a difference of: less may not change it, nor the slope


@dataclass(frozen=True)
class Certificate:
    """A place, the objective there, a proven bound on what it has above its minimum, and its slope.

    The slope is that of the mean loss, without penalty: (size,).
    """

    at: Floats
    objective: float
    gap: float
    slope: Floats


@dataclass(frozen=True, eq=False)
class Proof(Added):
    """Sums over rows of what the bound is made of; `share` is the least of all rows."""

    weight: float
    value: float
    excess: float
    share: float = field(metadata={"joined": min})
    slope: Floats
    pull: Floats
    dual_squares: float
    feature_squares: Floats


def certify(
    source: Source,
    linear: Linear,
    loss: ScoreLoss,
    penalty: Penalty,
    at: Floats,
    step: Floats,
    there: Floats | None = None,
) -> Certificate:
    """The objective `there` and its gap, where `step` is the Newton step at `at`, to `there`.

    All are (size,). Any step gives a valid bound; a Newton step near the minimum a tight one.
    `there` may be any place, such as one that is nearer to the minimum than the step leads.

    >>> from offby.fit.data.rows import Rows
    >>> from offby.fit.objective.score import toward_score
    >>> from offby.losses import Squared
    >>> rows = Rows(np.array([[1.0], [2.0]]), np.array([1.0, 3.0]))
    >>> free = Penalty(np.zeros(1), np.zeros(1))
    >>> task = rows, Linear(np.zeros(1), False), toward_score(Squared()), free
    >>> found = certify(*task, np.zeros(1), np.array([1.4]))
    >>> round(found.objective, 12), found.gap < 1e-12
    (0.1, True)
    """
    there = at + step if there is None else there
    zero, places = np.zeros(linear.size), np.stack([at, step, there])
    none = Proof(0.0, 0.0, 0.0, 1.0, zero, zero, 0.0, zero)
    proof = over_rows(source, linear, lambda block: _of_block(block, loss, places), none)
    return concluded(proof, penalty, there)


def concluded(proof: Proof, penalty: Penalty, there: Floats) -> Certificate:
    """What the sums over all rows prove of the objective at `there`: (size,)."""
    mean = proof.value / proof.weight
    objective = mean + penalty.value(there)
    pull = proof.pull / proof.weight
    share = min(proof.share, _within(penalty, pull))
    slack = _slack(penalty, share * pull, there, _rounding(proof))
    gap = proof.excess / proof.weight + (1 - share) * mean + slack
    return Certificate(there, objective, float(min(gap, objective)), proof.slope / proof.weight)


def _of_block(block: Block, loss: ScoreLoss, places: Floats) -> Proof:
    before, move, there = block.score(places)
    slope, bend = loss.at(block.y, before, loss.slope, loss.bend)
    dual = slope + bend * move
    found = loss.at(block.y, there)
    excess, share = excess_of(loss, block.y, there, dual, bend, found)
    value, slope, _ = found
    weighted = block.weighted(np.stack([slope, dual]))
    slopes, pull = block.times(weighted)
    return Proof(
        block.total(),
        float(block.weighted(value).sum()),
        float(block.counted(block.weighted(excess)).sum()),
        float(block.counted(share).min(initial=1.0)),
        slopes,
        pull,
        float(weighted[1] @ dual),
        block.squares(),
    )


def excess_of(
    loss: ScoreLoss,
    y_true: Floats,
    score: Floats,
    dual: Floats,
    bend: Floats,
    found: Sequence[Floats],
) -> tuple[Floats, Floats]:
    """A bound on f(score) + f*(share · dual) - share · dual · score, and that share: (n,) each.

    `found` is f with its slope and bend at the score; `bend` another guess at how fast the slope
    grows from there on.
    """
    value, slope, here = found
    jump, excess, share = np.empty((3, value.size))
    kernels.jumps(slope, dual, bend, here, jump)
    sizes = np.abs(score) + np.abs(y_true) if loss.link == "identity" else np.abs(score)
    jump += np.copysign(_RESOLVED * sizes, jump)
    (beyond,) = loss.at(y_true, score + jump, loss.slope)
    kernels.excesses(value, slope, dual, jump, beyond, excess, share)
    return excess, share


def _within(penalty: Penalty, pull: Floats) -> float:
    """The largest share of the pull that an l1 penalty without l2 can balance."""
    bound = (penalty.l1 > 0) & (penalty.l2 == 0) & (np.abs(pull) > penalty.l1)
    return float((penalty.l1[bound] / np.abs(pull[bound])).min(initial=1.0))


def _slack(penalty: Penalty, pull: Floats, there: Floats, rounding: Floats) -> float:
    """What penalty and pull have left between them: 0 in balance, inf where nothing balances."""
    free = (penalty.l1 == 0) & (penalty.l2 == 0)
    if np.any(np.abs(pull[free]) > rounding[free]):
        return float("inf")
    given = pull * there + penalty.conjugate(-pull) + penalty.l1 * np.abs(there)
    given += penalty.l2 * there**2 / 2
    return float(np.abs(pull * there)[free].sum() + np.maximum(given[~free], 0.0).sum())


def _rounding(proof: Proof) -> Floats:
    return _IN_BALANCE * np.sqrt(proof.dual_squares * proof.feature_squares) / proof.weight
