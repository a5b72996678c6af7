"""A few thousand rows of a stream, for pictures: evenly spread, and chosen without chance.

The rows are cut into blocks of 2^level and one is taken from each; when there are too many, pairs
of blocks join and one of their two rows stays. Which one is a hash of the block, so any chunking
of the same stream keeps the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats

KEEP = 1 << 13


@dataclass
class Sample:
    """Pairs (y_true, y_pred) from one row in every 2^level."""

    level: int = 0
    rows: int = 0
    y_true: list[Floats] = field(default_factory=list)
    y_pred: list[Floats] = field(default_factory=list)
    blocks: list[NDArray[np.int64]] = field(default_factory=list)

    def update(self, y_true: Floats, y_pred: Floats) -> None:
        """Take the sample's rows out of the next rows of the stream."""
        if not y_true.size:
            return
        start, self.rows = self.rows, self.rows + y_true.size
        while self.rows >> self.level > 2 * KEEP:
            self._thin()
        first, last = start >> self.level, (self.rows - 1) >> self.level
        blocks = np.arange(first, last + 1)
        chosen = _row_of(blocks, self.level)
        inside = (chosen >= start) & (chosen < self.rows)
        self._add(blocks[inside], y_true[chosen[inside] - start], y_pred[chosen[inside] - start])

    def merge(self, other: Sample) -> None:
        """Append another stream's sample, at the coarser level of the two."""
        while other.level > self.level:
            self._thin()
        theirs = Sample(other.level, other.rows, [*other.y_true], [*other.y_pred], [*other.blocks])
        while theirs.level < self.level:
            theirs._thin()
        offset = (self.rows >> self.level) + 1 if self.rows else 0
        for blocks, y_true, y_pred in zip(theirs.blocks, theirs.y_true, theirs.y_pred, strict=True):
            self._add(blocks + offset, y_true, y_pred)
        self.rows += other.rows
        while sum(x.size for x in self.y_true) > 2 * KEEP:
            self._thin()

    def columns(self) -> tuple[Floats, Floats]:
        """The sampled truths and predictions."""
        none = [np.zeros(0)]
        return np.concatenate(self.y_true or none), np.concatenate(self.y_pred or none)

    def to_tree(self) -> dict[str, Any]:
        """Numbers and arrays, for `storage.pack`."""
        y_true, y_pred = self.columns()
        blocks = np.concatenate(self.blocks or [np.zeros(0, np.int64)])
        return {"level": self.level, "rows": self.rows, "y_true": y_true, "y_pred": y_pred,
                "blocks": blocks}  # fmt: skip

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Sample:
        """The sample that `to_tree` wrote down."""
        columns = ([tree[name]] for name in ("y_true", "y_pred", "blocks"))
        return cls(tree["level"], tree["rows"], *columns)

    def _add(self, blocks: NDArray[np.int64], y_true: Floats, y_pred: Floats) -> None:
        self.blocks.append(blocks)
        self.y_true.append(y_true)
        self.y_pred.append(y_pred)

    def _thin(self) -> None:
        """Join pairs of blocks; of two rows the hash's choice stays, a lone one stays if chosen."""
        blocks = np.concatenate(self.blocks or [np.zeros(0, np.int64)])
        y_true, y_pred = self.columns()
        stays = (blocks & 1) == _bit(blocks >> 1, self.level + 1)
        self.level += 1
        self.blocks, self.y_true, self.y_pred = [], [], []
        self._add(blocks[stays] >> 1, y_true[stays], y_pred[stays])


def _row_of(blocks: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    """The row that stands for each block: the choice of a half, and of its half, and so on."""
    rows = blocks
    for above in range(level, 0, -1):
        rows = 2 * rows + _bit(rows, above)
    return rows


def _bit(block: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    mixed = (block.astype(np.uint64) + np.uint64(level)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(40)).astype(np.int64) & 1
