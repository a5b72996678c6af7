"""`compare` on labels and on K probabilities: paired errors, columns by pattern, bad input."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics

import offby
from offby import confusion
from offby.confusion import Confusion

WORDS = np.array(["ant", "bee", "cat"])
LABELS = "accuracy,balanced_accuracy,f1,mcc,cohen_kappa,recall:ant"


def pets(n=200, seed=0):
    """Labels, and two models that are right more often than not, on rows that both find hard."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    noise = rng.random(n)
    a, b = (np.where(0.6 * noise + 0.4 * rng.random(n) < share, y, rng.integers(0, 3, n))
            for share in (0.6, 0.5))  # fmt: skip
    return WORDS[y], {"a": WORDS[a], "b": WORDS[b]}


def chances(n=300, seed=0):
    """Labels, and the probabilities that two models give to each."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    z = np.eye(3)[y] + rng.normal(size=(n, 3))
    models = {"old": np.exp(z), "new": np.exp(1.5 * z + 0.3 * rng.normal(size=(n, 3)))}
    return WORDS[y], {name: p / p.sum(1, keepdims=True) for name, p in models.items()}


SCORES = {
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": lambda y, p: metrics.f1_score(y, p, average="macro"),
    "mcc": metrics.matthews_corrcoef,
    "cohen_kappa": metrics.cohen_kappa_score,
    "recall:ant": lambda y, p: metrics.recall_score(y, p, labels=["ant"], average="macro"),
}


def jackknife(statistic, *columns):
    n = columns[0].size
    left = [statistic(*(np.delete(x, k) for x in columns)) for k in range(n)]
    return math.sqrt((n - 1) ** 2 / n * np.var(left, ddof=1))


# --- labels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCORES)
def test_differences_of_confusion_measures_have_the_jackknifes_error(name):
    y, models = pets()
    found = offby.compare(y, models, measures=name)[name]
    of = SCORES[name]
    assert found.value == pytest.approx(of(y, models["b"]) - of(y, models["a"]), rel=1e-12)
    direct = jackknife(lambda y, a, b: of(y, b) - of(y, a), y, models["a"], models["b"])
    assert found.standard_error == pytest.approx(direct, rel=0.02)
    assert found.method == "delta"


@pytest.mark.parametrize(
    "name",
    ["accuracy", "balanced_accuracy", "f1", "f1:micro", "f1:weighted", "precision:cat", "mcc",
     "npv", "jaccard", "fbeta:2:macro", "cohen_kappa", "cohen_kappa:quadratic"],
)  # fmt: skip
def test_the_influence_of_a_cell_is_the_derivative(name):
    labels = ("ant", "bee", "cat")
    cells = np.random.default_rng(1).integers(3, 20, (3, 3)).astype(float)
    measure = confusion.by_name(name)
    found = measure.evaluate(Confusion(cells, cells, labels), 0.95).influence()
    for cell in np.ndindex(3, 3):
        ends = []
        for step in (1e-5, -1e-5):
            moved = cells.copy()
            moved[cell] += step
            ends.append(measure.evaluate(Confusion(moved, moved, labels), 0.95).value)
        assert found[cell] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)
    assert np.sum(found * cells) == pytest.approx(0, abs=1e-12)


def test_intervals_of_labels_cover():
    """The truth is what a million rows show."""
    y, models = pets(1_000_000, seed=1)
    truth = SCORES["mcc"](y, models["b"]) - SCORES["mcc"](y, models["a"])
    held = 0
    for seed in range(400):
        y, models = pets(100, seed + 2)
        d = offby.compare(y, models, measures="mcc")["mcc"]
        held += d.low <= truth <= d.high
    assert 0.92 < held / 400 < 0.98


def numbers(d):
    return d.value, d.standard_error, d.low, d.high, d.p_value, d.verdict, d.alone


def test_swapping_the_models_flips_every_sign():
    for (y, models), measures in ((pets(), LABELS), (chances(), f"log_loss,brier,ece,{LABELS}")):
        names = list(models)
        one = offby.compare(y, models, measures=measures)
        other = offby.compare(y, {k: models[k] for k in names[::-1]}, measures=measures)
        for name, of in one.differences.items():
            assert numbers(of[names[1], names[0]].flipped) == numbers(other[name])
            assert other[name].value == -one[name].value
        renamed = offby.compare(y, dict(zip("xy", (models[k] for k in names[::-1]), strict=True)),
                                measures=measures)  # fmt: skip
        for name in one.differences:
            assert renamed[name].value == -one[name].value


def test_neither_order_nor_chunks_change_a_digit():
    y, models = pets(500)
    order = np.random.default_rng(3).permutation(500)
    table = pa.table({"y": y, **models})
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=7))
    every = [offby.compare(t, true="y", pred=["a", "b"]) for t in
             (table, chunked, table.take(order))]  # fmt: skip
    for found in every[1:]:
        for name in found.differences:
            assert numbers(found[name]) == numbers(every[0][name])


def test_a_weight_is_so_many_copies():
    y, models = pets(80)
    w = np.random.default_rng(0).integers(0, 4, 80)
    copies = offby.compare(np.repeat(y, w), {k: np.repeat(p, w) for k, p in models.items()})
    weighted = offby.compare(y, models, sample_weight=w)
    for name in copies.differences:
        assert weighted[name].value == pytest.approx(copies[name].value, rel=1e-13)


def test_a_label_that_one_model_alone_predicts_is_no_class_of_the_other():
    y, models = pets()
    models["b"] = models["b"].astype(object)
    models["b"][:3] = "dragon"
    found = offby.compare(y, models, measures="f1")
    for name, p in models.items():
        alone = offby.measure(y, p, measures="f1")["f1"].value
        assert found.measures["f1"][name].value == alone
    assert found["f1"].standard_error > 0


def test_two_labels_have_a_positive_one():
    y, models = pets()
    y, a, b = (np.where(x == "ant", "yes", "no") for x in (y, *models.values()))
    models = {"a": a, "b": b}
    found = offby.compare(y, models, positive="yes")
    assert found.task == "binary"
    assert list(found.measures) == ["accuracy", "balanced_accuracy", "f1", "mcc"]
    sizes = [metrics.f1_score(y, models[k], pos_label="yes") for k in "ab"]
    assert found["f1"].value == pytest.approx(sizes[1] - sizes[0])
    assert "positive is 'yes'" in found.columns


@pytest.mark.parametrize("kind", [int, str, bool])
def test_labels_of_any_type(kind):
    rng = np.random.default_rng(0)
    y, a, b = (rng.integers(0, 2, 60).astype(kind) for _ in range(3))
    told = {"positive": "1"} if kind is str else {}
    found = offby.compare(y, {"a": a, "b": b}, measures="accuracy", **told)
    assert found.task == "binary"
    assert found["accuracy"].value == pytest.approx(np.mean(b == y) - np.mean(a == y), abs=1e-15)
    assert found["accuracy"].alone == (np.sum((b == y) & (a != y)), np.sum((a == y) & (b != y)))


def test_a_model_that_never_predicts_a_class_predicts_labels_as_the_other_does():
    y = np.tile([0, 1, 2], 20)
    for models in ({"few": y % 2, "all": y[::-1]}, {"all": y[::-1], "few": y % 2}):
        found = offby.compare(y, models)
        assert (found.task, next(iter(found.measures))) == ("multiclass", "accuracy")


def test_labels_of_which_all_are_right():
    y, models = pets(50)
    found = offby.compare(y, {"a": y, "b": models["b"]})
    assert found["f1"].verdict == "worse"  # one model's spread is enough
    same = offby.compare(y, {"a": y, "b": y})
    assert same["f1"].value == 0
    assert same["accuracy"].verdict == "tied"
    json.loads(same.to_json(), parse_constant=pytest.fail)


# --- probabilities -----------------------------------------------------------------------------


def test_probabilities_of_several_classes():
    y, models = chances()
    code = np.searchsorted(WORDS, y)
    found = offby.compare(y, models)
    assert (found.task, next(iter(found.measures))) == ("multiclass", "log_loss")
    rows = np.arange(y.size)
    d = np.log(models["old"][rows, code]) - np.log(models["new"][rows, code])
    assert found["log_loss"].value == pytest.approx(d.mean())
    assert found["log_loss"].standard_error == pytest.approx(d.std(ddof=1) / math.sqrt(y.size))
    squares = [np.sum((models[k] - np.eye(3)[code]) ** 2, 1) for k in models]
    assert found["brier"].value == pytest.approx(np.mean(squares[1] - squares[0]))
    right = [WORDS[models[k].argmax(1)] == y for k in models]
    assert found["accuracy"].alone == (np.sum(right[1] & ~right[0]), np.sum(right[0] & ~right[1]))
    assert found.nearer["new", "old"].value == pytest.approx((1 - np.mean(np.sign(d))) / 2)


def frame(y, models):
    columns = {f"{k}_{word}": p[:, j] for k, p in models.items() for j, word in enumerate(WORDS)}
    return pa.table({"kind": y, **columns})


@pytest.mark.parametrize(
    "pred", [["old", "new"], "old,new", ["old_*", "new_*"], ["old", "new_*"]], ids=str
)
def test_columns_by_their_pattern(pred):
    y, models = chances()
    found = offby.compare(frame(y, models), true="kind", pred=pred)
    assert found.models == ("old", "new")
    direct = offby.compare(y, models)
    for name in direct.differences:
        assert numbers(found[name]) == numbers(direct[name])
    assert "'new_ant' … 'new_cat' against 'old_ant' … 'old_cat'" in found.columns


def test_labels_name_columns_that_the_truth_does_not_have():
    y, models = chances()
    table = frame(y, models)
    few = table.filter(pa.compute.not_equal(table["kind"], "cat"))
    found = offby.compare(few, true="kind", pred=["old", "new"], labels=WORDS)
    assert found.measures["accuracy"]["old"].n == few.num_rows
    with pytest.raises(offby.DataError, match="sum to 1"):
        offby.compare(few, true="kind", pred=["old", "new"])


@pytest.mark.parametrize("name", ["roc_auc", "d2_log_loss"])
def test_measures_of_every_class_against_the_rest_are_refused(name):
    y, models = chances()
    with pytest.raises(offby.MeasureError, match="of several classes cannot be compared"):
        offby.compare(y, models, measures=name)


def test_a_formula_of_ones_own():
    y, models = chances()
    found = offby.compare(y, models, measures="gap = mean(1 - q)")["gap"]
    code = np.searchsorted(WORDS, y)
    rows = np.arange(y.size)
    d = models["old"][rows, code] - models["new"][rows, code]
    assert found.value == pytest.approx(d.mean())


def test_costs():
    y, models = chances()
    costs = np.ones((3, 3)) - np.eye(3)
    found = offby.compare(y, models, costs=costs)
    assert next(iter(found.measures)) == "expected_cost"
    assert found["expected_cost"].value == pytest.approx(-found["accuracy"].value)


# --- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name"), [(pets, "f1"), (pets, "cohen_kappa"), (chances, "balanced_accuracy")]
)
def test_a_horizon_of_one_is_independence(data, name):
    y, models = data()
    timed = offby.compare(y, models, measures=name, time=np.arange(y.size), horizon=1)[name]
    plain = offby.compare(y, models, measures=name)[name]
    assert timed.value == plain.value
    assert timed.standard_error == pytest.approx(plain.standard_error)
    assert timed.method == "Diebold-Mariano"


def test_the_auc_in_time():
    rng = np.random.default_rng(0)
    z = rng.normal(size=400)
    y = (rng.random(400) < 1 / (1 + np.exp(-z))) * 1
    models = {k: 1 / (1 + np.exp(-z - s * rng.normal(size=400))) for k, s in (("a", 1), ("b", 2))}
    plain = offby.compare(y, models, measures="roc_auc")["roc_auc"]
    one = offby.compare(y, models, measures="roc_auc", time=np.arange(400), horizon=1)["roc_auc"]
    assert one.standard_error == pytest.approx(plain.standard_error, rel=0.01)
    assert one.caution is None
    twice = offby.compare(
        np.repeat(y, 2), {k: np.repeat(p, 2) for k, p in models.items()}, measures="roc_auc",
        time=np.repeat(np.arange(400), 2), horizon=1,
    )["roc_auc"]  # fmt: skip
    assert twice.standard_error == pytest.approx(one.standard_error)


# --- the command, and what goes wrong ----------------------------------------------------------


def test_the_command(offby_command, tmp_path):
    y, models = chances()
    path, page = tmp_path / "t.parquet", tmp_path / "page.html"
    pq.write_table(frame(y, models), path)
    ran = offby_command("compare", path, "--true", "kind", "--pred", "old_*", "--pred", "new_*",
                        "--html", page)  # fmt: skip
    assert "Compared by probabilities of 3 classes" in " ".join(ran.out.split())
    assert "'ant', 'bee', 'cat'" in " ".join(ran.out.split())
    assert "new alone is right on" in " ".join(ran.out.split())
    assert page.read_text(encoding="utf-8").count("<svg xmlns") == 1


REFUSED = {
    "labels beside probabilities": (["--pred", "old_*", "--pred", "label"], "different numbers"),
    "no such columns": (["--pred", "old_*", "--pred", "none_*"], "no column 'none_ant'"),
    "other labels": (["--pred", "old_*", "--pred", "new_*", "--labels", "x,y"], "'old_x'"),
    "two stars": (["--pred", "old_*", "--pred", "*_*"], "stands for a column of probabilities"),
    "the same twice": (["--pred", "old_*", "--pred", "old"], "'old' is named twice"),
    "no measure": (["--pred", "label", "--pred", "label2", "--measures", "roc_auc"], "unknown"),
    "no sum": (["--pred", "old", "--pred", "odd"], "do not sum to 1"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_goes_wrong_is_said_in_one_line(offby_command, tmp_path, arguments, said):
    y, models = chances(60)
    table = frame(y, models | {"odd": 2 * models["old"] / 3})
    table = table.append_column("label", pa.array(y)).append_column("label2", pa.array(y[::-1]))
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    assert said in offby_command("compare", path, "--true", "kind", *arguments).error


@pytest.mark.parametrize(
    ("y", "models", "options", "said"),
    [
        (["u", "v"], {"a": ["u", "u"], "b": ["v", "u"]}, {"task": "binary"}, "the positive"),
        (["u", "v"], {"a": ["u", "u"], "b": [0.5, 0.1]}, {"task": "multiclass"}, "like with like"),
        ([0, 1], {"a": [[0.5, 0.5], [1, 0]], "b": [1, 0]}, {}, "different numbers of columns"),
        ([0, 1], {"a": [[1, 0], [1, 0]], "b": [1, 0]}, {"task": "regression"}, "has 2 columns"),
        ([0, 1], {"a": [1, 0], "b": [1, 0]}, {"by": "region"}, "beside arrays give by={name"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_arrays_that_do_not_fit(y, models, options, said):
    with pytest.raises(offby.OffbyError, match=said):
        offby.compare(y, models, **options)
