"""From differences to a comparison: every pair seen from the later model, findings, cautions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from offby.engine.rows import Floats
from offby.formula.words import y
from offby.measures.growth import moment_needed
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.uncertainty import effective_n
from offby.pairs.difference import Difference
from offby.pairs.formulas import as_means, model
from offby.pairs.judge import Judge
from offby.report.comparison import Comparison
from offby.report.comparison_findings import Compared, findings
from offby.report.comparison_view import ComparisonView
from offby.report.tail import Tail, tail_of

_TOO_NARROW = "too narrow, heavy tail"
_LINES = {
    "regression": "Compared as numbers (regression).",
    "binary": "Compared as yes (1) and no (0) with probabilities of 1 (binary).",
}


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
def compared(judge: Judge, names: tuple[str, ...]) -> Comparison:
    """The comparison of the models that are judged, `names` in the order they were asked for."""
    gathered, state = judge.gathered, judge.gathered.state
    task = gathered.finish()
    place = {name: judge.names.index(name) for name in names}
    pairs = [(b, a) for a, b in combinations(names, 2)]
    measures = {m.name: {n: _own(judge, m, place[n]) for n in names} for m in gathered.measures}
    differences = {
        m.name: {pair: _difference(judge, m, place[pair[0]], place[pair[1]]) for pair in pairs}
        for m in gathered.measures
    }
    nearer = {pair: _nearer(judge, place[pair[0]], place[pair[1]]) for pair in pairs}
    found = Comparison(
        state.sums.rows, names, measures, differences, nearer, task=task.kind,
        confidence=judge.confidence, dropped=gathered.dropped, columns=_LINES[task.kind],
        view=ComparisonView(gathered.drawn[y], {n: gathered.drawn[model(place[n])] for n in names}),
    )  # fmt: skip
    worth = effective_n(state) if state.sums.rows else 0.0
    moments = None if judge.timeline is None else judge.timeline.moments
    evidence = Compared(
        found.rows, found.dropped, worth, judge.confidence, found.deciding, measures, differences,
        nearer, task.kind, moments,
    )  # fmt: skip
    return replace(found, findings=findings(evidence))


def _difference(judge: Judge, measure: Measure, b: int, a: int) -> Difference:
    """That of `b` and `a`, which is worked out one way round only."""
    found = judge.difference(measure, min(a, b), max(a, b))
    if found.low is not None and not all(map(math.isfinite, measure.range)):
        influence = judge.influence(measure, min(a, b), max(a, b))
        tail = None if influence is None else _tail(influence)
        if tail is not None and tail.heavier_than(2):
            found = replace(found, caution=_TOO_NARROW)
    return found if a < b else found.flipped


def _own(judge: Judge, measure: Measure, place: int) -> Measurement:
    """The measure of one model, with a word where the tail makes its interval worth little."""
    found, drawn = judge.measured(measure, place), judge.gathered.drawn
    if found.low is None or found.caution or judge.gathered.task is None:
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
