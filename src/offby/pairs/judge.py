"""From what was gathered to differences: which way each measure is compared, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from offby.classification import statistics
from offby.confusion import mcnemar
from offby.engine.evaluate import Floats
from offby.formula.aggregates import aggregates_of
from offby.formula.expression import Expression
from offby.formula.words import w, y
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.uncertainty import effective_n, interval, moments_only
from offby.pairs import delong, formulas, labels
from offby.pairs.counted import Counted
from offby.pairs.difference import TARGETS, Difference, Ends
from offby.pairs.estimate import Estimate, estimated, independent, influence
from offby.pairs.formulas import model, of_model
from offby.pairs.gathered import TIME
from offby.pairs.in_time import Timeline
from offby.pairs.resampled import Replicates, resampled

_BEYOND_DOUBT = 5.0  # standard errors
_AT_THE_EDGE = "a value stands at the edge of its range, and no interval leads there"
_NOT_IN_TIME = "takes the rows as independent: this measure is no formula of means"


@dataclass(frozen=True, eq=False)
class Judge:
    """Compares the models at these places; `confidence` is that of all `pairs` together.

    With k models there are k (k - 1) / 2 pairs, each with an interval so wide that all hold
    together (Bonferroni). For k like means that is within 4 % of Tukey's exact width.
    """

    counted: Counted
    names: Sequence[str]
    confidence: float
    horizon: int | None = None
    pairs: int = 1
    _known: dict[tuple[str, int], Measurement] = field(default_factory=dict)

    def of_part(self, counted: Counted) -> Judge:
        """The same of a part of the rows, where each pair is judged by itself."""
        return replace(self, counted=counted, pairs=1, _known={})

    @property
    def each(self) -> float:
        """The confidence of one interval, so that all pairs hold together."""
        return 1 - (1 - self.confidence) / self.pairs

    @cached_property
    def timeline(self) -> Timeline | None:
        """When the rows were, where that is known."""
        if not self.counted.timed:
            return None
        return Timeline(self.counted.rows.get(TIME, np.zeros(0)), self.horizon)

    def measured(self, measure: Measure, place: int) -> Measurement:
        """The measure of one model."""
        key = measure.name, place
        if key not in self._known:
            self._known[key] = self._measured(measure, place)
        return self._known[key]

    def _measured(self, measure: Measure, place: int) -> Measurement:
        own = replace(measure, formula=of_model(measure.formula, place))
        counted = self.counted
        found = statistics.measurement(
            counted.state, own, self.confidence, counted.labels, counted.order(own.formula)
        )
        if self.timeline is None or found.value is None or found.standard_error is None:
            return found
        formula = of_model(formulas.as_means(measure), place)
        if not moments_only(formula):
            return replace(found, caution=_NOT_IN_TIME)
        sure = self._estimated(formula)
        if sure.error is None:
            return replace(found, standard_error=None, low=None, high=None, unsure=sure.reason)
        ends = interval(found.value, sure.error, sure.degrees, self.confidence, measure.range)
        return found.with_interval(sure.error, *ends)

    def nearer(self, a: int, b: int) -> Measurement:
        """The share of rows where model `b` is nearer to the truth than `a`."""
        formula = formulas.nearer(self.counted.task, a, b)
        share = Measure("nearer", formula, "higher", "1", (0.0, 1.0))
        found = self._estimated(formula)
        blank = Measurement("nearer", found.value, n=self.counted.state.sums.rows, better="higher",
                            confidence=self.each, undefined=found.reason)  # fmt: skip
        if found.error is None or found.value is None or found.value in share.range:
            return blank
        return blank.with_interval(
            found.error, *interval(found.value, found.error, found.degrees, self.each, share.range)
        )

    def difference(self, measure: Measure, a: int, b: int) -> Difference:
        """By how much model `b` exceeds model `a`."""
        blank = Difference(
            measure.name, self.names[b], self.names[a], None, better=measure.better,
            units=measure.units, confidence=self.confidence,
        )  # fmt: skip
        if moments_only(formulas.as_means(measure)):
            return self._of_moments(measure, a, b, blank)
        if measure.formula.op == "confusion":
            found = labels.difference(self.counted, measure, a, b, self.timeline)
            return self._with(blank, found, "delta" if self.timeline is None else self._in_time)
        found, method = self._of_rows(measure, a, b)
        shown = self._with(blank, found, method)
        in_time = self.timeline is None or method == self._in_time
        return shown if in_time else replace(shown, caution=_NOT_IN_TIME)

    def influence(self, measure: Measure, a: int, b: int) -> Floats | None:
        """How the rows that were sampled move the difference, where it is one of means."""
        formula = formulas.as_means(measure)
        if not moments_only(formula) or measure.better in TARGETS:
            return None
        paired = formulas.difference(formula, a, b)
        return influence(self.counted.state, paired, self.counted.drawn)

    def _of_moments(self, measure: Measure, a: int, b: int, blank: Difference) -> Difference:
        formula = formulas.as_means(measure)
        found = self._estimated(formulas.difference(formula, a, b), measure.needs)
        if measure.better in TARGETS:
            whole = self._estimated(formulas.total(formula, a, b), measure.needs)
            found = self._distances(measure, (a, b), found, whole)
        ends = [self.measured(measure, place).value for place in (a, b)]
        if found.error is None and any(end in measure.range for end in ends):
            found = replace(found, reason=_AT_THE_EDGE)
        shown = self._with(blank, found, "delta" if self.timeline is None else self._in_time)
        shown = replace(shown, levels=self._levels(measure, formula, a, b))
        return self._mcnemar(measure, a, b, shown) if formulas.is_accuracy(measure) else shown

    @property
    def _in_time(self) -> str:
        return "equal-weighted cosines" if self.horizon is None else "Diebold-Mariano"

    def _estimated(self, formula: Expression, needs: str = "") -> Estimate:
        measure = Measure("difference", formula, needs=needs)
        return estimated(self.counted.state, measure, self._error)

    def _error(self, formula: Expression) -> tuple[float, float]:
        """The standard error of a formula of moments, and its degrees of freedom."""
        state, timeline = self.counted.state, self.timeline
        if timeline is None:
            return independent(state, formula)
        return timeline.error(influence(state, formula, self.counted.rows))

    def _distances(
        self, measure: Measure, at: tuple[int, int], apart: Estimate, whole: Estimate
    ) -> Estimate:
        """Distances from the target compared: |b - t| - |a - t|.

        Where both sides are beyond doubt that is b - a or a + b - 2t, up to the sign. Elsewhere,
        since its size is the smaller of those two, it is called different only where both are: it
        has the larger of their standard errors.
        """
        ends = [self.measured(measure, place) for place in at]
        if apart.error is None or whole.error is None or any(end.value is None for end in ends):
            return apart
        target = TARGETS[measure.better]
        sides = [((end.value or 0.0) - target) / (end.standard_error or math.nan) for end in ends]
        value = abs((ends[1].value or 0.0) - target) - abs((ends[0].value or 0.0) - target)
        if all(abs(side) > _BEYOND_DOUBT for side in sides):
            return replace(apart if sides[0] * sides[1] > 0 else whole, value=value)
        return replace(apart if apart.error >= whole.error else whole, value=value)

    def _levels(self, measure: Measure, formula: Expression, a: int, b: int) -> Ends | None:
        """Both measures, where they are losses, and the factor by which their ratio may be off."""
        found = [self.measured(measure, place).value for place in (b, a)]
        if measure.better != "lower" or measure.range[0] != 0 or not all(map(_positive, found)):
            return None
        ratio = self._estimated(formulas.ratio(formula, a, b))
        if ratio.error is None or not ratio.value:
            return None
        high = interval(ratio.value, ratio.error, ratio.degrees, self.each, (0.0, math.inf))[1]
        return float(found[0] or 0), float(found[1] or 0), high / ratio.value

    def _mcnemar(self, measure: Measure, a: int, b: int, shown: Difference) -> Difference:
        """Counted rows have an interval that is sound however few they are."""
        state = self.counted.state
        if state.plan.weighted or self.timeline is not None or shown.value is None:
            return shown
        n, alone = state.sums.rows, self._alone(measure, a, b)
        found = mcnemar(*alone, n, self.each)
        p_value = min(found.mid_p * self.pairs, 1.0)
        return replace(shown, low=found.low, high=found.high, p_value=p_value, method="McNemar",
                       reason=None, alone=alone)  # fmt: skip

    def _alone(self, measure: Measure, a: int, b: int) -> tuple[int, int]:
        """How many rows `b` alone gets right, and how many `a` alone."""
        n = self.counted.state.sums.rows
        pairs = ((a, b), (b, a))
        shares = [self._estimated(formulas.only_right(measure, *pair)).value for pair in pairs]
        return round(n * (shares[0] or 0)), round(n * (shares[1] or 0))

    def _with(self, blank: Difference, found: Estimate, method: str) -> Difference:
        if found.value is None or found.error is None:
            return replace(blank, value=found.value, reason=found.reason, method=method)
        reach, p_value = found.reach(self.each), found.p_value()
        return replace(
            blank,
            value=found.value,
            standard_error=found.error,
            low=found.value - reach,
            high=found.value + reach,
            p_value=None if p_value is None else min(p_value * self.pairs, 1.0),
            detectable=found.detectable(self.each),
            method=method,
        )

    def _of_rows(self, measure: Measure, a: int, b: int) -> tuple[Estimate, str]:
        """Of measures that are no formulas of means."""
        values = [self.measured(measure, place) for place in (a, b)]
        for found in values:
            if found.value is None:
                return Estimate(None, reason=found.undefined), ""
        if any(part.op == "largest" for part in aggregates_of(measure.formula)):
            gap = (values[1].value or 0.0) - (values[0].value or 0.0)
            return Estimate(gap, reason="no interval: an extreme grows with the rows"), ""
        if measure.formula.op == "scores" and measure.formula.data == "roc_auc":
            return self._auc(a, b), "DeLong" if self.timeline is None else self._in_time
        return self._replicates.estimate(measure, a, b, values), "bootstrap"

    def _auc(self, a: int, b: int) -> Estimate:
        both = self._placements[a], self._placements[b]
        value, error = delong.difference(*both)
        if not math.isfinite(error):
            return Estimate(value, reason="one row of a class is too few for an interval")
        if self.timeline is None:
            return Estimate(value, error, effective_n(self.counted.state) - 1)
        moved = delong.influence(*both, self.counted.rows[y] > 0)
        return Estimate(value, *self.timeline.error(moved))

    @cached_property
    def _placements(self) -> list[delong.Placements]:
        rows = self.counted.rows
        return [
            delong.Placements.of(rows[y] > 0, rows[model(k)], rows[w])
            for k in range(len(self.names))
        ]

    @cached_property
    def _replicates(self) -> Replicates:
        return resampled(self.counted)


def _positive(value: float | None) -> bool:
    return value is not None and 0 < value < math.inf
