"""What all callbacks share: log an evaluation, judge the curves so far, say whether to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, final

import numpy as np

from offby.errors import RunError
from offby.runs.better import Better
from offby.runs.curves import RunLog, Series
from offby.runs.pairing import Pair, pair
from offby.runs.run import Run

STOPS = ("overfitting", "diverged")
"""The verdicts on which training stops, unless others are named."""
TREES = 10
"""Trees grow faster than curves are judged: of so many, the last is a reason to judge."""
VERDICTS = frozenset(("diverged", "cannot tell", "overfitting", "never generalised", "unstable",
                      "plateau", "still improving", "undetermined"))  # fmt: skip
_RESERVED = frozenset(("step", "time", "self"))


class Judged(Protocol):
    """What a judge returns: its verdict, and the step of the best evaluation."""

    @property
    def verdict(self) -> str:
        """One of the verdicts."""

    @property
    def best_epoch(self) -> float | None:
        """The best step so far, if there is one."""


Judge: TypeAlias = Callable[[Sequence[float] | None, Sequence[float], Sequence[float]], Judged]
"""(training losses or None, validation losses, their steps) to a verdict."""


@final
class Watcher:
    """A run that is judged while it is trained.

    `stop_on` are the verdicts that stop training (none of them: an empty tuple); `judge` replaces
    offby's live diagnosis; `every` judges only every so many evaluations, where one is quick next
    to a verdict; `better` is "higher" for a metric such as accuracy.

    >>> import tempfile
    >>> watcher = Watcher(tempfile.mkdtemp())
    >>> for epoch, loss in enumerate((0.9, 0.7, float("nan"), 0.6), start=1):
    ...     if watcher.evaluated(epoch, train=loss, val=loss + 0.1):
    ...         break
    >>> epoch, watcher.verdict.verdict
    (3, 'diverged')
    """

    def __init__(
        self,
        run: Run | str | Path,
        *,
        stop_on: Collection[str] = STOPS,
        judge: Judge | None = None,
        every: int = 1,
        better: Better = "lower",
    ) -> None:
        if unknown := set(stop_on) - VERDICTS:
            raise RunError(
                f"stop_on names {sorted(unknown)}; the verdicts are {', '.join(sorted(VERDICTS))}"
            )
        if every < 1:
            raise RunError(f"every is {every}; expected at least 1 (judge each evaluation)")
        self.run = run if isinstance(run, Run) else Run(run)
        self.stop_on, self.every, self.better = tuple(stop_on), every, better
        self.verdict: Judged | None = None
        self._judge = judge
        self._points: list[tuple[float, float, float]] = []
        self._pair: Pair | None = None

    def evaluated(
        self, step: float, *, train: Any = None, val: Any = None, write: bool = True, **metrics: Any
    ) -> bool:
        """Log one evaluation, judge the curves so far, and say whether training should stop.

        Without `val` there is nothing to judge. `write=False` judges alone: of the processes that
        train together, one writes.
        """
        if write:
            self.run.log(step, train=train, val=val, **metrics)
        if val is None:
            return False
        self._points.append((step, math.nan if train is None else float(train), float(val)))
        if len(self._points) % self.every and math.isfinite(float(val)):
            return False
        self.verdict = self._judged()
        return self.stopped

    def evaluated_by_name(
        self, step: float, values: Mapping[str, Any], *, write: bool = True
    ) -> bool:
        """The same for metrics by name (`loss`, `val_loss`); the names tell which to watch."""
        if self._pair is None and values:
            self._pair = pair(_names(values))
            self.better = self._pair.better
        chosen = (None, None) if self._pair is None else (self._pair.train, self._pair.val)
        train, val = (None if name is None else values.get(name) for name in chosen)
        if write:
            kept = {name: value for name, value in values.items() if name not in _RESERVED}
            self.run.log(step, **kept)
        return self.evaluated(step, train=train, val=val, write=False)

    @property
    def stopped(self) -> bool:
        """Whether the last verdict is one of those to stop on."""
        return self.verdict is not None and self.verdict.verdict in self.stop_on

    @property
    def best(self) -> float | None:
        """The step of the best evaluation so far."""
        best = None if self.verdict is None else self.verdict.best_epoch
        return None if best is None else float(best)

    @property
    def keep(self) -> str:
        """The verdict so far, and the checkpoint to keep."""
        if self.verdict is None:
            return "not judged yet"
        if self.best is None:
            return self.verdict.verdict
        return f"{self.verdict.verdict}: keep the checkpoint of step {self.best:g}"

    def _judged(self) -> Judged:
        steps, train, val = np.array(self._points).T
        known = ~np.isnan(train)
        losses = None
        if known.any():  # evaluations before the first training loss are not judged
            since = slice(int(np.argmax(known)), None)
            steps, losses, val = steps[since], train[since], val[since]
        if self._judge is not None:
            return self._judge(losses, val, steps)
        from offby.watch.diagnose import diagnose

        return diagnose(losses, val, steps, better=self.better, live=True)


def watcher_of(run: Watcher | Run | str | Path, every: int = 1) -> Watcher:
    """A watcher as it is, or one of a run that judges as usual."""
    return run if isinstance(run, Watcher) else Watcher(run, every=every)


def mixed(hooks: type[Any], base: type[Any], watcher: Watcher) -> Any:
    """A callback with these hooks, which its library takes for one of its own."""
    return type(hooks.__name__, (hooks, base), {"__doc__": hooks.__doc__})(watcher)


def _names(values: Mapping[str, Any]) -> RunLog:
    point = Series(np.zeros(1), np.zeros(1))
    return RunLog("this training", Path(), "callback", "step", dict.fromkeys(values, point))
