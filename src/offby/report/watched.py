"""A run that was watched: its curves, and the verdict on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from offby.runs.curves import RunLog, Series
from offby.runs.pairing import Pair
from offby.watch.verdict import Verdict


@final
@dataclass(frozen=True, eq=False)
class WatchedRun:
    """One run as far as it was written: its log, the two curves that were taken, the verdict."""

    log: RunLog
    pair: Pair
    verdict: Verdict

    def __repr__(self) -> str:
        return f"{self.name} · {self.verdict!r}"

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.log.name

    @property
    def metric(self) -> str:
        """What the two curves are of, without the part of the data: loss, l2, top5 acc."""
        return re.sub(r" (\d)", r"\1", self.pair.metric)

    @property
    def curves(self) -> dict[str, Series]:
        """The training and the validation curve, as far as the run has them."""
        both = zip(("train", "val"), self.pair.of(self.log), strict=True)
        return {name: series for name, series in both if series is not None}

    @property
    def judged(self) -> Series:
        """The curve that the verdict is on."""
        return self.curves[self.verdict.watched]

    @property
    def best(self) -> float | None:
        """The value that was logged at the best epoch; None where there is none."""
        epoch, series = self.verdict.best_epoch, self.judged
        if epoch is None:
            return None
        return float(series.values[int(np.argmin(np.abs(series.steps - epoch)))])

    @property
    def last(self) -> float:
        """The value that was logged last."""
        return float(self.judged.values[-1])

    @property
    def notes(self) -> list[str]:
        """What was left out or inferred, sentence by sentence."""
        aligned = self.pair.note(self.log)
        return [*self.verdict.notes, *self.log.notes, *([aligned] if aligned else [])]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the verdict first, then what it is on; the curves are in the log."""
        return self.verdict.to_dict() | {
            "run": self.name,
            "path": str(self.log.path),
            "format": self.log.format,
            "metric": {"train": self.pair.train, "val": self.pair.val, "better": self.pair.better},
            "best": _json(self.best),
            "last": _json(self.last),
            "notes": self.notes,
        }


def ranked(runs: Iterable[WatchedRun]) -> list[WatchedRun]:
    """The best values first, metric by metric: that of most runs before the others."""
    every = list(runs)
    alike = Counter(map(_of, every))
    return sorted(every, key=lambda run: (-alike[_of(run)], _of(run), _rank(run)))


def _of(run: WatchedRun) -> tuple[bool, str]:
    return run.pair.better == "higher", run.metric


def _rank(run: WatchedRun) -> float:
    best = run.best
    if best is None or not np.isfinite(best):
        return np.inf
    return -best if run.pair.better == "higher" else best


def _json(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value
