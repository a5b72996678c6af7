"""The rows nearest to a guess, as parts of them are read, and the sums of those lumped.

As many are kept as there is room for, so that the radius within which rows are kept is known only
at the end: it shrinks when there are too many. Rows that are equal are kept as one. Of a crowd that
the guess meets, some may have to stand for all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from offby.engine.rows import Floats
from offby.fit.passes.doubled import add
from offby.fit.quantiles.balance import met
from offby.fit.quantiles.bands import Lumps
from offby.fit.quantiles.crowd import Crowd
from offby.fit.quantiles.held import Held
from offby.fit.quantiles.problem import Places, Problem

_BEYOND = 1 - 1e-9  # of the distance of the first row that there is no room for
_SAFE = 0.999  # of the radius: rounding takes far less than the rest
LUMPED = -1
"""The number of a lump among those of rows."""


@dataclass(eq=False)
class Nearest:
    """The rows nearest to a guess, at most twice as many as wanted, and lumps of the others.

    Distances are residuals over the reach of their rows. `coef` is of mixed columns.
    """

    coef: Floats
    most: int
    radius: float = np.inf
    crowd: Crowd | None = None
    sums: Floats | None = None
    parts: list[Held] = field(default_factory=list)

    def show(self, rows: Problem, places: Places) -> None:
        """Keep rows that are near, and add up the others; the rows have a reach."""
        self._keep(Held.of(rows, places))
        if sum(part.count for part in self.parts) > 2 * self.most:
            self._trim()

    def rows(self) -> tuple[Problem, Places]:
        """The rows and, at the end, two lumps of those above and below; and their numbers."""
        if sum(part.count for part in self.parts) > self.most:
            self._trim()
        near = Held.joined(self.parts)
        sums = np.zeros((2, near.rows.X.shape[1] + 1)) if self.sums is None else self.sums.sum(0)
        found = Problem(
            np.concatenate([near.rows.X, sums[:, :-1]]),
            np.append(near.rows.y, sums[:, -1]),
            np.append(near.weight, [1.0, 1.0]),
            near.rows.mixture,
            lumps=2,
        )
        return found, np.append(near.places, [LUMPED, LUMPED])

    def ahead(self, coef: Floats) -> float:
        """How much of the way to another fit no row that was lumped changes sides, or more: 1."""
        moved = float(np.linalg.norm(coef - self.coef)) * np.sqrt(coef.size)
        return min(1.0, _SAFE * self.radius / moved) if moved > 0 else 1.0

    def stays(self, coef: Floats) -> bool:
        """Whether another fit meets all rows that stand for more of their kind."""
        crowds = (part.taken(part.chance < 1) for part in self.parts)
        return all(met(part.rows, coef).all() for part in crowds)

    def _keep(self, held: Held) -> None:
        if np.isfinite(self.radius):
            rows = replace(held.rows, weight=held.weight)
            lumps = Lumps.none(rows).moved(rows, self.radius, (self.coef,))
            before = np.zeros_like(lumps.sums) if self.sums is None else self.sums
            self.sums = np.array(add((before[0], before[1]), (lumps.sums[0], lumps.sums[1])))
            held = held.taken(lumps.side == 0)
        self.parts.append(held if self.crowd is None else self.crowd.thinned(held))

    def _trim(self) -> None:
        """Keep the nearest, where all do not fit even if equal ones are one."""
        held = Held.joined(self.parts).merged()
        if held.count > self.most:
            held = self._thinned(held)
        if held.count > self.most:
            distance = np.abs(held.rows.residual(self.coef)) / np.asarray(held.rows.reach)
            self.radius = _BEYOND * float(np.partition(distance, self.most)[self.most])
        self.parts = []
        self._keep(held)

    def _thinned(self, held: Held) -> Held:
        """Without some of the rows met, if they are more than half of those there is room for."""
        chance = 1.0 if self.crowd is None else self.crowd.chance
        crowd = Crowd.of(self.coef, held, chance)
        share = np.count_nonzero(crowd.has(held)) / (self.most / 2)
        if share > 1:
            self.crowd = replace(crowd, chance=chance / share)
        return held if self.crowd is None else self.crowd.thinned(held)
