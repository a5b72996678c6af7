"""A Newton step: from slope and bend to where the quadratic that they make is least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from offby.engine.rows import Floats
from offby.fit.objective.coordinates import least_of
from offby.fit.objective.penalty import Penalty

_WELL = 1e-11  # the least square of a Cholesky pivot, of 1, that is not yet rounding
_RANK = 1e-13


@dataclass(frozen=True, eq=False)
class Step:
    """Where to go, by how much the quadratic falls on the way, and how many directions it knows.

    `lost` is the share of the slope that lies in directions without bend, which no step follows.
    """

    direction: Floats
    decrease: float
    rank: int
    lost: float = 0.0


def newton_step(hessian: Floats, gradient: Floats, penalty: Penalty, at: Floats) -> Step:
    """The step to the least of the quadratic model plus penalty.

    `hessian` is (size, size), of the mean loss alone; `gradient` and `at` are (size,). Where
    columns are combinations of others, the step is the shortest, in units of each one's own bend.

    >>> step = newton_step(np.diag([2.0, 0.0]), np.array([-4.0, 0.0]),
    ...                    Penalty(np.zeros(2), np.zeros(2)), np.zeros(2))
    >>> step.direction, step.decrease, step.rank
    (array([2., 0.]), 4.0, 1)
    """
    slope = gradient + penalty.slope(at)
    if penalty.smooth:
        return _smooth_step(hessian + np.diag(penalty.l2), slope)
    direction = least_of(hessian, gradient, penalty, at) - at
    change = gradient @ direction + direction @ hessian @ direction / 2
    fall = penalty.value(at) - penalty.value(at + direction) - change
    return Step(direction, float(fall), at.size)


def _smooth_step(bend: Floats, slope: Floats) -> Step:
    """By Cholesky in units where the diagonal is 1; by eigenvectors where that is not safe."""
    scale = np.sqrt(np.diag(bend))
    with np.errstate(divide="ignore"):
        unit = np.where(scale > 0, 1 / scale, 0.0)
    scaled, wanted = bend * unit * unit[:, None], -slope * unit
    lost = float(np.abs(slope[unit == 0]).max(initial=0.0))
    factor, failed = linalg.lapack.dpotrf(scaled)
    if failed == 0 and np.min(np.diag(factor)) ** 2 > _WELL:
        solved: Floats = linalg.cho_solve((factor, False), wanted, check_finite=False)
        return Step(solved * unit, float(wanted @ solved) / 2, slope.size)
    return _by_eigenvectors(scaled, wanted, unit, lost)


def _by_eigenvectors(scaled: Floats, wanted: Floats, unit: Floats, lost: float) -> Step:
    values, vectors = linalg.eigh(scaled)
    known = values > _RANK * values.size * max(values[-1], 0.0)
    along = vectors.T @ wanted
    solved = vectors[:, known] @ (along[known] / values[known])
    size = float(np.linalg.norm(along)) or 1.0
    beyond = float(np.linalg.norm(along[~known])) / size
    decrease = float(wanted @ solved) / 2
    return Step(solved * unit, decrease, int(known.sum()), 1.0 if lost else beyond)
