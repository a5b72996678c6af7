"""The summed loss of a linear model with its slope and bend: partial sums over rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Source
from offby.fit.objective.score import ScoreLoss
from offby.fit.passes.added import Added
from offby.fit.passes.blocks import Block, Linear, over_rows


def _both(one: Floats | None, other: Floats | None) -> Floats | None:
    """The sum, where bends were asked for."""
    return one if one is None or other is None else one + other


@dataclass(frozen=True, eq=False)
class Sums(Added):
    """Sums over some rows, not divided by `weight`; `a + b` are those over the rows of both."""

    rows: int
    weight: float
    value: float
    slope: Floats
    bend: Floats | None = field(metadata={"joined": _both})


def sums_at(
    source: Source,
    linear: Linear,
    loss: ScoreLoss,
    at: Floats,
    share: float = 0.0,
    *,
    bend: bool = True,
) -> Sums:
    """Value, slope and (if asked for) bend of the summed loss, in one pass.

    `at` is (size,). The bend of a row is at least `share` of the loss's majorant, which is never 0.

    >>> from offby.fit.data.rows import Rows
    >>> from offby.fit.objective.score import toward_score
    >>> from offby.losses import Squared
    >>> rows = Rows(np.array([[1.0], [2.0]]), np.array([1.0, 3.0]))
    >>> found = sums_at(rows, Linear(np.zeros(1), False), toward_score(Squared()), np.ones(1))
    >>> found.value, found.slope, found.bend
    (1.0, array([-4.]), array([[10.]]))
    """
    size = linear.size
    formulas = (loss.value, loss.slope, loss.bend)[: 2 + bend]
    none = Sums(0, 0.0, 0.0, np.zeros(size), np.zeros((size, size)) if bend else None)

    def of_block(block: Block) -> Sums:
        score = block.score(at)
        value, slope, *bends = loss.at(block.y, score, *formulas)
        if bend and share:
            bends[0] = np.maximum(bends[0], share * loss.majorant(block.y, score))
        return Sums(
            block.y.size,
            block.total(),
            float(block.weighted(value).sum()),
            block.times(block.weighted(slope)),
            block.gram(block.weighted(bends[0])) if bend else None,
        )

    return over_rows(source, linear, of_block, none)
