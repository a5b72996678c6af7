"""Measures of classes: scikit-learn's numbers, whatever the order, the chunks and the tree."""

import json
import math
import struct
import warnings

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import offby
from offby import ClassTotals, DataError, Mean, Measure, MeasureError, Task, Totals
from offby.classification.catalogue import known_names
from offby.classification.task import q
from offby.engine import planning

BINARY = Task("binary", scores=True, positive="1", costs=(1.0, 5.0))
WORDS = Task("multiclass")
SEVERAL = Task("multiclass", scores=True)


def positive_cost(y, said, sample_weight=None):
    return np.average(np.where(said > y, 1.0, np.where(said < y, 5.0, 0.0)), weights=sample_weight)


OF_SCORES = {
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
    "d2_log_loss": sk.d2_log_loss_score,
    "d2_brier": sk.d2_brier_score,
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
}
RANKED = {"roc_auc": sk.roc_auc_score, "average_precision": sk.average_precision_score}
OF_BOTH = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "mcc": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
    "cohen_kappa:linear": lambda *a, **k: sk.cohen_kappa_score(*a, weights="linear", **k),
    "cohen_kappa:quadratic": lambda *a, **k: sk.cohen_kappa_score(*a, weights="quadratic", **k),
}
SHARES = {
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "jaccard": sk.jaccard_score,
    "fbeta:2": lambda *a, **k: sk.fbeta_score(*a, beta=2, **k),
}
AVERAGES = ("macro", "micro", "weighted")


def agree(report, name, wanted):
    low, high = report[name].bracket or (wanted, wanted)
    assert low <= wanted <= high
    if low == high:
        assert report[name].value == pytest.approx(wanted, rel=1e-11, abs=1e-13), name


