"""Callbacks for trainers: each logs to a `Run`, stops on the verdict, names what to keep.

    from offby.runs.callbacks import keras_callback
    model.fit(x, y, validation_data=..., epochs=200, callbacks=[keras_callback("runs/a")])

Each takes a folder, a `Run`, or a `Watcher`, which says when to stop. A plain loop needs none:
`Watcher.evaluated` logs, judges, and returns whether to stop; what offby itself fitted is logged
afterwards by `log_history`. A trainer's library is imported when
its callback is made.
"""

from offby.runs.callbacks.on_catboost import catboost_callback
from offby.runs.callbacks.on_fit import log_history
from offby.runs.callbacks.on_keras import keras_callback
from offby.runs.callbacks.on_lightgbm import lightgbm_callback
from offby.runs.callbacks.on_lightning import lightning_callback
from offby.runs.callbacks.on_transformers import transformers_callback
from offby.runs.callbacks.on_xgboost import xgboost_callback
from offby.runs.callbacks.watcher import Watcher

__all__ = [
    "Watcher",
    "catboost_callback",
    "keras_callback",
    "lightgbm_callback",
    "lightning_callback",
    "log_history",
    "transformers_callback",
    "xgboost_callback",
]
