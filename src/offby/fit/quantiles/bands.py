"""Rows whose side is in doubt for all fits near a line between some, the others lumped for good.

The fit at a row x moves by at most |x| |b - b'| between coefficients. So a row that is further
than that times a radius above two fits is above every fit within the radius of what lies between
them: neither those fits nor their proofs need to look at it again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats
from offby.fit.quantiles.gap import Gap, duality_gap
from offby.fit.quantiles.lumping import lump
from offby.fit.quantiles.problem import Places, Problem, Sides, blocks

_SAFE = 0.999  # of the radius: rounding takes far less than the rest
_NONE = np.empty(0)


@dataclass(frozen=True, eq=False)
class Lumps:
    """The side of each row, 0 where it is in doubt, and the sums of X and y above and below.

    The sums are in two parts, the larger first: (2, 2, p + 1).
    """

    side: Sides
    sums: Floats

    @classmethod
    def none(cls, rows: Problem) -> Lumps:
        """All rows in doubt."""
        return cls(np.zeros(rows.count, np.int8), np.zeros((2, 2, rows.X.shape[1] + 1)))

    def moved(self, rows: Problem, radius: float, fits: tuple[Floats, ...]) -> Lumps:
        """Those beside other fits: only rows that change sides are added or taken away."""
        side = self.side.copy()
        given = [rows.coefficients(fit) for fit in fits]

        def move(start: int, stop: int) -> Floats:
            sums = np.zeros_like(self.sums)
            for part in blocks(start, stop):
                X = np.ascontiguousarray(rows.X[part])
                lowest, *others = (X @ fit for fit in given)
                highest = lowest
                for fitted in others:
                    lowest, highest = np.minimum(lowest, fitted), np.maximum(highest, fitted)
                weight, reach = _part(rows.weight, part), _part(rows.reach, part)
                lump(X, rows.y[part], weight, reach, radius, lowest, highest,
                     side[part], np.empty(len(X), np.int8), *sums)  # fmt: skip
            return sums

        return Lumps(side, reduce(_added, in_slices(rows.count, move), self.sums))


def _part(numbers: Floats | None, part: slice) -> Floats:
    return _NONE if numbers is None else numbers[part]


def _added(first: Floats, second: Floats) -> Floats:
    """The sum of numbers in two parts, in two parts."""
    total = first[0] + second[0]
    part = total - first[0]
    rest = (first[0] - (total - part)) + (second[0] - part)
    return np.array([total, first[1] + second[1] + rest])


@dataclass(frozen=True, eq=False)
class Band:
    """The rows in doubt for fits within a radius of what lies between the first and the last.

    `places` says where they stand among all rows, `whole`. After them come two lumps of the
    others, unless there are none. The radius is in units of y, at a row whose reach is 1.
    """

    whole: Problem
    rows: Problem
    places: Places
    fits: tuple[Floats, ...] = ()
    radius: float = np.inf
    outer: Band | None = None
    lumps: Lumps | None = None

    @classmethod
    def of_all(cls, whole: Problem) -> Band:
        """All rows, none lumped: for any fit."""
        return cls(whole, whole, np.arange(whole.count))

    def near(self, radius: float, *fits: Floats, before: Band | None = None) -> Band:
        """A band within this one, whose rows have a reach, for one fit or between two.

        It is found sooner from one that was within this one `before`.
        """
        start = before.lumps if before is not None and before.outer is self else None
        lumps = (start or Lumps.none(self.rows)).moved(self.rows, radius, fits)
        found = np.flatnonzero(lumps.side[: self.places.size] == 0)
        rows = _with(self.rows, found, lumps.sums.sum(axis=0))
        return Band(self.whole, rows, self.places[found], fits, radius, self, lumps)

    @cached_property
    def ready(self) -> Problem:
        """The rows as pivots take them: scaled and with mixed columns."""
        return self.rows.scaled(slice(None))

    def holds(self, coef: Floats, basis: Places | None) -> bool:
        """Whether a fit is one that rows were lumped for, and goes through none of the lumps."""
        return basis is not None and max(basis) < self.places.size and self._covers(coef)

    def _covers(self, coef: Floats) -> bool:
        """Whether all rows lumped here, and in what this is within, are on their side of a fit."""
        if not self.fits:
            return True
        along, away = self.fits[-1] - self.fits[0], coef - self.fits[0]
        length = float(along @ along)
        if length > 0:
            away = away - min(max(float(away @ along) / length, 0.0), 1.0) * along
        near = math.sqrt(float(away @ away) * coef.size) <= _SAFE * self.radius
        return near and (self.outer is None or self.outer._covers(coef))

    def gap(self, tau: float, coef: Floats, dual: Floats) -> Gap:
        """The certificate for all rows, by the dual of those here."""
        return duality_gap(self.rows, tau, coef, dual, self.whole)


def _with(rows: Problem, places: Places, lumps: Floats) -> Problem:
    """Some of the rows, and the lumps of the others."""
    X = np.empty((places.size + 2, rows.X.shape[1]))
    np.take(rows.X, places, axis=0, out=X[:-2], mode="clip")
    X[-2:] = lumps[:, :-1]
    weight, reach = (
        None if each is None else np.append(each[places], [1.0, 1.0])
        for each in (rows.weight, rows.reach)
    )
    y = np.append(rows.y[places], lumps[:, -1])
    return Problem(X, y, weight, rows.mixture, reach, lumps=2)
