"""How sure the coefficients are: the sandwich covariance, its standard errors and intervals.

With H the bend of the mean loss (and of its penalty) at the solution and u each row's slope, the
covariance is H⁻¹ (sum of w² u² z z') H⁻¹ / (sum of w)² (Huber 1967, White 1980): right whatever the
noise, as long as rows are independent. For least squares it is White's HC0; HC1 multiplies it by
n / (n - rank). "classical" takes the u² of each row for proportional to its bend: the textbook's
standard errors of least squares, quasi-likelihood's for deviances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy import linalg, special

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.problem import Problem
from offby.fit.objective.softmax import SoftmaxProblem
from offby.fit.objective.spread import Spread
from offby.fit.passes.blocks import Block, Linear
from offby.fit.passes.several import sums_over_rows
from offby.fit.solvers.least_squares import LeastSquares
from offby.fit.solvers.newton import Solution
from offby.fit.statistics.density import Density

Kind = Literal["HC0", "HC1", "classical"]
KINDS = ("HC0", "HC1", "classical")
_UNKNOWN = 1e-9  # the square of how much of a coefficient no row determines, that is no rounding
_RANK = 1e-13


@dataclass(frozen=True, eq=False)
class Inference:
    """The covariance of coefficients and intercept (size, size), and what intervals need.

    A standard error is NaN where the rows do not determine the number.
    """

    covariance: Floats
    degrees: int

    @property
    def standard_errors(self) -> Floats:
        """The roots of the diagonal: (size,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diag(self.covariance)))

    def half_width(self, confidence: float = 0.95) -> Floats:
        """Half of each interval, by Student's t: (size,)."""
        if self.degrees < 1:
            return np.full(len(self.covariance), np.nan)
        quantile = float(special.stdtrit(self.degrees, 0.5 + confidence / 2))
        return self.standard_errors * quantile

    def p_values(self, found: Floats) -> Floats:
        """How often noise alone would bring a number this far from 0: (size,)."""
        if self.degrees < 1:
            return np.full(len(self.covariance), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                2 * special.stdtr(self.degrees, -np.abs(found / self.standard_errors))
            )


def infer(
    problem: Problem, solution: Solution, kind: Kind, density: Density | None = None
) -> Inference:
    """The covariance at a solution, for the features as they came; takes one pass.

    `density` is that of the errors, for a loss of straight lines.

    Raises `DataError` for an unknown kind.
    """
    _check(kind)
    move = _move(problem.linear)
    if solution.exact is not None:
        covariance, rows = _of_least_squares(solution.exact, kind)
        known = np.zeros(len(covariance))
        return _moved(move, covariance, known, rows, solution.rank, kind)
    (found,) = infer_several([problem], [solution], kind, [density])
    return found


def infer_several(
    problems: Sequence[Problem],
    solutions: Sequence[Solution],
    kind: Kind,
    densities: Sequence[Density | None],
) -> list[Inference]:
    """The same for several losses of the same rows; takes one pass for all of them."""
    _check(kind)
    if not problems:
        return []
    first = problems[0]
    looks = [partial(_spread, *of) for of in zip(problems, solutions, densities, strict=True)]
    size = first.linear.size
    none = Spread(0, 0.0, 0.0, 0.0, np.zeros((size, size)), np.zeros((size, size)))
    spreads = sums_over_rows(first.source, first.linear, looks, none)
    return [
        _moved(_move(first.linear), *_of_sums(spread, first.penalty, solution.rank, kind),
               spread.rows, solution.rank, kind)
        for spread, solution in zip(spreads, solutions, strict=True)
    ]  # fmt: skip


def infer_classes(problem: SoftmaxProblem, solution: Solution, kind: Kind) -> Inference:
    """The same for several classes: coefficients and intercept of the first, the second …"""
    _check(kind)
    spread = problem.spread(solution.at)
    found = _of_sums(spread, problem.penalty, solution.rank, kind)
    move = np.kron(np.eye(problem.places.classes), _move(problem.linear)) @ problem.places.shares
    return _moved(move, *found, spread.rows, solution.rank, kind)


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise DataError(f"standard_errors is {kind!r}; known are None, {str(KINDS)[1:-1]}")


def _moved(
    move: Floats, covariance: Floats, unknown: Floats, rows: int, rank: int, kind: Kind
) -> Inference:
    """For the features as they came."""
    degrees = rows - rank
    factor = rows / degrees if kind == "HC1" and degrees > 0 else 1.0
    found = move @ covariance @ move.T * factor
    hidden = np.abs(move) @ unknown > 0
    found[hidden] = found[:, hidden] = np.nan
    return Inference(found, degrees)


def _of_sums(spread: Spread, penalty: Penalty, rank: int, kind: Kind) -> tuple[Floats, Floats]:
    """The covariance for centred features, and which places are unknown."""
    bend = spread.bend / spread.weight
    bread, unknown = _inverse(bend + np.diag(penalty.l2))
    if kind == "classical":
        degrees = max(spread.rows - rank, 1)
        middle = bend * (spread.squares / spread.bends / degrees)
    else:
        middle = spread.meat / spread.weight**2
    return bread @ middle @ bread, unknown


def _spread(problem: Problem, solution: Solution, density: Density | None, block: Block) -> Spread:
    """Of a block's rows."""
    score = block.score(solution.at)
    _, slope, bend = problem.loss.at(block.y, score)
    if density is not None:
        bend = density.at(score - block.y)
        slope = density.settled(score - block.y, slope)
    weighted = block.weighted(slope)
    bends = block.weighted(bend)
    return Spread(
        int(np.count_nonzero(block.counts())),
        block.total(),
        float((weighted * slope).sum()),  # BLAS would take threads, which wait for one another
        float(bends.sum()),
        block.gram(bends),
        block.gram(weighted**2),
    )


def _inverse(bend: Floats) -> tuple[Floats, Floats]:
    """The inverse, by eigenvectors, and which places no inverse knows: (size, size), (size,)."""
    scale = np.sqrt(np.maximum(np.diag(bend), 0.0))
    with np.errstate(divide="ignore"):
        unit = np.where(scale > 0, 1 / scale, 0.0)
    values, vectors = linalg.eigh(bend * unit * unit[:, None])
    known = values > _RANK * values.size * max(values[-1], 0.0)
    scaled = vectors[:, known] * unit[:, None]
    unknown = (vectors[:, ~known] ** 2).sum(axis=1) > _UNKNOWN
    return (scaled / values[known]) @ scaled.T, unknown


def _of_least_squares(exact: LeastSquares, kind: Kind) -> tuple[Floats, int]:
    """In the coordinates of Q, where nothing is ill-conditioned."""
    root = linalg.solve_triangular(exact.r, np.eye(len(exact.r)))
    counted = np.abs(exact.q).sum(axis=1) > 0  # rows without weight are 0
    rows = int(counted.sum())
    squares = exact.rest**2
    if kind == "classical":
        middle = np.eye(len(root)) * (squares.sum() / max(rows - len(root), 1))
    else:
        middle = exact.q.T @ (exact.q * squares[:, None])
    return root @ middle @ root.T, rows


def _move(linear: Linear) -> Floats:
    """To features as they came: the intercept moves with the coefficients of centred ones."""
    move = np.eye(linear.size)
    if linear.intercept:
        move[-1, :-1] = -linear.centre
    return move