def random_binary(seed, rows=400, steps=40):
    """Few distinct scores, so that many tie."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    score = np.clip(np.round((rng.normal(size=rows) + truth) * steps / 6), 1, steps - 1) / steps
    return truth, score


def random_several(seed, rows=300, classes=4):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(classes), rows)
    return np.array([rng.choice(classes, p=row) for row in chances]), chances


def weights(rows, kind):
    rng = np.random.default_rng(11)
    return {"none": None, "whole": rng.integers(1, 5, rows), "real": rng.gamma(2, 1, rows)}[kind]


def late():
    table = pq.read_table("examples/late.parquet")
    return table["late"].to_numpy(), table["p_late"].to_numpy().astype(np.float64)


# --- parity ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["none", "whole", "real"])
@pytest.mark.parametrize("table", [late, *(lambda k=k: random_binary(k) for k in range(3))])
def test_binary_is_scikit_learns(table, kind):
    truth, score = table()
    weight = weights(truth.size, kind)
    said = (score >= 0.5).astype(int)
    names = [*OF_SCORES, *OF_BOTH, *SHARES, *(f"f1:{how}" for how in AVERAGES), "expected_cost"]
    report = offby.measure(truth, score, sample_weight=weight, measures=names, costs=(1, 5))
    for name, peer in OF_SCORES.items():
        agree(report, name, peer(truth, score, sample_weight=weight))
    for name, peer in (OF_BOTH | SHARES).items():
        agree(report, name, peer(truth, said, sample_weight=weight))
    for how in AVERAGES:
        agree(report, f"f1:{how}", sk.f1_score(truth, said, average=how, sample_weight=weight))
    agree(report, "expected_cost", positive_cost(truth, said, weight))


@pytest.mark.parametrize("kind", ["none", "real"])
@pytest.mark.parametrize("classes", [3, 5, 12])
@pytest.mark.parametrize("words", [False, True])
def test_several_classes_are_scikit_learns(classes, kind, words):
    truth, chances = random_several(classes, 60 * classes, classes)
    names = np.array([f"c{k:02d}" for k in range(classes)]) if words else np.arange(classes)
    weight = weights(truth.size, kind)
    costs = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))) ** 1.5
    asked = [
        "log_loss", "brier", *OF_BOTH, *(f"top_k_accuracy:{k}" for k in (1, 2, 3)),
        *(f"{name}:{how}" for name in SHARES for how in AVERAGES), f"recall:{names[1]}",
        "expected_cost", "f1",
    ]  # fmt: skip
    report = offby.measure(names[truth], chances, sample_weight=weight, measures=asked, costs=costs)
    said = chances.argmax(1)
    agree(report, "log_loss", sk.log_loss(truth, chances, sample_weight=weight))
    agree(report, "brier", sk.brier_score_loss(truth, chances, sample_weight=weight))
    for name, peer in OF_BOTH.items():
        agree(report, name, peer(truth, said, sample_weight=weight))
    for k in range(1, min(classes, 4)):
        wanted = sk.top_k_accuracy_score(truth, chances, k=k, sample_weight=weight)
        agree(report, f"top_k_accuracy:{k}", wanted)
    for name, peer in SHARES.items():
        for how in AVERAGES:
            wanted = peer(truth, said, average=how, sample_weight=weight)
            agree(report, f"{name}:{how}", wanted)
    wanted = sk.recall_score(truth, said, average=None, sample_weight=weight)[1]
    agree(report, f"recall:{names[1]}", wanted)
    agree(report, "expected_cost", np.average(costs[truth, said], weights=weight))
    assert report["f1"].low == report["f1:macro"].low


@pytest.mark.parametrize("kind", ["none", "real"])
@pytest.mark.parametrize("classes", [3, 5, 12])
def test_classes_against_the_rest_are_scikit_learns(classes, kind):
    truth, chances = random_several(classes, 60 * classes, classes)
    weight = weights(truth.size, kind)
    names = [f"c{k:02d}" for k in range(classes)]
    asked = [f"{name}:{how}" for name in RANKED for how in ("macro", "weighted", names[1])]
    report = offby.measure(np.array(names)[truth], chances, sample_weight=weight,
                           measures=[*asked, *RANKED, "d2_log_loss", "d2_brier"])  # fmt: skip
    indicators = np.eye(classes)[truth]
    for name, peer in RANKED.items():
        for how in ("macro", "weighted"):
            wanted = peer(indicators, chances, average=how, sample_weight=weight)
            agree(report, f"{name}:{how}", wanted)
        wanted = peer(indicators[:, 1], chances[:, 1], sample_weight=weight)
        agree(report, f"{name}:{names[1]}", wanted)
        assert report[name].low == report[f"{name}:macro"].low
    agree(report, "d2_log_loss", sk.d2_log_loss_score(truth, chances, sample_weight=weight))
    agree(report, "d2_brier", sk.d2_brier_score(truth, chances, sample_weight=weight))


@pytest.mark.parametrize("kind", ["none", "real"])
def test_errors_of_averages_and_of_skill_are_those_of_single_rows(kind):
    """The infinitesimal jackknife: how each number moves with the weight of one row."""
    truth, chances = random_several(6, 200, 4)
    weight = np.ones(truth.size) if kind == "none" else weights(truth.size, kind)
    names = ["roc_auc", "roc_auc:weighted", "average_precision", "average_precision:weighted",
             "d2_log_loss", "d2_brier"]  # fmt: skip
    before, step = peers_of(truth, chances, weight), 1e-5
    moved = [peers_of(truth, chances, weight + step * (np.arange(truth.size) == k)) - before
             for k in range(truth.size)]  # fmt: skip
    errors = np.linalg.norm(weight[:, None] * np.array(moved) / step, axis=0)
    report = offby.measure(truth, chances, sample_weight=weight, measures=names)
    for name, wanted in zip(names, errors, strict=True):
        assert report[name].standard_error == pytest.approx(wanted, rel=0.02), name


def peers_of(truth, chances, weight):
    indicators = np.eye(chances.shape[1])[truth]
    ranked = [peer(indicators, chances, average=how, sample_weight=weight)
              for peer in RANKED.values() for how in ("macro", "weighted")]  # fmt: skip
    skill = sk.d2_log_loss_score, sk.d2_brier_score
    return np.array([*ranked, *(peer(truth, chances, sample_weight=weight) for peer in skill)])


def test_of_more_classes_than_are_sampled_errors_are_bounded():
    truth, chances = random_several(4, 2100, 70)
    names = [f"roc_auc:{k}" for k in range(70)]
    report = offby.measure(truth, chances, measures=["roc_auc", *names], task="multiclass")
    errors = [report[name].standard_error or 0.0 for name in names]
    assert report["roc_auc"].standard_error == pytest.approx(np.mean(errors), rel=1e-9)


def test_rankings_of_classes_share_a_budget_and_say_what_that_costs(monkeypatch):
    monkeypatch.setitem(planning.BUDGETS, "scores", 1 << 12)
    monkeypatch.setattr(planning, "_LEAST_SHARE", 1 << 9)
    planning.plan_for.cache_clear()
    truth, chances = random_several(7, 20_000, 6)
    counted = ClassTotals(["roc_auc"], SEVERAL, [str(k) for k in range(6)])
    whole = counted.update(truth, chances).report()["roc_auc"]
    kept = [len(c.keys) for c in counted.state.sums.counted if c.budget == 1 << 9]
    assert len(kept) == 6
    assert max(kept) <= 1 << 9
    low, high = whole.bracket
    wanted = sk.roc_auc_score(truth, chances, multi_class="ovr")
    assert low < wanted < high < low + 0.02
    halves = [slice(None, None, 2), slice(1, None, 2)]
    parts = [ClassTotals(["roc_auc"], SEVERAL, [str(k) for k in range(6)]).update(
        truth[rows], chances[rows]) for rows in halves]  # fmt: skip
    assert parts[0].merge(parts[1]).report()["roc_auc"].value == whole.value
    planning.plan_for.cache_clear()


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_labels_alone_are_scikit_learns(classes):
    rng = np.random.default_rng(classes)
    names = np.array(list("abcdefg"))[:classes]
    truth = names[rng.integers(0, classes, 300)]
    said = np.where(rng.random(300) < 0.6, truth, names[rng.integers(0, classes, 300)])
    weight = rng.gamma(2, 1, 300)
    report = offby.measure(truth, said, sample_weight=weight, measures=[*OF_BOTH, *SHARES])
    assert report.task == "multiclass"
    for name, peer in OF_BOTH.items():
        agree(report, name, peer(truth, said, sample_weight=weight))
    for name, peer in SHARES.items():  # no class is the positive one: the mean over all
        agree(report, name, peer(truth, said, average="macro", sample_weight=weight))


def test_digits_through_the_command(offby_command):
    names = "log_loss,brier,accuracy,top_k_accuracy:2,f1:weighted,mcc,roc_auc,d2_log_loss"
    ran = offby_command("measure", "examples/digits.parquet", "--json", "--measures", names)
    found = json.loads(ran.out)
    table = pq.read_table("examples/digits.parquet").to_pandas()
    truth = table["label"].to_numpy()
    chances = table[[f"p{k}" for k in range(10)]].to_numpy()
    said = chances.argmax(1)
    wanted = {
        "log_loss": sk.log_loss(truth, chances),
        "brier": sk.brier_score_loss(truth, chances),
        "accuracy": sk.accuracy_score(truth, said),
        "top_k_accuracy:2": sk.top_k_accuracy_score(truth, chances, k=2),
        "f1:weighted": sk.f1_score(truth, said, average="weighted"),
        "mcc": sk.matthews_corrcoef(truth, said),
        "roc_auc": sk.roc_auc_score(truth, chances, multi_class="ovr"),
        "d2_log_loss": sk.d2_log_loss_score(truth, chances),
    }
    assert {name: m["value"] for name, m in found["measures"].items()} == pytest.approx(
        wanted, rel=1e-11
    )
    assert found["task"] == "multiclass"


def test_the_textbook():
    report = offby.measure([1, 1, 0], [0.9, 0.3, 0.1])
    wanted = -(math.log(0.9) + math.log(0.3) + math.log(0.9)) / 3
    assert report["log_loss"].value == pytest.approx(wanted, rel=1e-15)
    first = report.findings[0]
    assert first.text.startswith("row 2 alone owns 85 % of the log loss: 30 % was given to '1'")
    assert first.numbers["worst"][0]["loss_share"] == pytest.approx(0.851, abs=5e-4)


# --- the promise on digits ---------------------------------------------------------------------

CHANCE = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 1e-300, 0.25]), st.floats(0, 1))
WEIGHTS = st.sampled_from([0.0, 0.25, 1.0, 3.0, 1e-3])
OWN = Measure("own", Mean(q**2))


def bits(report):
    return {
        name: without_row(m.undefined) or (struct.pack("d", m.value), m.bracket)
        for name, m in report.measures.items()
    }


def without_row(reason):
    return reason and reason.partition(" (")[0]


def all_of(task):
    return [name for name in known_names(task) if name != "expected_cost" or task.costs]


@st.composite
def binary_tables(draw):
    rows = draw(st.integers(1, 30))
    truth = draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows))
    score = draw(st.lists(CHANCE, min_size=rows, max_size=rows))
    weight = draw(st.lists(WEIGHTS, min_size=rows, max_size=rows))
    weight = np.array(weight) if draw(st.booleans()) else None
    return BINARY, (), [np.array(truth), np.array(score), weight]


@st.composite
def tables_of_several(draw):
    rows = draw(st.integers(1, 30))
    truth = draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
    parts = draw(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=rows, max_size=rows))
    chances = (np.array(parts) + np.array([0, 0, 1])) / (np.sum(parts, 1) + 1)[:, None]
    weight = draw(st.lists(WEIGHTS, min_size=rows, max_size=rows))
    weight = np.array(weight) if draw(st.booleans()) else None
    return SEVERAL, ("a", "b", "c"), [np.array(truth), chances, weight]


@st.composite
def tables_of_words(draw):
    rows = draw(st.integers(1, 30))
    columns = [draw(st.lists(st.sampled_from("abcd"), min_size=rows, max_size=rows))
               for _ in range(2)]  # fmt: skip
    weight = draw(st.lists(WEIGHTS, min_size=rows, max_size=rows))
    weight = np.array(weight) if draw(st.booleans()) else None
    return WORDS, (), [*map(np.array, columns), weight]


TABLES = st.one_of(binary_tables(), tables_of_several(), tables_of_words())


def part(columns, rows):
    return [None if column is None else column[rows] for column in columns]


def totals(task, labels, columns=None, measures=None, **options):
    asked = [*all_of(task), OWN] if task is SEVERAL else all_of(task)
    new = ClassTotals(measures or asked, task, labels, **options)
    return new if columns is None else new.update(*columns)


@settings(max_examples=60)
@given(TABLES, st.data())
def test_chunks_merges_and_orders_give_the_same_bits(table, data):
    task, labels, columns = table
    rows = len(columns[0])
    whole = bits(totals(*table).report())
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))
    slices = [slice(a, b) for a, b in zip([0, *cuts], [*cuts, rows], strict=True)]
    chunked = totals(task, labels)
    for rows_of in slices:
        chunked.update(*part(columns, rows_of))
    assert bits(chunked.report()) == whole

    trees = [totals(task, labels, part(columns, rows_of)) for rows_of in slices]
    while len(trees) > 1:
        at = data.draw(st.integers(0, len(trees) - 2))
        trees[at : at + 2] = [trees[at].merge(trees[at + 1])]
    assert bits(trees[0].report()) == whole

    order = list(data.draw(st.permutations(range(rows))))
    assert bits(totals(task, labels, part(columns, order)).report()) == whole


@settings(max_examples=30)
@given(TABLES)
def test_stored_and_read_again(table):
    before = totals(*table)
    after = ClassTotals.from_bytes(before.to_bytes())
    assert after.to_bytes() == before.to_bytes()
    assert after.report().to_json() == before.report().to_json()
    assert bits(after.merge(totals(*table)).report()) == bits(before.merge(totals(*table)).report())


@settings(max_examples=30)
@given(TABLES, st.data())
def test_what_else_is_asked_for_changes_nothing(table, data):
    task, labels, columns = table
    everything = bits(totals(*table).report())
    name = data.draw(st.sampled_from(all_of(task)))
    alone = bits(totals(task, labels, columns, measures=[name]).report())
    assert alone[name] == everything[name]


def test_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    truth, score = rng.integers(0, 2, 300_000), rng.random(300_000)
    words = np.array(list("abcde"))[rng.integers(0, 5, (2, 300_000))]
    found = []
    for cores in (1, 2, 5):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        asked = [bits(totals(BINARY, (), [truth, score]).report())]
        found.append([*asked, bits(totals(WORDS, (), words).report())])
    assert found[0] == found[1] == found[2]


@settings(max_examples=30)
@given(TABLES)
def test_a_weight_of_k_is_k_copies_and_the_scale_of_weights_is_nothing(table):
    task, labels, (truth, said, _) = table
    times = np.arange(len(truth)) % 4
    weighted = totals(task, labels, [truth, said, times.astype(float)]).report()
    copied = totals(task, labels, [np.repeat(truth, times), np.repeat(said, times, axis=0), None])
    same(weighted, copied.report())
    scaled = totals(task, labels, [truth, said, times * 0.0625]).report()
    for name, measured in weighted.measures.items():
        assert scaled[name].value == measured.value, name
        for end in ("low", "high"):
            ends = [getattr(found[name], end) for found in (scaled, weighted)]
            assert ends == [None, None] or ends[0] == pytest.approx(ends[1], rel=1e-9), name


def same(a, b):
    for name, measured in a.measures.items():
        other = b[name]
        assert (measured.value is None) == (other.value is None), name
        if measured.value is not None:
            assert measured.value == pytest.approx(other.value, rel=1e-12, abs=1e-15), name


# --- intervals cover ---------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [100, 1000])
def test_intervals_cover(rows):
    """500 tables: 95 % less or more three standard errors of such a count."""
    rng = np.random.default_rng(rows)
    names = ("log_loss", "brier", "accuracy", "roc_auc", "f1")
    many = rng.normal(size=2_000_000)
    shift = 1.0
    chance = 1 / (1 + np.exp(-many * 1.5 + shift))
    came = rng.random(many.size) < chance
    truth = {
        name: m.value for name, m in offby.measure(came, chance, measures=names).measures.items()
    }
    held = dict.fromkeys(names, 0)
    runs = 500
    for _ in range(runs):
        score = 1 / (1 + np.exp(-rng.normal(size=rows) * 1.5 + shift))
        report = offby.measure(rng.random(rows) < score, score, measures=names)
        for name in names:
            held[name] += report[name].low <= truth[name] <= report[name].high
    for name, count in held.items():
        assert 0.92 <= count / runs <= 0.985, (name, count / runs)


# --- which task --------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 100)
P = np.clip(Y * 0.4 + RNG.random(100) * 0.5, 0.01, 0.99)
AMOUNTS = RNG.normal(size=100)
K3 = RNG.integers(0, 3, 100)
P3 = RNG.dirichlet(np.ones(3), 100)
WORD = np.array(["no", "yes"])[Y]
FEW = RNG.integers(0, 4, 100)

TASKS = {
    "0 and 1": (Y, P, "binary"),
    "booleans": (Y > 0, P, "binary"),
    "minus one": (2 * Y - 1, P, "binary"),
    "text of 0 and 1": (Y.astype(str), P, "binary"),
    "0 and 1 predicted": (Y, 1 - Y, "binary labels"),
    "minus one predicted": (2 * Y[:9] - 1, 1 - 2 * Y[:9], "binary labels"),
    "booleans predicted": (Y > 0, P > 0.5, "binary labels"),
    "booleans beside 0 and 1": (Y > 0, Y, "binary labels"),
    "0 and 1 beside booleans": (Y, P > 0.5, "binary labels"),
    "words": (WORD, WORD[::-1], "multiclass"),
    "few integers": (FEW, FEW[::-1], "multiclass"),
    "few integers as floats": (FEW * 1.0, FEW[::-1] * 1.0, "multiclass"),
    "columns": (K3, P3, "multiclass"),
    "two columns": (Y, np.c_[1 - P, P], "binary"),
    "two columns of words": (WORD, np.c_[1 - P, P], "multiclass"),
    "one class of two": (np.zeros(100, int), P, "binary"),
    "a constant score": (Y, np.full(100, 0.3), "binary"),
    "0 and 1 against amounts": (Y, AMOUNTS, "regression"),
    "few integers against amounts": (FEW, AMOUNTS, "regression"),
    "few rows of integers": (FEW[:20], FEW[:20][::-1], "regression"),
    "counts": (RNG.poisson(90, 100), RNG.poisson(90, 100), "regression"),
    "shares": (P, P[::-1], "regression"),
    "a constant": (np.zeros(100), np.zeros(100), "regression"),
    "one row": ([1], [0.7], "regression"),
    "none": ([], [], "regression"),
    "sorted": (np.sort(np.tile(Y, 400)), np.tile(P, 400), "binary"),
    "several outputs": (np.c_[Y, Y], np.c_[P, P], "regression"),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_task_is_told_apart(case):
    truth, said, task = TASKS[case]
    report = offby.measure(truth, said)
    assert report.task == task.partition(" ")[0]
    assert ("labels" in report.columns) == ("labels" in task or case in LABELS_ALONE)
    if "regression" not in task:
        assert "log_loss" in report or "labels" in report.columns


LABELS_ALONE = ("words", "few integers", "few integers as floats", "0 and 1 against amounts")


@pytest.mark.parametrize("case", ["0 and 1", "few integers", "minus one", "0 and 1 predicted"])
def test_regression_if_told(case):
    truth, said, _ = TASKS[case]
    report = offby.measure(truth, said, task="regression")
    assert report.task == "regression"
    assert report["mae"].value == pytest.approx(np.mean(np.abs(truth - said)))


def test_two_columns_are_one_probability_twice():
    """The second is the positive class's, in the order of the sorted labels."""
    both, one = (offby.measure(Y, said) for said in (np.c_[1 - P, P], P))
    same(one, both)
    told = offby.measure(WORD, np.c_[1 - P, P], positive="no")
    assert told["roc_auc"].value == pytest.approx(offby.measure(1 - Y, 1 - P)["roc_auc"].value)
    turned = offby.measure(WORD, np.c_[P, 1 - P], positive="yes", labels=["yes", "no"])
    same(one, turned)
    several = offby.measure(Y, np.c_[1 - P, P], task="multiclass")
    agree(several, "brier", 2 * one["brier"].value)
    with pytest.raises(DataError, match=r"do not sum to 1 in 100 rows: row 1 .* is off by"):
        offby.measure(Y, np.c_[P, P] / 3)


