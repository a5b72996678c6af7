"""Sums over the same rows for several fits, found in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from offby.fit.data.rows import Source
from offby.fit.passes.blocks import Block, Linear, Total, over_rows


@dataclass(frozen=True, eq=False)
class Several(Generic[Total]):
    """One sum for each fit; `a + b` are those over the rows of both."""

    each: tuple[Total, ...]

    def __add__(self, other: Several[Total]) -> Several[Total]:
        return Several(tuple(a + b for a, b in zip(self.each, other.each, strict=True)))


def sums_over_rows(
    source: Source,
    linear: Linear,
    of_blocks: Sequence[Callable[[Block], Total]],
    none: Total,
) -> tuple[Total, ...]:
    """What each of several functions finds, added up over all blocks of all parts.

    >>> import numpy as np
    >>> from offby.fit.data.rows import Rows
    >>> rows, linear = Rows(np.ones((3, 1)), np.arange(3.0)), Linear(np.zeros(1), False)
    >>> sums_over_rows(rows, linear, [lambda block: block.total(), lambda block: 1.0], 0.0)
    (3.0, 1.0)
    """

    def of_block(block: Block) -> Several[Total]:
        return Several(tuple(of_one(block) for of_one in of_blocks))

    return over_rows(source, linear, of_block, Several((none,) * len(of_blocks))).each
