"""How much of the best constant's loss a model saves on the rows it was fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Rows, Source
from offby.fit.objective.problem import Problem
from offby.fit.passes.ranked import EVERYWHERE, Range, Ranked, quantile_in_passes, range_about
from offby.fit.solvers.least_constant import least_of_convex
from offby.fit.solvers.lines import lines_of
from offby.losses import Loss

_FEW = 1 << 16


def explained(problem: Problem, mean_loss: float) -> float | None:
    """1 less the mean loss as a share of the best constant's: R² for squared loss.

    For two lines it is Koenker and Machado's R¹ (1999). None where that constant is unknown, as
    that of a loss with several valleys is unless it is the mean, and where it loses nothing.

    >>> from offby.fit.passes.blocks import Linear
    >>> from offby.fit.objective.penalty import Penalty
    >>> from offby.fit.objective.score import toward_score
    >>> from offby.fit.objective.shape import Shape
    >>> from offby.losses import Squared
    >>> rows, shape = Rows(np.zeros((2, 1)), np.array([0.0, 2.0])), Shape(True, None, True)
    >>> free = Penalty(np.zeros(1), np.zeros(1))
    >>> problem = Problem(rows, Linear(np.zeros(1), False), toward_score(Squared()), free, shape)
    >>> explained(problem, 0.25)
    0.75
    """
    least = _least(problem)
    return None if least is None else _saved(mean_loss, least)


def explained_of_classes(source: Source, mean_loss: float) -> float | None:
    """The same for the cross-entropy of classes, whose best constants are their shares."""
    counts = [np.bincount(part.y.astype(int), part.weight) for part in source.targets()]
    totals = np.zeros(max(map(len, counts)))
    for some in counts:
        totals[: some.size] += some
    return _saved(mean_loss, float(special.entr(totals / totals.sum()).sum()))


def _saved(mean_loss: float, constant: float) -> float | None:
    return 1 - mean_loss / constant if constant > 0 and np.isfinite(constant) else None


def _least(problem: Problem) -> float | None:
    """The least mean loss of any constant, if it can be known."""
    source, loss = problem.source, problem.loss.loss
    lines = lines_of(loss)
    if lines is not None:
        return _mean_at(source, loss, _quantile(source, lines.tau))
    if loss.functional == "mean":
        best = _best_of_mean(source, loss)
        return None if best is None else _mean_at(source, loss, best)
    return least_of_convex(source, problem.loss, problem.shape) if problem.convex else None


def _best_of_mean(source: Source, loss: Loss) -> float | None:
    """What the loss predicts for rows of this mean; None for labels that are all the same."""
    total, weights = _summed(
        source, lambda part: np.array([part.sum_of(part.y), part.total_weight])
    )
    try:
        return loss.best_constant(np.array([total / weights]))
    except DataError:
        return None


def _mean_at(source: Source, loss: Loss, constant: float) -> float:
    """The mean loss of a prediction that is the same for all rows."""

    def sums(part: Rows) -> Floats:
        lost = part.sum_of(np.asarray(loss.value(part.y, np.array(constant))))
        return np.array([lost, part.total_weight])

    total, weights = _summed(source, sums)
    return float(total / weights)


def _quantile(source: Source, q: float) -> float:
    """The q-quantile of the truths."""

    def look(within: Range) -> Ranked:
        parts = (Ranked.of(part.y, part.weight, within) for part in source.targets())
        first = next(parts)
        return sum(parts, first)

    few = source.sample(_FEW)
    known = few.count == source.count
    return quantile_in_passes(look, q, EVERYWHERE if known else range_about(few.y, few.weight, q))


def _summed(source: Source, of_part: Callable[[Rows], Floats]) -> Floats:
    return np.asarray(np.sum([of_part(part) for part in source.targets()], axis=0))
