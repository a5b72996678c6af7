"""All segments by the same columns, measured against the rest and judged together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from offby.engine.groups import Groups
from offby.engine.rest import rest_of
from offby.engine.state import State
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.uncertainty import moments_only
from offby.segments.apart import pairs
from offby.segments.gap import Gap, gap_of, holm
from offby.segments.grouping import Grouping
from offby.segments.segment import Lazily, Segment

Measured = Callable[[State, Measure], Measurement]


class Family:
    """Segments that exclude one another; `segments` has the surely worse ones first.

    Measurements are worked out when they are asked for: of a thousand segments few are looked at.
    """

    def __init__(
        self, grouping: Grouping, groups: Groups, whole: State, measures: Sequence[Measure],
        measured: Measured, cautions: Mapping[str, str | None], confidence: float,
    ) -> None:  # fmt: skip
        self._grouping, self._groups, self._whole = grouping, groups, whole
        self._measures = {measure.name: measure for measure in measures}
        self._measured, self._cautions = measured, cautions
        self._confidence = confidence
        groups.finished()
        self._numbers = [k for k in range(groups.count) if groups.rows[k]]
        self._gaps: dict[str, dict[int, Gap | None]] = {}
        self._states: dict[int, State] = {}
        self._found: dict[tuple[int, str], Measurement] = {}

    def segments(self) -> tuple[Segment, ...]:
        """The segments, the surely worse ones first by the first measure."""
        found = [self._segment(k) for k in self._numbers]
        first = next(iter(self._measures.values()))
        return tuple(sorted(found, key=partial(worse_first, first)))

    def _segment(self, k: int) -> Segment:
        values, others = self._grouping.named(k)
        names = list(self._measures)
        return Segment(
            self._grouping.columns,
            values,
            int(self._groups.rows[k]),
            Lazily(names, partial(self._measurement, k)),
            Lazily(names, partial(self._gap, k)),
            others,
        )

    def _state(self, k: int) -> State:
        if k not in self._states:
            self._states[k] = self._groups.state(k)
        return self._states[k]

    def _measurement(self, k: int, name: str) -> Measurement:
        if (k, name) not in self._found:
            found = self._measured(self._state(k), self._measures[name])
            caution = self._cautions.get(name) if found.low is not None else None
            self._found[k, name] = replace(found, caution=caution) if caution else found
        return self._found[k, name]

    def _gap(self, k: int, name: str) -> Gap | None:
        if name not in self._gaps:
            self._gaps[name] = self._judged(name)
        return self._gaps[name][k]

    def _judged(self, name: str) -> dict[int, Gap | None]:
        """The gaps of all segments, those marked that chance does not explain."""
        measure = self._measures[name]
        quick = pairs(self._groups, self._whole, measure, self._confidence)
        found = {k: gap_of(*quick[k]) if k in quick else self._one_gap(k, name)
                 for k in self._numbers}  # fmt: skip
        known = {k: gap for k, gap in found.items() if gap is not None}
        sure = holm([gap.p for gap in known.values()])
        marked = {k: replace(gap, sure=stands)
                  for (k, gap), stands in zip(known.items(), sure, strict=True)}  # fmt: skip
        return found | marked

    def _one_gap(self, k: int, name: str) -> Gap | None:
        if len(self._numbers) < 2:
            return None
        part = self._measurement(k, name)
        if part.low is None:
            return None
        measure = self._measures[name]
        rest = rest_of(self._whole, self._state(k), counted=not moments_only(measure.formula))
        return gap_of(part, self._measured(rest or self._merged_rest(k), measure))

    def _merged_rest(self, k: int) -> State:
        """The rest by adding up all other segments, where subtraction would leave noise."""
        rest = State(self._whole.plan)
        for other in self._numbers:
            if other != k:
                rest.merge(self._groups.state(other))
        return rest


def worse_first(measure: Measure, segment: Segment) -> tuple[float, float]:
    """What is least for the segment that is most surely much worse than the rest.

    Those without a gap come last, and of them the worst values first.
    """
    gap, sign = segment.gaps[measure.name], -1.0 if measure.better == "lower" else 1.0
    if gap is None:
        value = segment[measure.name].value
        return math.inf, math.inf if value is None else sign * value
    if measure.better in ("lower", "higher"):
        return (-gap.low if sign < 0 else gap.high), 0.0
    return -max(gap.low, -gap.high), 0.0  # nearer to a number is better: any large gap is odd
