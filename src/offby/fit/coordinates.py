"""The least of a quadratic with an l1 penalty: coordinate descent, then exact on what is not 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from offby.fit.penalty import Penalty
from offby.fit.score import Floats
from offby.formula.kept import kept_bare

_SWEEPS = 50
_ROUNDS = 40


def least_of(hessian: Floats, gradient: Floats, penalty: Penalty, at: Floats) -> Floats:
    """The b that minimises gradient·(b - at) + (b - at)' hessian (b - at)/2 + its penalty.

    `hessian` is (size, size) and positive semidefinite, the others (size,).

    >>> two = np.array([[2.0, 0.0], [0.0, 2.0]])
    >>> penalty = Penalty(np.array([1.0, 1.0]), np.zeros(2))
    >>> least_of(two, np.array([-4.0, 0.5]), penalty, np.zeros(2))
    array([1.5, 0. ])
    """
    found = at.copy()
    pull = gradient.copy()  # the derivative of the quadratic at `found`
    for _ in range(_ROUNDS):
        _descend(hessian, pull, penalty.l1, penalty.l2, found, _SWEEPS)
        better = _polished(hessian, gradient, penalty, at, found)
        if better is not None:
            return better
    return found


def _polished(
    hessian: Floats, gradient: Floats, penalty: Penalty, at: Floats, found: Floats
) -> Floats | None:
    """The solution with the signs of `found`; None where those are not yet the right ones."""
    active = (found != 0) | (penalty.l1 == 0)
    sign = np.sign(found)
    inner = hessian[np.ix_(active, active)] + np.diag(penalty.l2[active])
    wanted = (hessian @ at - gradient - penalty.l1 * sign)[active]
    solution = np.zeros_like(found)
    if active.any():  # LAPACK refuses a system of nothing
        _, solution[active], failed = linalg.lapack.dposv(inner, wanted)
        if failed:
            return None
    pull = gradient + hessian @ (solution - at)
    kept_sign = np.all((solution * sign >= 0) | (penalty.l1 == 0))
    at_rest = np.all(np.abs(pull[~active]) <= penalty.l1[~active] * (1 + 1e-12))
    return solution if kept_sign and at_rest else None


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
