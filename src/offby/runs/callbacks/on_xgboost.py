"""XGBoost: `xgboost.train(..., evals=[...], callbacks=[xgboost_callback("runs/a")])`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from offby.runs.callbacks.watcher import TREES, Watcher, mixed, watcher_of
from offby.runs.run import Run


class XGBoostCallback:
    """Logs the metrics of each iteration (the first is 0) and stops training on the verdict.

    A booster that was stopped has the best iteration as its `best_iteration`.
    """

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Called by XGBoost; True stops it."""
        values = {
            f"{part}/{metric}": series[-1][0] if isinstance(series[-1], tuple) else series[-1]
            for part, metrics in evals_log.items()
            for metric, series in metrics.items()
        }
        return self.watcher.evaluated_by_name(epoch, values)

    def after_training(self, model: Any) -> Any:
        """Called by XGBoost."""
        if self.watcher.stopped and self.watcher.best is not None and hasattr(model, "set_attr"):
            model.set_attr(best_iteration=f"{self.watcher.best:.0f}")
        return model


def xgboost_callback(run: Watcher | Run | str | Path) -> Any:
    """A `TrainingCallback` for `train` and the estimators, judging every tenth iteration.

    A `Watcher` says otherwise.
    """
    base = import_module("xgboost").callback.TrainingCallback
    return mixed(XGBoostCallback, base, watcher_of(run, TREES))
