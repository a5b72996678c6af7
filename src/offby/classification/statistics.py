"""From the counts of a pass to what is known of scores and labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from offby import confusion
from offby.classification.against_rest import counted_for, meant, rankings
from offby.classification.counts import confusion_of, score_counts
from offby.engine.state import State
from offby.errors import MeasureError
from offby.formula.expression import Expression
from offby.measures import finish
from offby.measures.aggregate import Undefined
from offby.measures.measure import Better, Measure
from offby.measures.measurement import Measurement
from offby.measures.names import number_after
from offby.measures.uncertainty import effective_n, interval
from offby.scores import (
    RANKED,
    Estimate,
    SampledRows,
    ScoreCounts,
    alikeness,
    average_precision,
    averaged,
    calibration_error,
    calibration_line,
    class_skill,
    kolmogorov_smirnov,
    lift,
    roc_auc,
    score_decomposition,
)


@dataclass(frozen=True)
class Statistic:
    """A statistic of scores: how to work it out, and how to read it."""

    of: Callable[[ScoreCounts, float, float], Any]
    better: Better
    range: tuple[float, float]
    takes_share: bool = False

    def check(self, name: str, number: str) -> None:
        """Raise `MeasureError` where the number after the colon is missing, or of no use."""
        if self.takes_share and not 0 < number_after(name, number) < 1:
            raise MeasureError(f"{name}: the share must lie between 0 and 1")
        if number and not self.takes_share:
            raise MeasureError(f"{name.partition(':')[0]} has nothing after a colon; got {name!r}")


def _part_of_log_loss(part: str, counts: ScoreCounts, confidence: float, _: float) -> Estimate:
    """Log loss = miscalibration - discrimination + uncertainty (CORP)."""
    found: Estimate = getattr(score_decomposition(counts, "log", confidence), part)
    return found


_ANY = (-np.inf, np.inf)
_COUNTED = frozenset({"scores", "sureness", "confusion", "against_rest", "class_skill"})
STATISTICS = {
    "roc_auc": Statistic(lambda counts, c, _: roc_auc(counts, c), "higher", (0.0, 1.0)),
    "average_precision": Statistic(
        lambda counts, c, _: average_precision(counts, c), "higher", (0.0, 1.0)
    ),
    "ks": Statistic(
        lambda counts, c, _: kolmogorov_smirnov(counts, c).estimate, "higher", (0.0, 1.0)
    ),
    "lift": Statistic(
        lambda counts, c, share: lift(counts, share, c), "higher", (0.0, np.inf), takes_share=True
    ),
    "ece": Statistic(lambda counts, c, _: _ece(counts, c), "lower", (0.0, 1.0)),
    "miscalibration": Statistic(
        partial(_part_of_log_loss, "miscalibration"), "lower", (0.0, np.inf)
    ),
    "discrimination": Statistic(
        partial(_part_of_log_loss, "discrimination"), "higher", (0.0, np.inf)
    ),
    "uncertainty": Statistic(partial(_part_of_log_loss, "uncertainty"), "lower", (0.0, np.inf)),
    "calibration_slope": Statistic(
        lambda counts, c, _: calibration_line(counts, c).slope, "one", _ANY
    ),
}


def _ece(counts: ScoreCounts, confidence: float) -> Estimate:
    """As it is usually defined, bias included; so are the ends of its interval."""
    found = calibration_error(counts, confidence=confidence)
    debiased = found.estimate
    if debiased.low is None or debiased.high is None:
        return replace(debiased, value=found.seen)
    ends = [min(math.hypot(e, found.noise_floor), 1.0) for e in (debiased.low, debiased.high)]
    low, high = min(ends[0], found.seen), max(ends[1], found.seen)  # less than noise may be seen
    return replace(debiased, value=found.seen, low=low, high=high)


def measurement(
    state: State,
    measure: Measure,
    confidence: float,
    labels: tuple[str, ...],
    order: tuple[int, ...],
    sampled: SampledRows | None = None,
) -> Measurement:
    """What the pass says of one measure; `labels` are the classes by their code.

    `order` is the order in which classes are shown, and of two the positive one comes second. From
    rows that were `sampled` it is learnt how far the errors of classes cancel in an average.
    """
    if measure.formula.op not in _COUNTED:
        found = finish.measurement(state, measure, confidence)
        return _as_share(found, state) if _is_indicator(measure.formula) else found
    nothing = finish.blank(state, measure, confidence)
    try:
        found = _estimate(state, measure, confidence, labels, order, sampled)
    except Undefined as reason:
        return replace(nothing, undefined=str(reason))
    return replace(
        nothing,
        value=found.value,
        standard_error=found.standard_error,
        low=found.low,
        high=found.high,
        bracket=getattr(found, "bracket", None),
        unsure=found.unsure,
    )


def _is_indicator(formula: Expression) -> bool:
    """Whether it is the share of the rows that something holds for."""
    return formula.op == "mean" and formula.args[0].op == "where" and all(
        part.op == "constant" and part.data in (0, 1) for part in formula.args[0].args[1:]
    )  # fmt: skip


def _as_share(found: Measurement, state: State) -> Measurement:
    """With Wilson's interval, which is sound at 0 and 1 too."""
    if found.value is None:
        return found
    low, high = confusion.wilson(found.value, effective_n(state), found.confidence)
    error = found.standard_error if 0 < found.value < 1 else None
    return replace(found, standard_error=error, low=float(low), high=float(high), unsure=None)


