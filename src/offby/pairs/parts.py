"""Segments of a comparison: the same judgement on a part of the rows."""

from __future__ import annotations

from dataclasses import dataclass

from offby.pairs.judge import Judge


@dataclass(frozen=True, eq=False)
class Part:
    """The rows that share these values of these columns, or all `others` beyond the largest."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    others: int
    judge: Judge

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.judge.counted.state.sums.rows
