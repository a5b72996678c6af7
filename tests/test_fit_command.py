"""`offby fit` and `offby predict`: what they print and write, and one line for what goes wrong."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from offby.drawing.numbers import number, percent
from offby.fit import Descent, LinearClassifier, LinearRegressor, load
from offby.report.fitted_text import chosen
from offby.tables import open_table
from offby.tables.part import in_part, part_of
from offby.tables.strata import Strata
from offby.verbs.fit import fit
from offby.verbs.predict import predict

FLIGHTS = "examples/flights.parquet"
LATE = "examples/late.parquet"
HOUSES = "examples/houses.csv"
DELAY = ("fit", FLIGHTS, "--target", "arr_delay", "--features", "hour,month,distance")


def split(path, share, target=None):
    """The rows trained on and those held out: by the hash alone, of labels with the strata."""
    frame = pq.read_table(path).to_pandas()
    out = in_part(np.arange(len(frame)), share)
    if target is not None:
        table = open_table(path)
        strata = Strata.of(target, table.count_labels(target), share)
        (batch,) = table.read([], [target])
        out = strata.chooser("it")(batch)
    return frame[~out], frame[out]


# --- numbers -----------------------------------------------------------------------------------


def test_numbers_with_rows_held_out(offby_command, tmp_path):
    model, page = tmp_path / "model.json", tmp_path / "fit.html"
    ran = offby_command(*DELAY, "--loss", "huber:20", "--validate", "0.2", "--save", model,
                        "--html", page)  # fmt: skip
    training, held_out = split(FLIGHTS, 0.2)
    peer = LinearRegressor("huber:20").fit(training[["hour", "month", "distance"]],
                                           training["arr_delay"])  # fmt: skip
    saved = load(model)
    np.testing.assert_allclose(saved.coef_, peer.coef_, rtol=1e-6)
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert lines[0].startswith(f"huber:20 fitted to {len(training):,} rows: proved to be at its")
    assert "'arr_delay' of flights.parquet from hour, month, distance." in lines
    heads = "iteration training loss held-out loss gradient step"
    assert heads in [" ".join(line.split()) for line in lines]
    errors = saved.predict(held_out[["hour", "month", "distance"]]) - held_out["arr_delay"]
    assert f"On {len(held_out):,} rows held out (rows are numbered among these)" in lines
    mae = next(line for line in lines if line.startswith("mae "))
    assert float(mae.split()[1]) == pytest.approx(np.mean(np.abs(errors)), rel=1e-4)
    assert f"wrote {model}" in lines
    assert f"wrote {page}" in lines
    told = [line for line in lines if not line.startswith("wrote ")]
    assert all(len(line) <= 84 and line == line.rstrip() for line in told)
    text = page.read_text(encoding="utf-8")
    assert "Coefficients" in text
    assert "The loss, and the walk" in text
    assert "Predicted against actual" in text


def test_the_two_losses_of_each_iteration(offby_command):
    found = json.loads(
        offby_command(*DELAY, "--loss", "huber:20", "--validate", "0.2", "--json").out,
        parse_constant=pytest.fail,
    )
    walk, (training, held_out) = found["walk"], split(FLIGHTS, 0.2)
    assert found["rows"] == {"trained": len(training), "held_out": len(held_out)}
    assert set(walk) == {"objective", "held_out", "gradient", "step", "seconds"}
    assert walk["objective"][-1] == pytest.approx(found["objective"], rel=1e-9)
    features = held_out[["hour", "month", "distance"]].to_numpy()
    values = [one["value"] for one in found["coefficients"]]
    errors = held_out["arr_delay"] - features @ values[:-1] - values[-1]
    beyond = np.abs(errors) > 20
    huber = np.where(beyond, 20 * (np.abs(errors) - 10), errors**2 / 2)
    assert walk["held_out"][-1] == pytest.approx(huber.mean(), rel=1e-7)
    assert found["report"]["rows"] == len(held_out)


def test_nothing_held_out_is_said(offby_command):
    ran = offby_command("fit", HOUSES, "--target", "actual", "--features", "predicted")
    assert "'actual' holds numbers, and no loss was named: it is squared; --loss" in ran.out
    assert "On the very rows that were fitted: new rows will fare worse" in ran.out
    slope, intercept = np.polyfit([2e5, 2.5e5, 3e5], [2.1e5, 2.4e5, 3.2e5], 1)
    errors = slope * np.array([2e5, 2.5e5, 3e5]) + intercept - [2.1e5, 2.4e5, 3.2e5]
    assert f"\noff by {np.mean(np.abs(errors)):,.0f} on average (MAE)" in ran.out


def test_a_quantile_is_fitted_exactly_in_memory():
    found = fit(FLIGHTS, target="arr_delay", features=["hour"], loss="pinball:0.9")
    frame = pq.read_table(FLIGHTS).to_pandas()
    peer = LinearRegressor("pinball:0.9").fit(frame[["hour"]], frame["arr_delay"])
    assert found.model.coef_ == peer.coef_
    assert not found.walk.get("objective", np.zeros(0)).size
    assert found.landscape is not None


def test_a_descent_may_hold_out_rows_of_its_own():
    how = Descent("adam", validation=0.2, rate=0.05)
    found = fit(LATE, target="late", features=["p_late"], solver=how, max_iter=15, tol=1e-4)
    assert len(found.walk["validation"]) <= 15
    assert "validation rows fared best" in found.model.certificate_


def test_early_stopping_on_the_command_line(offby_command):
    ran = offby_command(*DELAY, "--loss", "huber:20", "--validate", "0.2", "--solver", "adam",
                        "--max-iter", "40", "--patience", "3", "--json")  # fmt: skip
    found = json.loads(ran.out)
    walk = found["walk"]
    best = int(np.argmin(walk["validation"]))
    assert len(walk["validation"]) == len(walk["held_out"]) == found["iterations"] < 40
    assert best == found["iterations"] - 4  # three rounds that fared no better
    assert found["objective"] == pytest.approx(walk["objective"][best], rel=1e-9)
    text = offby_command(*DELAY, "--solver", "adam", "--max-iter", "40", "--patience", "3").out
    assert "stopped early, after" in text


@pytest.mark.parametrize("scale", ["mad", "joint"])
def test_a_scale_of_the_errors(offby_command, scale):
    ran = offby_command(*DELAY, "--loss", "huber:1.345", "--scale", scale, "--json", "--validate",
                        "0.2")  # fmt: skip
    frame, held_out = split(FLIGHTS, 0.2)
    peer = LinearRegressor("huber:1.345", scale=scale)
    peer.fit(frame[["hour", "month", "distance"]], frame["arr_delay"])
    found = json.loads(ran.out)
    values = [one["value"] for one in found["coefficients"]]
    np.testing.assert_allclose(values[:-1], peer.coef_, rtol=1e-6)
    assert found["scale"] == pytest.approx(peer.scale_, rel=1e-6)
    predicted = peer.predict(held_out[["hour", "month", "distance"]])
    loss = peer.loss_.mean(held_out["arr_delay"], predicted)
    assert found["walk"]["held_out"][-1] == pytest.approx(loss, rel=1e-6)


def test_each_iteration_is_told_while_it_is_walked():
    heard = []
    found = fit(FLIGHTS, target="arr_delay", features=["hour"], loss="huber:20", validate=0.3,
                told=heard.append)  # fmt: skip
    for name, column in found.walk.items():
        assert [facts[name] for facts in heard] == column.tolist()
    assert list(found.walk)[-1] == "held_out"


def test_the_losses_are_shown_on_a_terminal_while_they_fall(offby_command, monkeypatch):
    for name, value in {"TTY_COMPATIBLE": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    ran = offby_command(*DELAY, "--loss", "huber:20", "--validate", "0.2", "--json")
    walk = json.loads(ran.out)["walk"]
    assert "fitting, pass 1: 53,991 rows" in ran.err
    assert "held-out loss" in ran.err
    for name in ("objective", "held_out"):
        assert all(number(value, 7) in ran.err for value in walk[name])


def test_weights_and_csv(tmp_path):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.normal(size=500), "town": "x", "w": rng.integers(0, 3, 500)})
    frame["y"] = 2 * frame["a"] + rng.normal(size=500)
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = fit(tmp_path / "t.csv", target="y", weight="w")
    copies = frame.loc[frame.index.repeat(frame["w"])]
    assert found.coefficients[0].value == pytest.approx(np.polyfit(copies["a"], copies["y"], 1)[0])
    assert found.left_out == ("town",)
    assert "Left out, being no numbers: town; a column of 0 and 1" in found.to_text()


# --- labels ------------------------------------------------------------------------------------


def test_labels_of_0_and_1(offby_command, tmp_path):
    model = tmp_path / "model.json"
    ran = offby_command("fit", LATE, "--target", "late", "--validate", "0.2", "--save", model)
    training, held_out = split(LATE, 0.2, "late")
    peer = LinearClassifier().fit(training[["p_late", "month"]], training["late"])
    np.testing.assert_allclose(load(model).coef_, peer.coef_, rtol=1e-6)
    assert "taken as labels and the loss is logistic" in ran.out
    assert "Left out, being no numbers: carrier, origin;" in ran.out
    right = peer.score(held_out[["p_late", "month"]], held_out["late"])
    assert f"right in {percent(right, 3)} of the rows" in ran.out


def test_text_labels_of_several_classes(tmp_path):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(600, 2))
    scores = X @ [[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]] + rng.gumbel(size=(600, 3))
    table = {"a": X[:, 0], "b": X[:, 1], "kind": np.array(["x", "y", "z"])[scores.argmax(axis=1)]}
    found = fit(table, target="kind", validate=0.3)
    assert found.choice == "'kind' holds labels, so the loss is logistic."
    assert found.report.task == "multiclass"
    assert [one.name for one in found.coefficients][:4] == ["x: a", "x: b", "x: (intercept)",
                                                            "y: a"]  # fmt: skip
    assert found.walk["held_out"][-1] == pytest.approx(found.report["log_loss"].value, rel=1e-3)
    assert predict(found.model, table, tmp_path / "out.parquet") == 600
    out = pq.read_table(tmp_path / "out.parquet").to_pandas()
    chances = found.model.predict_proba(out[["a", "b"]])
    np.testing.assert_allclose(out[["p_x", "p_y", "p_z"]], chances, rtol=1e-12)


def test_a_class_that_occurs_once_is_not_held_out():
    rng = np.random.default_rng(1)
    table = {"a": rng.normal(size=400), "kind": rng.choice(["x", "y"], size=400)}
    table["kind"][7] = "z"
    found = fit(table, target="kind", validate=0.3)
    assert list(found.model.classes_) == ["x", "y", "z"]
    counts = [np.sum(table["kind"] == kind) for kind in "xy"]
    assert found.held_out == sum(round(0.3 * count) for count in counts)
    last = found.walk["held_out"][-1]
    assert last == pytest.approx(found.report["log_loss"].value, rel=1e-3)


def test_the_positive_class_is_the_one_that_is_told(offby_command, tmp_path):
    model = tmp_path / "model.json"
    command = ("fit", LATE, "--target", "late", "--features", "p_late", "--save", model)
    ran = offby_command(*command, "--positive", "0", "--json")
    usual = fit(LATE, target="late", features=["p_late"])
    found = json.loads(ran.out)
    assert list(load(model).classes_) == ["1", "0"]
    assert found["coefficients"][0]["value"] == pytest.approx(-usual.coefficients[0].value)
    assert found["report"]["measures"]["roc_auc"]["value"] == pytest.approx(
        usual.report["roc_auc"].value
    )
    for positive, message in (("2", "positive is '2', and column 'late' holds '0', '1'"),
                              ("arr", "expected one of two classes")):  # fmt: skip
        assert message in offby_command(*command, "--positive", positive).error


@pytest.mark.parametrize("weights", ["balanced", "1:3,0:1"])
def test_classes_may_weigh_more(offby_command, weights):
    ran = offby_command("fit", LATE, "--target", "late", "--features", "p_late", "--class-weight",
                        weights, "--json")  # fmt: skip
    frame = pq.read_table(LATE).to_pandas()
    theirs = "balanced" if weights == "balanced" else {1: 3, 0: 1}
    peer = LinearClassifier(class_weight=theirs).fit(frame[["p_late"]], frame["late"])
    found = json.loads(ran.out)
    assert found["coefficients"][0]["value"] == pytest.approx(peer.coef_[0, 0], rel=1e-7)
    assert "the classes were weighted" in found["cautions"][0]


def test_costs_move_the_threshold():
    found = fit(LATE, target="late", features=["p_late"], loss="cost_logistic:1:3")
    frame = pq.read_table(LATE).to_pandas()
    right = found.model.predict(frame[["p_late"]]) == frame["late"].astype(str)
    assert found.report["accuracy"].value == right.mean()
    assert right.mean() < LinearClassifier().fit(frame[["p_late"]], frame["late"]).score(
        frame[["p_late"]], frame["late"]
    )


# --- what to be wary of ------------------------------------------------------------------------


def test_cautions(offby_command):
    ran = offby_command(*DELAY, "--solver", "adam", "--max-iter", "2")
    assert "stopped after 2 iterations, not at a minimum" in ran.out
    assert "caution: stopped after 2 iterations; how far the objective" in ran.out
    ran = offby_command(*DELAY, "--loss", "tukey:60")
    assert "nothing is proved\nof the end" in ran.out
    assert "caution: nothing proves that this is the minimum: the loss is not convex" in ran.out


def test_rows_held_out_that_fared_better_before():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 40))
    table = {f"x{j}": X[:, j] for j in range(40)} | {"y": X[:, 0] + 3 * rng.normal(size=80)}
    found = fit(table, target="y", validate=0.4, solver="gd")
    assert any("fared best at iteration" in caution for caution in found.cautions)
    assert "fared best" in found.to_html()


def test_a_loss_without_a_minimum():
    table = {"x": [1.0, 2.0, 3.0, 4.0], "won": ["no", "no", "yes", "yes"]}
    found = fit(table, target="won")
    assert found.to_text().splitlines()[0] == (
        "logistic fitted to 4 rows: the loss falls without end, so there is no minimum to"
    )


def test_few_iterations_are_all_shown():
    assert chosen(8, 8) == list(range(8))
    assert chosen(9, 8) == [0, None, *range(2, 9)]


# --- predict -----------------------------------------------------------------------------------


@pytest.fixture
def saved(offby_command, tmp_path):
    path = tmp_path / "model.json"
    offby_command(*DELAY, "--save", path)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predictions_are_those_of_the_model(offby_command, saved, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    ran = offby_command("predict", saved, FLIGHTS, "--out", out)
    assert ran.out == f"wrote 53,991 rows to {out}\n"
    table = pq.read_table(FLIGHTS).to_pandas()
    written = pq.read_table(out).to_pandas() if ending == "parquet" else pd.read_csv(out)
    assert list(written) == [*table, "prediction"]
    expected = load(saved).predict(table[["hour", "month", "distance"]])
    np.testing.assert_allclose(written["prediction"], expected, rtol=1e-12)
    assert list(written["carrier"]) == list(table["carrier"])
    measured = offby_command("measure", out, "--true", "arr_delay", "--pred", "prediction")
    mae = float(np.mean(np.abs(expected - table["arr_delay"])))
    assert measured.out.startswith(f"off by {mae:.3f} on average (MAE)")


def test_standard_input_and_output(offby_command, saved):
    ran = offby_command("predict", saved, "-", stdin=b"id,hour,distance,month\n007,5,100,11\n")
    header, row = ran.out.splitlines()
    assert header == '"id","hour","distance","month","prediction"'
    assert row.startswith('"007","5","100","11",')
    expected = load(saved).predict(pd.DataFrame({"hour": [5], "month": [11], "distance": [100]}))
    assert float(row.split(",")[-1]) == pytest.approx(expected[0], rel=1e-12)


def test_an_empty_table(saved, tmp_path):
    (tmp_path / "t.csv").write_text("hour,month,distance\n")
    assert predict(saved, tmp_path / "t.csv", tmp_path / "out.csv") == 0
    assert (tmp_path / "out.csv").read_text() == '"hour","month","distance","prediction"\n'


def test_columns_keep_their_text(tmp_path):
    model = LinearRegressor().fit_table({"a": [1.0, 2.0], "y": [1.0, 2.0]}, "y")
    (tmp_path / "t.csv").write_text('id,a\n007,1.50\n"a,b",2\n')
    predict(model, tmp_path / "t.csv", tmp_path / "out.csv")
    assert [line.split(",")[:-1] for line in (tmp_path / "out.csv").read_text().splitlines()] == [
        ['"id"', '"a"'], ['"007"', '"1.50"'], ['"a', 'b"', '"2"'],
    ]  # fmt: skip


# --- parts of a table --------------------------------------------------------------------------


def test_parts_are_the_same_whatever_the_batches(monkeypatch):
    table = open_table({"x": np.arange(100_000.0), "name": [f"r{k}" for k in range(100_000)]})
    whole = rows_of(part_of(table, 0.3))
    monkeypatch.setattr("offby.tables.memory.SLICE_ROWS", 40_000)
    assert rows_of(part_of(table, 0.3)) == whole
    assert sorted(whole + rows_of(part_of(table, 0.3, rest=True))) == list(range(100_000))
    assert 0.29 < len(whole) / 100_000 < 0.31
    assert [f"r{k}" for k in whole[:2000]] == [
        name.as_py() for batch in part_of(table, 0.3).read((), ["name"])
        for name in batch.labels["name"]
    ][:2000]  # fmt: skip


def rows_of(table):
    return [int(x) for batch in table.read(["x"]) for x in batch.columns["x"]]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_each_class_has_its_share(share, monkeypatch):
    rng = np.random.default_rng(2)
    kinds = np.concatenate([["rare"], rng.choice(["a", "b", "c"], 99_999, p=[0.9, 0.099, 0.001])])
    table = open_table({"x": np.arange(100_000.0), "kind": rng.permutation(kinds)})
    strata = Strata.of("kind", counts := table.count_labels("kind"), share)
    part = part_of(table, share, strata=strata)
    assert part.count_labels("kind") == {
        kind: round(share * n) for kind, n in counts.items() if n > 1
    }
    rest = part_of(table, share, rest=True, strata=strata)
    whole = rows_of(part)
    assert sorted(whole + rows_of(rest)) == list(range(100_000))
    monkeypatch.setattr("offby.tables.memory.SLICE_ROWS", 40_000)
    assert rows_of(part) == whole
    assert 0.47 < np.mean(whole) / 100_000 < 0.53


# --- what goes wrong ---------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "six.csv").write_text("x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n")
    (tmp_path / "counts.csv").write_text("x,n,t\n" + "1,2,a\n" * 9 + "1,-1,a\n" + "2,3,b\n" * 9)
    (tmp_path / "rare.csv").write_text("x,y\n1,b\n" + "2,a\n" * 8)
    (tmp_path / "many.csv").write_text("x,y\n1,a\n2,b\n3,c\n4,a\n")
    (tmp_path / "gap.csv").write_text("x,n\n1,2\n,3\n")
    (tmp_path / "names.csv").write_text("n,t\n1,a\n2,b\n")
    return tmp_path


REFUSED = {
    "six.csv --target z": "six.csv has no column 'z'",
    "six.csv --target y --features xx": "did you mean 'x'?",
    "six.csv --target y --loss squared":
        "the target 'y' of six.csv holds text, and squared is a loss of numbers",
    "counts.csv --target n --features x --loss poisson --validate 0.3":
        "poisson needs targets y with y >= 0; 1 of 19 are outside, first -1 in row 10",
    "counts.csv --target n --features x,t":
        "features 't' of counts.csv hold no numbers; leave them out, or make a column of 0 and 1",
    "names.csv --target n": "has no column of numbers besides the target",
    "rare.csv --target y --validate 0.2":
        "column 'y' has 'b' in 1 row, 'a' in 8 rows: rows held out would be of one class alone",
    "six.csv --target y --class-weight a:much":
        "class-weight is 'a:much'; expected balanced, or a weight for each class",
    "six.csv --target y --class-weight c:2": "class_weight names 'c'; the classes are ['a', 'b']",
    "six.csv --target y --class-weight a:-2": "weights must be finite and not negative",
    "counts.csv --target n --loss squared --positive 2":
        "positive is '2', and squared is a loss of numbers",
    "six.csv --target y --scale mad":
        "scale 'mad' is for losses of numbers, and logistic is of classes",
    "counts.csv --target n --loss squared --patience 3":
        "solver 'auto' goes straight to the minimum; take gd, sgd or adam",
    "counts.csv --target n --loss pinball:0.1,0.9 --penalty l1 --alpha 1":
        "penalty is 'l1', and pinball:0.1,0.9 fits several quantiles exactly, without it; leave",
    "counts.csv --target n --loss pinball:0.1,0.9 --max-iter 5":
        "max_iter is 5, and pinball:0.1,0.9 fits several quantiles exactly",
    "counts.csv --target n --loss pinball:0.9,0.1":
        "the quantiles are ['0.9', '0.1']; expected numbers above 0 and below 1 that rise, none",
    "counts.csv --target n --loss pinball:0.1,huber:1":
        "the quantiles are ['0.1', 'huber', '1']; expected numbers above 0 and below 1",
    "many.csv --target y --solver lbfgs":
        "solver is 'lbfgs'; 3 classes at once are fitted with 'auto', 'newton', 'gd', 'sgd'",
    "six.csv --target x --features x --validate 0.001":
        "features are ['x']; expected columns other than 'x'",
    "counts.csv --target n --validate 0.001": "validate 0.001 of 19 rows leaves no two parts",
    "six.csv --target y --validate 1": "validate is 1.0; expected a share",
    "six.csv --target y --penalty l2": "has no effect with alpha 0",
    "gap.csv --target n": "column 'x' lacks a number",
    "gap.csv --target n --loss hubber": "unknown loss 'hubber'",
    "- --target x": "standard input can be read only once",
    "six.csv": "--target requires an argument",
}  # fmt: skip


@pytest.mark.parametrize("command", REFUSED)
def test_refused(offby_command, folder, monkeypatch, command):
    monkeypatch.chdir(folder)
    found = offby_command("fit", *command.split(), stdin=b"x,y\n1,2\n").error
    assert REFUSED[command] in found


def test_refused_predictions(offby_command, folder, saved, monkeypatch):
    monkeypatch.chdir(folder)
    LinearRegressor().fit([[1.0], [2.0]], [1.0, 2.0]).save("nameless.json")
    (folder / "again.csv").write_text("hour,month,distance,prediction\n1,2,3,4\n")
    (folder / "hole.csv").write_text("hour,month,distance\n1,2,3\n1,,3\n")
    for model, table, out, message in (
        ("none.json", "six.csv", "o.csv", "there is no file none.json"),
        ("six.csv", "six.csv", "o.csv", "six.csv is no JSON"),
        (saved, "six.csv", "o.csv", "six.csv has no column 'hour'"),
        (saved, "again.csv", "o.csv", "has a column 'prediction' already"),
        (saved, "hole.csv", "o.csv", "column 'month' of hole.csv has no number in row 2"),
        (saved, "again.csv", "o.xlsx", "has a column 'prediction' already"),
        (saved, "hole.csv", "o.xlsx", "end its name in .csv or .parquet"),
        ("nameless.json", "six.csv", "o.csv", "fitted to an array, whose columns have no names"),
    ):
        assert message in offby_command("predict", model, table, "--out", out).error
    assert not list(folder.glob("o.*"))
