"""Training logs: read whole or as they grow, damaged or not, to the same curves."""

import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offby.errors import RunError
from offby.runs.better import better
from offby.runs.csv_log import CsvPart
from offby.runs.curves import RunLog, Series
from offby.runs.document import history
from offby.runs.find import find_runs, read_run
from offby.runs.jsonl import JsonlPart
from offby.runs.pairing import pair
from offby.runs.rows import Rows
from offby.runs.run import Run
from offby.runs.tensorboard import EventsPart
from offby.runs.wire import crc_table, masked_crc

LOGS = Path(__file__).parent / "data" / "training_logs"
TRAIN = [1.0, 0.7, 0.5, 0.4, 0.33, 0.28]
VAL = [1.1, 0.8, 0.65, 0.6, 0.62, 0.66]
EVENTS = LOGS / "tensorboard_tensors" / "train" / "events.out.tfevents.0.host"


def values(log, name):
    return log.series[name].values.tolist()


def steps(log, name):
    return log.series[name].steps.tolist()


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- what the true libraries wrote --------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "train", "val"),
    [
        ("tensorboard", "Loss/train", "Loss/val"),
        ("tensorboard_tensors", "train/epoch_loss", "validation/epoch_loss"),
        ("tensorboard_add_scalars", "loss_train/loss", "loss_val/loss"),
    ],
)
def test_event_files(place, train, val):
    log = read_run(LOGS / place)
    chosen = pair(log)
    assert (chosen.train, chosen.val, chosen.better) == (train, val, "lower")
    assert values(log, train) == [float(np.float32(value)) for value in TRAIN]
    assert values(log, val) == [float(np.float32(value)) for value in VAL]
    assert steps(log, val) == list(range(6))


def test_a_resumed_event_file_says_so():
    log = read_run(LOGS / "tensorboard")
    assert log.series["Loss/train"].times.tolist() == [100.0, 101, 102, 106, 107, 108]
    assert "'Loss/train' was logged again at 1 of its steps (resumed?)" in log.notes[0]


def test_event_files_as_tensorboard_reads_them():
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for file in sorted(LOGS.rglob("*tfevents*")):
        peer = EventAccumulator(str(file), size_guidance={"scalars": 0, "tensors": 0})
        peer.Reload()
        part = EventsPart(file)
        part.poll()
        found = part.curves().series
        for tag in peer.Tags()["scalars"]:
            events = peer.Scalars(tag)
            assert found[tag].values.tolist() == [event.value for event in events]
            assert found[tag].steps.tolist() == [event.step for event in events]
            assert found[tag].times.tolist() == [event.wall_time for event in events]
        assert set(peer.Tags()["scalars"]) <= set(found)


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("store", ["mlflow/mlflow.db", "mlflow/mlruns", "trackio/digits.db"])
def test_stores_of_many_runs(store, name):
    (run,) = (run for run in find_runs(LOGS / store) if run.name == name)
    log = run.read()
    assert pair(log).train == "train/loss"
    assert pair(log).val == "val/loss"
    assert values(log, "train/loss") == TRAIN
    assert values(log, "val/loss")[:6] == VAL
    last = values(log, "val/loss")[6]
    assert math.isnan(last) if name == "b" else last == math.inf
    assert steps(log, "val/loss") == list(range(7))
    assert log.series["val/loss"].times.min() > 1.7e9


def test_lightning():
    log = read_run(LOGS / "lightning")
    assert (log.axis, log.name) == ("step", "lightning_logs/version_0")
    assert str(pair(log)).startswith("train: train_loss_epoch, validation: val_loss")
    assert pair(log, train="train_loss_step").val == "val_loss"
    assert len(log.series["train_loss_step"]) == 12
    assert steps(log, "val_loss") == [9, 19, 29, 39, 49, 59]
    assert log.notes == ()


def test_keras():
    log = read_run(LOGS / "keras_csv")
    chosen = pair(log)
    assert (chosen.train, chosen.val) == ("loss", "val_loss")
    assert chosen.others == (("accuracy", "val_accuracy"),)
    assert log.axis == "epoch"
    assert steps(log, "val_loss") == list(range(6))


def test_hugging_face_reads_the_checkpoint_that_reaches_furthest(tmp_path):
    log = read_run(LOGS / "huggingface")
    assert str(pair(log)) == "train: loss, validation: eval_loss (lower is better)"
    assert steps(log, "eval_loss") == [38, 76, 114]
    folder = tmp_path / "out"
    shutil.copytree(LOGS / "huggingface" / "checkpoint-38", folder / "checkpoint-38")
    (run,) = find_runs(folder)
    assert steps(run.read(), "eval_loss") == [38]
    shutil.copytree(LOGS / "huggingface" / "checkpoint-114", folder / "checkpoint-114")
    assert steps(run.read(), "eval_loss") == [38, 76, 114]
    assert not run.poll()