def test_the_positive_class_is_never_guessed():
    with pytest.raises(DataError, match=r"'(yes|no)', '(yes|no)': say which.*--positive"):
        offby.measure(WORD, P)
    with pytest.raises(DataError, match="the positive label 'ja' does not occur"):
        offby.measure(WORD, P, positive="ja")
    yes, no = (offby.measure(WORD, P, positive=word) for word in ("yes", "no"))
    assert yes["roc_auc"].value == pytest.approx(1 - no["roc_auc"].value)
    assert "positive is 'yes'" in yes.columns
    with pytest.raises(MeasureError, match="needs its positive class"):
        Task("binary", scores=True)


LIKE_0_AND_1 = {
    "strings": Y.astype(str).tolist(),
    "floats": Y * 1.0,
    "booleans": Y > 0,
    "objects": Y.astype(object),
    "small integers": Y.astype(np.uint8),
    "categories": pl.Series(Y.astype(str)).cast(pl.Categorical).to_numpy(),
}


@pytest.mark.parametrize("kind", LIKE_0_AND_1)
def test_labels_of_any_type_are_the_same(kind):
    same(offby.measure(Y, P), offby.measure(LIKE_0_AND_1[kind], P))


def test_numbers_that_could_be_classes_say_so():
    report = offby.measure(Y, P * 8 - 4)
    assert "the truth is 0 and 1, yet predictions reach -3." in report.columns
    assert offby.measure(Y, P * 8, task="regression").columns == ""


