"""What a classifier's numbers mean, in plain words; every statement names its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from offby.classification.task import Task
from offby.confusion import most_confused, recall
from offby.drawing.numbers import between, chance, number, percent
from offby.measures.aggregate import Undefined
from offby.measures.measurement import Measurement
from offby.report import findings as common
from offby.report.class_view import ClassView
from offby.report.finding import Finding
from offby.scores import Costs, ScoreCounts, best_cost, calibration_error, calibration_line, saving

_ENOUGH_FOR_SHARES = 200
_CLEARLY = 0.02  # of a loss, from which on it is worth a sentence


@dataclass(frozen=True)
class ClassEvidence:
    """What findings are drawn from."""

    rows: int
    dropped: int
    facts: Mapping[str, Measurement]
    asked: Mapping[str, Measurement]
    view: ClassView
    effective_rows: float


def needed_names(task: Task) -> tuple[str, ...]:
    """The measures that findings are made of, measured whether asked for or not."""
    if not task.scores:
        return ("accuracy",)
    if task.kind == "multiclass":
        return ("log_loss", "accuracy", "d2_log_loss", "log_loss_share:0.01")
    return ("log_loss", "accuracy", "roc_auc", "d2_log_loss", "calibration_in_the_large",
            "log_loss_share:0.01")  # fmt: skip


def findings(evidence: ClassEvidence) -> tuple[Finding, ...]:
    """Everything worth saying, the most useful first."""
    if not evidence.rows:
        return (Finding("empty", "there are no rows to measure"),)
    parts = (
        _impossible,
        _concentration,
        _skill,
        _calibration,
        _majority,
        _disagreement,
        _threshold,
        _classes,
        _undefined,
        common.weights,
        common.worth,
        common.dropped,
    )
    return tuple(finding for part in parts for finding in part(evidence))


def _impossible(evidence: ClassEvidence) -> Iterator[Finding]:
    """A probability of 0 for what happened."""
    loss = evidence.facts.get("log_loss")
    count = evidence.view.impossible
    if loss is None or loss.value is None or not count:
        return
    bad = [row.row for row in evidence.view.worst if row.given == 0]
    named = f"row{'s' * (count > 1)} {', '.join(map(str, bad[:5]))}"
    more = f" and {count - 5:,} more" if count > 5 else ""
    text = (
        f"log loss is infinite: a probability of exactly 0 was given to what happened ({named}"
        f"{more}); a model must never be that sure"
    )
    yield Finding("impossible", text, {"count": count, "rows": bad})


def _undefined(evidence: ClassEvidence) -> Iterator[Finding]:
    """What has no value, or an infinite one that `_impossible` has not explained."""
    for finding in common.undefined(evidence):
        if finding.kind != "infinite" or finding.numbers["measure"] != "log_loss":
            yield finding


def _concentration(evidence: ClassEvidence) -> Iterator[Finding]:
    worst = evidence.view.worst
    if evidence.rows == 1 or not worst or not 0 < worst[0].loss_share < math.inf:
        return
    first = worst[0]
    named = [vars(row) for row in worst]
    said = f"{chance(first.given)} was given to {first.truth!r}, which came"
    share = evidence.facts.get("log_loss_share:0.01")
    if evidence.rows < _ENOUGH_FOR_SHARES or share is None or share.value is None:
        text = (
            f"row {first.row} alone owns {percent(first.loss_share)} of the log loss: {said}; "
            "confident and wrong is what costs"
        )
        yield Finding("concentration", text, {"worst": named})
        return
    listed = ", ".join(str(row.row) for row in worst[:5])
    text = (
        f"the worst 1 % of the rows own {percent(share.value)} of the log loss; the worst are rows "
        f"{listed} (in the first, {said})"
    )
    yield Finding("concentration", text, {"share": share.value, "worst": named})


def _skill(evidence: ClassEvidence) -> Iterator[Finding]:
    skill, auc = evidence.facts.get("d2_log_loss"), evidence.facts.get("roc_auc")
    if skill is None or skill.value is None or skill.low is None or skill.high is None:
        return
    if not math.isfinite(skill.value):
        return
    numbers = {"d2_log_loss": skill.value, "low": skill.low, "high": skill.high}
    few = evidence.rows < common.FEW
    spread = "" if few else f", interval {between(skill.low, skill.high)}"
    base, ranks = _base(evidence), ""
    if auc is not None and auc.value is not None and evidence.view.task.kind == "binary":
        share = percent(auc.value)
        ranks = f"; a positive row outscores a negative one {share} of the time (ROC AUC)"
    if skill.high < 0:
        text = (
            f"worse than always giving {base}: log loss is higher by {percent(-skill.value)}{ranks}"
        )
        yield Finding("worse_than_base_rate", text, numbers)
    elif skill.low <= 0:
        text = (
            f"not surely better than always giving {base}: log loss differs by "
            f"{percent(skill.value)}{spread}{ranks}"
        )
        yield Finding("no_skill", text, numbers)
    else:
        text = f"log loss is {percent(skill.value)} below that of always giving {base}{ranks}"
        yield Finding("skill", text, numbers)


def _base(evidence: ClassEvidence) -> str:
    """What a model without any knowledge of the row would say."""
    several = evidence.view.task.kind == "multiclass"
    return "the frequency of each class" if several else "the base rate"


def _calibration(evidence: ClassEvidence) -> Iterator[Finding]:
    scores = evidence.view.scores
    shift = evidence.facts.get("calibration_in_the_large")
    if scores is None or shift is None or shift.value is None or evidence.rows < common.FEW:
        return
    rate = scores.positives / scores.total
    if shift.low is not None and shift.high is not None and not shift.low <= 0 <= shift.high:
        way = "high" if shift.value > 0 else "low"
        text = (
            f"probabilities are too {way} by {number(abs(shift.value), 3)} on average: they say "
            f"{percent(rate + shift.value, 3)} where {percent(rate, 3)} came (interval of the gap "
            f"{between(shift.low, shift.high)})"
        )
        yield Finding("calibration_in_the_large", text, {"gap": shift.value, "rate": rate})
    yield from _slope(scores)
    found = calibration_error(scores)
    numbers = {"ece": found.seen, "noise": found.noise_floor, "debiased": found.estimate.value}
    noise = (
        f"ECE is {number(found.seen, 2)}, and chance alone would show "
        f"{number(found.noise_floor, 2)} of a perfect model"
    )
    if not found.estimate.low:
        yield Finding("calibrated", f"no miscalibration found beyond chance: {noise}", numbers)
    elif found.seen < 4 * found.noise_floor:
        text = f"{noise}: without that bias it is {number(found.estimate.value, 2)}"
        yield Finding("ece_bias", text, numbers)


def _slope(scores: ScoreCounts) -> Iterator[Finding]:
    try:
        slope = calibration_line(scores).slope
    except Undefined:
        return
    if slope.low is None or slope.high is None or slope.low <= 1 <= slope.high:
        return
    numbers = {"slope": slope.value, "low": slope.low, "high": slope.high}
    if slope.value < 1:
        text = (
            f"overconfident: probabilities are too extreme (calibration slope "
            f"{number(slope.value, 3)}, interval {between(slope.low, slope.high)}); recalibrating "
            "would mend that and leave the ranking as it is"
        )
        yield Finding("overconfident", text, numbers)
    else:
        text = (
            f"underconfident: probabilities stay too near the base rate (calibration slope "
            f"{number(slope.value, 3)}, interval {between(slope.low, slope.high)})"
        )
        yield Finding("underconfident", text, numbers)


def _majority(evidence: ClassEvidence) -> Iterator[Finding]:
    """Accuracy says little where one class is nearly all."""
    table, accuracy = evidence.view.confusion, evidence.facts.get("accuracy")
    if table is None or accuracy is None or accuracy.value is None or accuracy.low is None:
        return
    share = float(table.support.max() / table.total)
    label = table.labels[int(table.support.argmax())]
    numbers = {"accuracy": accuracy.value, "majority": share}
    assert accuracy.high is not None
    if share >= 1:
        text = (
            f"every row is {label!r}: one class alone shows nothing of how well two are told apart"
        )
        yield Finding("one_class", text, numbers)
    elif accuracy.high < share:
        text = (
            f"accuracy {percent(accuracy.value, 3)} is below that of always saying {label!r} "
            f"({percent(share, 3)})"
        )
        yield Finding("below_majority", text, numbers)
    elif accuracy.low <= share:
        text = (
            f"accuracy {percent(accuracy.value, 3)} is not surely better than always saying "
            f"{label!r} ({percent(share, 3)}): look at the other measures"
        )
        yield Finding("majority", text, numbers)


def _disagreement(evidence: ClassEvidence) -> Iterator[Finding]:
    """Accuracy sees only the side of the threshold, log loss sees how sure each row was."""
    skill, accuracy = evidence.facts.get("d2_log_loss"), evidence.facts.get("accuracy")
    table = evidence.view.confusion
    if skill is None or accuracy is None or table is None or skill.value is None:
        return
    share = float(table.support.max() / table.total)
    bad = (skill.high is not None and skill.high < 0) or skill.value == -math.inf
    if bad and accuracy.low is not None and accuracy.low > share:
        text = (
            "accuracy and log loss disagree: the side of the threshold is right more often than "
            f"the majority's, yet the probabilities are worth less than {_base(evidence)}. "
            "Accuracy is flat between thresholds and does not see how sure a row was; a few rows "
            "that were surely wrong make the log loss: overconfident, not useless. Recalibrate"
        )
        yield Finding(
            "disagreement", text, {"d2_log_loss": skill.value, "accuracy": accuracy.value}
        )


def _threshold(evidence: ClassEvidence) -> Iterator[Finding]:
    """With costs: where to cut, and what the present cut costs."""
    task, scores = evidence.view.task, evidence.view.scores
    if scores is None or task.costs is None or len(np.shape(task.costs)) != 1:
        return
    costs = Costs(*task.costs)
    try:
        best = best_cost(scores, costs, evidence.view.confidence)
        gained = saving(scores, costs, task.threshold, None, evidence.view.confidence)
    except Undefined:
        return
    numbers = {"elkan": costs.threshold, "best": best.threshold, "threshold": task.threshold,
               "cost": best.estimate.value, "saving": gained.estimate.value}  # fmt: skip
    where = (
        f"with these costs the best cut on these rows is {number(best.threshold, 3)} "
        f"(a calibrated model's is {number(costs.threshold, 3)})"
    )
    if gained.estimate.low is not None and gained.estimate.low > 0:
        text = (
            f"the cut at {task.threshold:g} costs real money: {where}, and moving there saves "
            f"{number(gained.estimate.value, 3)} a row (interval "
            f"{between(gained.estimate.low, gained.estimate.high)})"
        )
        yield Finding("threshold", text, numbers)
    else:
        text = f"the cut at {task.threshold:g} costs no more than chance explains: {where}"
        yield Finding("threshold_fine", text, numbers)


def _classes(evidence: ClassEvidence) -> Iterator[Finding]:
    """The class that is found least often, and the pair that is confused most."""
    table = evidence.view.confusion
    if table is None or len(table.labels) < 3:
        return
    found = []
    for k, label in enumerate(table.labels):
        try:
            found.append((recall(table, k).value, label))
        except Undefined:
            continue
    if found and min(found)[0] < 1:
        share, label = min(found)
        text = f"class {label!r} is found least often: {percent(share, 3)} of its rows (recall)"
        yield Finding("weakest_class", text, {"label": label, "recall": share})
    for pair in most_confused(table)[:1]:
        text = (
            f"the most frequent confusion is {pair.true!r} taken for {pair.predicted!r}: "
            f"{percent(pair.share, 3)} of all errors"
        )
        yield Finding("most_confused", text, {"true": pair.true, "predicted": pair.predicted,
                                              "share": pair.share})  # fmt: skip