def _estimate(
    state: State,
    measure: Measure,
    confidence: float,
    labels: tuple[str, ...],
    order: tuple[int, ...],
    sampled: SampledRows | None,
) -> Any:
    if not state.sums.rows:
        raise Undefined("there are no rows")
    part = measure.formula
    if part.op == "against_rest":
        return _against_rest(state, part, confidence, labels, sampled)
    if part.op == "class_skill":
        return _class_skill(state, measure, confidence, labels, sampled)
    if part.op != "confusion":
        name, _, number = part.data.partition(":")
        counts = score_counts(state, part.args[0], fine=name == "roc_auc")
        return STATISTICS[name].of(counts, confidence, float(number or "nan"))
    text, costs = part.data
    evaluated = confusion.by_name(text, costs)
    assert evaluated is not None  # the name was understood when the measure was made
    return evaluated.evaluate(confusion_of(state, part.args[0], labels, order), confidence)


def _against_rest(
    state: State,
    part: Expression,
    confidence: float,
    labels: tuple[str, ...],
    sampled: SampledRows | None,
) -> Estimate:
    """Of one class against all others, or the average over the classes."""
    name, _, of = part.data.partition(":")
    codes = meant(part.data, labels)
    each = [score_counts(state, key.args[0], fine=name == "roc_auc")
            for key in rankings(part, labels)]  # fmt: skip
    named = [labels[code] for code in codes]
    return averaged(RANKED[name], each, named, sampled if len(codes) > 1 else None,
                    by_frequency=of == "weighted", confidence=confidence)  # fmt: skip


def _class_skill(
    state: State,
    measure: Measure,
    confidence: float,
    labels: tuple[str, ...],
    sampled: SampledRows | None,
) -> Estimate:
    """What is saved of the loss of the classes' frequencies."""
    part = measure.formula
    mean, confused = counted_for(part, labels)
    loss = finish.measurement(state, Measure("", mean), confidence)
    table = confusion_of(state, confused.args[0], labels, tuple(range(len(labels))))
    came = table.support > 0
    alike = 0.0
    if loss.value is None:
        raise Undefined(loss.undefined or "")
    if sampled is not None and loss.standard_error is not None:
        losses = sampled.losses[part.data]
        alike = alikeness(part.data, losses, sampled.truth, sampled.weight, table.support)
    squares = table.squares.sum(axis=1)[came]
    error = loss.standard_error or 0.0
    found = class_skill(part.data, (loss.value, error), table.support[came], squares, alike)
    if loss.standard_error is None or found.standard_error is None:
        return replace(found, standard_error=None, unsure=loss.unsure or found.unsure)
    ends = interval(found.value, found.standard_error, effective_n(state) - 1, confidence,
                    measure.range)  # fmt: skip
    return replace(found, low=ends[0], high=ends[1])
