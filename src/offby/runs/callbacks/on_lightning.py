"""Lightning: `Trainer(callbacks=[lightning_callback("runs/a")])`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from offby.runs.callbacks.watcher import Watcher, mixed, watcher_of
from offby.runs.run import Run


class LightningCallback:
    """Logs what the module logged in an epoch (the first is 1) and stops on the verdict.

    Epochs without validation are left out. Of several processes the first writes, and all stop
    together.
    """

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher
        self._validated = False

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Called by Lightning."""
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Called by Lightning, after the validation of the epoch."""
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        epoch, writes = trainer.current_epoch + 1, trainer.is_global_zero
        if not self._validated:  # the validation metrics are those of an earlier epoch
            return
        self._validated = False
        stop = self.watcher.evaluated_by_name(epoch, values, write=writes)
        if trainer.strategy.reduce_boolean_decision(stop, all=False):
            trainer.should_stop = True


def lightning_callback(run: Watcher | Run | str | Path) -> Any:
    """A Lightning `Callback`; its `watcher` has the verdict and the epoch to keep."""
    try:
        base = import_module("lightning.pytorch").Callback
    except ImportError:  # the package's older name
        base = import_module("pytorch_lightning").Callback
    return mixed(LightningCallback, base, watcher_of(run))
