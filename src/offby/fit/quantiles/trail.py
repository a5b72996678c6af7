"""The fits so far, and where the next one should be.

Coefficients are carried on along a line over the log odds of τ: they are about straight over these,
also in the tails. How far a fit may be from there is known in ranks of the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Places

_ERRORS = 2.0  # standard errors that coefficients may have, beyond what they have in the mean
_BENT = 3.0  # the line is not as straight in the tails, where rows thin out
_APART = 64  # rows a coefficient, at least, between two fits that tell where others are


@dataclass(frozen=True, eq=False)
class Known:
    """A quantile that is fitted, the rows it goes through, and how many ranks a unit of y is."""

    tau: float
    coef: Floats
    through: Places
    density: float | None

    @property
    def odds(self) -> float:
        """The logarithm of τ / (1 - τ)."""
        return _odds(self.tau)


@dataclass(eq=False)
class Trail:
    """What is known of so many rows, with so many coefficients, one quantile after another.

    The next is looked for from the `last` and the `first`: one before it, not so near that it
    would be only chance how they differ.
    """

    rows: int
    width: int
    known: list[Known] = field(default_factory=list)
    first: Known = field(init=False)
    last: Known = field(init=False)

    def add(self, found: Known) -> None:
        """Go on to the next; the second tells how dense rows are at the first, too."""
        if len(self.known) == 1:
            self.known[0] = replace(self.known[0], density=found.density)
        self.known.append(found)
        self._look_back()

    def turn(self) -> None:
        """Go the other way from where it started."""
        self.known.reverse()
        self._look_back()

    def _look_back(self) -> None:
        self.last = self.known[-1]
        far = (k for k in reversed(self.known) if self.between(k.tau) >= _APART * self.width)
        self.first = next(far, self.known[0])

    def between(self, tau: float) -> float:
        """How many rows are between the last fit and that to another quantile."""
        return abs(tau - self.last.tau) * self.rows

    def steps(self, tau: float) -> float:
        """How far ahead of the last fit a quantile is, in distances of the two; 0 of one alone."""
        before = self.last.odds - self.first.odds
        return (_odds(tau) - self.last.odds) / before if before else 0.0

    def ahead(self, tau: float) -> tuple[Floats, float]:
        """Where the fit should be, and by how many ranks it may be elsewhere.

        The difference of two fits has a standard error of √(δ (1 - δ) p n) ranks, with δ the
        difference of the quantiles (Koenker 2005, section 4.2).
        """
        first, last, steps = self.first, self.last, self.steps(tau)
        apart, before = abs(tau - last.tau), abs(last.tau - first.tau)
        variance = apart * (1 - apart) + steps**2 * before * (1 - before)
        errors = _ERRORS + math.sqrt(self.width)
        ranks = self.width + errors * math.sqrt(variance * self.rows * self.width)
        if not before:
            ranks += 2 * apart * math.sqrt(self.width) * self.rows
        ranks *= 1 + _BENT * (1 - self.further_out(tau)) ** 2
        return last.coef + steps * (last.coef - first.coef), ranks

    def further_out(self, tau: float) -> float:
        """How dense rows are at a quantile for how they are at the last, if it is further out.

        Less, as all is about straight over log odds; as dense, if it is further in.
        """
        return min(1.0, tau * (1 - tau) / (self.last.tau * (1 - self.last.tau)))


def _odds(tau: float) -> float:
    return math.log(tau / (1 - tau))
