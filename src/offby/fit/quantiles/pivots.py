"""The compiled pivots of Barrodale & Roberts (1973): from one fit through p rows to the next.

The row of the basis whose dual is furthest outside the box leaves. The fit moves along the edge on
which it does, past all rows that make the loss fall less steeply, to the one where it would rise.
"""

from __future__ import annotations

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Places, Sides
from offby.formula.kept import kept_bare

FLAT = 1e-9  # of the usual change along an edge: such rows are never met
_AHEAD = 4.0  # times the last step: how far rows are looked for at first
_TRIES = 8


@kept_bare
def pivot(
    X: Floats, y: Floats, tau: float, basis: Places, coef: Floats, inverse: Floats, slack: float,
    flat: Floats, most: int, side: Sides, slope: Floats, room: Floats, order: Places,
) -> int:  # fmt: skip
    """The number of pivots to the optimum, at most `most`; -1 where the loss has no end.

    X is (p, n), y (n,). `basis` (p,) is changed, with `inverse`, of the p rows, for which `coef`
    (p,) is the fit. Rows along which an edge is less steep than `flat` (p,), a coefficient, are
    never met. `side` (n,), `slope` (p,), `room` (2, n) and `order` (n,) are filled.
    """
    residual, change = room[0], room[1]
    reach = FLAT * _start(X, y, tau, basis, coef, side, slope, residual)
    for step in range(most):
        leaving, excess = _leaving(inverse, slope, tau, slack)
        if leaving < 0:
            return step
        sign = -1.0 if excess > 0 else 1.0
        least = _along(X, inverse, leaving, sign, flat, change)
        met = _nearest(residual, change, side, order, least, reach, abs(excess))
        if met == 0:
            return -1
        entering = _past(X, residual, change, side, slope, order, met, abs(excess))
        length = residual[entering] / change[entering]
        reach = _AHEAD * max(length * least, reach / _AHEAD**2)
        for i in range(y.size):
            residual[i] -= length * change[i]
        gone = basis[leaving]
        residual[gone], residual[entering] = -sign * length, 0.0
        _turn(X, gone, tau if sign < 0 else tau - 1, slope)
        _turn(X, entering, 1 - tau if side[entering] < 0 else -tau, slope)
        side[gone], side[entering] = -1 if sign > 0 else 1, 0
        _exchange(X, inverse, leaving, entering)
        basis[leaving] = entering
    return most


@kept_bare
def _start(
    X: Floats, y: Floats, tau: float, basis: Places, coef: Floats, side: Sides, slope: Floats,
    residual: Floats,
) -> float:  # fmt: skip
    """The residuals (their mean is returned), the sides (0: the basis), Σ d x without the basis."""
    for i in range(y.size):
        residual[i] = y[i]
    for j in range(coef.size):
        for i in range(y.size):
            residual[i] -= coef[j] * X[j, i]
    mean = 0.0
    for i in range(y.size):
        side[i] = 1 if residual[i] > 0 else -1
        mean += abs(residual[i]) / y.size
    for k in range(basis.size):
        side[basis[k]], residual[basis[k]] = 0, 0.0
    for j in range(coef.size):
        total = 0.0
        for i in range(y.size):
            total += (side[i] * 0.5 + abs(side[i]) * (tau - 0.5)) * X[j, i]
        slope[j] = total
    return mean


@kept_bare
def _leaving(inverse: Floats, slope: Floats, tau: float, slack: float) -> tuple[int, float]:
    """Which of the basis is furthest outside the box, and how far: above 0 if it is above τ."""
    found, excess = -1, 0.0
    for k in range(slope.size):
        dual = 0.0
        for j in range(slope.size):
            dual -= slope[j] * inverse[j, k]
        outside = dual - tau if dual > tau else min(dual - (tau - 1), 0.0)
        if abs(outside) > max(slack, abs(excess)):
            found, excess = k, outside
    return found, excess


@kept_bare
def _along(
    X: Floats, inverse: Floats, leaving: int, sign: float, flat: Floats, change: Floats
) -> float:
    """How fast the fit at each row rises along the edge, and how fast at least to count."""
    least = 0.0
    for i in range(change.size):
        change[i] = 0.0
    for j in range(X.shape[0]):
        rate = sign * inverse[j, leaving]
        least += abs(rate) * flat[j]
        for i in range(change.size):
            change[i] += rate * X[j, i]
    return least


@kept_bare
def _nearest(
    residual: Floats, change: Floats, side: Sides, order: Places, least: float, reach: float,
    needed: float,
) -> int:  # fmt: skip
    """How many rows ahead may be met, put first in `order`, as a heap with the nearest on top.

    Of all rows only those are taken that are near, if their changes add up to what is needed.
    """
    count, ahead = 0, reach / least
    for trial in range(_TRIES):
        count, total = 0, 0.0
        limit = ahead if trial < _TRIES - 1 else 1e300
        for i in range(change.size):
            rate = side[i] * change[i]
            if rate > least and side[i] * residual[i] <= limit * rate:
                order[count] = i
                count += 1
                total += rate
        if total >= needed:
            break
        ahead *= _AHEAD
    for top in range(count // 2 - 1, -1, -1):
        _sift(residual, change, order, top, count)
    return count


@kept_bare
def _sift(residual: Floats, change: Floats, order: Places, top: int, count: int) -> None:
    """Let the row at `top` sink to where those below it are further ahead."""
    row = order[top]
    ahead = residual[row] / change[row]
    while True:
        child = 2 * top + 1
        if child >= count:
            break
        nearest = residual[order[child]] / change[order[child]]
        if child + 1 < count:
            other = residual[order[child + 1]] / change[order[child + 1]]
            if other < nearest:
                child, nearest = child + 1, other
        if nearest >= ahead:
            break
        order[top] = order[child]
        top = child
    order[top] = row


@kept_bare
def _past(
    X: Floats, residual: Floats, change: Floats, side: Sides, slope: Floats, order: Places,
    met: int, left: float,
) -> int:  # fmt: skip
    """The first row behind which the loss would rise; those before it change sides."""
    while met > 1:
        row = order[0]
        left -= abs(change[row])
        if left <= 0:
            break
        _turn(X, row, -side[row], slope)
        side[row] = -side[row]
        met -= 1
        order[0] = order[met]
        _sift(residual, change, order, 0, met)
    return int(order[0])


@kept_bare
def _turn(X: Floats, row: int, dual: float, slope: Floats) -> None:
    for j in range(slope.size):
        slope[j] += dual * X[j, row]


@kept_bare
def _exchange(X: Floats, inverse: Floats, leaving: int, entering: int) -> None:
    """The inverse with the entering row in the place of the leaving one."""
    width = inverse.shape[0]
    pivot_size = 0.0
    for j in range(width):
        pivot_size += X[j, entering] * inverse[j, leaving]
    for j in range(width):
        inverse[j, leaving] /= pivot_size
    for k in range(width):
        if k != leaving:
            part = 0.0
            for j in range(width):
                part += X[j, entering] * inverse[j, k]
            for j in range(width):
                inverse[j, k] -= part * inverse[j, leaving]
