"""A comparison within segments: in which a model is better, in which worse, in which neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from offby.measures.measurement import Measurement
from offby.pairs.difference import Difference, Verdict, holm
from offby.pairs.parts import Part
from offby.report.comparison_words import label, listed
from offby.report.finding import Finding
from offby.segments.segment import Lazily, Subset

if TYPE_CHECKING:
    from offby.report.comparison import Comparison

Pair = tuple[str, str]
_ORDER: dict[Verdict, int] = {"worse": 0, "better": 1, "tied": 2, "unknown": 3}
_NAMED = 3  # segments that a sentence names
_SENTENCES = 3  # pairs that are told one by one


@dataclass(frozen=True, eq=False)
class ComparedSegment(Subset):
    """A segment that models were compared in.

    `measures["mae"]["a"]` is a `Measurement`; `differences["mae"]["b", "a"]` is the `Difference` of
    every other model and the first one, judged together with all segments by the same columns.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    rows: int
    measures: Mapping[str, Mapping[str, Measurement]]
    differences: Mapping[str, Mapping[Pair, Difference]]
    others: int = 0

    def __getitem__(self, measure: str) -> Difference:
        return list(self.differences[measure].values())[-1]

    def to_dict(self) -> dict[str, Any]:
        """The segment for JSON."""
        return self._place() | {
            "measures": {
                name: {model: m.value for model, m in models.items()}
                for name, models in self.measures.items()
            },
            "differences": [d.to_dict() for of in self.differences.values() for d in of.values()],
        }


Differ = Callable[[Part, str, Pair], Difference]
Own = Callable[[Part, str], Mapping[str, Measurement]]


def segments_of(
    parts: Sequence[Part], names: Sequence[str], pairs: Sequence[Pair], differ: Differ, own: Own,
    deciding: str, level: float,
) -> tuple[ComparedSegment, ...]:  # fmt: skip
    """The segments of each list, the surely worse ones first by the deciding measure."""
    found: list[ComparedSegment] = []
    for _, group in groupby(parts, key=lambda part: part.columns):
        family = _Family(list(group), names, pairs, differ, own, level)
        found += sorted(family.segments(), key=lambda one: _first(one, deciding))
    return tuple(found)


class _Family:
    """The segments of one list, which are judged together, measure by measure, when asked for."""

    def __init__(
        self, parts: Sequence[Part], names: Sequence[str], pairs: Sequence[Pair], differ: Differ,
        own: Own, level: float,
    ) -> None:  # fmt: skip
        self._parts, self._names, self._pairs = parts, names, pairs
        self._differ, self._own, self._level = differ, own, level
        self._known = Lazily(names, self._judged)

    def segments(self) -> Iterator[ComparedSegment]:
        """All of them."""
        for place, part in enumerate(self._parts):
            yield ComparedSegment(
                part.columns, part.values, part.rows, Lazily(self._names, partial(self._own, part)),
                Lazily(self._names, partial(self._of, place)), part.others,
            )  # fmt: skip

    def _of(self, place: int, name: str) -> Mapping[Pair, Difference]:
        return self._known[name][place]

    def _judged(self, name: str) -> list[dict[Pair, Difference]]:
        found = [self._differ(part, name, pair) for part in self._parts for pair in self._pairs]
        every = iter(holm(found, self._level))
        return [{pair: next(every) for pair in self._pairs} for _ in self._parts]


def _first(segment: ComparedSegment, deciding: str) -> tuple[int, float, int]:
    """What is least for the segment in which a model is most surely worse."""
    found = min(segment.differences[deciding].values(), key=lambda d: _ORDER[d.verdict])
    chance = 1.0 if found.p_value is None else found.p_value
    return _ORDER[found.verdict], chance, -segment.rows


def families(segments: Sequence[ComparedSegment]) -> list[list[ComparedSegment]]:
    """The segments of each list: those by the same columns."""
    return [list(group) for _, group in groupby(segments, key=lambda one: one.columns)]


def about_segments(comparison: Comparison) -> Iterator[Finding]:
    """In which segments models are better or worse, a sentence a list and pair."""
    for family in families(comparison.segments):
        for pair in list(family[0].differences[comparison.deciding])[:_SENTENCES]:
            yield _told(family, comparison.deciding, pair)


def _told(family: Sequence[ComparedSegment], deciding: str, pair: Pair) -> Finding:
    by, (b, a), count = " × ".join(family[0].columns), pair, len(family)
    found: dict[str, list[ComparedSegment]] = {verdict: [] for verdict in _ORDER}
    for segment in family:
        found[segment.differences[deciding][pair].verdict].append(segment)
    surely = [verdict for verdict in ("better", "worse") if found[verdict]]
    if not surely:
        text = f"in none of {count:,} segments by {by} is {b} surely better or worse than {a}"
    elif len(found[surely[0]]) == count:
        text = f"{b} is {surely[0]} than {a} in each of {count:,} segments by {by}"
    else:
        sides = [f"{verdict} in {_some(found[verdict])}" for verdict in surely]
        rest = count - sum(len(found[verdict]) for verdict in surely)
        sides += [f"neither for sure in {rest:,}"] if rest else []
        text = f"of {count:,} segments by {by}, {b} against {a} is {listed(sides)}"
    text += f" (by {label(deciding)}, with Holm's correction)"
    counts = {verdict: len(segments) for verdict, segments in found.items()}
    worse = [one.label for one in found["worse"]]
    numbers = {"by": list(family[0].columns), "model": b, "against": a, "measure": deciding}
    return Finding("segments", text, {**numbers, **counts, "worse_in": worse})


def _some(segments: Sequence[ComparedSegment]) -> str:
    """How many they are, and a few of them by name."""
    named = [one.name for one in segments[:_NAMED]]
    more = len(segments) - len(named)
    return f"{len(segments):,} ({', '.join(named)}{f' and {more:,} more' if more else ''})"
