"""What every candidate cost on every fold, and the differences between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from offby.choice.estimate import Estimate
from offby.choice.trained.paired import corrected
from offby.engine.rows import Floats


@dataclass(frozen=True, eq=False)
class Scored:
    """Costs of candidates under measures on folds: (candidates, measures, folds), less is better.

    The first candidate is what one would have, the first measure the judge. With `relative`, a
    gain is a share: 1 less the ratio of the costs, averaged over folds by its logarithm, so that a
    fold with gross errors counts as any other. Otherwise it is in units of the measure.
    """

    names: tuple[str, ...]
    judges: tuple[str, ...]
    costs: Floats
    ratio: float
    confidence: float
    relative: bool

    def mean(self, candidate: int, judge: int = 0) -> float | None:
        """A candidate's cost over all folds; None where it is undefined or infinite."""
        found = float(np.mean(self.costs[candidate, judge]))
        return found if np.isfinite(found) else None

    def gain(self, candidate: int, than: int = 0, judge: int = 0, many: int = 1) -> Estimate:
        """By how much less it costs than another one; with `many`, so many intervals at once."""
        kept, spent = self.costs[than, judge], self.costs[candidate, judge]
        if not self.relative:
            return corrected(kept - spent, self.ratio, self.confidence, many)
        with np.errstate(all="ignore"):
            found = corrected(np.log(kept / spent), self.ratio, self.confidence, many)
        if found.value is None or found.low is None or found.high is None:
            return found
        value, low, high = (-math.expm1(-x) for x in (found.value, found.low, found.high))
        return replace(found, value=value, low=low, high=high)

    def sure_gain(self, candidate: int) -> Estimate:
        """Over the first one, with an interval that holds for all candidates at once."""
        return self.gain(candidate, many=len(self.names) - 1)
