"""Columns become small codes: a code a label, or a code a bin of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from offby.errors import DataError
from offby.tables.floats import Floats, Place
from offby.tables.label_text import texts_of
from offby.tables.labels import as_dictionary

MISSING = "(missing)"
MOST_LABELS = 1 << 22
"""Different labels of one column that are told apart while the largest are looked for."""
Codes = NDArray[np.int32]


class Coder(Protocol):
    """Turns a column into codes, and knows what each stands for."""

    @property
    def names(self) -> Sequence[str]:
        """What each code stands for."""

    def codes(self, values: Any, place: Place) -> Codes:
        """The code of each row."""


class Labels:
    """A code for each label, in order of appearance; missing ones share one.

    >>> coder = Labels()
    >>> coder.codes(np.array(["b", "a", "b"]), Place("a list", "x")).tolist(), coder.names
    ([0, 1, 0], ['b', 'a'])
    """

    def __init__(self, most: int = MOST_LABELS) -> None:
        self.most = most
        self._known: dict[str | None, int] = {}
        self._names: list[str] = []

    @property
    def names(self) -> Sequence[str]:
        """The labels."""
        return self._names

    def codes(self, values: Any, place: Place) -> Codes:
        """The code of each row; raises `DataError` for values that are no labels."""
        array = as_dictionary(values, place)
        size = len(array.dictionary)
        indices = array.indices
        if indices.null_count:
            indices = indices.cast("int64").fill_null(size)
        rows = indices.to_numpy()
        used = np.flatnonzero(np.bincount(rows, minlength=size))
        codes = self._table([*texts_of(array.dictionary), None], used, place)
        found: Codes = codes[rows]
        return found

    def _table(self, texts: list[str | None], used: NDArray[np.intp], place: Place) -> Codes:
        """The code of each text that is used, new ones among them."""
        codes = np.zeros(len(texts), np.int32)
        for at in used.tolist():
            code = self._known.setdefault(texts[at], len(self._names))
            if code == len(self._names):
                self._names.append(MISSING if texts[at] is None else str(texts[at]))
            codes[at] = code
        if len(self._names) > self.most:
            raise DataError(
                f"column {place.column!r} of {place.source} has more than {self.most:,} distinct "
                "values: it tells rows apart rather than groups of them; give another column"
            )
        return codes


class Bins:
    """A code for each range between edges: at least the lower one, below the upper one.

    >>> bins = Bins([18.0, 30.0])
    >>> bins.codes(np.array([17.0, 18.0, np.nan]), Place("a list", "age")).tolist()
    [0, 1, 3]
    >>> bins.names
    ('under 18', '18 to under 30', '30 and more', '(missing)')
    """

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = np.array(edges, np.float64)
        if not self.edges.size or np.any(np.diff(self.edges) <= 0) or np.any(np.isnan(self.edges)):
            raise DataError(f"edges {list(edges)} must be one number or more, each above the last")

    @property
    def names(self) -> Sequence[str]:
        """The ranges in words."""
        told = _told(self.edges)
        between = (f"{a} to under {b}" for a, b in pairwise(told))
        return (f"under {told[0]}", *between, f"{told[-1]} and more", MISSING)

    def codes(self, values: Floats, place: Place) -> Codes:
        """The code of each row."""
        found = np.zeros(values.size, np.int32)
        for edge in self.edges.tolist():  # a few edges: faster than a search for each row
            found += values >= edge
        found[np.isnan(values)] = self.edges.size + 1
        return found


def _told(edges: Floats) -> list[str]:
    """The edges exactly, whole ones with commas."""
    return [f"{int(e):,}" if abs(e) < 1e15 and e == int(e) else repr(e) for e in edges.tolist()]
