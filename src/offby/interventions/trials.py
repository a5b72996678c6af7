"""What is tried on a report's rows, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from offby.classification.task import REGRESSION, Task
from offby.engine.rows import Floats
from offby.interventions import chances, numeric
from offby.interventions.gain import Gain, gain, held_out, holm
from offby.interventions.intervention import Intervention, ordered
from offby.interventions.judged import ABSOLUTE, SQUARED, Judged, means
from offby.interventions.numeric import Correction, Fit
from offby.interventions.seen import Seen
from offby.losses.constant import weighted_quantile
from offby.measures.measure import Measure

FEW = 50
_FEW_OF_A_CLASS = 20
_ENOUGH_FOR_SHARES = 200
_WORST = 0.01
_RMSE = Judged("rmse", SQUARED.term, root=True)
_MAE = Judged("mae", ABSOLUTE.term)


@dataclass(frozen=True, eq=False)
class _Bench:
    """Rows with a loss to lower, and what to try; `also` is another loss to look at."""

    seen: Seen
    judged: Judged
    before: Floats
    corrections: list[Correction]
    also: Judged | None = None
    known: dict[Fit, Floats] = field(default_factory=dict)

    def after(self, fit: Fit) -> Floats:
        """The held-out predictions of a correction, worked out once."""
        if fit not in self.known:
            self.known[fit] = held_out(self.seen, fit)
        return self.known[fit]


class _Tried(NamedTuple):
    bench: _Bench
    correction: Correction
    gain: Gain
    after: Floats
    """The corrected predictions."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Rows to try corrections on; they are tried when `interventions` is first asked for.

    `columns` are truth, prediction and, where there are weights, weight; of several classes, the
    prediction is the probability that was given to what came. `extra` were tried elsewhere.

    >>> truth = np.random.default_rng(0).normal(size=500)
    >>> trials = Trials((truth, truth + 0.5), ())
    >>> [(each.name, round(each.relative, 2)) for each in trials.interventions if each.survives]
    [('remove the bias', 1.0), ('rescale', 1.0), ('recalibrate', 0.93)]
    """

    columns: tuple[Floats, ...]
    asked: tuple[Measure, ...]
    task: Task = REGRESSION
    classes: int = 2
    confidence: float = 0.95
    extra: tuple[Intervention, ...] = ()

    @cached_property
    def interventions(self) -> tuple[Intervention, ...]:
        """What was tried: what survives first, the largest share of the loss first; or nothing."""
        return interventions_of(self.seen, self.asked, self.task, self.classes, self.confidence,
                                self.extra)  # fmt: skip

    @property
    def survivors(self) -> list[Intervention]:
        """Those that take off more than chance explains."""
        return [one for one in self.interventions if one.survives]

    @property
    def rows(self) -> int:
        """How many rows they were tried on."""
        return self.seen.y.size

    @cached_property
    def seen(self) -> Seen:
        """The rows."""
        truth, prediction, *weight = self.columns
        seen = Seen(truth, prediction, weight[0] if weight else np.ones(truth.size))
        return seen.where(seen.w > 0)


@np.errstate(all="ignore")  # what is not finite is left out
def interventions_of(
    seen: Seen,
    asked: Sequence[Measure],
    task: Task = REGRESSION,
    classes: int = 2,
    confidence: float = 0.95,
    extra: Sequence[Intervention] = (),
) -> tuple[Intervention, ...]:
    """What was tried on these rows, with its gain on the half it was not fitted to.

    Judged by the first measure asked for that is a row's mean loss; MAE or log loss if none is.
    Nothing is tried on fewer than 50 rows, or where a class has fewer than 20.
    """
    benches = _benches(seen, asked, task, classes) if _enough(seen, task) else []
    tried = [found for bench in benches for found in _tried(bench, confidence)]
    stands = holm([one.gain.chance for one in tried], (1 - confidence) / 2)
    found = [_made(one, survives) for one, survives in zip(tried, stands, strict=True)]
    bounds = [bound for bench in benches[:1] for bound in _bounds(bench, confidence)]
    return ordered([*found, *bounds, *extra])


def _enough(seen: Seen, task: Task) -> bool:
    if seen.y.size < FEW or (task.kind != "regression" and not task.scores):
        return False
    positive = int(np.count_nonzero(seen.y))
    return task.kind != "binary" or min(positive, seen.y.size - positive) >= _FEW_OF_A_CLASS


def _benches(seen: Seen, asked: Sequence[Measure], task: Task, classes: int) -> list[_Bench]:
    if task.kind == "multiclass":
        loss = chances.OF_TRUTH
        return [_Bench(seen, loss, loss.losses(seen.y, seen.p), chances.softening(classes))]
    usual = _MAE if task.kind == "regression" else chances.LOG_LOSS
    judged = next(means(asked), usual)
    before = judged.losses(seen.y, seen.p)
    if task.kind == "regression":
        also = _MAE if judged.term is _RMSE.term else _RMSE
        return [_Bench(seen, judged, before, numeric.corrections(judged), also)]
    return [_Bench(seen, judged, before, chances.corrections(judged)), *_cut(seen, task)]


def _cut(seen: Seen, task: Task) -> Iterator[_Bench]:
    """Another threshold, judged by costs, or by the share of the rows that it gets wrong."""
    costs = np.asarray((1.0, 1.0) if task.costs is None else task.costs).tolist()
    if np.ndim(costs) != 1:
        return  # right decisions cost something, too
    false_positive, false_negative = costs
    name = "share of wrong rows" if task.costs is None else "expected_cost"
    cost = chances.cost(false_positive, false_negative, name)
    said = (seen.p >= task.threshold).astype(np.float64)
    yield _Bench(seen, cost, cost.losses(seen.y, said), chances.cutting(cost))


def _tried(bench: _Bench, confidence: float) -> Iterator[_Tried]:
    impossible = not np.isfinite(bench.before).all()
    for correction in bench.corrections:
        if impossible and not correction.mends:
            continue
        after = bench.after(correction.fit)
        found = _gain(bench, correction.instead_of, after, confidence)
        if found is not None:
            yield _Tried(bench, correction, found, after)


def _gain(bench: _Bench, rival: Fit | None, after: Floats, confidence: float) -> Gain | None:
    """The gain over no correction; where there is a rival, over that too, whichever is less.

    To tell that a model was trained under the rival's loss, it must also be nearer to what the
    rival makes of it than to what this correction does: half of what lies between is no gain.
    """
    seen, before = bench.seen, bench.before
    losses = bench.judged.losses(seen.y, after)
    found = gain(bench.judged, seen, before, losses, confidence)
    if rival is None or found is None:
        return found
    others = bench.judged.losses(seen.y, bench.after(rival))
    over = gain(bench.judged, seen, others, losses, confidence)
    nearer = gain(Judged("", bench.judged.term), seen, 2 * before - others, losses, confidence)
    if over is None or nearer is None:
        return None
    chance = max(found.chance, over.chance, nearer.chance)
    return replace(min(found, over, key=lambda one: one.value), chance=chance)


def _made(tried: _Tried, survives: bool) -> Intervention:
    bench, correction, found, after = tried
    numbers = correction.fit(bench.seen).numbers if survives and "{" in correction.text else {}
    return Intervention(
        correction.name, correction.text, bench.judged.name, found.value, found.low, found.high,
        found.relative, survives, numbers, _also(bench, after),
    )  # fmt: skip


def _also(bench: _Bench, after: Floats) -> dict[str, float]:
    if bench.also is None:
        return {}
    seen, other = bench.seen, bench.also
    was, now = (other.of_mean(seen.mean(other.losses(seen.y, p))) for p in (seen.p, after))
    return {other.name: 1 - now / was if was > 0 else 0.0}


def _bounds(bench: _Bench, confidence: float) -> Iterator[Intervention]:
    """What the worst rows own: the most that mending rows one by one can do."""
    seen, before = bench.seen, bench.before
    if seen.y.size < _ENOUGH_FOR_SHARES or not np.isfinite(before).all():
        return
    # the top share's mean is q·share + mean(max(l − q, 0)), where an error in q is of no account
    least = weighted_quantile(before, seen.w, 1 - _WORST)
    found = gain(bench.judged, seen, before, np.minimum(before, least) - _WORST * least, confidence)
    if found is not None:
        yield Intervention(
            "fix the worst rows", "getting the worst {share} of the rows exactly right",
            bench.judged.name, found.value, found.low, found.high, found.relative, False,
            {"share": _WORST}, bound=True,
        )  # fmt: skip
