"""The loss that corrections are judged by, as a formula of a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offby.engine.evaluate import compute
from offby.engine.rows import Floats
from offby.errors import OffbyError
from offby.formula.derive import gradient
from offby.formula.expression import Expression, walk
from offby.formula.words import p, r, y
from offby.losses import Loss, from_text
from offby.measures.measure import Measure

_WORDS = frozenset({y, p, r})
_SMOOTHED = 1e-4  # of the mean |r|: below it a kink counts as round


@dataclass(frozen=True, eq=False)
class Judged:
    """A mean loss by its name, or the root of one: `term` is what is averaged.

    >>> rmse = Judged("rmse", r**2, root=True)
    >>> rmse.of_mean(4.0), rmse.slope(4.0)
    (2.0, 0.25)
    """

    name: str
    term: Expression
    root: bool = False

    def losses(self, truth: Floats, prediction: Floats) -> Floats:
        """The loss of each row, before any root."""
        return compute([self.term], {y: truth, p: prediction})[0]

    def of_mean(self, mean: float) -> float:
        """The loss that is reported, of the mean over the rows."""
        return float(np.sqrt(max(mean, 0.0))) if self.root else mean

    def slope(self, mean: float) -> float:
        """By how much that rises with the mean."""
        if not self.root:
            return 1.0
        return float(0.5 / np.sqrt(mean)) if mean > 0 else 0.0

    def slopes(self, truth: Floats, prediction: Floats) -> tuple[Floats, Floats, Floats]:
        """Loss, gradient and a curvature that makes a Newton step safe: |gradient| / |r|.

        That majorises losses that are even in the error, and is the expected curvature of a
        deviance. Errors next to zero count as a little larger, so that a kink is rounded off.
        """
        error = prediction - truth
        least = max(_SMOOTHED * float(np.mean(np.abs(error))), 1e-300)
        away = np.where(np.abs(error) < least, np.copysign(least, error), error)
        losses, steep = compute([self.term, self._gradient], {y: truth, p: truth + away})
        bent = np.abs(steep / away)
        return losses, np.where(np.abs(error) < least, bent * error, steep), bent

    @cached_property
    def _gradient(self) -> Expression:
        return gradient(self.term)

    @cached_property
    def of_error(self) -> bool:
        """Whether it depends on the error alone."""
        return all(leaf is r for leaf in walk(self.term) if leaf.op == "symbol")

    @cached_property
    def loss(self) -> Loss | None:
        """The loss of the catalogue that this is, if it is one."""
        try:
            found = from_text(self.name.removeprefix("r") if self.root else self.name)
        except OffbyError:
            return None
        return found if found.expression is self.term else None


SQUARED = Judged("squared", r**2)
ABSOLUTE = Judged("absolute", abs(r))


def means(asked: Iterable[Measure]) -> Iterator[Judged]:
    """The measures that are means of a row's loss, or roots of one, and that are better low."""
    for measure in asked:
        root = measure.formula.op == "sqrt"
        mean = measure.formula.args[0] if root else measure.formula
        if measure.better == "lower" and mean.op == "mean" and _of_columns(mean.args[0]):
            yield Judged(measure.name, mean.args[0], root)


def _of_columns(term: Expression) -> bool:
    """Whether a formula speaks of truth and prediction alone."""
    return all(leaf in _WORDS for leaf in walk(term) if leaf.op == "symbol")
