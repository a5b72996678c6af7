"""In which segment each row of a table is, list by list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from offby.errors import MeasureError
from offby.segments.coding import Bins, Codes, Labels
from offby.segments.edges import coders
from offby.segments.grouping import Grouping
from offby.tables import Batch, Place, Table


class SegmentLists:
    """Lists of segments by columns of a table, and columns that are coded `beside` them.

    More than `most` segments raise `TooManySegments`, upon which `find_largest` reads the columns.
    """

    def __init__(
        self, table: Table, groups: Sequence[tuple[str, ...]], beside: Iterable[str], bins: int,
        edges: Mapping[str, Sequence[float]] | None, most: int,
    ) -> None:  # fmt: skip
        names = list(dict.fromkeys([*(name for group in groups for name in group), *beside]))
        self.table = table
        self.coders = coders(table, names, bins, edges or {}) if names else {}
        self.groupings = [Grouping(group, self.coders, most) for group in groups]

    @property
    def numbers(self) -> list[str]:
        """The columns to be read as numbers."""
        return [name for name, coder in self.coders.items() if isinstance(coder, Bins)]

    @property
    def labels(self) -> list[str]:
        """The columns to be read as labels."""
        return [name for name, coder in self.coders.items() if isinstance(coder, Labels)]

    def columns(self, batch: Batch) -> dict[str, Codes]:
        """The code of each row, in every column."""
        return {
            name: coder.codes(
                batch.columns[name] if isinstance(coder, Bins) else batch.labels[name],
                Place(self.table.source, name, batch.first_row),
            )
            for name, coder in self.coders.items()
        }

    def codes(self, columns: Mapping[str, Codes]) -> list[Codes]:
        """The segment of each row, in every list."""
        return [grouping.codes(columns) for grouping in self.groupings]

    def find_largest(self) -> None:
        """Read the columns once to see which segments to keep apart."""
        if self.table.once:
            raise MeasureError(
                f"{self.table.source} can be read only once, and more than "
                f"{self.groupings[0].most:,} segments came, of which the largest must be found "
                "first: save it to a file, give another column, or raise --most-segments"
            )
        for batch in self.table.read(self.numbers, self.labels):
            columns = self.columns(batch)
            for grouping in self.groupings:
                grouping.count(columns)
        for grouping in self.groupings:
            grouping.keep_largest()
