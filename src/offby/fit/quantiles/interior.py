"""The Frisch-Newton interior point method of Portnoy & Koenker (1997) for few rows.

The dual of quantile regression is: maximise y'd where X'd = 0 and τ - 1 <= d <= τ. With residuals
u - v (both positive) and distances `up` = τ - d and `down` = d - τ + 1 from the box, the optimum
has u up = v down = 0. The central path has both equal to μ; Mehrotra's predictor and corrector
follow it. A start on the path exists in closed form for any coefficients; only X'd = 0 is then
not met at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Problem, gram, pinball
from offby.fit.quantiles.smooth import solver

_ROUNDED = 1e-14  # of y
_MOST_STEPS = 60
_SHORT_OF = 0.9995  # of the way to the boundary


@dataclass(frozen=True, eq=False)
class Interior:
    """A point inside: coefficients, `parts` u and v (2, n), and `room` of the dual in its box.

    The room is `up` and `down`: (2, n).
    """

    coef: Floats
    parts: Floats
    room: Floats

    @property
    def complementarity(self) -> float:
        """The duality gap, where X'd = 0."""
        return float(np.vdot(self.parts, self.room))

    def moved(self, move: Interior) -> Interior:
        """The point after a move, as far as both the primal and the dual stay inside."""
        primal, dual = _reach(self.parts, move.parts), _reach(self.room, move.room)
        return Interior(
            self.coef + primal * move.coef,
            self.parts + primal * move.parts,
            self.room + dual * move.room,
        )


def interior_point(
    rows: Problem, tau: float, coef: Floats, tolerance: float = 1e-7
) -> tuple[Floats, Floats, int]:
    """Coefficients, dual and the number of steps, for scaled rows.

    >>> rows = Problem(np.ones((3, 1)), np.array([1.0, 2.0, 9.0]))
    >>> coef, dual, _ = interior_point(rows, 0.5, np.array([4.0]))
    >>> coef.round(5).tolist(), abs(dual).round(5).tolist()
    ([2.0], [0.5, 0.0, 0.5])
    """
    residual = rows.y - rows.X @ coef
    mu = float(np.mean(np.abs(residual)))
    if mu <= _ROUNDED * np.mean(np.abs(rows.y)):  # all rows are met
        return coef, np.zeros(rows.count), 0
    point = _central(coef, residual, mu)
    steps = 0
    while steps < _MOST_STEPS and not _near(tau, point, tolerance):
        point = _advanced(rows, tau, point)
        steps += 1
    return point.coef, point.room[1] + (tau - 1), steps


def _central(coef: Floats, residual: Floats, mu: float) -> Interior:
    """On the central path: u - v = r and μ / u + μ / v = 1."""
    half = np.sqrt(4 * mu * mu + residual * residual)
    parts = mu + np.array([half + residual, half - residual]) / 2
    return Interior(coef, parts, mu / parts)


def _near(tau: float, point: Interior, tolerance: float) -> bool:
    residual = point.parts[0] - point.parts[1]
    loss = float(np.sum(pinball(residual, tau)))
    return point.complementarity <= tolerance * loss


def _advanced(rows: Problem, tau: float, point: Interior) -> Interior:
    """One predictor, one corrector."""
    ratio = point.parts / point.room
    factor = 1 / (ratio[0] + ratio[1])
    solve = solver(gram(rows.X, factor))
    unmet = (point.room[1] + (tau - 1)) @ rows.X

    def newton(parts: Floats) -> Interior:
        """The step that changes u and v by `parts`, and by what the change of the dual brings."""
        wanted = parts[1] - parts[0]
        coef = solve((factor * wanted) @ rows.X + unmet)
        dual = factor * (wanted - rows.X @ coef)
        room = np.array([-dual, dual])
        return Interior(coef, parts - ratio * room, room)

    predictor = newton(-point.parts)
    mu, ahead = point.complementarity, point.moved(predictor).complementarity
    target = (ahead / mu) ** 2 * ahead / (2 * rows.count)
    return point.moved(
        newton((target - predictor.parts * predictor.room) / point.room - point.parts)
    )


def _reach(values: Floats, moves: Floats) -> float:
    """How far all values can move and stay positive: 1 at most."""
    steepest = -float(np.min(moves / values))
    return min(1.0, _SHORT_OF / steepest) if steepest > 0 else 1.0
