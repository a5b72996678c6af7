"""The least of a quadratic with an l1 penalty: coordinate descent, then exact on what is not 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from offby.engine.rows import Floats
from offby.fit.objective.penalty import Penalty
from offby.formula.kept import kept_bare

_SWEEPS = 50
_ROUNDS = 40
_CORNERS = 30
_FLAT = 1e-13  # the square of a Cholesky pivot, of 1, that is rounding
_NOTHING = 1e-9  # of a direction's largest share
_ROUNDING = 1e-13


def least_of(hessian: Floats, gradient: Floats, penalty: Penalty, at: Floats) -> Floats:
    """The b that minimises gradient·(b - at) + (b - at)' hessian (b - at)/2 + its penalty.

    `hessian` is (size, size) and positive semidefinite, the others (size,). Where some places can
    stand in for others, no more of them are used than are needed.

    >>> two = np.array([[2.0, 0.0], [0.0, 2.0]])
    >>> penalty = Penalty(np.array([1.0, 1.0]), np.zeros(2))
    >>> least_of(two, np.array([-4.0, 0.5]), penalty, np.zeros(2))
    array([1.5, 0. ])
    """
    bowl, found = _Bowl(hessian, gradient, penalty, at), at.copy()
    for _ in range(_ROUNDS):
        _descend(hessian, bowl.pull(found), penalty.l1, penalty.l2, found, _SWEEPS)
        found, settled = bowl.settled(found)
        if settled and bowl.at_rest(found):
            break
    return found


@dataclass(frozen=True, eq=False)
class _Bowl:
    """The quadratic, and what it takes to be at its least."""

    hessian: Floats
    gradient: Floats
    penalty: Penalty
    at: Floats

    def pull(self, found: Floats) -> Floats:
        """The derivative of the quadratic alone: (size,)."""
        return np.asarray(self.gradient + self.hessian @ (found - self.at))

    def at_rest(self, found: Floats) -> bool:
        """Whether the penalty holds every place that is 0, but for rounding."""
        large = np.abs(self.gradient) + np.abs(self.hessian) @ np.abs(found - self.at)
        held = np.abs(self.pull(found)) <= self.penalty.l1 + _ROUNDING * large
        return bool(np.all(held[(found == 0) & (self.penalty.l1 > 0)]))

    def settled(self, found: Floats) -> tuple[Floats, bool]:
        """Down to the least of all places with the signs of `found`, and whether it got there.

        The way is straight until a place comes to be 0, and then goes on without that one.
        """
        for _ in range(_CORNERS):
            active = (found != 0) | (self.penalty.l1 == 0)
            if not active.any():  # LAPACK refuses a system of nothing
                return found, True
            slope = self.pull(found) + self.penalty.slope(found)
            slope = (slope + self.penalty.l1 * np.sign(found))[active]
            bend = self.hessian[np.ix_(active, active)] + np.diag(self.penalty.l2[active])
            moved, length = _moved(bend, slope, found[active], self.penalty.l1[active] > 0)
            found = found.copy()
            found[active] = moved
            if length >= 1:
                return found, length == 1
        return found, False


def _moved(
    bend: Floats, slope: Floats, sizes: Floats, ends: NDArray[np.bool_]
) -> tuple[Floats, float]:
    """What the sizes are after a Newton step, and the share of it that was taken.

    It is cut short where one of the `ends` comes to be 0. No step leads to the least where some
    can stand in for others: then these come to be 0, which is none of it; inf if none of them can.
    """
    unit = 1 / np.sqrt(np.where(np.diag(bend) > 0, np.diag(bend), 1.0))
    scaled, steep, sizes = bend * unit * unit[:, None], slope * unit, sizes / unit
    factor, failed = linalg.lapack.dpotrf(scaled)
    flat = _flat(scaled) if failed or np.min(np.diag(factor)) ** 2 <= _FLAT else scaled[:0]
    if failed or len(flat):
        fewer = _without_doubles(flat, steep, sizes, ends)
        return fewer * unit, np.inf if np.array_equal(fewer, sizes) else 0.0
    along = linalg.cho_solve((factor, False), -steep, check_finite=False)
    length, first = _first_end(sizes, along, ends)
    moved = sizes + min(length, 1.0) * along
    if length < 1:
        moved[first] = 0.0
    return moved * unit, min(length, 1.0)


def _first_end(sizes: Floats, along: Floats, ends: NDArray[np.bool_]) -> tuple[float, int]:
    """After how much of a way the first of the `ends` comes to be 0, and which."""
    towards = ends & (along * sizes < 0)
    ways = np.where(towards, -sizes / np.where(towards, along, 1.0), np.inf)
    first = int(np.argmin(ways))
    return float(ways[first]), first


def _without_doubles(flat: Floats, steep: Floats, sizes: Floats, ends: NDArray[np.bool_]) -> Floats:
    """With fewer sizes that are not 0: each flat direction is followed until one comes to be.

    Along it the quadratic does not bend, so one way of the two leads nowhere uphill.
    """
    for k in range(len(flat)):
        along = flat[k] if steep @ flat[k] <= 0 else -flat[k]
        length, first = _first_end(sizes, along, ends)
        if length < np.inf:
            sizes = sizes + length * along
            sizes[first] = 0.0
            flat[k + 1 :] -= np.outer(flat[k + 1 :, first] / along[first], along)
    return sizes


def _flat(scaled: Floats) -> Floats:
    """Directions along which a matrix does not bend, one a row, by a Cholesky with pivots."""
    factor, order, rank, _ = linalg.lapack.dpstrf(scaled, tol=_FLAT)
    order, rest = order - 1, len(scaled) - rank
    found = np.zeros((rest, len(scaled)))
    known = linalg.solve_triangular(factor[:rank, :rank], factor[:rank, rank:])
    found[:, order[:rank]], found[:, order[rank:]] = -known.T, np.eye(rest)
    return np.where(np.abs(found) > _NOTHING, found, 0.0)


@kept_bare
def _descend(hessian: Any, pull: Any, l1: Any, l2: Any, found: Any, sweeps: int) -> int:
    """Each coordinate in turn to where the others, as they stand, make it least."""
    size = found.size
    for sweep in range(sweeps):
        largest = 0.0
        for j in range(size):
            bend = hessian[j, j] + l2[j]
            if bend <= 0.0:
                continue
            free = hessian[j, j] * found[j] - pull[j]
            shrunk = max(abs(free) - l1[j], 0.0) / bend
            new = shrunk if free > 0.0 else -shrunk
            move = new - found[j]
            if move != 0.0:
                found[j] = new
                largest = max(largest, abs(move) * bend**0.5)
                for k in range(size):
                    pull[k] += hessian[j, k] * move
        if largest == 0.0:
            return sweep
    return sweeps