TABLE_TASKS = {
    "words": ("label,prob\n", [f"{w},{c}" for w, c in zip(WORD, P, strict=True)]),
    "booleans": ("label,prob\n", [f"{y > 0},{c}" for y, c in zip(Y, P, strict=True)]),
    "labels": ("actual,predicted\n", [f"c{a},c{b}" for a, b in zip(FEW, K3, strict=True)]),
    "two columns": ("label,p0,p1\n", [f"{y},{1 - c!r},{c!r}" for y, c in zip(Y.tolist(),
                                                                        P.tolist(), strict=True)]),
    "columns": ("label,p_a,p_b,p_c\n",
                [f"{'abc'[k]},{','.join(map(repr, row))}" for k, row in zip(K3, P3.tolist(),
                                                                            strict=True)]),
}  # fmt: skip


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("case", TABLE_TASKS)
def test_csv(offby_command, tmp_path, case, piped):
    head, lines = TABLE_TASKS[case]
    data = (head + "\n".join(lines) + "\n").encode()
    path = tmp_path / "table.csv"
    path.write_bytes(data)

    def run(*options):
        table = "-" if piped else path
        return offby_command("measure", table, "--json", *options, stdin=data if piped else b"")

    options = ("--positive", "yes") if case == "words" else ()
    found = json.loads(run(*options).out)
    direct = {
        "words": lambda: offby.measure(Y, P),
        "booleans": lambda: offby.measure(Y, P),
        "labels": lambda: offby.measure(FEW, K3, task="multiclass"),
        "two columns": lambda: offby.measure(Y, P),
        "columns": lambda: offby.measure(np.array(list("abc"))[K3], P3),
    }[case]()
    assert found["task"] == direct.task
    for name, measured in direct.measures.items():
        assert found["measures"][name]["value"] == pytest.approx(measured.value, rel=1e-9), name
    if case == "words":
        assert "say which of them is the positive one" in run().error
    if case == "columns":
        turned = json.loads(run("--pred", "p_b,p_a,p_c", "--labels", "b,a,c").out)
        assert turned["measures"]["accuracy"] == found["measures"]["accuracy"]


