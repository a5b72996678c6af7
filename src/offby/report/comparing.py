"""From differences to a comparison: every pair seen from the later model, findings, cautions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from offby.engine.rows import Floats
from offby.formula.words import y
from offby.measures.growth import moment_needed
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.tail import Tail, tail_of
from offby.measures.uncertainty import effective_n
from offby.pairs.counted import Counted
from offby.pairs.difference import Difference
from offby.pairs.formulas import as_means, model
from offby.pairs.judge import Judge
from offby.pairs.parts import Part
from offby.report.comparison import Comparison
from offby.report.comparison_findings import Compared, findings
from offby.report.comparison_segments import ComparedSegment, about_segments, segments_of
from offby.report.comparison_view import ComparisonView

_TOO_NARROW = "too narrow, heavy tail"
_FEW_CLASSES = 6


@dataclass(frozen=True)
class _OfRows:
    """Sizes of rows at hand, each of the same weight."""

    sizes: Floats

    @property
    def effective_n(self) -> float:
        return float(self.sizes.size)

    @cached_property
    def middles(self) -> Floats:
        return np.sort(np.abs(self.sizes))

    @property
    def weights(self) -> Floats:
        return np.ones(self.sizes.size)


@np.errstate(over="ignore", invalid="ignore")  # what overflows is reported as such
def compared(
    judge: Judge, names: tuple[str, ...], dropped: int = 0, parts: Sequence[Part] = ()
) -> Comparison:
    """The comparison of the models that are judged, `names` in the order they were asked for."""
    counted, state = judge.counted, judge.counted.state
    if judge.timeline is not None and state.sums.rows:
        judge.timeline.checked()
    place = {name: judge.names.index(name) for name in names}
    pairs = [(b, a) for a, b in combinations(names, 2)]
    measures = {m.name: {n: _own(judge, m, place[n]) for n in names} for m in counted.measures}
    differences = {
        m.name: {pair: _difference(judge, m, place[pair[0]], place[pair[1]]) for pair in pairs}
        for m in counted.measures
    }
    nearer = {pair: _nearer(judge, place[pair[0]], place[pair[1]]) for pair in pairs}
    found = Comparison(
        state.sums.rows, names, measures, differences, nearer, task=counted.task.kind,
        confidence=judge.confidence, dropped=dropped, columns=_how(counted),
        view=ComparisonView(counted.drawn[y], {n: counted.drawn[model(place[n])] for n in names}),
    )  # fmt: skip
    worth = effective_n(state) if state.sums.rows else 0.0
    moments = None if judge.timeline is None else judge.timeline.moments
    evidence = Compared(
        found.rows, found.dropped, worth, judge.confidence, found.deciding, measures, differences,
        nearer, counted.task.kind, moments,
    )  # fmt: skip
    found = replace(found, segments=_segments(found, counted.measures, parts, place))
    return replace(found, findings=(*about_segments(found), *findings(evidence)))


def _segments(
    found: Comparison, measures: Sequence[Measure], parts: Sequence[Part], place: Mapping[str, int]
) -> tuple[ComparedSegment, ...]:
    """The comparison within segments, each other model against the first."""
    named = {measure.name: measure for measure in measures}

    def differ(part: Part, name: str, pair: tuple[str, str]) -> Difference:
        return _seen_from(part.judge, named[name], place[pair[0]], place[pair[1]])

    def own(part: Part, name: str) -> dict[str, Measurement]:
        return {n: part.judge.measured(named[name], place[n]) for n in found.models}

    pairs = [(model, found.models[0]) for model in found.models[1:]]
    return segments_of(parts, list(named), pairs, differ, own, found.deciding,
                       1 - found.confidence)  # fmt: skip


def _how(counted: Counted) -> str:
    """As what the predictions were compared, in a sentence."""
    task, names = counted.task, [counted.labels[k] for k in counted.shown]
    if task.kind == "regression":
        return "Compared as numbers (regression)."
    if task.kind == "binary":
        said = f"probabilities of {task.positive!r}" if task.scores else "predicted labels"
        positive = "" if task.scores else f", positive is {task.positive!r}"
        return f"Compared by {said} (binary{positive})."
    few = len(names) < _FEW_CLASSES
    shown = ", ".join(map(repr, names)) if few else f"{names[0]!r} … {names[-1]!r}"
    said = "probabilities" if task.scores else "predicted labels"
    count = f"{len(names)} class{'es' * (len(names) != 1)}"
    return f"Compared by {said} of {count} (multiclass): {shown}."


def _difference(judge: Judge, measure: Measure, b: int, a: int) -> Difference:
    """That of `b` and `a`, with a word where the tail makes its interval worth little."""
    found = _seen_from(judge, measure, b, a)
    if found.low is not None and not all(map(math.isfinite, measure.range)):
        influence = judge.influence(measure, min(a, b), max(a, b))
        tail = None if influence is None else _tail(influence)
        if tail is not None and tail.heavier_than(2):
            return replace(found, caution=_TOO_NARROW)
    return found


def _seen_from(judge: Judge, measure: Measure, b: int, a: int) -> Difference:
    """That of `b` and `a`, which is worked out one way round only."""
    found = judge.difference(measure, min(a, b), max(a, b))
    return found if a < b else found.flipped


def _own(judge: Judge, measure: Measure, place: int) -> Measurement:
    """The measure of one model, with a word where the tail makes its interval worth little."""
    found, drawn = judge.measured(measure, place), judge.counted.drawn
    if found.low is None or found.caution or judge.counted.task.kind != "regression":
        return found
    tail = _tail(drawn[model(place)] - drawn[y])
    if tail is None or not tail.heavier_than(moment_needed(as_means(measure))):
        return found
    return replace(found, caution=_TOO_NARROW)


def _tail(values: Floats) -> Tail | None:
    finite = values[np.isfinite(values)]
    return tail_of(_OfRows(finite)) if finite.size == values.size else None


def _nearer(judge: Judge, b: int, a: int) -> Measurement:
    found = judge.nearer(min(a, b), max(a, b))
    if a < b or found.value is None:
        return found
    low = None if found.high is None else 1 - found.high
    high = None if found.low is None else 1 - found.low
    return replace(found, value=1 - found.value, low=low, high=high)
