"""Which candidate to take: what folds show, and where they cannot tell, what the noise shows.

Folds see a difference only where it is large beside the noise of the judged rows, however many
there are. What a better loss saves in rows is seen long before, in the shape of the errors; so a
loss that aims at the same centre is also taken where the errors of the first candidate are
symmetric, its saving is sure, and the folds do not speak against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from offby.choice.estimate import Estimate
from offby.choice.judge import Judge
from offby.choice.judge import judge as read_judge
from offby.choice.study import Study
from offby.choice.trained.candidate import Candidate, robust
from offby.choice.trained.folds import Ints
from offby.choice.trained.held_out import HeldOut
from offby.choice.trained.outcome import Outcome
from offby.choice.trained.scored import Scored
from offby.engine.rows import Floats
from offby.losses import Absolute, Huber, Squared

Basis = Literal["folds", "noise", "tied", "unsure"]
_MOST = 8192  # rows whose errors tell the noise
_LEAST_GAIN = 0.001


@dataclass(frozen=True)
class Verdict:
    """The candidate to take, by its place; on what ground; and how sure that is."""

    taken: int
    basis: Basis
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class Weighed:
    """A trial with the noise of its first candidate's errors on rows that it has not seen."""

    trial: Outcome
    y: Floats
    judge: Judge | None
    weight: Floats | None = None

    @cached_property
    def noise(self) -> Study | None:
        """The errors of the first candidate; None for classes, and where it is no mean."""
        if self.judge is None or not isinstance(self.trial.candidates[0].family, Squared):
            return None
        rows = _some(self.trial.first, self.weight)
        confidence = self.trial.scored.confidence
        return Study(
            read_judge("mse"), self.y[rows], self.trial.first[rows], confidence, self._of(rows)
        )

    @cached_property
    def held_out(self) -> tuple[HeldOut, ...]:
        """The first candidate's errors, and those of the one to take if another; none of classes.

        These are what was judged, so that pictures of them are of what the table tells.
        """
        if self.judge is None:
            return ()
        return tuple(self._held_out(place) for place in dict.fromkeys((0, self.verdict.taken)))

    def _held_out(self, place: int) -> HeldOut:
        assert self.judge is not None
        one, told = self.trial.options[place], self.trial.told[place]
        rows = _some(told, self.weight)
        study = Study(
            self.judge, self.y[rows], told[rows], self.trial.scored.confidence, self._of(rows)
        )
        return HeldOut(one.name, one.tuned(study.y, study.errors, study.weights), study, rows)

    def _of(self, rows: Ints) -> Floats | None:
        return None if self.weight is None else self.weight[rows]

    @cached_property
    def verdict(self) -> Verdict:
        """What to take, from all rows."""
        return self.decide(self.trial.scored)

    @cached_property
    def without_worst(self) -> Verdict:
        """What would be taken if the rows that cost most were not judged."""
        return self.decide(self.trial.trimmed)

    def decide(self, scored: Scored) -> Verdict:
        """Where one is surely better: the judge's own loss if it may be as good, else the first."""
        sure = [k for k in range(1, len(scored.names)) if self._better(scored, k)]
        if sure:
            best = max(sure, key=lambda k: scored.gain(k).value or 0.0)
            own = [k for k in range(1, len(scored.names)) if self._own(k) and not self._centred]
            near = [k for k in (*own, *sure) if not scored.gain(best, than=k).positive]
            taken = next(k for k in near if (scored.gain(k).value or 0.0) > 0)
            return Verdict(taken, "folds", scored.sure_gain(taken))
        saving = self._by_noise(scored)
        if saving is not None:
            return saving
        unsure = scored.mean(0) is None
        return Verdict(0, "unsure" if unsure else "tied", Estimate(None))

    def allowed(self, place: int) -> bool:
        """Whether folds may decide for it.

        A judge of means is fooled for a while by losses that pull predictions from the mean, where
        noise is not symmetric: rare large errors were not among those judged. So there only losses
        that aim at the mean are taken, unless these errors are symmetric.
        """
        one = self.trial.candidates[place]
        if self.judge is None or self.judge.functional != "mean" or one.aims_with(self.judge):
            return True
        return one.central and self.noise is not None and self.noise.symmetric

    @property
    def _centred(self) -> bool:
        """Whether losses of other functionals aim at the same, so that none is to be preferred."""
        if self.judge is None or not self.judge.central or self.noise is None:
            return False
        return self.noise.symmetric

    def _own(self, place: int) -> bool:
        return self.judge is not None and self.trial.candidates[place].family == self.judge.loss

    def _better(self, scored: Scored, place: int) -> bool:
        found = scored.sure_gain(place)
        lower = (scored.mean(0) or np.inf) > (scored.mean(place) or 0.0)
        large = lower and found.value is not None and found.value >= _LEAST_GAIN
        return large and found.positive and self.allowed(place)

    def _by_noise(self, scored: Scored) -> Verdict | None:
        """A loss whose saving in rows is sure, for symmetric noise, if the folds agree."""
        if self.judge is None or not self.judge.central or self.noise is None:
            return None
        if not self.noise.symmetric or self.noise.advised is None:
            return None
        told = self.noise.advised
        if told.saving is None or not isinstance(told.loss, Huber | Absolute):
            return None
        alike = [
            k for k, one in enumerate(self.trial.candidates)
            if k and robust(one) and _near(one, told.loss) and (scored.gain(k).value or 0.0) > 0
        ]  # fmt: skip
        return Verdict(alike[0], "noise", told.saving) if alike else None


def _some(told: Floats, weight: Floats | None) -> Ints:
    """Rows that were told and count, not too many, evenly spread."""
    rows = np.flatnonzero(np.isfinite(told) & (True if weight is None else weight > 0))
    return np.asarray(rows[:: max(-(-rows.size // _MOST), 1)])


def _near(one: Candidate, told: Huber | Absolute) -> bool:
    """Whether it is of the advised kind."""
    return isinstance(one.family, type(told))
