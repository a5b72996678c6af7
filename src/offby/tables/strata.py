"""Rows chosen so that each class has its share among them, whatever the share and the order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offby.errors import DataError
from offby.tables.floats import Place
from offby.tables.labels import LabelCodes
from offby.tables.part import random_at
from offby.tables.table import Batch


@dataclass(frozen=True)
class Strata:
    """How many rows each label of a column has, and how many of them are chosen.

    Of a label that occurs once none is chosen; of others at least one, and not all.
    """

    column: str
    counts: Mapping[str, int]
    chosen: Mapping[str, int]

    @classmethod
    def of(cls, column: str, counts: Mapping[str, int], share: float) -> "Strata":
        """About a share of each label's rows; `DataError` where only one label has rows to spare.

        >>> Strata.of("kind", {"a": 90, "b": 3, "c": 1}, 0.1).chosen
        {'a': 9, 'b': 1, 'c': 0}
        """
        draw = Draw.of(_numbers(counts), share)
        if np.count_nonzero(draw.chosen) < 2:
            raise DataError(
                f"column {column!r} has {_told(counts)}: rows held out would be of one class "
                "alone, on which nothing can be measured; hold out none, or gather more of others"
            )
        return cls(column, counts, dict(zip(counts, draw.chosen.tolist(), strict=True)))

    def chooser(self, source: str) -> Callable[[Batch], NDArray[np.bool_]]:
        """Tells of one batch after another, in order, which rows are chosen."""
        codes = LabelCodes(self.counts)
        draw = Draw(_numbers(self.counts), _numbers(self.chosen)).chooser()

        def choose(batch: Batch) -> NDArray[np.bool_]:
            place = Place(source, self.column, batch.first_row)
            return draw(codes.encode(batch.labels[self.column], place))

        return choose


@dataclass(frozen=True, eq=False)
class Draw:
    """How many rows each class has, and how many of them are drawn by lot: both (classes,).

    Which ones is the same in every pass over them, and depends on nothing but these and the seed.
    """

    counts: NDArray[np.int64]
    chosen: NDArray[np.int64]
    seed: int = 0

    @classmethod
    def of(cls, counts: NDArray[np.int64], share: float, seed: int = 0) -> "Draw":
        """About a share of each class; of one row none, of more at least one, and not all.

        >>> Draw.of(np.array([90, 3, 1, 0]), 0.1).chosen
        array([9, 1, 0, 0])
        """
        spare = np.maximum(counts - 1, 0)
        wanted = np.round(counts * share).astype(np.int64)
        return cls(counts, np.clip(wanted, np.minimum(spare, 1), spare), seed)

    def chooser(self) -> Callable[[NDArray[np.int64]], NDArray[np.bool_]]:
        """Tells of one piece of rows after another, by their classes, which ones are drawn.

        A class of -1 is none, and no such row is drawn.

        >>> choose = Draw(np.array([6, 1]), np.array([2, 0])).chooser()
        >>> choose(np.array([0, 0, -1, 0, 1])).astype(int), choose(np.array([0, 0, 0])).astype(int)
        (array([0, 0, 0, 1, 0]), array([0, 1, 0]))
        """
        seen = np.zeros(self.counts.size, np.int64)

        def choose(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
            chosen = np.zeros(codes.size, bool)
            for code in np.unique(codes[codes >= 0]):
                rows = np.flatnonzero(codes == code)
                chosen[rows] = self._of_class(code, seen[code] + np.arange(rows.size))
                seen[code] += rows.size
            return chosen

        return choose

    def _of_class(self, code: np.int64, among: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of a class's rows are drawn, by their number among these.

        All its rows in a line are cut into as many even pieces, and one of each is drawn.
        """
        wanted, total = self.chosen[code], self.counts[code]
        piece = among * wanted // total
        start, stop = (-(-k * total // max(wanted, 1)) for k in (piece, piece + 1))
        lot = random_at(piece + (code << 40), self.seed)
        drawn = start + np.floor(lot * (stop - start)).astype(np.int64)
        return np.asarray((among == drawn) & (wanted > 0))


def _numbers(counts: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array(list(counts.values()), np.int64)


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{label!r} in {n:,} row{'s' * (n != 1)}" for label, n in counts.items())
