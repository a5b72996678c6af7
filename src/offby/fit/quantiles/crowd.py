"""Rows that a guess meets, where they are so many that some must stand for all of them.

A few rows met, through which any guess goes, say where the next fit may be. But of a crowd all of
which is met (of a target that is mostly 0, say) any part keeps the fit where it is. The proof then
needs all of them, but none in memory: see `balance`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.fit.quantiles.balance import met
from offby.fit.quantiles.held import Held
from offby.tables.part import random_at

_COMMON = 0.1  # of all that is known of a direction: a row that tells less is one of many
_RIDGE = 1e-9  # of the mean eigenvalue: what is unknown of a direction that no row had


@dataclass(frozen=True, eq=False)
class Crowd:
    """Rows met by a guess in directions that many of them share; a row stays with a `chance`."""

    coef: Floats
    inverse: Floats
    chance: float

    @classmethod
    def of(cls, coef: Floats, held: Held, chance: float) -> Crowd:
        """What rows that are held tell of the directions."""
        found = held.taken(met(held.rows, coef)).rows
        mixed = found.X @ np.asarray(found.mixture)
        square = mixed.T @ mixed
        ridge = _RIDGE * float(np.trace(square)) / coef.size or 1.0
        return cls(coef, np.linalg.inv(square + ridge * np.eye(coef.size)), chance)

    def has(self, held: Held) -> NDArray[np.bool_]:
        """Which rows are of it."""
        found = met(held.rows, self.coef)
        mixed = held.rows.X[found] @ np.asarray(held.rows.mixture)
        found[found] = np.einsum("ij,ij->i", mixed @ self.inverse, mixed) <= _COMMON
        return found

    def thinned(self, held: Held) -> Held:
        """Without some of its rows; those that stay weigh more."""
        crowd = self.has(held)
        chance = np.where(crowd, np.minimum(held.chance, self.chance), held.chance)
        found = replace(held, weight=held.weight * held.chance / chance, chance=chance)
        return found.taken(~crowd | (random_at(~held.places) < self.chance))
