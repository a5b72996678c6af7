"""In which segment each row of a comparison is: of tables, and of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offby.errors import DataError, MeasureError
from offby.segments.asked import crossed, named
from offby.segments.coding import Codes
from offby.segments.grouping import TooManySegments
from offby.segments.lists import SegmentLists
from offby.tables import Table, open_table


def of_table(
    table: Table, by: Any, bins: int, edges: Mapping[str, Sequence[float]] | None, most: int
) -> SegmentLists:
    """The lists of segments by these columns of a table."""
    groups = crossed(by, table.columns)
    if edges and not groups:
        raise MeasureError("edges cut columns that by= names; name the columns")
    return SegmentLists(table, groups, (), bins, edges, most)


def of_arrays(by: Any, rows: int, **asked: Any) -> tuple[SegmentLists, list[Codes]]:
    """The lists of segments beside arrays, and the segment of every row in each."""
    columns = named(by, "by", rows) or {}
    table = open_table(dict(columns) or {"row": np.arange(rows)})
    if table.rows not in (None, rows):
        raise DataError(
            f"{table.columns[0]!r} has {table.rows:,} rows and y_true has {rows:,}; give a value "
            "a row"
        )
    found = of_table(table, [(name,) for name in columns], **asked)
    try:
        return found, _all_codes(found)
    except TooManySegments:
        found.find_largest()
        return found, _all_codes(found)


def _all_codes(found: SegmentLists) -> list[Codes]:
    none = [np.zeros(0, np.int32) for _ in found.groupings]
    read = found.table.read(found.numbers, found.labels) if none else ()
    parts = zip(none, *(found.codes(found.columns(batch)) for batch in read), strict=True)
    return [np.concatenate(codes) for codes in parts]
