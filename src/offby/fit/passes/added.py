"""Partial sums of several kinds, that add up field by field."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import add
from typing import Self


@dataclass(frozen=True, eq=False)
class Added:
    """Sums over rows, as a dataclass: `a + b` are those over the rows of both.

    A field that is not to be added up says in its metadata what joins two of it.

    >>> from dataclasses import field
    >>> @dataclass(frozen=True, eq=False)
    ... class Sizes(Added):
    ...     total: float
    ...     largest: float = field(metadata={"joined": max})
    >>> both = Sizes(3.0, 2.0) + Sizes(9.0, 5.0)
    >>> both.total, both.largest
    (12.0, 5.0)
    """

    def __add__(self, other: Self, /) -> Self:
        return type(self)(*(
            one.metadata.get("joined", add)(getattr(self, one.name), getattr(other, one.name))
            for one in fields(self)
        ))  # fmt: skip
