"""A guess made better by passes that keep no rows: Newton steps on smoothed quantile regressions.

The corner of the loss is rounded over a window of rows near the guess (see `smooth`). What a step
leaves is mostly the difference of the smoothed fit to the exact one, which few rows decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats
from offby.fit.passes.added import Added
from offby.fit.quantiles.problem import Places, Problem, blocks, pinball
from offby.fit.quantiles.smooth import solved

_ERRORS = 3.0  # standard errors that coefficients may have, beyond what they have in the mean
LEAST = 60
"""How many rows a coefficient are kept at least."""
_MET = 1e-13  # of the largest distance: nearer rows are met exactly
_SHRINK = 16  # the most by which a step is trusted to narrow the window


@dataclass(frozen=True, eq=False)
class Guess:
    """Coefficients (k,) of mixed columns, and how many rows may be on another side of the fit."""

    tau: float
    coef: Floats
    rows: int

    @classmethod
    def of(cls, tau: float, coef: Floats, variance: float, count: int) -> Guess:
        """From a fit whose ranks, as shares of `count` rows, have a variance in the mean.

        √(τ(1 - τ) p / m) is the standard error of the ranks that m rows tell of p coefficients,
        whatever the density (Koenker 2005, section 4.2); here it is that of the radius within which
        all of them are.
        """
        errors = (_ERRORS + math.sqrt(coef.size)) * math.sqrt(coef.size * variance)
        wanted = math.ceil(2 * count * errors)
        return cls(tau, coef, min(max(wanted, LEAST * coef.size), count))

    def window(self, sample: Problem, count: int, room: int) -> float:
        """How far rows in doubt are, if they are more than there is room for; 0 if they are not.

        It is what a `sample` of all `count` rows tells, at a row whose reach is 1. It is 0 also
        where they are most rows of a tail, and where so many rows are met.
        """
        if not room < self.rows <= 2 * min(self.tau, 1 - self.tau) * count:
            return 0.0
        distance = np.abs(sample.residual(self.coef)) / np.asarray(sample.reach)
        found = float(np.quantile(distance, self.rows / count))
        return found if found > _MET * np.max(distance) else 0.0


@dataclass(frozen=True, eq=False)
class Sums(Added):
    """Slope (k,) and bend (k, k) of a smoothed loss, Σ w, and Σ w² of the rows in its window."""

    slope: Floats
    bend: Floats
    weight: float
    squares: float

    @classmethod
    def none(cls, size: int) -> Sums:
        """Of no rows."""
        return cls(np.zeros(size), np.zeros((size, size)), 0.0, 0.0)


@dataclass(eq=False)
class Smoothed:
    """A smoothed quantile regression at a guess, summed as rows come.

    `half` is how far the window reaches, at a row whose reach is 1.
    """

    guess: Guess
    half: float
    sums: Sums | None = None

    def show(self, rows: Problem, places: Places) -> None:
        """Add up rows that have a reach."""
        given = rows.coefficients(self.guess.coef)

        none = Sums.none(self.guess.coef.size)

        def some(start: int, stop: int) -> Sums:
            return sum((self._sums(rows, part, given) for part in blocks(start, stop)), none)

        self.sums = sum(in_slices(rows.count, some), self.sums or none)

    def _sums(self, rows: Problem, part: slice, given: Floats) -> Sums:
        X, tau, mixture = rows.X[part], self.guess.tau, np.asarray(rows.mixture)
        residual, h = rows.y[part] - X @ given, self.half * np.asarray(rows.reach)[part]
        weight = rows.weights(part)
        dual = weight * np.clip(residual / (2 * h) + (tau - 0.5), tau - 1, tau)
        inside = np.flatnonzero(np.abs(residual) <= h)
        near, own = X[inside] @ mixture, weight[inside]
        bend = (near.T * (own / (2 * h[inside]))) @ near
        return Sums((dual @ X) @ mixture, bend, float(weight.sum()), float(own @ own))

    def step(self, count: int) -> Guess:
        """The guess after a Newton step, which ends where the window does."""
        guess, sums = self.guess, self.sums
        assert sums is not None
        move = solved(sums.bend, sums.slope)
        length = float(np.linalg.norm(move)) * math.sqrt(move.size)
        if length > self.half:
            return replace(guess, coef=guess.coef + self.half / length * move)
        variance = sums.squares / 4 / sums.weight**2
        found = Guess.of(guess.tau, guess.coef + move, variance, count)
        return replace(found, rows=max(found.rows, guess.rows // _SHRINK))


@dataclass(eq=False)
class Along:
    """The losses on the way from a guess to a fit, summed as rows come: (lengths,)."""

    guess: Guess
    move: Floats
    lengths: Floats
    losses: Floats | None = None

    def show(self, rows: Problem, places: Places) -> None:
        """Add up rows."""
        given = rows.coefficients(np.column_stack([self.guess.coef, self.move]))

        def some(start: int, stop: int) -> Floats:
            parts = blocks(start, stop)
            return sum((self._losses(rows, part, given) for part in parts), np.zeros(1))

        none = np.zeros(1) if self.losses is None else self.losses
        self.losses = np.asarray(sum(in_slices(rows.count, some), none))

    def _losses(self, rows: Problem, part: slice, given: Floats) -> Floats:
        start, change = (rows.X[part] @ given).T
        weight = rows.weights(part)
        residuals = (rows.y[part] - start - length * change for length in self.lengths)
        tau = self.guess.tau
        return np.array([weight @ pinball(residual, tau) for residual in residuals])

    @property
    def length(self) -> float:
        """How far the least loss is; all the way if no rows were looked at."""
        return 1.0 if self.losses is None else float(self.lengths[np.argmin(self.losses)])

    @property
    def best(self) -> Guess:
        """The guess with the least loss."""
        return replace(self.guess, coef=self.guess.coef + self.length * self.move)
