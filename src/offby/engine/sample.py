"""A few thousand rows of a stream: evenly spread, and chosen without chance.

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
    """The columns, `width` of them, of one row in every 2^level.

    >>> sample = Sample(width=3)
    >>> sample.update(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0]))
    >>> [column.tolist() for column in sample.columns()]
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """

    width: int = 2
    level: int = 0
    rows: int = 0
    parts: list[tuple[Floats, ...]] = field(default_factory=list)
    blocks: list[NDArray[np.int64]] = field(default_factory=list)
    keep: int = KEEP  # rows at least, of more; twice as many at most

    def update(self, *columns: Floats) -> None:
        """Take the sample's rows out of the next rows of the stream."""
        if not columns[0].size:
            return
        start, self.rows = self.rows, self.rows + columns[0].size
        while self.rows >> self.level > 2 * self.keep:
            self._thin()
        first, last = start >> self.level, (self.rows - 1) >> self.level
        blocks = np.arange(first, last + 1)
        chosen = _row_of(blocks, self.level)
        inside = (chosen >= start) & (chosen < self.rows)
        places = chosen[inside] - start
        self._add(blocks[inside], tuple(column[places].astype(float) for column in columns))

    def merge(self, other: Sample) -> None:
        """Append another stream's sample, at the coarser level of the two."""
        while other.level > self.level:
            self._thin()
        theirs = Sample(self.width, other.level, other.rows, [*other.parts], [*other.blocks])
        while theirs.level < self.level:
            theirs._thin()
        offset = (self.rows >> self.level) + 1 if self.rows else 0
        for blocks, columns in zip(theirs.blocks, theirs.parts, strict=True):
            self._add(blocks + offset, columns)
        self.rows += other.rows
        while sum(blocks.size for blocks in self.blocks) > 2 * self.keep:
            self._thin()

    def columns(self) -> tuple[Floats, ...]:
        """The sampled columns, in the order in which they are given."""
        none = (np.zeros(0),) * self.width
        return tuple(np.concatenate(column) for column in zip(*(self.parts or [none]), strict=True))

    def to_tree(self) -> dict[str, Any]:
        """Numbers and arrays, for `storage.pack`."""
        return {"level": self.level, "rows": self.rows, "columns": list(self.columns()),
                "blocks": self._all_blocks()}  # fmt: skip

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Sample:
        """The sample that `to_tree` wrote down."""
        columns = tuple(tree["columns"])
        return cls(len(columns), tree["level"], tree["rows"], [columns], [tree["blocks"]])

    def _all_blocks(self) -> NDArray[np.int64]:
        return np.concatenate(self.blocks or [np.zeros(0, np.int64)])

    def _add(self, blocks: NDArray[np.int64], columns: tuple[Floats, ...]) -> None:
        self.blocks.append(blocks)
        self.parts.append(columns)

    def _thin(self) -> None:
        """Join pairs of blocks; of two rows the hash's choice stays, a lone one stays if chosen."""
        blocks, columns = self._all_blocks(), self.columns()
        stays = (blocks & 1) == _bit(blocks >> 1, self.level + 1)
        self.level += 1
        self.blocks, self.parts = [], []
        self._add(blocks[stays] >> 1, tuple(column[stays] for column in columns))


def _row_of(blocks: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    """The row that stands for each block: the choice of a half, and of its half, and so on."""
    rows = blocks
    for above in range(level, 0, -1):
        rows = 2 * rows + _bit(rows, above)
    return rows


def _bit(block: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    mixed = (block.astype(np.uint64) + np.uint64(level)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(40)).astype(np.int64) & 1
