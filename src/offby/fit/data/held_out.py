"""Rows held out of a walk by a rule that needs no memory, so that any pass finds them again.

Which rows they are depends on how many there are, on their order and on the seed, and on nothing
else: in memory or read in batches of whatever size, they are the same. A row without a weight is
as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from offby.errors import DataError
from offby.fit.data.rows import Batches, Rows, Source
from offby.tables.strata import Draw


def split(source: Source, share: float, seed: int = 0, classes: int = 1) -> tuple[Source, Source]:
    """The rows to be trained on, and about a share of all, held out; takes a pass over them.

    Where y is the number of one of several `classes`, it is about that share of each. Raises
    `DataError` where that leaves no two parts, or only one class with rows to hold out.

    >>> rows = Rows(np.zeros((6, 1)), np.arange(6.0))
    >>> [part.sample(6).y.tolist() for part in split(rows, 0.3)]
    [[0.0, 1.0, 3.0, 5.0], [2.0, 4.0]]
    """
    counts = np.zeros(classes, np.int64)
    for part in source.targets():
        codes = _codes(part, classes)
        counts += np.bincount(codes[codes >= 0], minlength=classes)
    draw = Draw.of(counts, share, seed)
    chosen = int(draw.chosen.sum())
    if np.count_nonzero(draw.chosen) < min(classes, 2):
        least = "two rows with a weight" + (" of each of two classes" if classes > 1 else "")
        raise DataError(
            f"validation {share:g} of {source.count:,} rows leaves no two parts to train on and to "
            f"measure; that takes {least}"
        )
    return _part(source, draw, source.count - chosen, out=False), _part(
        source, draw, chosen, out=True
    )


def _codes(rows: Rows, classes: int) -> NDArray[np.int64]:
    """The class of each row, 0 where y is none; -1 for rows without a weight."""
    codes = rows.y.astype(np.int64) if classes > 1 else np.zeros(rows.count, np.int64)
    return codes if rows.weight is None else np.where(rows.weight > 0, codes, -1)


def _part(source: Source, draw: Draw, count: int, *, out: bool) -> Source:
    def read(parts: Callable[[], Iterator[Rows]]) -> Iterator[Rows]:
        choose = draw.chooser()
        for rows in parts():
            chosen = choose(_codes(rows, draw.counts.size)) == out
            if chosen.any():
                yield rows.chosen(chosen)

    if isinstance(source, Rows):
        return next(read(source.parts))
    return Batches(partial(read, source.parts), count, partial(read, source.targets))
