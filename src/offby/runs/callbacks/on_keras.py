"""Keras: `model.fit(..., callbacks=[keras_callback("runs/a")])`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from offby.runs.callbacks.watcher import Watcher, mixed, watcher_of
from offby.runs.run import Run


class KerasCallback:
    """Logs the metrics of each epoch (the first is 1) and stops training on the verdict."""

    model: Any

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by Keras."""
        if self.watcher.evaluated_by_name(epoch + 1, logs or {}):
            self.model.stop_training = True


def keras_callback(run: Watcher | Run | str | Path) -> Any:
    """A `keras.callbacks.Callback`; its `watcher` has the verdict and the epoch to keep."""
    base = import_module("keras").callbacks.Callback
    return mixed(KerasCallback, base, watcher_of(run))
