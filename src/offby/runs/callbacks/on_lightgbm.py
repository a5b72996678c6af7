"""LightGBM: `lightgbm.train(..., valid_sets=[...], callbacks=[lightgbm_callback("runs/a")])`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from offby.runs.callbacks.watcher import TREES, Watcher, watcher_of
from offby.runs.run import Run


class LightGBMCallback:
    """Logs the metrics of each iteration (the first is 0) and stops training on the verdict.

    A booster that was stopped has the best iteration as its `best_iteration`, counted from 1 as
    LightGBM does, and predicts with it.
    """

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.order, self.before_iteration = 30, False  # as LightGBM's own early stopping

    def __call__(self, env: Any) -> None:
        """Called by LightGBM."""
        results = [tuple(found)[:4] for found in env.evaluation_result_list or ()]
        values = {f"{part}/{metric}": value for part, metric, value, _ in results}
        if self.watcher.evaluated_by_name(env.iteration, values):
            best = env.iteration if self.watcher.best is None else int(self.watcher.best)
            raise import_module("lightgbm").callback.EarlyStopException(best, results)


def lightgbm_callback(run: Watcher | Run | str | Path) -> LightGBMCallback:
    """A callback for `train` and the estimators, judging every tenth iteration.

    A `Watcher` says otherwise.
    """
    return LightGBMCallback(watcher_of(run, TREES))
