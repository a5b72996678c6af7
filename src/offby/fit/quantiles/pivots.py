"""The compiled pivots of Barrodale & Roberts (1973): from one fit through p rows to the next.

A row of the basis whose dual is outside the box leaves. The fit moves along the edge on which it
does, past all rows that make the loss fall less steeply, to the one where it would rise. It asks
each row how far ahead it is met, and rows far from the fit are not. So a round of pivots is among
those near it, only that the slope of the loss is that of all rows. Then all are looked at anew, and
where that is not the end, the next round is among more of them.
"""

from __future__ import annotations

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Places, Sides
from offby.formula.kept import kept, kept_bare, kept_in_any_order

_FLAT = 1e-9  # of the usual change along an edge: such rows are never met
_AHEAD = 4.0  # times the last step: how far rows are looked for at first
_TRIES = 8
_WIDER = 4.0  # times as far from the fit, in the next round; all rows after one without a pivot
_MET = 1e-14  # of the mean of |y|: rows so near stay on the side that they are on


@kept
def descend(
    X: Floats, y: Floats, tau: float, basis: Places, inverse: Floats, size: Floats, slack: float,
    below: float, above: float, most: int,
) -> tuple[Floats, Sides, Floats, bool, int]:  # fmt: skip
    """Pivots to the optimum: the fit, its dual, whether that is in its box, and their number.

    X is (p, n), y (n,), `size` (p,) the mean of |X|. `basis` (p,) is changed, with `inverse`, of
    the p rows. The first round is among rows with residuals from `-below` to `above`; there are
    `most` pivots at most. The dual is τ where the side (n,) is 1, τ - 1 where it is -1, and given
    (p,) for the basis, where it is 0. It may be outside its box by the `slack`.
    """
    rows, width = y.size, basis.size
    coef, inner, slope, room = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    side, residual, own = np.zeros(rows, np.int8), np.empty(rows), np.empty(width, np.intp)
    places, where = np.empty(rows, np.intp), np.empty(rows, np.intp)
    steps, taken, count = 0, 1, 0
    while True:
        _fit(X, y, basis, inverse, coef, room)
        _look(X, y, tau, basis, coef, side, residual, slope)
        optimal = _implied(X, basis, inverse, slope, inner, room, tau, slack)
        if optimal or steps >= most or (taken == 0 and count == rows):
            return coef, side, inner, optimal, steps
        count = _near(residual, below, above, places, where)
        some, left, part = np.empty((width, count)), np.empty(count), np.empty(count, np.int8)
        for k in range(width):
            own[k] = where[basis[k]]
            for i in range(count):
                some[k, i] = X[k, places[i]]
        for i in range(count):
            left[i], part[i] = residual[places[i]], side[places[i]]
        taken = _round(some, tau, own, inverse, size, slack, most - steps, count == rows,
                       part, slope, left, np.empty(count), np.empty(count, np.intp))  # fmt: skip
        for i in range(count):
            side[places[i]] = part[i]
        for k in range(width):
            basis[k] = places[own[k]]
        steps, wider = steps + taken, _WIDER if taken else np.inf
        below, above = wider * below, wider * above


@kept_bare
def _fit(X: Floats, y: Floats, basis: Places, inverse: Floats, coef: Floats, left: Floats) -> None:
    """The fit through the basis, and once more to what rounding leaves of it."""
    coef[:] = 0.0
    for _ in range(2):
        for k in range(coef.size):
            left[k] = y[basis[k]]
            for j in range(coef.size):
                left[k] -= X[j, basis[k]] * coef[j]
        for j in range(coef.size):
            for k in range(coef.size):
                coef[j] += inverse[j, k] * left[k]


@kept_in_any_order
def _look(
    X: Floats, y: Floats, tau: float, basis: Places, coef: Floats, side: Sides, residual: Floats,
    slope: Floats,
) -> None:  # fmt: skip
    """The residuals, the sides (0: the basis), and Σ d x without the basis."""
    size = 0.0
    for i in range(y.size):
        residual[i] = y[i]
        size += abs(y[i])
    for j in range(coef.size):
        for i in range(y.size):
            residual[i] -= coef[j] * X[j, i]
    for i in range(y.size):
        stays = abs(residual[i]) <= _MET * size / y.size and side[i] != 0
        side[i] = side[i] if stays else (1 if residual[i] > 0 else -1)
    for k in range(basis.size):
        side[basis[k]], residual[basis[k]] = 0, 0.0
    for j in range(coef.size):
        total = 0.0
        for i in range(y.size):
            total += (side[i] * 0.5 + abs(side[i]) * (tau - 0.5)) * X[j, i]
        slope[j] = total