def test_labels_name_the_columns_in_their_order(offby_command, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("label,x,y\n" + "a,0.9,0.1\nb,0.2,0.8\n" * 20)
    for labels, right in (("a,b", 1.0), ("b,a", 0.0)):
        ran = offby_command("measure", path, "--true", "label", "--pred", "x,y", "--labels", labels,
                            "--measures", "accuracy", "--json")  # fmt: skip
        assert json.loads(ran.out)["measures"]["accuracy"]["value"] == right


def test_probabilities_are_preferred_to_labels():
    table = {"y_true": Y, "y_pred": (P > 0.5) * 1, "y_prob": P}
    assert offby.measure(table)["log_loss"].value == offby.measure(Y, P)["log_loss"].value
    assert "log_loss" not in offby.measure(table, true="y_true", pred="y_pred")
    both = {"label": Y, "predicted": (P > 0.5) * 1, "p0": 1 - P, "p1": P}
    same(offby.measure(Y, P), offby.measure(both))


def test_a_table_sorted_by_class_is_seen_as_one(tmp_path):
    rows = 90_000
    truth = np.sort(np.arange(rows) % 3)
    path = tmp_path / "sorted.parquet"
    pl.DataFrame(
        {"label": truth, "predicted": (truth + (np.arange(rows) % 7 == 0)) % 3}
    ).write_parquet(path)
    report = offby.measure(path)
    assert report.task == "multiclass"
    assert report["accuracy"].value == pytest.approx(6 / 7, abs=1e-5)


def test_the_order_of_rows_does_not_order_the_classes():
    tied = np.tile([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]], (30, 1))
    table = {"label": list("bca" * 20), "p_a": tied[:, 0], "p_b": tied[:, 1], "p_c": tied[:, 2]}
    turned = {name: column[::-1] for name, column in table.items()}
    assert bits(offby.measure(table)) == bits(offby.measure(turned))


# --- what does not fit -------------------------------------------------------------------------


def off(row, by):
    wrong = P3.copy()
    wrong[row] *= 1 + by
    return wrong


