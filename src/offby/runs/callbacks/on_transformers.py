"""Hugging Face: `Trainer(..., callbacks=[transformers_callback("runs/a")])`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from statistics import fmean
from typing import Any

from offby.runs.callbacks.watcher import Watcher, mixed, watcher_of
from offby.runs.run import Run


class TransformersCallback:
    """Logs each evaluation by its step, with the mean training loss since the one before.

    It stops training on the verdict; `checkpoint` is the folder to keep.
    """

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher
        self._losses: list[float] = []
        self._output = Path()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Called by the Trainer."""
        if logs and "loss" in logs:
            self._losses.append(float(logs["loss"]))

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any], **_: Any
    ) -> None:
        """Called by the Trainer."""
        self._output = Path(args.output_dir)
        rest = {name: value for name, value in metrics.items() if _is_metric(name, value)}
        val = rest.pop("eval_loss", None)
        train = fmean(self._losses) if self._losses else None
        if val is not None:
            self._losses = []
        if self.watcher.evaluated(
            state.global_step, train=train, val=val, write=state.is_world_process_zero, **rest
        ):
            control.should_training_stop = True

    @property
    def checkpoint(self) -> Path | None:
        """The folder of the best evaluation; None if the Trainer saved none, or deleted it.

        It saves one an evaluation with `save_strategy="epoch"` beside `eval_strategy="epoch"`, and
        deletes old ones with `save_total_limit`.
        """
        best = self.watcher.best
        folder = None if best is None else self._output / f"checkpoint-{best:.0f}"
        return folder if folder is not None and folder.is_dir() else None


def _is_metric(name: str, value: Any) -> bool:
    """Not how long the evaluation took: that stands beside the metrics."""
    timed = name.endswith(("_runtime", "_per_second", "_time")) or name == "epoch"
    return isinstance(value, int | float) and not timed


def transformers_callback(run: Watcher | Run | str | Path) -> Any:
    """A `TrainerCallback`; its `watcher` has the verdict, its `checkpoint` the folder to keep."""
    base = import_module("transformers").TrainerCallback
    return mixed(TransformersCallback, base, watcher_of(run))
