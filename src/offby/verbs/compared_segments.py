"""In which segment each row of a comparison is, list by list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offby.errors import DataError, MeasureError
from offby.segments.asked import crossed
from offby.segments.coding import Bins, Codes, Labels
from offby.segments.edges import coders
from offby.segments.grouping import OTHER, Grouping, TooManySegments
from offby.tables import Batch, Place, Table, open_table


class Segmented:
    """The lists of segments by these columns of a table.

    More than `most` segments raise `TooManySegments`, upon which `find_largest` reads the columns.
    """

    def __init__(
        self, table: Table, by: Any, bins: int, edges: Mapping[str, Sequence[float]] | None,
        most: int,
    ) -> None:  # fmt: skip
        groups = crossed(by, table.columns)
        if edges and not groups:
            raise MeasureError("edges cut columns that by= names; name the columns")
        names = list(dict.fromkeys(name for group in groups for name in group))
        self.table = table
        self._coders = coders(table, names, bins, edges or {}) if names else {}
        self._groupings = [Grouping(group, self._coders, most) for group in groups]

    @property
    def lists(self) -> list[tuple[str, ...]]:
        """The columns of each list."""
        return [grouping.columns for grouping in self._groupings]

    @property
    def numbers(self) -> list[str]:
        """The columns to be read as numbers."""
        return [name for name, coder in self._coders.items() if isinstance(coder, Bins)]

    @property
    def labels(self) -> list[str]:
        """The columns to be read as labels."""
        return [name for name, coder in self._coders.items() if isinstance(coder, Labels)]

    def codes(self, batch: Batch) -> list[Codes]:
        """The segment of each row, in every list."""
        columns = self._columns(batch)
        return [grouping.codes(columns) for grouping in self._groupings]

    def find_largest(self) -> None:
        """Read the columns once to see which segments to keep apart."""
        if self.table.once:
            raise MeasureError(
                f"{self.table.source} can be read only once, and more segments came than "
                f"{self._groupings[0].most:,}, of which the largest must be found first: save it "
                "to a file, give another column, or raise --most-segments"
            )
        for batch in self.table.read(self.numbers, self.labels):
            columns = self._columns(batch)
            for grouping in self._groupings:
                grouping.count(columns)
        for grouping in self._groupings:
            grouping.keep_largest()

    def named(self, place: int, segment: int) -> tuple[tuple[str, ...], int]:
        """What the columns of a list hold in a segment, and how many it stands for, if many."""
        grouping = self._groupings[place]
        values = grouping.values(segment)
        if values is None:
            return (OTHER,) * len(grouping.columns), grouping.others
        return values, 0

    def _columns(self, batch: Batch) -> dict[str, Codes]:
        return {
            name: coder.codes(
                batch.columns[name] if isinstance(coder, Bins) else batch.labels[name],
                Place(self.table.source, name, batch.first_row),
            )
            for name, coder in self._coders.items()
        }


def of_arrays(by: Any, rows: int, **asked: Any) -> tuple[Segmented, list[Codes]]:
    """The lists of segments beside arrays, and the segment of every row in each."""
    by = {} if by is None else by
    if not isinstance(by, Mapping):
        raise MeasureError("beside arrays give by={name: column}, not names of columns")
    table = open_table(dict(by) or {"row": np.arange(rows)})
    if table.rows not in (None, rows):
        raise DataError(
            f"{table.columns[0]!r} has {table.rows:,} rows and y_true has {rows:,}; give a value "
            "a row"
        )
    found = Segmented(table, [(name,) for name in by], **asked)
    try:
        return found, _all_codes(found)
    except TooManySegments:
        found.find_largest()
        return found, _all_codes(found)


def _all_codes(found: Segmented) -> list[Codes]:
    none = [np.zeros(0, np.int32) for _ in found.lists]
    read = found.table.read(found.numbers, found.labels) if none else ()
    parts = zip(none, *(found.codes(batch) for batch in read), strict=True)
    return [np.concatenate(codes) for codes in parts]
