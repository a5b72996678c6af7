"""Make the sample logs in this folder with the true libraries: `python make.py [name …]`.

Run once, by hand, in an environment that has them; the tests read what is kept here.
"""

import json
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
EPOCHS = 6
TRAIN = [1.0, 0.7, 0.5, 0.4, 0.33, 0.28]
VAL = [1.1, 0.8, 0.65, 0.6, 0.62, 0.66]


def digits():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x[:300] / 16, y[:300], x[300:500] / 16, y[300:500]


def tensorboard_tensors(folder):
    """Scalars as tensors (TensorFlow 2), beside a text and a histogram."""
    import numpy as np
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.histogram.summary_v2 import histogram_pb
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.plugins.text.summary_v2 import text_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for part, values in (("train", TRAIN), ("validation", VAL)):
        writer = EventFileWriter(str(folder / part))
        writer.add_event(Event(step=0, wall_time=1.0, summary=text_pb("notes", "a text")))
        for step, value in enumerate(values):
            drawn = histogram_pb("weights", np.arange(5.0) + step)
            writer.add_event(Event(step=step, wall_time=2.0 + step, summary=drawn))
            summary = scalar_pb("epoch_loss", value)
            writer.add_event(Event(step=step, wall_time=2.5 + step, summary=summary))
        writer.close()


def tensorboard(folder):
    """Scalars as torch writes them, resumed in a second file."""
    import numpy as np
    from torch.utils.tensorboard import SummaryWriter

    for first, last in ((0, 4), (3, EPOCHS)):
        writer = SummaryWriter(str(folder), filename_suffix=f".{first}")
        writer.add_text("notes", "a text")
        writer.add_histogram_pb("weights", np.arange(5.0))
        for step in range(first, last):
            writer.add_scalar("Loss/train", TRAIN[step], step, walltime=100.0 + step + first)
            writer.add_scalar("Loss/val", VAL[step], step, walltime=100.5 + step + first)
        writer.close()