@pytest.mark.parametrize(
    ("file", "train", "val"),
    [
        ("xgboost.json", "train/logloss", "eval/logloss"),
        ("lightgbm.json", "training/binary_logloss", "valid_1/binary_logloss"),
        ("catboost.json", "learn/Logloss", "validation/Logloss"),
        ("catboost_info", "learn/Logloss", "test/Logloss"),
    ],
)
def test_boosting(file, train, val):
    log = read_run(LOGS / "boosting" / file)
    chosen = pair(log)
    assert (chosen.train, chosen.val, chosen.better) == (train, val, "lower")
    assert steps(log, train) == list(range(12))
    assert np.all(np.diff(log.series[train].values) < 0)
    assert log.notes == ()


def test_every_sample_in_one_folder():
    found = find_runs(LOGS)
    names = [run.name for run in found]
    assert len(names) == len(set(names)) == 16
    assert {run.format for run in found} == {
        "tensorboard", "csv", "json", "catboost", "huggingface", "mlflow", "trackio",
    }  # fmt: skip
    for run in found:
        chosen = pair(run.read())
        assert chosen.train
        assert chosen.val


def test_nothing_of_the_frameworks_is_imported():
    code = f"""
import sys
from offby.runs.find import find_runs
for run in find_runs({str(LOGS)!r}):
    run.read()
heavy = {{"torch", "tensorboard", "keras", "lightning", "transformers", "xgboost", "lightgbm",
         "catboost", "mlflow", "trackio", "pandas", "google.protobuf"}}
print(sorted(heavy & set(sys.modules)))"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# --- growing and damaged files -------------------------------------------------------------------

JSONL = b"".join(
    json.dumps({"step": i, "loss": 1 / i, **({"eval_loss": 2 / i} if i % 3 == 0 else {})}).encode()
    + b"\n"
    for i in range(1, 13)
)
GROWING = {
    "a.tfevents": (EventsPart, EVENTS.read_bytes()),
    "a.jsonl": (JsonlPart, JSONL),
    "metrics.csv": (
        CsvPart,
        (LOGS / "lightning/lightning_logs/version_0/metrics.csv").read_bytes(),
    ),
}


def same(found, expected):
    assert set(found.series) == set(expected.series)
    for name, series in expected.series.items():
        np.testing.assert_array_equal(found.series[name].steps, series.steps)
        np.testing.assert_array_equal(found.series[name].values, series.values)


def whole(part, path, data):
    path.write_bytes(data)
    made = part(path)
    made.poll()
    return made.curves()


@pytest.mark.parametrize("name", GROWING)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.floats(0, 1), max_size=6))
def test_a_file_read_as_it_grows_gives_the_same(tmp_path, name, cuts):
    part, data = GROWING[name]
    expected = whole(part, tmp_path / f"whole_{name}", data)
    path = tmp_path / name
    path.write_bytes(b"")
    made = part(path)
    for end in [*sorted(int(cut * len(data)) for cut in cuts), len(data)]:
        with path.open("ab") as file:
            file.write(data[path.stat().st_size : end])
        made.poll()
        assert not made.poll()
    same(made.curves(), expected)
    assert made.curves().notes == expected.notes


@pytest.mark.parametrize("name", GROWING)
def test_a_file_cut_anywhere_gives_what_stands_before(tmp_path, name):
    part, data = GROWING[name]
    expected = whole(part, tmp_path / name, data)
    for end in range(0, len(data), 17):
        found = whole(part, tmp_path / name, data[:end])
        for metric, series in found.series.items():
            count = len(series)
            np.testing.assert_array_equal(series.values, expected.series[metric].values[:count])


def test_what_is_cut_off_is_said(tmp_path):
    for name, (part, data) in GROWING.items():
        found = whole(part, tmp_path / name, data[:-3])
        assert "left" in found.notes[-1] or "no whole record" in found.notes[-1]


def records(data):
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        yield at, at + 12 + length + 4
        at += 12 + length + 4


def test_a_flipped_byte_costs_one_record(tmp_path):
    data = EVENTS.read_bytes()
    clean = whole(EventsPart, tmp_path / "a.tfevents", data).series["epoch_loss"]
    for start, end in records(data):
        for at in (start + 3, start + 9, (start + end) // 2, end - 1):
            damaged = bytearray(data)
            damaged[at] ^= 0x55
            found = whole(EventsPart, tmp_path / "a.tfevents", bytes(damaged))
            left = found.series["epoch_loss"]
            assert len(clean) - 1 <= len(left)
            assert set(left.values) <= set(clean.values)
            assert len(found.notes) == 1  # the checksum, the bytes gone over, or the last bytes
    assert "no whole record" in found.notes[0] or "checksum" in found.notes[0]


def test_the_checksum_is_castagnoli():
    digits = np.frombuffer(b"123456789", dtype=np.uint8)
    crc = 0xE3069283  # the check value of the catalogue of parametrised CRC algorithms
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked_crc(digits, 0, 9, crc_table()) == masked


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=400))
def test_rubbish_is_read_as_nothing(tmp_path, data):
    found = whole(EventsPart, tmp_path / "a.tfevents", data)
    assert not found.series
    assert bool(found.notes) == bool(data)


def test_a_file_written_anew_is_read_anew(tmp_path):
    path = written(tmp_path / "metrics.csv", "epoch,loss\n1,0.5\n2,0.4\n")
    run = find_runs(tmp_path)[0]
    assert values(run.read(), "loss") == [0.5, 0.4]
    written(path, "epoch,loss,val_loss\n1,0.5,\n2,0.4,\n2,,0.6\n")  # as loggers do for a new column
    assert values(run.read(), "loss") == [0.5, 0.4]
    assert values(run.read(), "val_loss") == [0.6]
    written(path, "epoch,loss\n1,9\n")
    assert values(run.read(), "loss") == [9]
    path.unlink()
    assert values(run.read(), "loss") == [9]  # what was read stays


def test_new_event_files_of_a_run_are_found(tmp_path):
    first, second = sorted((LOGS / "tensorboard").iterdir())
    shutil.copy(first, tmp_path)
    run = find_runs(tmp_path)[0]
    assert steps(run.read(), "Loss/val") == [0, 1, 2, 3]
    shutil.copy(second, tmp_path)
    assert steps(run.read(), "Loss/val") == [0, 1, 2, 3, 4, 5]


# --- rows ----------------------------------------------------------------------------------------


def curves(*rows):
    made = Rows()
    made.extend(rows)
    return made.curves()


def test_rows_without_a_step_get_the_last_one():
    found = curves(
        {"epoch": 0, "val_loss": 3.0},
        {"step": 10, "loss": 2.0},
        {"step": 20, "loss": 1.5},
        {"epoch": 1, "val_loss": 1.8},
    )
    assert found.series["val_loss"].steps.tolist()[1:] == [20]
    assert math.isnan(found.series["val_loss"].steps[0])
    assert found.notes == (
        "1 row without 'step': the last one logged before stands for it",
        "1 row left out: before the first 'step'",
    )


def test_steps_that_start_again_in_each_epoch_are_counted():
    found = curves(*({"epoch": e, "batch": b, "loss": 1.0} for e in (1, 2) for b in (1, 2, 3)))
    assert found.axis == "row"
    assert found.series["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert "starts again in each epoch" in found.notes[0]


def test_a_resumed_run_keeps_its_steps(tmp_path):
    rows = [(1, 1, 5.0), (1, 2, 4.0), (2, 3, 3.5), (2, 4, 3.0), (1, 2, 3.9), (2, 3, 2.0)]
    lines = [json.dumps(dict(zip(("epoch", "step", "loss"), row, strict=True))) for row in rows]
    log = read_run(written(tmp_path / "a.jsonl", "\n".join(lines) + "\n"))
    assert steps(log, "loss") == [1, 2, 3, 4]
    assert values(log, "loss") == [5.0, 3.9, 2.0, 3.0]
    assert "logged again at 2 of its steps" in log.notes[-1]


def test_many_rows_an_epoch_are_counted():
    found = curves(*({"epoch": i // 5, "loss": i} for i in range(20)))
    assert found.axis == "row"
    assert len(found.series["loss"]) == 20


def test_a_column_that_names_the_part():
    rows = ({"epoch": e, "phase": part, "loss": e} for e in (1, 2) for part in ("train", "val"))
    found = curves(*rows)
    assert sorted(found.series) == ["train/loss", "val/loss"]
    assert found.series["val/loss"].steps.tolist() == [1, 2]


def test_the_time_is_seconds_since_1970_or_a_metric():
    assert curves({"step": 1, "time": 1.7e9, "loss": 1}).series["loss"].times.tolist() == [1.7e9]
    elapsed = curves({"step": 1, "time": 2.5, "loss": 1})
    assert elapsed.series["loss"].times is None
    assert elapsed.series["time"].values.tolist() == [2.5]


def test_numbers_as_words_and_words():
    found = curves({"step": 1, "loss": "0,5"}, {"step": 2, "loss": "Infinity", "who": "me"})
    assert found.series["loss"].values.tolist() == [math.inf]
    assert found.notes == ("1 cell of 'loss' left out: not a number (the first: '0,5')",)


# --- CSV, JSON lines, documents ------------------------------------------------------------------


def test_a_header_that_changes(tmp_path):
    text = "epoch,loss\n1,0.9\nepoch,loss,val_loss\n2,0.8,0.85\n3,0.7,0.8\nval_loss,epoch\n0.7,4\n"
    log = read_run(written(tmp_path / "log.csv", text))
    assert values(log, "loss") == [0.9, 0.8, 0.7]
    assert steps(log, "val_loss") == [2, 3, 4]
    assert log.notes == ("2 new headers: rows are read under the one above them",)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_kinds_of_csv(tmp_path, separator, mark, end):
    rows = [("Epoch", "Train Loss", "Val Loss"), ("1", "0.5", "nan"), ("2", "", "0.4"), ("3",)]
    text = mark + "".join(separator.join(row) + end for row in rows)
    path = tmp_path / "history.csv"
    path.write_bytes(text.encode())
    log = read_run(path)
    assert steps(log, "Train Loss") == [1]
    assert steps(log, "Val Loss") == [1, 2]  # a blank is not logged, a NaN is
    assert math.isnan(values(log, "Val Loss")[0])
    assert log.notes == ("1 line skipped: 1 cells where the header has 3",)
    assert str(pair(log)).startswith("train: Train Loss, validation: Val Loss")


def test_quotes_and_long_cells_cost_a_line(tmp_path):
    long = "x" * 200_000
    text = f'epoch,loss,note\n1,0.5,"a, b"\n2,0.4,"cut\n3,0.3,ok\n4,0.2,{long}\n5,1e999,\n'
    log = read_run(written(tmp_path / "a.csv", text))
    assert steps(log, "loss") == [1, 2, 3, 5]
    assert values(log, "loss") == [0.5, 0.4, 0.3, math.inf]
    assert log.notes == ("1 line skipped: 1 cells where the header has 3",)


def test_metrics_before_the_first_step_alone(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"lr": 0.1}\n{"step": 1, "loss": 1e400}\n')
    log = read_run(path)
    assert set(log.series) == {"loss"}
    assert log.notes == ("1 row left out: before the first 'step'",)


def test_numbers_too_large_are_no_numbers():
    found = curves({"step": 1, "loss": 10**400}, {"step": 2, "loss": 1})
    assert found.series["loss"].steps.tolist() == [2]


def test_two_columns_of_the_same_name(tmp_path):
    log = read_run(written(tmp_path / "a.csv", "step,loss,loss\n1,0.5,0.6\n"))
    assert values(log, "loss") == [0.5]
    assert values(log, "loss.2") == [0.6]


def test_json_lines_with_bad_ones(tmp_path):
    text = '{"step":1,"loss":1}\n{"step":2,"lo\n\n[3]\n{"step":3,"loss":NaN}\n'
    log = read_run(written(tmp_path / "a.jsonl", text))
    assert steps(log, "loss") == [1, 3]
    assert log.notes == ("2 lines skipped: not a JSON object",)


def test_lines_that_only_together_are_json(tmp_path):
    text = '{"loss":1},{"loss":2}\n{"loss":3,\n"a":4}\n{"loss":[{}\n{}]}\n'
    log = read_run(written(tmp_path / "a.jsonl", text))
    assert log.series == {}
    assert log.notes[-1] == "5 lines skipped: not a JSON object"


def test_what_may_not_be_read_is_said_and_hides_nothing_else(tmp_path, monkeypatch):
    for name in ("open.csv", "closed.csv", "closed/hidden.csv"):
        written(tmp_path / name, "epoch,loss\n1,0.5\n")
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how: "closed" not in str(path) and may(path, how)
    )
    found = {run.path.relative_to(tmp_path).as_posix(): run.read() for run in find_runs(tmp_path)}
    assert values(found.pop("open.csv"), "loss") == [0.5]
    assert [log.notes for log in found.values()] == [
        ("closed may not be read: permission denied",),
        ("closed.csv may not be read: permission denied",),
    ]
    (again,) = (run for run in find_runs(tmp_path) if run.path.name == "closed.csv")
    assert not again.read().series
    monkeypatch.undo()
    assert values(again.read(), "loss") == [0.5]


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    with pytest.raises(RunError, match="is empty; expected a training log"):
        find_runs(written(tmp_path / "a.csv", ""))
    (run,) = find_runs(written(tmp_path / "b.csv", "epoch,loss,val_loss\n"))
    with pytest.raises(RunError, match="holds no curve to watch; it has no numbers so far"):
        pair(run.read())
    log = read_run(written(tmp_path / "c.csv", "epoch,lr,loss\n1,0.1,\n"))
    with pytest.raises(RunError, match="it has only: lr"):
        pair(log)


def test_an_event_file_without_a_whole_record(tmp_path):
    (tmp_path / "events.out.tfevents.0").write_bytes(bytes(range(200)))
    (note,) = read_run(tmp_path).notes
    assert "200 bytes at its start hold no whole record: damaged, or being written" in note


def test_a_document_that_is_being_written(tmp_path):
    path = written(tmp_path / "results.json", '{"train": {"rmse": [2, 1]}, "eval": {"rmse": [3, ')
    run = find_runs(path)[0]
    assert run.read().notes == ("results.json is not whole JSON: being written?",)
    written(path, '{"train": {"rmse": [2, 1]}, "eval": {"rmse": [3, null]}}')
    log = run.read()
    assert math.isnan(values(log, "eval/rmse")[1])
    written(path, '{"train": ')
    assert values(run.read(), "train/rmse") == [2, 1]
    assert "not whole JSON" in run.read().notes[0]


def test_histories():
    keras = history({"loss": [2, 1], "val_loss": [3, 2], "names": ["a"]})
    assert keras.axis == "epoch"
    assert keras.series["val_loss"].steps.tolist() == [1, 2]
    assert keras.notes == ("'names' is not a list of numbers: left out",)
    assert history([{"step": 5, "loss": 1.0}, 7]).series["loss"].steps.tolist() == [5]
    assert "expected lists of numbers" in history(3).notes[0]
    assert "expected lists of numbers" in history({"a": 1}).notes[0]


def test_a_million_points(tmp_path):
    count = 1_000_000
    lines = "\n".join(map(str, range(count, 0, -1)))
    log = read_run(written(tmp_path / "a.csv", f"loss\n{lines}\n"))
    assert len(log.series["loss"]) == count
    assert log.series["loss"].steps[-1] == count
    assert log.series["loss"].values[-1] == 1


def test_one_point(tmp_path):
    log = read_run(written(tmp_path / "a.csv", "epoch,val_loss\n1,0.5\n"))
    assert values(log, "val_loss") == [0.5]
    assert (pair(log).train, pair(log).val) == (None, "val_loss")


# --- databases -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("store", "query"),
    [
        (
            "mlflow/mlflow.db",
            "INSERT INTO metrics SELECT 'val/loss', 0.25, 1795311405099, run_uuid, 9, 0 "
            "FROM runs WHERE name = 'a'",
        ),
        (
            "trackio/digits.db",
            "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) SELECT run_id, "
            "timestamp, run_name, 9, '{\"val/loss\": 0.25}' FROM metrics "
            "WHERE run_name = 'a' LIMIT 1",
        ),
    ],
)
def test_a_database_is_followed(tmp_path, store, query):
    path = Path(shutil.copy(LOGS / store, tmp_path))
    first, other = find_runs(path)
    assert (first.name, other.name) == ("a", "b")
    before = values(first.read(), "val/loss")
    other.read()
    with closing(sqlite3.connect(path)) as base:
        base.execute(query)
        base.commit()
    assert first.poll()
    assert not other.poll()
    assert values(first.read(), "val/loss") == [*before, 0.25]
    assert steps(first.read(), "val/loss")[-1] == 9


def test_an_older_trackio_without_run_ids(tmp_path):
    with closing(sqlite3.connect(tmp_path / "p.db")) as base:
        base.execute(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL, "
            "run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL)"
        )
        rows = [("2025-01-01T00:00:00", "r", i, json.dumps({"loss": 1 / (i + 1)})) for i in (0, 1)]
        insert = "INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?)"
        base.executemany(insert, [*rows, ("?", "r", 2, "cut")])
        base.commit()
    log = read_run(tmp_path / "p.db")
    assert (log.name, values(log, "loss")) == ("r", [1.0, 0.5])
    assert log.notes == ("1 row skipped: not a JSON object",)


def test_other_databases_are_no_runs(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as base:
        base.execute("CREATE TABLE metrics (x)")
        base.commit()
    (tmp_path / "b.db").write_bytes(b"SQLite format 3\x00" + bytes(50))
    (tmp_path / "c.db").write_bytes(b"other")
    with pytest.raises(RunError, match="no training log was found"):
        find_runs(tmp_path)


def test_deleted_runs_of_mlflow_are_left_out(tmp_path):
    shutil.copytree(LOGS / "mlflow", tmp_path / "m")
    with closing(sqlite3.connect(tmp_path / "m" / "mlflow.db")) as base:
        base.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'b'")
        base.commit()
    assert [run.name for run in find_runs(tmp_path / "m" / "mlflow.db")] == ["a"]
    for meta in (tmp_path / "m" / "mlruns").rglob("meta.yaml"):
        if "run_name: b" in meta.read_text():
            meta.write_text(meta.read_text().replace("stage: active", "stage: deleted"))
    assert [run.name for run in find_runs(tmp_path / "m" / "mlruns")] == ["a"]


# --- finding -------------------------------------------------------------------------------------


def test_names_are_unique_and_in_natural_order(tmp_path):
    for number in (10, 2, 1):
        written(tmp_path / f"version_{number}" / "metrics.csv", "epoch,loss\n1,1\n")
    written(tmp_path / "version_1" / "log.jsonl", '{"loss": 1}\n')
    written(tmp_path / "notes.csv", "price,size\n1,2\n")
    names = [run.name for run in find_runs(tmp_path)]
    assert names == ["version_1/log.jsonl", "version_1/metrics.csv", "version_2", "version_10"]


def test_runs_that_are_known_come_back(tmp_path):
    Run(tmp_path / "a").log(1, train=1.0, val=2.0)
    before = find_runs(tmp_path)
    Run(tmp_path / "b").log(1, train=1.0, val=2.0)
    after = find_runs(tmp_path, before)
    assert [run.name for run in after] == ["a", "b"]
    assert after[0] is before[0]


def test_a_run_called_test_stays_a_run(tmp_path):
    for name in ("baseline", "test"):
        shutil.copytree(LOGS / "tensorboard", tmp_path / name)
    assert [run.name for run in find_runs(tmp_path)] == ["baseline", "test"]


def test_nowhere_and_nothing(tmp_path):
    with pytest.raises(RunError, match=r"there is no '.*absent'; expected a file or a folder"):
        find_runs(tmp_path / "absent")
    with pytest.raises(RunError, match=r"no training log was found in .*offby reads TensorBoard"):
        find_runs(tmp_path)
    with pytest.raises(RunError, match=r"no training log was found"):
        find_runs(written(tmp_path / "a.csv", "price,size\n1,2\n"))
    with pytest.raises(RunError, match=r"holds 2 runs \(a, b\); expected one"):
        read_run(LOGS / "trackio")


# --- pairing -------------------------------------------------------------------------------------


def log_of(*names, **counts):
    made = dict.fromkeys(names, 10) | counts
    series = {name: Series(np.arange(n, dtype=float), np.ones(n)) for name, n in made.items()}
    return RunLog("a", Path("a"), "csv", "step", series)


@pytest.mark.parametrize(
    ("names", "train", "val"),
    [
        (("train_loss", "val_loss"), "train_loss", "val_loss"),
        (("loss", "eval_loss", "eval_runtime", "learning_rate"), "loss", "eval_loss"),
        (("train/loss", "val/loss", "train/acc", "val/acc"), "train/loss", "val/loss"),
        (("acc/train", "acc/test", "Loss/train", "Loss/test"), "Loss/train", "Loss/test"),
        (("learn/RMSE", "test/RMSE"), "learn/RMSE", "test/RMSE"),
        (("training/l2", "valid_0/l2"), "training/l2", "valid_0/l2"),
        (("validation_0/rmse", "validation_1/rmse"), "validation_0/rmse", "validation_1/rmse"),
        (("trainLoss", "validLoss"), "trainLoss", "validLoss"),
        (("train", "val", "lr"), "train", "val"),
        (("loss", "test_loss", "val_loss"), "loss", "val_loss"),
        (("train_loss_step", "train_loss_epoch", "val_loss"), "train_loss_epoch", "val_loss"),
        (("loss", "eval_news_loss", "eval_wiki_loss"), "loss", "eval_news_loss"),
        (("loss",), "loss", None),
        (("val_loss", "lr"), None, "val_loss"),
        (("train_mae", "val_mae", "train_auc", "val_auc"), "train_mae", "val_mae"),
    ],
)
def test_pairs_by_name(names, train, val):
    chosen = pair(log_of(*names))
    assert (chosen.train, chosen.val) == (train, val)


def test_a_sum_at_the_end_is_no_curve():
    log = log_of("loss", "eval_loss", train_loss=1)
    assert pair(log).train == "loss"


def test_pairs_that_are_set():
    log = log_of("train_loss", "val_loss", "train_acc", "val_acc", "other")
    assert (pair(log, val="val_acc").train, pair(log, val="val_acc").better) == (
        "train_acc",
        "higher",
    )
    assert pair(log, train="other", val="val_loss").train == "other"
    assert pair(log, better="higher").better == "higher"
    assert pair(log, val="train_loss").train is None
    with pytest.raises(RunError, match=r"no curve 'val_los'; did you mean 'val_loss'"):
        pair(log, val="val_los")
    with pytest.raises(RunError, match="holds no curve to watch"):
        pair(log_of("lr", "epoch"))


def by_steps_and_epochs(count, train_times=None, val_times=None):
    train = Series(np.arange(1.0, 10 * count + 1), np.ones(10 * count), train_times)
    val = Series(np.arange(1.0, count + 1), np.ones(count), val_times)
    return RunLog("a", Path("a"), "tensorboard", "step", {"loss/train": train, "loss/val": val})


def test_steps_and_epochs_on_one_axis_by_the_clock():
    times = 1e9 + np.cumsum(np.linspace(3, 1, 100))  # training speeds up
    log = by_steps_and_epochs(10, times, times[9::10] + 0.01)
    train, val = pair(log).of(log)
    np.testing.assert_allclose(train.steps[9:], np.arange(10, 101) / 10, atol=0.05)
    np.testing.assert_allclose(train.steps[:9], np.arange(1, 10) / 10, atol=0.11)
    assert val is log.series["loss/val"]
    assert "training ends at 100 and validation at 10: steps and epochs" in pair(log).note(log)
    assert pair(log).note(log).endswith("by their times")


def test_steps_and_epochs_without_a_clock():
    for times in (None, np.full(10, 1e9)):
        log = by_steps_and_epochs(10, None if times is None else np.full(100, 1e9), times)
        train, _ = pair(log).of(log)
        np.testing.assert_allclose(train.steps, np.arange(1, 101) / 10)
        assert pair(log).note(log).endswith("as if both ended together")


def test_epochs_of_training_beside_steps_of_validation():
    log = by_steps_and_epochs(10, 1e9 + np.arange(1.0, 101), 1e9 + np.arange(10.0, 101, 10))
    chosen = pair(log, train="loss/val", val="loss/train")
    train, val = chosen.of(log)
    np.testing.assert_allclose(train.steps, np.arange(10, 101, 10))
    assert len(val) == 100


def test_one_axis_stays_as_it_is():
    ended = by_steps_and_epochs(10, 1e9 + np.arange(100.0), 1e9 + np.arange(10.0))
    assert pair(ended).note(ended) == ""  # validation stopped after ten steps
    short = by_steps_and_epochs(2)
    assert pair(short).note(short) == ""


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("val_accuracy", "higher"), ("AUC/val", "higher"), ("eval_f1", "higher"),
        ("mAP@0.5", "higher"), ("eval_rougeL", "higher"), ("valid_0/ndcg", "higher"),
        ("val_loss", "lower"), ("logloss", "lower"), ("rmse", "lower"), ("perplexity", "lower"),
        ("brier_score", "lower"), ("dice_loss", "lower"), ("error_rate", "lower"),
        ("neg_mean_squared_error", "higher"), ("neg_log_likelihood", "lower"), ("mape", "lower"),
        ("ep_rew_mean", "higher"), ("top5", "higher"),
    ],
)  # fmt: skip
def test_which_way_is_better(name, way):
    assert better(name) == way


# --- writing -------------------------------------------------------------------------------------


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    losses=st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=8),
    start=st.integers(0, 10**9),
)
def test_what_is_logged_is_read(tmp_path, losses, start):
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    with Run(folder) as run:
        for step, (train, val) in enumerate(losses, start):
            run.log(step, train=train, val=np.float64(val), lr=None)
    log = read_run(folder)
    np.testing.assert_array_equal(log.series["train"].values, [train for train, _ in losses])
    np.testing.assert_array_equal(log.series["val"].values, [val for _, val in losses])
    assert steps(log, "val") == list(range(start, start + len(losses)))
    assert sorted(log.series) == ["train", "val"]
    assert log.notes == ()


def test_a_crash_in_the_middle_of_a_line(tmp_path):
    with Run(tmp_path / "a") as run:
        run.log(1, train=1.0)
        run.log(2, train=0.5)
    (file,) = (tmp_path / "a").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert steps(read_run(tmp_path / "a"), "train") == [1]
    with Run(tmp_path / "a") as run:
        run.log(3, train=0.4)
    log = read_run(tmp_path / "a")
    assert steps(log, "train") == [1, 3]
    assert log.notes == ("1 line skipped: not a JSON object",)
    assert list((tmp_path / "a").iterdir()) == [file]  # the same file goes on


def test_a_run_that_resumes(tmp_path):
    for values_of in ({1: 1.0, 2: 0.9, 3: 0.8}, {2: 0.7, 3: 0.6}):
        with Run(tmp_path / "a") as run:
            for step, value in values_of.items():
                run.log(step, train=value)
    assert values(read_run(tmp_path / "a"), "train") == [1.0, 0.7, 0.6]


FORKING = """
import os, sys
from offby.runs.run import Run
run = Run(sys.argv[1])
child = os.fork()
if child == 0:
    run.log(7, forked=7.0)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
