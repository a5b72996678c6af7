"""Which segment a row is in: columns crossed, and the largest kept beside an exact rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from offby.errors import DataError
from offby.segments.coding import MOST_LABELS, Coder, Codes

OTHER = "(other)"


class TooManySegments(Exception):  # noqa: N818  # a signal: the largest must be found first
    """More segments came than are kept."""


class Grouping:
    """The segments by one column, or by several crossed: `codes` gives the segment of each row.

    Segments are numbered as they appear, and more than `most` raise `TooManySegments`. Once rows
    were counted and `keep_largest` was called, those beyond the largest share the last number.
    """

    def __init__(self, columns: Sequence[str], coders: Mapping[str, Coder], most: int) -> None:
        self.columns, self.most = tuple(columns), most
        self._coders = [coders[name] for name in columns]
        self._pairs = [_Pairs() for _ in columns[1:]]
        self._counts = np.zeros(0, np.int64)
        self._segment: Codes | None = None  # of each combination, once the largest are known
        self._kept: NDArray[np.int64] | None = None

    def codes(self, columns: Mapping[str, Codes]) -> Codes:
        """The segment of each row, from the codes of its columns."""
        found = self._combined(columns)
        if self._segment is not None:
            return self._segment[found]
        if self._size > self.most:
            raise TooManySegments
        return found

    def count(self, columns: Mapping[str, Codes]) -> None:
        """Count rows, so that the largest segments can be told."""
        found = np.bincount(self._combined(columns), minlength=self._size)
        if found.size > MOST_LABELS:
            raise DataError(
                f"{' and '.join(map(repr, self.columns))} have more than {MOST_LABELS:,} distinct "
                "values together: they tell rows apart rather than groups; give other columns"
            )
        found[: self._counts.size] += self._counts
        self._counts = found

    def keep_largest(self) -> None:
        """From now on, number the largest segments and put all others into one."""
        order = np.argsort(-self._counts, kind="stable")[: self.most]
        self._kept = np.sort(order)
        self._segment = np.full(self._counts.size, self._kept.size, np.int32)
        self._segment[self._kept] = np.arange(self._kept.size)

    def named(self, segment: int) -> tuple[tuple[str, ...], int]:
        """What the columns hold in a segment, and how many it stands for, if it is all others."""
        if self._kept is not None:
            if segment == self._kept.size:
                return (OTHER,) * len(self.columns), self.others
            segment = int(self._kept[segment])
        places = []
        for pairs in reversed(self._pairs):
            segment, second = pairs.parts(segment)
            places.append(second)
        places.append(segment)
        named = zip(self._coders, reversed(places), strict=True)
        return tuple(coder.names[place] for coder, place in named), 0

    @property
    def others(self) -> int:
        """How many segments stand together as one."""
        return 0 if self._kept is None else self._counts.size - self._kept.size

    @property
    def _size(self) -> int:
        return len(self._pairs[-1]) if self._pairs else len(self._coders[0].names)

    def _combined(self, columns: Mapping[str, Codes]) -> Codes:
        first, *rest = (columns[name] for name in self.columns)
        for pairs, second in zip(self._pairs, rest, strict=True):
            first = pairs.codes(first, second)
        return first


class _Pairs:
    """A code for each pair of codes that occurs, in order of appearance."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._pairs: list[int] = []

    def __len__(self) -> int:
        return len(self._pairs)

    def codes(self, first: Codes, second: Codes) -> Codes:
        """The code of each row."""
        both = (first.astype(np.int64) << 32) | second
        width = int(second.max(initial=0)) + 1
        dense = first * np.int64(width) + second
        span = (int(first.max(initial=0)) + 1) * width
        if span > max(1 << 20, 4 * first.size):
            pairs, places = np.unique(both, return_inverse=True)
            found: Codes = self._table(pairs)[places]
            return found
        cells = np.flatnonzero(np.bincount(dense, minlength=span))
        table = np.zeros(span, np.int32)
        table[cells] = self._table(((cells // width) << 32) | (cells % width))
        codes: Codes = table[dense]
        return codes

    def _table(self, pairs: NDArray[np.int64]) -> Codes:
        found = [self._code(pair) for pair in pairs.tolist()]
        return np.array(found, np.int32)

    def _code(self, pair: int) -> int:
        code = self._known.setdefault(pair, len(self._pairs))
        if code == len(self._pairs):
            self._pairs.append(pair)
        return code

    def parts(self, code: int) -> tuple[int, int]:
        """The pair that a code stands for."""
        return self._pairs[code] >> 32, self._pairs[code] & 0xFFFFFFFF
