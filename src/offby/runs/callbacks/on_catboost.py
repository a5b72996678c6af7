"""CatBoost: `model.fit(..., eval_set=..., callbacks=[catboost_callback("runs/a")])`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offby.runs.callbacks.watcher import TREES, Watcher, watcher_of
from offby.runs.run import Run


class CatBoostCallback:
    """Logs the metrics of each iteration (the first is 0) and stops training on the verdict.

    The trees to keep are `model.shrink(callback.watcher.best + 1)`; CatBoost's own
    `use_best_model` keeps those of the lowest value instead.
    """

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def after_iteration(self, info: Any) -> bool:
        """Called by CatBoost, which counts from 1; False stops it."""
        values = {
            f"{part}/{metric}": series[-1]
            for part, metrics in (info.metrics or {}).items()
            for metric, series in metrics.items()
        }
        return not self.watcher.evaluated_by_name(info.iteration - 1, values)


def catboost_callback(run: Watcher | Run | str | Path) -> CatBoostCallback:
    """A callback for `fit`, judging every tenth iteration; a `Watcher` says otherwise."""
    return CatBoostCallback(watcher_of(run, TREES))
