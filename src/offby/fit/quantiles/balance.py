"""The proof of a fit that meets more rows than memory holds, from sums over all rows alone.

Rows above the fit have a dual of τ, those below it τ - 1, and those met one of the box between. It
is the middle of the box and a tilt: a linear function of x, cut off at the box. Newton steps, one a
pass, find the tilt for which Σ w d x is 0, as `ties` does in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats
from offby.fit.passes.added import Added
from offby.fit.quantiles.gap import Gap, bounded
from offby.fit.quantiles.problem import Places, Problem, Sizes, blocks, pinball

_ROUNDED = 1e-12  # of what a residual is made of: nearer rows are met
_UNKNOWN = 1e-12  # of the largest eigenvalue: a direction that no row met knows of


def met(rows: Problem, coef: Floats) -> NDArray[np.bool_]:
    """Which rows a fit of mixed columns goes through, but for rounding: (n,)."""
    return _met(rows, slice(None), rows.coefficients(coef), _size(rows, coef))[0]


def _size(rows: Problem, coef: Floats) -> Floats:
    """How large the terms are that coefficients of the columns are made of: (p,)."""
    mixture = np.abs(np.asarray(rows.mixture, np.float64))
    return np.asarray(mixture @ np.abs(coef))


def _met(
    rows: Problem, part: slice, given: Floats, size: Floats
) -> tuple[NDArray[np.bool_], Floats]:
    X, y = rows.X[part], rows.y[part]
    residual = y - X @ given
    return np.abs(residual) <= _ROUNDED * (np.abs(y) + np.abs(X) @ size), residual


@dataclass(frozen=True, eq=False)
class Sums(Added):
    """Of rows: their loss, its excess over the dual's, Σ w d x (p,), and the bend (k, k) of that.

    The bend is by how much Σ w d x of mixed columns grows with the tilt.
    """

    loss: float
    excess: float
    unmet: Floats
    bend: Floats

    @classmethod
    def none(cls, columns: int, mixed: int) -> Sums:
        """Of no rows."""
        return cls(0.0, 0.0, np.zeros(columns), np.zeros((mixed, mixed)))


@dataclass(eq=False)
class Balance:
    """A fit of coefficients, the tilt (k,) of its duals, and the sums over its rows.

    These are `given` (p,), `coef` (k,) for mixed columns; the former may know more digits.

    >>> rows = Problem(np.ones((4, 1)), np.array([0.0, 0.0, 0.0, 9.0]), mixture=np.ones((1, 1)))
    >>> balance = Balance(0.5, np.zeros(1), np.zeros(1), np.zeros(1))
    >>> balance.show(rows, np.arange(4))
    >>> balance = balance.tilted(rows.mixture)
    >>> balance.show(rows, np.arange(4))
    >>> balance.gap(rows).gap, balance.tilt.round(9).tolist()
    (0.0, [-0.166666667])
    """

    tau: float
    coef: Floats
    given: Floats
    tilt: Floats
    sums: Sums | None = None

    def show(self, rows: Problem, places: Places) -> None:
        """Add up rows."""
        none = Sums.none(self.given.size, self.tilt.size)

        def some(start: int, stop: int) -> Sums:
            return sum((self._sums(rows, part) for part in blocks(start, stop)), none)

        self.sums = sum(in_slices(rows.count, some), self.sums or none)

    def _sums(self, rows: Problem, part: slice) -> Sums:
        tau, X, mixture = self.tau, rows.X[part], np.asarray(rows.mixture)
        near, residual = _met(rows, part, self.given, _size(rows, self.coef))
        weight = rows.weights(part)
        mixed = X[near] @ mixture
        inner = tau - 0.5 + mixed @ self.tilt
        dual = np.where(residual > 0, tau, tau - 1)
        dual[near] = np.clip(inner, tau - 1, tau)
        free = (inner > tau - 1) & (inner < tau)
        loss = pinball(residual, tau)
        return Sums(
            float(weight @ loss),
            float(weight @ (loss - dual * residual)),
            (weight * dual) @ X,
            (mixed.T * (weight[near] * free)) @ mixed,
        )

    def tilted(self, mixture: Floats) -> Balance:
        """With the tilt that balances the duals, if none is cut off, as far as rows know of it."""
        assert self.sums is not None
        values, vectors = np.linalg.eigh(self.sums.bend)
        known = values > _UNKNOWN * max(values[-1], 0.0)
        along = vectors[:, known]
        step = along @ ((self.sums.unmet @ mixture @ along) / values[known])
        return replace(self, tilt=self.tilt - step, sums=None)

    def differs(self, before: Balance) -> bool:
        """Whether the tilt is another than before."""
        return not np.allclose(self.tilt, before.tilt, rtol=1e-15, atol=0)

    def gap(self, whole: Sizes) -> Gap:
        """The certificate: the dual is in the box, and balanced or worth nothing."""
        assert self.sums is not None
        sums = self.sums.loss, self.sums.excess, self.sums.unmet
        return bounded(whole, self.tau, self.given, sums, boxed=True)