def tensorboard_add_scalars(folder):
    """`add_scalars`: a folder for each curve."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step in range(EPOCHS):
            writer.add_scalars("loss", {"train": TRAIN[step], "val": VAL[step]}, step)


def keras_csv(folder):
    import keras

    keras.utils.set_random_seed(0)
    x, y, x_val, y_val = digits()
    layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    folder.mkdir()
    log = keras.callbacks.CSVLogger(str(folder / "training.csv"))
    model.fit(x, y, validation_data=(x_val, y_val), epochs=EPOCHS, verbose=0, callbacks=[log])


def boosting(folder):
    import catboost
    import lightgbm
    import xgboost

    x, y, x_val, y_val = digits()
    y, y_val = y % 2, y_val % 2
    folder.mkdir()
    seen: dict = {}
    train, val = xgboost.DMatrix(x, y), xgboost.DMatrix(x_val, y_val)
    wanted = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "nthread": 1}
    xgboost.train(wanted, train, 12, evals=[(train, "train"), (val, "eval")],
                  evals_result=seen, verbose_eval=False)  # fmt: skip
    (folder / "xgboost.json").write_text(json.dumps(seen))
    seen = {}
    train = lightgbm.Dataset(x, y)
    wanted = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    lightgbm.train(wanted, train, 12, valid_sets=[train, lightgbm.Dataset(x_val, y_val)],
                   valid_names=["training", "valid_1"],
                   callbacks=[lightgbm.record_evaluation(seen)])  # fmt: skip
    (folder / "lightgbm.json").write_text(json.dumps(seen))
    model = catboost.CatBoostClassifier(
        iterations=12, verbose=False, thread_count=1, custom_metric=["Accuracy"],
        train_dir=str(folder / "catboost_info"))  # fmt: skip
    model.fit(x, y, eval_set=(x_val, y_val))
    (folder / "catboost.json").write_text(json.dumps(model.get_evals_result()))


def lightning(folder):
    import lightning as L
    import torch
    from lightning.pytorch.loggers import CSVLogger
    from torch.utils.data import DataLoader, TensorDataset

    class Net(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(),
                                           torch.nn.Linear(16, 10))  # fmt: skip

        def training_step(self, batch):
            loss = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch):
            self.log("val_loss", torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    torch.manual_seed(0)
    x, y, x_val, y_val = digits()
    sets = [TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
            for a, b in ((x, y), (x_val, y_val))]  # fmt: skip
    trainer = L.Trainer(max_epochs=EPOCHS, logger=CSVLogger(str(folder)), log_every_n_steps=5,
                        enable_progress_bar=False, enable_checkpointing=False,
                        accelerator="cpu", enable_model_summary=False)  # fmt: skip
    trainer.fit(Net(), DataLoader(sets[0], 32), DataLoader(sets[1], 32))
    for file in folder.rglob("hparams.yaml"):
        file.unlink()


def huggingface(folder):
    import torch
    from transformers import Trainer, TrainingArguments

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Linear(64, 10)

        def forward(self, x, labels):
            logits = self.net(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    def rows(x, y):
        return [{"x": torch.tensor(a, dtype=torch.float32), "labels": int(b)}
                for a, b in zip(x, y, strict=True)]  # fmt: skip

    x, y, x_val, y_val = digits()
    told = TrainingArguments(
        str(folder), num_train_epochs=3, logging_steps=10, eval_strategy="epoch",
        save_strategy="epoch", report_to=[], use_cpu=True, disable_tqdm=True, seed=0)  # fmt: skip
    trainer = Trainer(Net(), told, train_dataset=rows(x, y), eval_dataset=rows(x_val, y_val))
    trainer.train()
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "trainer_state.json":
            file.unlink()


def mlflow(folder):
    import mlflow

    folder.mkdir()
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    for uri in (f"sqlite:///{folder / 'mlflow.db'}", (folder / "mlruns").as_uri()):
        mlflow.set_tracking_uri(uri)
        experiment = mlflow.create_experiment("digits", artifact_location="file:artifacts")
        for name in ("a", "b"):
            with mlflow.start_run(run_name=name, experiment_id=experiment):
                for step in range(EPOCHS):
                    mlflow.log_metric("train/loss", TRAIN[step], step)
                    mlflow.log_metric("val/loss", VAL[step], step)
                mlflow.log_metric("val/loss", float("nan" if name == "b" else "inf"), EPOCHS)


def trackio(folder):
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio

    for name in ("a", "b"):
        trackio.init(project="digits", name=name)
        for step in range(EPOCHS):
            trackio.log({"train/loss": TRAIN[step], "val/loss": VAL[step]}, step=step)
        trackio.log({"val/loss": float("nan" if name == "b" else "inf")}, step=EPOCHS)
        trackio.finish()


def slimmed(folder):
    """Drop the names of machines, users and folders, and the tables that nobody reads."""
    for number, file in enumerate(sorted(folder.rglob("events.out.tfevents.*"))):
        file.rename(file.with_name(f"events.out.tfevents.{number}.host"))
    for file in [*folder.rglob("tags"), *folder.rglob("*.lock"), *folder.rglob("mlruns/0")]:
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    for file in folder.rglob("meta.yaml"):
        kept = [line for line in file.read_text().splitlines(keepends=True)
                if not line.startswith(("artifact", "user"))]  # fmt: skip
        file.write_text("".join(kept))
    for file in folder.rglob("*.db"):
        slim_database(file)


def slim_database(file):
    import sqlite3

    base = sqlite3.connect(file)
    base.execute("PRAGMA foreign_keys = OFF")
    tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    for table in tables:
        if table not in ("metrics", "runs", "configs", "experiments", "sqlite_sequence"):
            base.execute(f"DROP TABLE {table}")
    if "runs" in tables:
        base.execute("UPDATE runs SET user_id = '', artifact_uri = ''")
        base.execute("UPDATE experiments SET artifact_location = ''")
    base.commit()
    base.execute("VACUUM")
    base.close()


MAKERS = (tensorboard, tensorboard_tensors, tensorboard_add_scalars, keras_csv, boosting,
          lightning, huggingface, mlflow, trackio)  # fmt: skip

if __name__ == "__main__":
    for maker in MAKERS:
        if len(sys.argv) == 1 or maker.__name__ in sys.argv[1:]:
            target = HERE / maker.__name__
            shutil.rmtree(target, ignore_errors=True)
            maker(target)
            slimmed(target)
