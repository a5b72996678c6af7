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
        chosen = {label: max(min(round(n * share), n - 1), min(n - 1, 1))
                  for label, n in counts.items()}  # fmt: skip
        if sum(number > 0 for number in chosen.values()) < 2:
            raise DataError(
                f"column {column!r} has {_told(counts)}: rows held out would be of one class "
                "alone, on which nothing can be measured; hold out none, or gather more of others"
            )
        return cls(column, counts, chosen)

    def chooser(self, source: str) -> Callable[[Batch], NDArray[np.bool_]]:
        """Tells of one batch after another, in order, which rows are chosen."""
        codes, seen = LabelCodes(self.counts), np.zeros(len(self.counts), np.int64)
        totals = np.array(list(self.counts.values()))
        wanted = np.array([self.chosen[label] for label in self.counts])

        def choose(batch: Batch) -> NDArray[np.bool_]:
            place = Place(source, self.column, batch.first_row)
            found = codes.encode(batch.labels[self.column], place)
            chosen = np.zeros(found.size, bool)
            for code in np.unique(found[found >= 0]):
                rows = np.flatnonzero(found == code)
                among = seen[code] + np.arange(rows.size)
                chosen[rows] = _spread(among, wanted[code], totals[code], code)
                seen[code] += rows.size
            return chosen

        return choose


def _spread(among: NDArray[np.int64], wanted: int, total: int, seed: int) -> NDArray[np.bool_]:
    """Which of a label's rows, by their number among these, are of the so many that are wanted.

    All its rows in a line are cut into as many even pieces, and one of each is chosen at random.
    """
    piece = among * wanted // total
    start, stop = (-(-k * total // max(wanted, 1)) for k in (piece, piece + 1))
    drawn = start + np.floor(random_at(piece + (seed << 40)) * (stop - start)).astype(np.int64)
    return np.asarray((among == drawn) & (wanted > 0))


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{label!r} in {n:,} row{'s' * (n != 1)}" for label, n in counts.items())
