"""Callbacks: each trainer logs what it saw, stops on the verdict, and names what to keep."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from offby.errors import RunError
from offby.runs import callbacks
from offby.runs.callbacks import Watcher
from offby.runs.find import read_run
from offby.runs.pairing import pair
from offby.runs.run import Run

ANY_WARNING = pytest.mark.filterwarnings("ignore")  # the libraries warn of one another's versions


def judge_at(count, asked=None):
    """Says "overfitting" from the `count`-th evaluation on; the best is the second."""

    def judge(train, val, steps):
        if asked is not None:
            asked.append((train, list(val), list(steps)))
        verdict = "overfitting" if len(val) >= count else "undetermined"
        return SimpleNamespace(verdict=verdict, best_epoch=steps[1] if len(steps) > 1 else None)

    return judge


def watcher(folder, count=4):
    return Watcher(folder, judge=judge_at(count))


def digits(kind=np.float32):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x[:200].astype(kind) / 16, y[:200], x[200:300].astype(kind) / 16, y[200:300]


# --- the watcher ---------------------------------------------------------------------------------


def test_a_plain_loop(tmp_path):
    watched = watcher(tmp_path / "a")
    assert watched.keep == "not judged yet"
    assert watched.best is None
    for epoch in range(1, 20):
        if watched.evaluated(epoch, train=1 / epoch, val=1.0, accuracy=0.5):
            break
    assert epoch == 4
    assert (watched.best, watched.stopped) == (2, True)
    assert watched.keep == "overfitting: keep the checkpoint of step 2"
    log = read_run(tmp_path / "a")
    assert log.series["train"].values.tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert log.series["accuracy"].values.tolist() == [0.5] * 4


def test_what_the_judge_is_asked(tmp_path):
    asked = []
    watched = Watcher(tmp_path, judge=judge_at(99, asked))
    watched.evaluated(0, val=3.0)
    watched.evaluated(1)
    watched.evaluated(2, train=1.0, val=2.0)
    watched.evaluated(4, val=1.5)
    assert asked[0] == (None, [3.0], [0])
    assert len(asked) == 3  # nothing to judge without validation
    train, val, steps = asked[2]
    assert (val, steps) == ([2.0, 1.5], [2, 4])  # what came before the first training loss is not
    assert train[0] == 1
    assert math.isnan(train[1])
    assert watched.keep == "undetermined: keep the checkpoint of step 4"


def test_every_so_many_evaluations_but_at_once_if_not_finite(tmp_path):
    asked = []
    watched = Watcher(tmp_path, judge=judge_at(4, asked), every=3)
    stops = [watched.evaluated(step, val=1.0) for step in range(1, 7)]
    assert stops == [False] * 5 + [True]
    assert len(asked) == 2
    watched.evaluated(7, val=math.nan)
    assert len(asked) == 3


def test_verdicts_to_stop_on(tmp_path):
    never = Watcher(tmp_path, judge=judge_at(1), stop_on=())
    assert not never.evaluated(1, val=1.0)
    with pytest.raises(RunError, match=r"stop_on names \['overfiting'\]; the verdicts are cannot"):
        Watcher(tmp_path, stop_on=["overfiting"])
    with pytest.raises(RunError, match="every is 0; expected at least 1"):
        Watcher(tmp_path, every=0)


def test_metrics_by_name(tmp_path):
    watched = Watcher(Run(tmp_path / "a"), judge=judge_at(2))
    assert not watched.evaluated_by_name(1, {})
    named = {"acc": 0.5, "val_acc": 0.4, "lr": 0.1}
    assert not watched.evaluated_by_name(2, named)
    assert watched.better == "higher"
    assert watched.evaluated_by_name(3, named)
    log = read_run(tmp_path / "a")
    assert log.series["val_acc"].values.tolist() == [0.4, 0.4]
    assert sorted(log.series) == ["acc", "lr", "val_acc"]
    assert (pair(log).val, pair(log).better) == ("val_acc", "higher")


def test_the_usual_judge_stops_what_overfits(tmp_path):
    rng = np.random.default_rng(0)
    watched = Watcher(tmp_path)
    for epoch in range(1, 101):
        val = (0.4 + 1 / epoch + 0.006 * epoch) * (1 + 0.01 * rng.standard_normal())
        if watched.evaluated(epoch, train=1 / epoch, val=val):
            break
    assert epoch < 90
    assert watched.verdict.verdict == "overfitting"
    assert watched.verdict.live
    assert abs(watched.best - 13) < 8


# --- the trainers --------------------------------------------------------------------------------


@ANY_WARNING
def test_keras(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    x, y, x_val, y_val = digits()
    model = keras.Sequential([keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    callback = callbacks.keras_callback(watcher(tmp_path / "a"))
    assert isinstance(callback, keras.callbacks.Callback)
    seen = model.fit(
        x, y, validation_data=(x_val, y_val), epochs=9, verbose=0, callbacks=[callback]
    )
    log = read_run(tmp_path / "a")
    assert len(seen.history["loss"]) == 4
    assert log.series["loss"].values.tolist() == seen.history["loss"]
    assert log.series["val_loss"].values.tolist() == seen.history["val_loss"]
    assert log.series["val_accuracy"].values.tolist() == seen.history["val_accuracy"]
    assert log.series["val_loss"].steps.tolist() == [1, 2, 3, 4]
    assert callback.watcher.best == 2


@ANY_WARNING
def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning")
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Linear(64, 10)

        def training_step(self, batch):
            loss = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch):
            self.log("val_loss", torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    x, y, x_val, y_val = digits()
    loaders = [
        DataLoader(TensorDataset(torch.tensor(a), torch.tensor(b)), 50)
        for a, b in ((x, y), (x_val, y_val))
    ]
    callback = callbacks.lightning_callback(watcher(tmp_path / "a"))
    trainer = lightning.Trainer(
        max_epochs=12, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", callbacks=[callback],
        check_val_every_n_epoch=2, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Net(), *loaders)
    log = read_run(tmp_path / "a")
    train, val = pair(log).of(log)
    assert val.steps.tolist() == [2, 4, 6, 8]  # epochs that were validated
    assert train.steps.tolist() == [2, 4, 6, 8]
    assert np.all(np.diff(train.values) < 0)
    assert trainer.current_epoch == 8
    assert callback.watcher.best == 4


@ANY_WARNING
def test_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Linear(64, 10)

        def forward(self, x, labels):
            logits = self.net(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    def rows(x, y):
        return [{"x": torch.tensor(a), "labels": int(b)} for a, b in zip(x, y, strict=True)]

    x, y, x_val, y_val = digits()
    told = transformers.TrainingArguments(
        str(tmp_path / "out"), num_train_epochs=9, per_device_train_batch_size=50, logging_steps=2,
        eval_strategy="epoch", save_strategy="epoch", report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    callback = callbacks.transformers_callback(watcher(tmp_path / "a"))
    trainer = transformers.Trainer(
        Net(), told, train_dataset=rows(x, y), eval_dataset=rows(x_val, y_val), callbacks=[callback]
    )
    trainer.train()
    log, peer = read_run(tmp_path / "a"), read_run(tmp_path / "out")
    assert log.series["val"].steps.tolist() == [4, 8, 12, 16]
    np.testing.assert_array_equal(log.series["val"].values, peer.series["eval_loss"].values)
    pairs_of_logs = peer.series["loss"].values.reshape(4, 2)  # two logs before each evaluation
    np.testing.assert_allclose(log.series["train"].values, pairs_of_logs.mean(axis=1))
    assert sorted(log.series) == ["train", "val"]
    assert callback.checkpoint == tmp_path / "out" / "checkpoint-8"
    callback.checkpoint.rename(tmp_path / "deleted")
    assert callback.checkpoint is None


def boosted(log, learned, validated, best):
    """What was logged is what the trainer itself recorded, up to where it stopped."""
    train, val = pair(log).of(log)
    np.testing.assert_allclose(train.values, learned, rtol=1e-12)
    np.testing.assert_allclose(val.values, validated, rtol=1e-12)
    assert val.steps.tolist() == list(range(len(validated)))
    assert best == 1


@ANY_WARNING
def test_xgboost(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    x, y, x_val, y_val = digits()
    train, val = xgboost.DMatrix(x, y % 2), xgboost.DMatrix(x_val, y_val % 2)
    callback = callbacks.xgboost_callback(watcher(tmp_path / "a", count=6))
    seen = {}
    told = {"objective": "binary:logistic", "eval_metric": ["auc", "logloss"], "nthread": 1}
    model = xgboost.train(
        told, train, 30, evals=[(train, "train"), (val, "eval")], evals_result=seen,
        verbose_eval=False, callbacks=[callback],
    )  # fmt: skip
    log = read_run(tmp_path / "a")
    boosted(log, seen["train"]["logloss"], seen["eval"]["logloss"], callback.watcher.best)
    assert log.series["eval/auc"].values.tolist() == seen["eval"]["auc"]
    assert model.num_boosted_rounds() == 6
    assert model.best_iteration == 1


@ANY_WARNING
def test_lightgbm(tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    x, y, x_val, y_val = digits()
    train = lightgbm.Dataset(x, y % 2)
    callback = callbacks.lightgbm_callback(watcher(tmp_path / "a", count=6))
    seen = {}
    model = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1}, train, 30,
        valid_sets=[train, lightgbm.Dataset(x_val, y_val % 2)],
        callbacks=[lightgbm.record_evaluation(seen), callback],
    )  # fmt: skip
    losses = [seen[part]["binary_logloss"] for part in ("training", "valid_1")]
    boosted(read_run(tmp_path / "a"), *losses, callback.watcher.best)
    assert len(losses[0]) == 6
    assert model.best_iteration == 2  # LightGBM counts from 1


@ANY_WARNING
def test_catboost(tmp_path):
    catboost = pytest.importorskip("catboost")
    x, y, x_val, y_val = digits()
    callback = callbacks.catboost_callback(watcher(tmp_path / "a", count=6))
    model = catboost.CatBoostClassifier(
        iterations=30, verbose=False, thread_count=1, train_dir=str(tmp_path / "info"),
        use_best_model=False,
    )  # fmt: skip
    model.fit(x, y % 2, eval_set=(x_val, y_val % 2), callbacks=[callback])
    seen = model.get_evals_result()
    losses = [seen[part]["Logloss"] for part in ("learn", "validation")]
    boosted(read_run(tmp_path / "a"), *losses, callback.watcher.best)
    assert model.tree_count_ == 6


def test_the_estimators_of_xgboost_and_lightgbm_take_them(tmp_path):
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    x, y, x_val, y_val = digits()
    first = callbacks.xgboost_callback(Watcher(tmp_path / "x", judge=judge_at(10), every=5))
    model = xgboost.XGBClassifier(n_estimators=30, n_jobs=1, callbacks=[first])
    model.fit(x, y, eval_set=[(x, y), (x_val, y_val)], verbose=False)
    log = read_run(tmp_path / "x")
    assert len(pair(log).of(log)[1]) == 10
    second = callbacks.lightgbm_callback(Watcher(tmp_path / "l", judge=judge_at(10), every=5))
    model = lightgbm.LGBMRegressor(n_estimators=30, n_jobs=1, verbosity=-1)
    model.fit(x, y, eval_X=x_val, eval_y=y_val, callbacks=[second])
    log = read_run(tmp_path / "l")
    train, val = pair(log).of(log)
    assert (train, len(val)) == (None, 10)


def test_a_loop_of_partial_fits(tmp_path):
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import log_loss

    x, y, x_val, y_val = digits(np.float64)
    model, seen = SGDClassifier(loss="log_loss", random_state=0), []
    with Run(tmp_path) as run:
        for epoch in range(1, 6):
            model.partial_fit(x, y, classes=range(10))
            seen.append(log_loss(y_val, model.predict_proba(x_val)))
            run.log(epoch, val=seen[-1], accuracy=model.score(x_val, y_val))
    log = read_run(tmp_path)
    assert log.series["val"].values.tolist() == seen
    assert log.series["val"].steps.tolist() == [1, 2, 3, 4, 5]
    assert pair(log).val == "val"


def test_the_history_of_offbys_own_estimators(tmp_path):
    from offby.fit import Descent, LinearRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    y = X @ np.arange(5.0) + rng.normal(size=300)
    model = LinearRegressor("squared", solver=Descent("sgd", validation=0.2)).fit(X, y)
    callbacks.log_history(tmp_path, model)
    logged = read_run(tmp_path)
    assert pair(logged).val == "val"
    assert np.array_equal(logged.series["train"].values, model.history_["objective"])
    assert np.array_equal(logged.series["val"].values, model.history_["validation"])
    with pytest.raises(RunError, match="a LinearRegressor has no history"):
        callbacks.log_history(tmp_path, LinearRegressor("squared"))
