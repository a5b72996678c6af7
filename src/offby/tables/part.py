"""A part of a table's rows, or the rest of them, chosen by a hash of each row's number."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.tables.floats import Kind
from offby.tables.table import Batch, Chunk, Table, Wanted

if TYPE_CHECKING:
    from offby.tables.strata import Strata

_STRIDE = 0x9E3779B97F4A7C15  # 2⁶⁴ over the golden ratio
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@final
@dataclass(frozen=True, eq=False)
class Part(Table):
    """About a `share` of the rows of a table, or with `rest` all others; nothing is held in memory.

    Rows keep their order, and a row is in the part whatever the batches. `heard` is told of every
    batch of the whole that is read. With `strata` these say which rows are in the part.
    """

    whole: Table
    share: float
    rest: bool
    heard: Callable[[Batch], None] | None = None
    strata: Strata | None = None

    def kind(self, column: str) -> Kind:
        """Say what the whole table says of a column."""
        return self.whole.kind(column)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        strata, labels = self.strata, wanted.labels
        choose = self._in_share if strata is None else strata.chooser(self.source)
        if strata is not None:
            labels = tuple(dict.fromkeys([*labels, strata.column]))
        with closing(self.whole.read(wanted.numbers, labels)) as batches:
            for batch in batches:
                if self.heard is not None:
                    self.heard(batch)
                chosen = choose(batch) != self.rest
                columns = {name: values[chosen] for name, values in batch.columns.items()}
                kept = {name: _taken(batch.labels[name], chosen) for name in wanted.labels}
                yield Chunk(columns, kept, batch.progress)

    def _in_share(self, batch: Batch) -> NDArray[np.bool_]:
        return in_part(np.arange(batch.first_row, batch.first_row + batch.rows), self.share)


def part_of(
    whole: Table,
    share: float,
    *,
    rest: bool = False,
    heard: Callable[[Batch], None] | None = None,
    strata: Strata | None = None,
) -> Part:
    """About a share of a table's rows, from 0 to 1; with `rest` the rows that are not in it.

    With `strata` (of that share) the part has as much of every class.

    >>> from offby.tables import open_table
    >>> table = open_table({"x": list(range(10))})
    >>> few, many = part_of(table, 0.5), part_of(table, 0.5, rest=True)
    >>> [next(part.read("x")).columns["x"].astype(int).tolist() for part in (few, many)]
    [[3, 4, 5, 7], [0, 1, 2, 6, 8, 9]]
    """
    return Part(
        whole.source, whole.columns, None, whole.in_memory, whole, share, rest, heard,
        strata, once=whole.once,
    )  # fmt: skip


def in_part(rows: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Which of the rows with these numbers are in the part: the same in every run.

    >>> in_part(np.arange(1_000_000), 0.2).mean().round(3)
    np.float64(0.2)
    """
    return np.asarray(random_at(rows) < share)


def random_at(rows: NDArray[np.int64], seed: int = 0) -> NDArray[np.float64]:
    """A number from 0 to below 1 for each row's number, the same in every run with this seed."""
    return np.asarray((mixed(rows, seed) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def mixed(rows: NDArray[np.int64], seed: int = 0) -> NDArray[np.uint64]:
    """Numbers of rows as bits that look random (splitmix64's end)."""
    x = rows.astype(np.uint64) + np.uint64((seed + 1) * _STRIDE % 2**64)
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return np.asarray(x ^ (x >> np.uint64(31)))


def _taken(values: Any, chosen: NDArray[np.bool_]) -> Any:
    return values[chosen] if isinstance(values, np.ndarray) else values.filter(pa.array(chosen))
