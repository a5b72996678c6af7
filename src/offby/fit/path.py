"""Where a search for the minimum stood at each of its iterations.

A model keeps no places, only facts about them. So the search is done once more, which goes the same
way to the last bit; the places whose objectives the model's history holds are those it came by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from offby.fit.blocks import Linear
from offby.fit.descent import descent_of, walk_down
from offby.fit.fitted import Fit
from offby.fit.linear import SAMPLE, Settings, linear_and_penalty
from offby.fit.lines import lines_of
from offby.fit.newton import minimise
from offby.fit.penalty import Penalty
from offby.fit.problem import Point, Problem
from offby.fit.rows import Source
from offby.fit.score import Floats, toward_score
from offby.fit.shape import shape_of
from offby.fit.softmax import SoftmaxProblem, contrasts_of
from offby.fit.solve import solve
from offby.losses import Loss

Seen = list[tuple[Floats, float]]


@dataclass(frozen=True, eq=False)
class Recorded(Problem):
    """A problem that remembers where it was looked at, and the objective there."""

    seen: Seen = field(default_factory=list)

    def point(self, at: Floats, share: float = 0.0, *, bend: bool = True) -> Point:
        """Look at a place."""
        found = super().point(at, share, bend=bend)
        self.seen.append((found.at, found.objective))
        return found


@dataclass(frozen=True, eq=False)
class RecordedClasses(SoftmaxProblem):
    """The same for several classes."""

    seen: Seen = field(default_factory=list)

    def point(self, at: Floats, share: float = 0.0, *, bend: bool = True) -> Point:
        """Look at a place."""
        found = super().point(at, share, bend=bend)
        self.seen.append((found.at, found.objective))
        return found


@dataclass(frozen=True, eq=False)
class Path:
    """Coefficients (steps, outputs, p) and intercepts (steps, outputs) before each iteration."""

    coefficients: Floats
    intercepts: Floats

    @property
    def steps(self) -> int:
        """How many places there are."""
        return int(self.coefficients.shape[0])


def mean_losses(fit: Fit, path: Path, source: Source, most: int = 100) -> Floats:
    """The mean loss of rows, without penalty, at each place: (steps,).

    At `most` of the places, evenly spread, the first and the last among them; NaN at others.
    """
    chosen = np.unique(np.linspace(0, path.steps - 1, min(most, path.steps)).astype(int))
    sums, weights = np.zeros(chosen.size), 0.0
    for part in source.parts():
        weight = np.ones(part.count) if part.weight is None else part.weight
        weights += float(weight.sum())
        for place, k in enumerate(chosen):
            scores = part.X @ path.coefficients[k].T + path.intercepts[k]
            sums[place] += weight @ losses_of(fit, part.y, scores)
    found = np.full(path.steps, np.nan)
    found[chosen] = sums / weights
    return found


def losses_of(fit: Fit, truths: Floats, scores: Floats) -> Floats:
    """The loss of each row: truths (n,) and scores (…, n, outputs) to (…, n)."""
    if len(fit.intercepts) > 1:
        own = np.broadcast_to(truths.astype(int)[:, None], (*scores.shape[:-1], 1))
        chosen = np.take_along_axis(scores, own, -1)[..., 0]
        return np.asarray(special.logsumexp(scores, axis=-1) - chosen)
    assert isinstance(fit.loss, Loss)
    of_score = toward_score(fit.loss)
    return of_score.at(truths, scores[..., 0], of_score.value)[0]


def path_of(fit: Fit, settings: Settings, source: Source) -> Path | None:
    """The places before each iteration of a fit to these rows; None where there was no search.

    An exact solver has none (QR, the quantiles' vertex), nor has a search for the errors' scale.
    """
    objectives = fit.history.get("objective", np.zeros(0))
    if not objectives.size or settings.scale is not None:
        return None
    several = len(fit.intercepts) > 1
    seen, places = (_of_classes if several else _of_one)(fit, settings, source)
    chosen = _matching(seen, objectives)
    return None if chosen is None else places(chosen)


def _matching(seen: Seen, objectives: Floats) -> list[Floats] | None:
    """For each objective in turn the first place from there on that has it."""
    rest, chosen = iter(seen), []
    for objective in objectives:
        at = next((at for at, found in rest if found == objective), None)
        if at is None:
            return None
        chosen.append(at)
    return chosen


class _Places:
    """What turns places of a search into coefficients for the features as they came."""

    def __init__(self, linear: Linear, contrasts: Floats | None = None) -> None:
        self.linear, self.contrasts = linear, contrasts

    def __call__(self, chosen: Sequence[Floats]) -> Path:
        found = [self._split(at) for at in chosen]
        return Path(np.stack([b for b, _ in found]), np.stack([a for _, a in found]))

    def _split(self, at: Floats) -> tuple[Floats, Floats]:
        outputs = at[None]
        if self.contrasts is not None:
            outputs = self.contrasts @ at.reshape(-1, self.linear.size)
        pairs = [self.linear.uncentred(one) for one in outputs]
        return np.stack([b for b, _ in pairs]), np.array([a for _, a in pairs])


def _of_one(fit: Fit, settings: Settings, source: Source) -> tuple[Seen, _Places]:
    assert isinstance(fit.loss, Loss)
    loss, few = toward_score(fit.loss), source.sample(SAMPLE)
    linear, penalty = linear_and_penalty(few, settings)
    problem = Recorded(source, linear, loss, penalty, shape_of(loss, few.y))
    descent = descent_of(settings.solver)
    if descent is not None:
        walk_down(problem, descent, settings.tol, settings.max_iter)
    elif lines_of(fit.loss) is None:
        solve(problem, settings.solver, settings.tol, settings.max_iter)
    return problem.seen, _Places(linear)


def _of_classes(fit: Fit, settings: Settings, source: Source) -> tuple[Seen, _Places]:
    contrasts = contrasts_of(len(fit.intercepts))
    linear, one = linear_and_penalty(source.sample(SAMPLE), settings)
    others = contrasts.shape[1]
    penalty = Penalty(np.tile(one.l1, others), np.tile(one.l2, others))
    problem = RecordedClasses(source, linear, contrasts, penalty)
    minimise(problem, np.zeros(problem.size), settings.tol, settings.max_iter)
    return problem.seen, _Places(linear, contrasts)