BAD = {
    "above 1": ((Y, P * 1.5), {"task": "binary"}, r"is 1\.\d+ in row \d+ .* beyond 0 and 1 in"),
    "below 0": ((Y, P - 0.2), {"positive": 1}, r"y_pred is -0\.\d+ in row"),
    "a column below 0": ((K3, P3 - [0, 0.5, -0.5]), {}, r"y_pred\[:, [12]\] is -?\d\.\d+ in row"),
    "one sum": ((K3, off(6, 0.1)), {}, r"1 in 1 row: row 7 \(counted from 1\) is off by 0\.1;"),
    "sums": ((K3, P3 * 1.01), {}, r"1 in 100 rows: row 1 \(counted from 1\) is off by 0\.01"),
    "an unknown label": ((np.array(list("abx"))[K3], P3), {"labels": "abc"},
                         r"is 'x', which is none of the known labels: 'a', 'b', 'c'"),
    "columns for labels": ((K3, RNG.dirichlet(np.ones(2), 100)), {},
                           "2 columns of probabilities came for 3 labels"),
    "numbers as text": ((np.arange(100).astype(str), RNG.dirichlet(np.ones(100), 100)), {},
                        "numbers as text, which sort in two ways"),
    "many columns of two": ((Y, P3), {"task": "binary"}, "3 columns .* where 2 were expected"),
    "three labels": ((K3, P), {"positive": 1}, "more than two labels came"),
    "more to come": ((np.r_[np.tile(Y, 200), 2], np.r_[np.tile(Y, 200), 2]), {},
                     "more than two labels came .*--task multiclass"),
    "two spellings": ((np.array(["True", "False"])[Y], Y), {}, "write both alike"),
    "one-hot": ((np.eye(3)[K3], P3), {"task": "multiclass"}, r"\(100, 3\); expected one label"),
    "lengths": ((Y, P[:50]), {"task": "binary"}, "y_true has 100 rows and y_pred has 50"),
    "weights": ((Y, P, np.ones(3)), {}, "sample_weight has 3 rows and y_true has 100"),
    "words as weights": ((Y, P, WORD), {}, "sample_weight holds"),
    "a negative weight": ((Y, P, -np.ones(100)), {}, "sample_weight is -1.0 in row 1"),
    "one column of several": ((K3, P), {"task": "multiclass"}, "need a column for each"),
    "nan policy": ((Y, P), {"nan": "keep"}, "nan is 'keep'"),
    "confidence": ((Y, P), {"confidence": 2}, "confidence is 2"),
    "a number of classes": ((K3, P3), {"measures": "rmse"}, "'rmse' is of numbers, .*--task regr"),
    "a formula of codes": ((WORD, WORD), {"measures": "Mean(r**2)"}, "is of numbers"),
    "an unknown class": ((K3, P3), {"measures": "recall:7"}, "'7' is neither an average"),
    "a misspelt measure": ((Y, P), {"measures": "roc_acu"}, "did you mean roc_auc"),
    "costs": ((K3, P3), {"costs": (1, 5)}, r"costs have shape \(2,\) for 3 classes"),
    "no costs": ((Y, P), {"measures": "expected_cost"}, "expected_cost needs the costs"),
    "threshold": ((Y, P), {"threshold": 2}, "it must be a probability"),
    "bootstrap": ((Y, P), {"interval": "bootstrap"}, "here use 'delta'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_one_clear_error(case):
    (truth, said, *weight), options, wanted = BAD[case]
    with pytest.raises((DataError, MeasureError), match=wanted):
        offby.measure(truth, said, sample_weight=weight[0] if weight else None, **options)


NINTH = np.arange(100) % 9
GAPS = {
    "a label": lambda y, p: (np.where(NINTH, y, np.nan), p),
    "none among words": lambda y, p: (
        np.where(NINTH, np.array(list("abc"))[y], None), p,
    ),
    "a probability": lambda y, p: (y, np.where(NINTH[:, None] | [0, 1, 1], p, np.nan)),
    "all probabilities": lambda y, p: (y, np.where(NINTH[:, None], p, np.nan)),
}  # fmt: skip


@pytest.mark.parametrize("case", GAPS)
def test_missing_values(case):
    truth, said = GAPS[case](K3, P3)
    with pytest.raises(DataError, match=r"has 12 values that are missing .*\(row 1: nan, row 10"):
        offby.measure(truth, said)
    kept = NINTH > 0
    report = offby.measure(truth, said, nan="drop")
    assert (report.rows, report.dropped) == (88, 12)
    same(report, offby.measure(K3[kept], P3[kept]))


def test_all_missing_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = offby.measure(np.full(40, np.nan), np.full((40, 3), np.nan), nan="drop",
                               labels="abc")  # fmt: skip
    assert (report.rows, report.dropped) == (0, 40)


# --- edges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_no_rows_are_undefined(task, offby_command, tmp_path):
    assert {m.undefined for m in offby.measure([], [], task=task).measures.values()} == {
        "there are no rows"
    }
    table = tmp_path / "head.csv"
    table.write_text("label,prob\n")
    found = json.loads(offby_command("measure", table, "--task", task, "--json").out)
    assert found["task"] == task
    assert all(m["undefined"] for m in found["measures"].values())


def test_one_row_and_one_class():
    alone = offby.measure([1], [0.7], task="binary")
    assert alone["log_loss"].value == pytest.approx(-math.log(0.7))
    assert alone["roc_auc"].undefined == "all rows are positive"
    none = offby.measure(np.zeros(50, int), np.full(50, 0.2), task="binary")
    assert none["recall"].undefined == "no row is '1'"
    assert "one_class" in {finding.kind for finding in none.findings}
    same_label = offby.measure(["a"], ["a"])
    assert (same_label["accuracy"].value, same_label["accuracy"].high) == (1.0, 1.0)
    negative = ClassTotals("recall", Task("binary", positive="yes")).update(["no"], ["no"])
    assert negative.report()["recall"].undefined == "no row is 'yes'"


def test_one_row_of_a_class_and_one_score_say_why_there_is_no_interval():
    assert "one row of a class" in offby.measure([1, 1, 0], [0.9, 0.3, 0.1])["roc_auc"].unsure
    flat = offby.measure(Y, np.full(100, 0.3))["roc_auc"]
    assert (flat.value, flat.unsure) == (0.5, "every row has the same score")


@pytest.mark.parametrize("count", [1, 4, 20_000])
def test_a_probability_of_0_for_what_happened(count):
    rows = 50_000
    truth, score = np.arange(rows) % 2, np.full(rows, 0.5)
    score[np.flatnonzero(truth)[:count]] = 0
    report = offby.measure(truth, score)
    assert report["log_loss"].value == math.inf
    said = [f.text for f in report.findings if f.kind in ("impossible", "infinite")]
    assert len(said) == 1
    named = ", ".join(str(2 * k + 2) for k in range(min(count, 5)))
    more = " and 19,995 more" if count > 5 else ""
    assert f"(row{'s' * (count > 1)} {named}{more}" in said[0]
    assert '"value": "Infinity"' in report.to_json()


def test_a_tiny_probability_is_not_0():
    report = offby.measure([1, 1, 0], [1e-12, 0.3, 0.1])
    assert "row 1 alone owns 95 % of the log loss: 1e-10 % was given" in report.findings[0].text


def test_few_rows_show_no_interval_of_skill():
    texts = [f.text for f in offby.measure([1, 1, 0], [0.9, 0.3, 0.1]).findings]
    (skill,) = [text for text in texts if "base rate" in text]
    assert "interval" not in skill


def test_a_class_that_never_comes():
    report = offby.measure(np.minimum(K3, 1), P3, measures=[
        "balanced_accuracy", "log_loss", "roc_auc", "average_precision:2", "roc_auc:1",
        "d2_log_loss"])  # fmt: skip
    for name in ("balanced_accuracy", "roc_auc", "average_precision:2"):
        assert report[name].undefined == "no row is '2'"
    assert report["roc_auc:1"].value is not None
    assert report["d2_log_loss"].value is not None
    alone = offby.measure(np.zeros(9, int), P3[:9], task="multiclass", labels=[0, 1, 2],
                          measures="d2_brier,roc_auc")  # fmt: skip
    assert "all rows are of one class" in alone["d2_brier"].undefined
    known = offby.measure(np.arange(90) % 3, np.full((90, 3), 1 / 3), task="multiclass",
                          measures="d2_log_loss,roc_auc")  # fmt: skip
    assert known["d2_log_loss"].value == pytest.approx(0, abs=1e-12)
    assert known["d2_log_loss"].unsure == "its rows do not vary: no interval"
    assert (known["roc_auc"].value, known["roc_auc"].low) == (0.5, None)
    assert alone["roc_auc"].undefined == "every row is '0'"
    assert report["log_loss"].value > 0


def test_300_classes():
    truth, chances = np.arange(3000) % 300, RNG.dirichlet(np.ones(300), 3000)
    report = offby.measure(truth, chances)
    agree(report, "log_loss", sk.log_loss(truth, chances))
    agree(report, "f1", sk.f1_score(truth, chances.argmax(1), average="macro"))
    words = offby.measure(truth.astype(str), truth[::-1].astype(str))
    agree(words, "accuracy", np.mean(truth == truth[::-1]))


def test_more_classes_than_a_matrix_is_kept_for():
    truth = np.arange(6000).astype("U6")
    report = offby.measure(truth, truth)
    assert "more than a confusion matrix is kept for" in report["accuracy"].undefined


def test_shares_have_wilsons_interval():
    truth, chances = random_several(1)
    report = offby.measure(truth, chances, measures="top_k_accuracy:1,top_k_accuracy:4,accuracy")
    first, accuracy = report["top_k_accuracy:1"], report["accuracy"]
    assert (first.low, first.high) == pytest.approx((accuracy.low, accuracy.high), rel=1e-9)
    assert first.standard_error == pytest.approx(accuracy.standard_error, rel=1e-9)
    sure = report["top_k_accuracy:4"]
    assert (sure.value, sure.standard_error, sure.high) == (1.0, None, 1.0)
    assert 0.98 < sure.low < 1


def test_every_interval_holds_its_value():
    tables = [random_binary(k, 60) for k in range(5)] + [random_several(k, 60) for k in range(5)]
    for truth, said in tables:
        task = BINARY if said.ndim == 1 else SEVERAL
        names = all_of(task)
        report = offby.measure(truth, said, measures=names, costs=task.costs)
        for name, m in report.measures.items():
            if m.low is not None:
                assert m.range[0] <= m.low <= m.value <= m.high <= m.range[1], name


# --- totals ------------------------------------------------------------------------------------


def test_labels_met_in_another_order_are_recoded():
    forward = ClassTotals(None, WORDS).update(list("aabbc"), list("abbbc"), [1, 2, 3, 4, 5])
    backward = ClassTotals(None, WORDS).update(list("dcba"), list("cccd"), [1, 1, 1, 1])
    whole = ClassTotals(None, WORDS).update(
        list("aabbcdcba"), list("abbbccccd"), [1, 2, 3, 4, 5, 1, 1, 1, 1]
    )
    merged = forward.merge(backward).report()
    assert bits(merged) == bits(whole.report())
    assert merged.confusion.weights.tolist() == whole.report().confusion.weights.tolist()
    assert merged.to_json() == whole.report().to_json()


def test_unlike_totals_do_not_merge():
    some = ClassTotals("f1", BINARY).update(Y, P)
    for other in (ClassTotals("f1", WORDS), ClassTotals("mcc", BINARY),
                  ClassTotals("f1", Task("binary", True, "1", 0.4, (1.0, 5.0)))):  # fmt: skip
        with pytest.raises(MeasureError, match="cannot be merged"):
            some.merge(other)
    weighted = ClassTotals("f1", BINARY).update(Y, P, np.ones(100))
    for act in (lambda: some.merge(weighted), lambda: some.update(Y, P, np.ones(100))):
        with pytest.raises(DataError, match=r"rows with weights arrived where earlier .* without"):
            act()
    columns = [ClassTotals("mcc", SEVERAL, labels).update(list("abc"), P3[:3])
               for labels in ("abc", "bca")]  # fmt: skip
    with pytest.raises(DataError, match="columns of probabilities are of a, b, c in one"):
        columns[0].merge(columns[1])
    yes_no, maybe = (ClassTotals("f1", Task("binary", True, "yes")).update(words, [0.1, 0.9])
                     for words in (["no", "yes"], ["maybe", "yes"]))  # fmt: skip
    before = yes_no.to_bytes()
    with pytest.raises(DataError, match="more than two labels"):
        yes_no.merge(maybe)
    assert yes_no.to_bytes() == before


def test_totals_are_neutral_and_may_be_doubled():
    empty, some = ClassTotals(None, WORDS), ClassTotals(None, WORDS).update(WORD, WORD[::-1])
    whole = some.to_bytes()
    assert ClassTotals(None, WORDS).merge(some).to_bytes() == whole
    assert some.merge(empty).to_bytes() == whole
    assert some.merge(some).report().rows == 200
    assert ClassTotals.from_bytes(empty.to_bytes()).report().rows == 0


BROKEN = {
    "labels and a gap": (BINARY, [[1, 0], [0.1, np.nan], None]),
    "a third label": (Task("binary", True, "1"), [["1", "0", "2"], [0.1, 0.2, 0.3], None]),
    "a weight": (WORDS, [["x", "y"], ["y", "z"], [1.0, -1.0]]),
    "a gap among words": (WORDS, [["x", None], ["y", "z"], None]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_update_that_fails_adds_nothing(case):
    task, columns = BROKEN[case]
    some = ClassTotals("accuracy", task)
    fine = (Y, P) if task.scores else (WORD, WORD)
    for _ in range(2):
        before = some.to_bytes()
        with pytest.raises(DataError):
            some.update(*columns)
        assert some.to_bytes() == before
        some.update(*fine, None if columns[2] is None else np.ones(100))
    assert some.report().rows == 200


def test_what_is_stored_names_measures_and_spells_ones_own():
    totals_ = totals(SEVERAL, "abc", [np.array(list("abc"))[K3], P3, None], nan="drop",
                     confidence=0.9)  # fmt: skip
    again = ClassTotals.from_bytes(totals_.to_bytes())
    assert (again.nan, again.confidence, again.task) == ("drop", 0.9, SEVERAL)
    assert {m.name for m in again.asked} == {*all_of(SEVERAL), "own"}
    costly = Task("multiclass", costs=((0.0, 1.0), (2.5, 0.0)))
    assert ClassTotals.from_bytes(ClassTotals(None, costly).to_bytes()).task == costly
    with pytest.raises(DataError, match="totals of a classifier; read them with ClassTotals"):
        Totals.from_bytes(totals_.to_bytes())
    with pytest.raises(DataError, match="totals of numbers, not of classes; read them with Totals"):
        ClassTotals.from_bytes(Totals().to_bytes())


def test_every_damage_is_a_data_error():
    stored = ClassTotals(None, WORDS).update(WORD, WORD[::-1]).to_bytes()
    for at in range(0, len(stored), 11):
        damaged = bytearray(stored)
        damaged[at] ^= 1 + at % 255
        with pytest.raises(DataError):
            ClassTotals.from_bytes(bytes(damaged))


def test_the_report_is_that_of_measure():
    assert ClassTotals().update(Y, P).report().measures == offby.measure(Y, P).measures


# --- the command -------------------------------------------------------------------------------

LATE = "examples/late.parquet"
GATES = {
    ("--require", "roc_auc > 0.7"): 0,
    ("--require", "roc_auc > 0.713"): 1,
    ("--require", "roc_auc.value > 0.713"): 0,
    ("--fail-if", "log_loss > 0.5"): 1,
    ("--fail-if", "log_loss > 0.51"): 0,
    ("--fail-if", "recall:0 < 0.5"): 0,
    ("--require", "top_k_accuracy:2 > 0.5"): 2,
}


@pytest.mark.parametrize("gate", GATES)
def test_gates(offby_command, gate):
    ran = offby_command("measure", LATE, *gate)
    assert ran.code == GATES[gate]


def test_gates_in_json_and_an_undefined_measure(offby_command, tmp_path):
    ran = offby_command("measure", LATE, "--json", "--require", "f1 > 0.9")
    assert ran.code == 1
    found = json.loads(ran.out, parse_constant=pytest.fail)
    assert (found["gates"][0]["passed"], found["task"]) == (False, "binary")
    assert "failed: --require 'f1 > 0.9'" in ran.err
    table = tmp_path / "one.csv"
    table.write_text("label,prob\n" + "0,0.25\n" * 40)
    assert offby_command("measure", table, "--task", "binary", "--require", "f1 > 0").code == 1
    assert offby_command("measure", table, "--task", "binary", "--fail-if", "roc_auc < 1").code == 2


def test_the_list_of_measures_has_a_group_for_each_task(offby_command):
    ran = offby_command("measures")
    for name in ("rmse", "roc_auc", "top_k_accuracy:3", "log_loss_share:0.01", "lift:0.1"):
        assert f"\n{name} " in ran.out
    found = json.loads(offby_command("measures", "--json").out)
    assert list(found) == ["regression", "binary", "multiclass"]
    for kind, task in (("binary", BINARY), ("multiclass", SEVERAL)):
        assert set(all_of(task)) <= set(found[kind])


def test_predictions_of_two_of_three_labels_are_labels():
    """0 and 1 beside 0, 1 and 2 are no probabilities of one of them."""
    truth = np.arange(90) % 3
    report = offby.measure(truth, np.minimum(truth, 1))
    assert report.task == "multiclass"
    assert report["accuracy"].value == pytest.approx(2 / 3)
