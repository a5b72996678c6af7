"""The standard deviation of a model's errors, estimated so that few outliers do not matter.

It is made of sums or of an order statistic over rows, which may be in memory or read in parts: a
pass or two where it is roughly known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from offby.engine.order import KeyCounts
from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.objective.problem import Problem
from offby.fit.passes.blocks import Block, over_rows
from offby.fit.passes.ranked import EVERYWHERE, Range, Ranked, quantile_in_passes
from offby.losses import Huber

ErrorScale: TypeAlias = Callable[[Problem, Floats, float, float], float]
"""The scale at a place (size,), a guess of it (inf if there is none), and how wrong that may be."""

_NORMAL_QUARTILE = 0.6744897501960817
_ROUNDING = 1e-12
_FAR = 0.1


def scale_of_errors(kind: str, problem: Problem) -> ErrorScale:
    """The scale of that kind; raises `DataError` where there is none, or not for this loss."""
    loss = problem.loss.loss
    if kind == "mad":
        return _of_some_size(problem, median_scale, _TOO_MANY)
    if kind != "joint":
        raise DataError(f"scale is {kind!r}; known are None, 'mad' and 'joint'")
    if not isinstance(loss, Huber):
        raise DataError(f"scale='joint' is for huber alone, and the loss is {loss}; say 'mad'")
    delta = loss.parameters["delta"]
    none = _NO_JOINT.format(delta)
    if delta <= 1:
        raise DataError(none)

    def scale_at(problem: Problem, at: Floats, guess: float, _: float) -> float:
        return joint_scale(problem, at, guess, delta)

    return _of_some_size(problem, scale_at, none)


def _of_some_size(problem: Problem, scale_at: ErrorScale, refusal: str) -> ErrorScale:
    """The same, refused where it is no more than rounding."""
    least = _ROUNDING * max(float(np.abs(part.y).max()) for part in problem.source.targets())

    def checked(problem: Problem, at: Floats, guess: float, margin: float) -> float:
        found = scale_at(problem, at, guess, margin)
        if not found > least:
            raise DataError(refusal)
        return found

    return checked


_TOO_MANY = (
    "more than half of the rows are fitted exactly, so their errors have no scale; give the loss's "
    "parameter in units of y, without scale='mad'"
)
_NO_JOINT = (
    "the errors have no joint scale: delta is {:g}, and too many rows are fitted exactly; take a "
    "delta above 1, or give it in units of y, without scale='joint'"
)


def median_scale(problem: Problem, at: Floats, guess: float, margin: float) -> float:
    """The standard deviation of normal errors of the same median size."""

    def look(within: Range) -> Ranked:
        def of_block(block: Block) -> Ranked:
            return Ranked.of(np.abs(block.score(at) - block.y), block.weight, within)

        none = Ranked(0.0, 0.0, float("inf"), KeyCounts.empty(1), ())
        return over_rows(problem.source, problem.linear, of_block, none)

    near = EVERYWHERE
    if np.isfinite(guess):
        near = (guess - margin) * _NORMAL_QUARTILE, (guess + margin) * _NORMAL_QUARTILE
    return quantile_in_passes(look, 0.5, near) / _NORMAL_QUARTILE


def joint_scale(problem: Problem, at: Floats, guess: float, delta: float) -> float:
    """The s that makes the mean of s + 2 s huber(error / s) least, as scikit-learn's Huber has it.

    There the mean of min((error / s)², delta²) is 1. That is a concave function of 1/s², so that
    Newton's steps are never too long but for the first; what they leave off near the end is of
    second order.
    """
    while True:
        reach = delta * guess

        def of_block(block: Block, reach: float = reach) -> Floats:
            size = np.abs(block.score(at) - block.y)
            inside, weights = size <= reach, block.weighted(np.ones(size.size))
            squares = weights * size**2
            return np.array(
                [block.total(), weights[~inside].sum(), squares[inside].sum(), squares.sum()]
            )

        total, outside, within, squares = over_rows(
            problem.source, problem.linear, of_block, np.zeros(4)
        )
        room = total - delta**2 * outside
        last, guess = guess, float(np.sqrt(within / room if room > 0 else squares / total))
        if abs(guess - last) <= _FAR * guess or not guess:
            return guess
