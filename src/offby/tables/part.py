"""A part of a table's rows, or the rest of them, chosen by a hash of each row's number."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.tables.floats import Kind
from offby.tables.table import Batch, Chunk, Table, Wanted

_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@final
@dataclass(frozen=True, eq=False)
class Part(Table):
    """About a `share` of the rows of a table, or with `rest` all others; nothing is held in memory.

    Rows keep their order, and a row is in the part whatever the batches. `heard` is told of every
    batch of the whole that is read.
    """

    whole: Table
    share: float
    rest: bool
    heard: Callable[[Batch], None] | None = None

    def kind(self, column: str) -> Kind:
        """Say what the whole table says of a column."""
        return self.whole.kind(column)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        with closing(self.whole.read(wanted.numbers, wanted.labels)) as batches:
            for batch in batches:
                if self.heard is not None:
                    self.heard(batch)
                chosen = self._chosen(batch)
                columns = {name: values[chosen] for name, values in batch.columns.items()}
                labels = {name: _taken(values, chosen) for name, values in batch.labels.items()}
                yield Chunk(columns, labels, batch.progress)

    def _chosen(self, batch: Batch) -> NDArray[np.bool_]:
        rows = np.arange(batch.first_row, batch.first_row + batch.rows)
        return np.asarray(in_part(rows, self.share) != self.rest)


def part_of(
    whole: Table,
    share: float,
    *,
    rest: bool = False,
    heard: Callable[[Batch], None] | None = None,
) -> Part:
    """About a share of a table's rows, from 0 to 1; with `rest` the rows that are not in it.

    >>> from offby.tables import open_table
    >>> table = open_table({"x": list(range(10))})
    >>> few, many = part_of(table, 0.5), part_of(table, 0.5, rest=True)
    >>> [next(part.read("x")).columns["x"].astype(int).tolist() for part in (few, many)]
    [[3, 4, 5, 7], [0, 1, 2, 6, 8, 9]]
    """
    return Part(
        whole.source, whole.columns, None, whole.in_memory, whole, share, rest, heard,
        once=whole.once,
    )  # fmt: skip


def in_part(rows: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Which of the rows with these numbers are in the part: the same in every run.

    >>> in_part(np.arange(1_000_000), 0.2).mean().round(3)
    np.float64(0.2)
    """
    return np.asarray((mixed(rows) >> np.uint64(11)).astype(np.float64) * 2.0**-53 < share)


def mixed(rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Numbers of rows as bits that look random (splitmix64's end)."""
    x = rows.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return np.asarray(x ^ (x >> np.uint64(31)))


def _taken(values: Any, chosen: NDArray[np.bool_]) -> Any:
    return values[chosen] if isinstance(values, np.ndarray) else values.filter(pa.array(chosen))