run.log(1, train=0.5)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_processes_have_a_file_each(tmp_path):
    run = Run(tmp_path / "a")
    run.log(0, train=1.0)
    code = (
        "import sys; from offby.runs.run import Run\n"
        "run = Run(sys.argv[1])\n"
        "for step in range(500): run.log(step, **{f'm{sys.argv[2]}': step})"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(run.path), str(i)]) for i in range(3)
    ]
    assert [process.wait() for process in started] == [0, 0, 0]
    run.close()
    subprocess.run([sys.executable, "-c", FORKING, str(run.path)], check=True)
    log = read_run(tmp_path / "a")
    assert all(values(log, f"m{i}") == list(range(500)) for i in range(3))
    assert values(log, "train") == [1.0, 0.5]
    assert values(log, "forked") == [7.0]
    assert log.notes == ()


def test_a_disk_without_locks_gets_a_new_file_each_time(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no locks available")

    monkeypatch.setattr("offby.runs.run.flock", refuse)
    for step in (1, 2):
        with Run(tmp_path / "a") as run:
            run.log(step, train=1.0)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "offby-1.jsonl",
        "offby.jsonl",
    ]
    assert steps(read_run(tmp_path / "a"), "train") == [1, 2]


def test_what_cannot_be_logged(tmp_path):
    with pytest.raises(RunError, match="is a file; expected a folder"):
        Run(written(tmp_path / "file", ""))
    with Run(tmp_path / "a") as run:
        for value in ("high", [1.0, 2.0], np.ones(2)):
            with pytest.raises(RunError, match=r"train is .*; expected one number"):
                run.log(1, train=value)
        with pytest.raises(RunError, match="expected a finite number"):
            run.log(math.nan, train=1.0)
        with pytest.raises(RunError, match="cannot be called 'time'"):
            run.log(1, time=3.0)
        run.log(1, train=1, val=np.float32(0.5), grown=True)
    log = read_run(tmp_path / "a")
    assert values(log, "val") == [0.5]
    assert values(log, "grown") == [1.0]


# --- damage --------------------------------------------------------------------------------------

SAMPLES = [path for path in sorted(LOGS.rglob("*")) if path.is_file() and path.parent != LOGS]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_is_read_around_or_refused(tmp_path, data):
    sample = data.draw(st.sampled_from(SAMPLES))
    content = sample.read_bytes()
    at = data.draw(st.integers(0, len(content)))
    put = data.draw(st.binary(max_size=12))
    end = data.draw(st.one_of(st.just(at), st.just(at + len(put)), st.just(len(content))))
    shutil.rmtree(tmp_path / "logs", ignore_errors=True)
    shutil.copytree(sample.parent, tmp_path / "logs")
    (tmp_path / "logs" / sample.name).write_bytes(content[:at] + put + content[end:])
    try:
        logs = [run.read() for run in find_runs(tmp_path / "logs")]
    except RunError:
        return
    for log in logs:
        for series in log.series.values():
            assert np.all(np.diff(series.steps) > 0)
            assert len(series.steps) == len(series.values) > 0