@kept_bare
def _implied(
    X: Floats, basis: Places, inverse: Floats, slope: Floats, inner: Floats, left: Floats,
    tau: float, slack: float,
) -> bool:  # fmt: skip
    """The dual of the basis makes up for the slope, but for rounding; whether it is in its box."""
    inner[:] = 0.0
    for _ in range(2):
        for j in range(slope.size):
            left[j] = slope[j]
            for k in range(slope.size):
                left[j] += inner[k] * X[j, basis[k]]
        for j in range(slope.size):
            for k in range(slope.size):
                inner[k] -= left[j] * inverse[j, k]
    inside = True
    for k in range(slope.size):
        inside = inside and tau - 1 - slack <= inner[k] <= tau + slack  # NaN is not
    return inside


@kept_bare
def _near(residual: Floats, below: float, above: float, places: Places, where: Places) -> int:
    """How many rows are near the fit: at `places`, and `where` those are found among them."""
    count = 0
    for i in range(residual.size):
        places[count], where[i] = i, count
        count += not (residual[i] < -below) | (residual[i] > above)  # NaN is, so all rows can be
    return count


@kept_bare
def _round(
    X: Floats, tau: float, basis: Places, inverse: Floats, size: Floats, slack: float, most: int,
    whole: bool, side: Sides, slope: Floats, residual: Floats, change: Floats, order: Places,
) -> int:  # fmt: skip
    """The number of pivots, at most `most`, to the optimum or to where no rows are left ahead.

    `residual` and `side` (n,) are 0 for the basis, and `slope` (p,) is Σ d x of all other rows, of
    which there are more than here, unless this is the `whole`. `change` and `order` (n,) are room.
    """
    reach = 0.0
    for i in range(residual.size):
        reach += _FLAT * abs(residual[i]) / residual.size
    for step in range(most):
        leaving, excess = _leaving(inverse, slope, tau, slack)
        if leaving < 0:
            return step
        sign = -1.0 if excess > 0 else 1.0
        least = _along(X, inverse, leaving, sign, size, change)
        met = _nearest(residual, change, side, order, least, reach, abs(excess), whole)
        if met == 0:
            return step
        entering = _past(X, residual, change, side, slope, order, met, abs(excess))
        length = residual[entering] / change[entering]
        reach = _AHEAD * max(length * least, reach / _AHEAD**2)
        for i in range(residual.size):
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
def _leaving(inverse: Floats, slope: Floats, tau: float, slack: float) -> tuple[int, float]:
    """Which of the basis is to leave, and how far outside its box it is: above 0 if above τ.

    That along whose edge the loss falls most for how far coefficients move: the steepest edge.
    """
    found, excess, steepest = -1, 0.0, 0.0
    for k in range(slope.size):
        dual, length = 0.0, 0.0
        for j in range(slope.size):
            dual -= slope[j] * inverse[j, k]
            length += inverse[j, k] ** 2
        outside = dual - tau if dual > tau else min(dual - (tau - 1), 0.0)
        if abs(outside) > slack and outside**2 > steepest * length:
            found, excess, steepest = k, outside, outside**2 / length
    return found, excess


@kept_bare
def _along(
    X: Floats, inverse: Floats, leaving: int, sign: float, size: Floats, change: Floats
) -> float:
    """How fast the fit at each row rises along the edge, and how fast at least to count."""
    least = 0.0
    for i in range(change.size):
        change[i] = 0.0
    for j in range(0, X.shape[0], 2):  # two at once, for half as much is read and written
        other = min(j + 1, X.shape[0] - 1)
        rate = sign * inverse[j, leaving]
        next_rate = sign * inverse[other, leaving] if other > j else 0.0
        least += _FLAT * (abs(rate) * size[j] + abs(next_rate) * size[other])
        for i in range(change.size):
            change[i] += rate * X[j, i] + next_rate * X[other, i]
    return least


@kept_bare
def _nearest(
    residual: Floats, change: Floats, side: Sides, order: Places, least: float, reach: float,
    needed: float, whole: bool,
) -> int:  # fmt: skip
    """How many rows ahead may be met, put first in `order`, as a heap with the nearest on top.

    Only those are taken that are not far, if their changes add up to what is needed. None, if all
    here do not, and there are others.
    """
    count, total, ahead = 0, 0.0, reach / least
    for trial in range(_TRIES):
        count, total = 0, 0.0
        limit = ahead if trial < _TRIES - 1 else 1e300
        for i in range(change.size):  # no branches: which way they go could not be foreseen
            rate = side[i] * change[i]
            order[count] = i
            count += (rate > least) & (side[i] * residual[i] <= limit * rate)
        for k in range(count):
            total += abs(change[order[k]])
        if total >= needed:
            break
        ahead *= _AHEAD
    if total < needed and not whole:
        return 0
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
