"""Several files, read one after another as one table."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import final

from offby.errors import TableError
from offby.tables.floats import Kind
from offby.tables.table import Chunk, Table, Wanted, listed


@final
@dataclass(frozen=True, eq=False)
class ManyTables(Table):
    """Tables end to end; only the columns that are read must stand in each."""

    parts: tuple[Table, ...]
    sizes: tuple[int, ...]

    def kind(self, column: str) -> Kind:
        """Say what the first table that has the column says of it."""
        self.check(column)
        return next(part.kind(column) for part in self.parts if column in part.columns)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        self._agree(wanted.names)
        total, before = sum(self.sizes) or 1, 0
        for part, size in zip(self.parts, self.sizes, strict=True):
            with closing(part.read(wanted.numbers, wanted.labels)) as batches:
                for batch in batches:
                    done = before + size * (batch.progress or 0.0)
                    yield Chunk(batch.columns, batch.labels, done / total)
            before += size

    def _agree(self, columns: Sequence[str]) -> None:
        for part in self.parts:
            absent = [name for name in columns if name not in part.columns]
            if absent:
                raise TableError(
                    f"{part.source} has no column {listed(absent)}, which other files of "
                    f"{self.source} have; its columns are {listed(part.columns)}"
                )


def open_many(source: str, parts: tuple[Table, ...], sizes: tuple[int, ...]) -> ManyTables:
    """Put tables end to end; `sizes` (in bytes) say how far a reading has come."""
    columns = tuple(dict.fromkeys(name for part in parts for name in part.columns))
    counts = [part.rows for part in parts]
    rows = None if None in counts else sum(count or 0 for count in counts)
    once = any(part.once for part in parts)
    return ManyTables(source, columns, rows, False, parts, sizes, once=once)
