"""What is known of a segment: its measures, and how far they lie from the rest's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from offby.measures.measurement import Measurement
from offby.segments.gap import Gap

Value = TypeVar("Value")


class Lazily(Mapping[str, Value], Generic[Value]):
    """A mapping whose values are worked out when they are first asked for.

    >>> found = Lazily(["a", "b"], lambda name: name * 2)
    >>> found["a"], list(found)
    ('aa', ['a', 'b'])
    """

    def __init__(self, names: Sequence[str], work: Callable[[str], Value]) -> None:
        self._names, self._work = tuple(names), work
        self._found: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._found:
            self._found[name] = self._work(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Subset:
    """The rows that share these values of these columns, or all `others` beyond the largest."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    rows: int
    others: int

    @property
    def label(self) -> str:
        """The segment in words, such as `region = north, age = 30 and more`."""
        if self.others:
            return f"{self.others:,} others of {' × '.join(self.columns)}"
        pairs = zip(self.columns, self.values, strict=True)
        return ", ".join(f"{column} = {value}" for column, value in pairs)

    @property
    def name(self) -> str:
        """The segment where its columns are known."""
        return f"{self.others:,} others" if self.others else " × ".join(self.values)

    def _place(self) -> dict[str, Any]:
        """Which segment it is, for JSON."""
        found = {"by": list(self.columns), "values": list(self.values), "rows": self.rows}
        return found | ({"others": self.others} if self.others else {})


@dataclass(frozen=True, eq=False)
class Segment(Subset):
    """A segment that was measured.

    `measures` holds a `Measurement` and `gaps` a `Gap` to the rest of the rows for each measure;
    a gap is None where either side has no interval.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    rows: int
    measures: Mapping[str, Measurement]
    gaps: Mapping[str, Gap | None]
    others: int = 0

    def __getitem__(self, name: str) -> Measurement:
        return self.measures[name]

    def to_dict(self) -> dict[str, Any]:
        """The segment for JSON."""
        told = ("value", "standard_error", "low", "high", "undefined", "unsure", "caution")
        found = self._place() | {"measures": {}}
        for name, measured in self.measures.items():
            gap = self.gaps[name]
            numbers = {key: getattr(measured, key) for key in told}
            found["measures"][name] = numbers | {"gap": None if gap is None else gap.to_dict()}
        return found
