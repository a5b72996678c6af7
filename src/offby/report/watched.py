"""A run that was watched: its curves, and the verdict on them."""

from __future__ import annotations

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

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.log.name

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
        return self.verdict.as_dict() | {
            "run": self.name,
            "path": str(self.log.path),
            "format": self.log.format,
            "metric": {"train": self.pair.train, "val": self.pair.val, "better": self.pair.better},
            "best": _json(self.best),
            "last": _json(self.last),
            "notes": self.notes,
        }


def ranked(runs: Iterable[WatchedRun]) -> list[WatchedRun]:
    """The best values first; those that are better when higher stand after those that are not."""
    return sorted(runs, key=_rank)


def _rank(run: WatchedRun) -> tuple[bool, str, float]:
    best, higher = run.best, run.pair.better == "higher"
    if best is None or not np.isfinite(best):
        return higher, run.pair.metric, np.inf
    return higher, run.pair.metric, -best if higher else best


def _json(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value
