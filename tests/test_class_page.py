"""The page of a classifier: it stands alone, draws whatever comes, and its captions are true."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from test_page import check, parsed

from offby.classification.task import Task
from offby.confusion import Confusion
from offby.drawing.numbers import chance, percent
from offby.report import class_page
from offby.report.class_table import by_class
from offby.report.matrix import matrix
from offby.verbs.classified import ClassTotals

EXAMPLES = Path(__file__).parent.parent / "examples"
RNG = np.random.default_rng(11)
WORDS = [
    "cat",
    "a very long class name that goes on and on",
    "quick brown fox",
    *"defghijklmnopqrst",
]
RIGHT = "Are the probabilities right?"
MATRIX = "What came, and what was predicted"
SCORED = (
    RIGHT, "ROC curve", "Precision and recall", "Precision, recall and F1 along thresholds",
    "Gains: whom to look at first", MATRIX,
)  # fmt: skip
COSTLY = (*SCORED[:4], "What a threshold costs", *SCORED[4:])
LABELLED = (MATRIX, "Class by class")


def report(task, truths, predictions, labels=(), weights=None):
    return ClassTotals(None, task, labels).update(truths, predictions, weights).report()


def binary(truths, scores, weights=None, **options):
    task = Task("binary", scores=True, positive="1", **options)
    return report(task, truths, scores, weights=weights)


def labelled(truths, predicted):
    return report(Task("multiclass"), truths, predicted)


def late(**options):
    table = pq.read_table(EXAMPLES / "late.parquet")
    return binary(table["late"].to_numpy(), table["p_late"].to_numpy(), **options)


def digits():
    table = pq.read_table(EXAMPLES / "digits.parquet").to_pandas()
    names = [str(k) for k in range(10)]
    scores = table[[f"p{name}" for name in names]].to_numpy()
    return report(Task("multiclass", scores=True), table["label"].to_numpy(), scores, names)


def mixed(names, rows=4000):
    """Labels of which four in five are predicted right, the others mostly as a neighbour."""
    truths = RNG.integers(0, len(names), rows)
    near = (truths + RNG.integers(1, 3, rows)) % len(names)
    guesses = np.where(RNG.random(rows) < 0.8, truths, near)
    return labelled(np.array(names)[truths], np.array(names)[guesses])


def random_scores(rows, top=1.0):
    scores = RNG.uniform(0, top, rows)
    return (RNG.random(rows) < scores).astype(int), scores


CASES = {
    "late": (late, SCORED),
    "late with costs": (partial(late, costs=(1, 5)), COSTLY),
    "textbook": (lambda: binary([1, 1, 0], [0.9, 0.3, 0.1]), SCORED),
    "textbook with costs": (lambda: binary([1, 1, 0], [0.9, 0.3, 0.1], costs=(1, 5)), COSTLY),
    "rare": (lambda: binary(*random_scores(20_000, 0.02), costs=(1, 30)), COSTLY),
    "weights": (lambda: binary(*random_scores(500), RNG.uniform(0, 3, 500)), SCORED),
    "constant score": (lambda: binary([0, 1] * 50, [0.3] * 100, costs=(1, 5)), COSTLY),
    "perfect": (lambda: binary([0, 1] * 50, [0.0, 1.0] * 50), SCORED),
    "always wrong": (lambda: binary([0, 1] * 9, [0.9, 0.2] * 9, costs=(1, 5)), COSTLY),
    "impossible": (lambda: binary([0, 1, 1, 0, 1], [0.2, 0.8, 0.4, 0.6, 0.0]), SCORED),
    "cut that none reaches": (lambda: binary(*random_scores(99), threshold=1.0), SCORED),
    "cut that all reach": (lambda: binary(*random_scores(99), threshold=0.0), SCORED),
    "all positive": (lambda: binary([1] * 50, RNG.uniform(0.2, 1, 50), costs=(1, 5)), None),
    "all negative": (lambda: binary([0] * 50, RNG.uniform(0.2, 1, 50)), (RIGHT, MATRIX)),
    "one row": (lambda: binary([1], [0.7]), (RIGHT, MATRIX)),
    "all scores 0": (lambda: binary([0, 1, 0], [0.0, 0.0, 0.0]), SCORED),
    "no rows": (lambda: binary([], []), ()),
    "digits": (digits, LABELLED),
    "two labels": (lambda: labelled(list("abab"), list("abba")), LABELLED),
    "one label": (lambda: labelled(["a"] * 9, ["a"] * 9), LABELLED),
    "never predicted": (lambda: labelled(list("aabbc"), list("aabab")), LABELLED),
    "never came": (lambda: labelled(list("aabb"), list("aabc")), LABELLED),
    "perfect labels": (lambda: labelled(list("abc"), list("abc")), LABELLED),
    "20 classes": (lambda: mixed(WORDS), LABELLED),
    "100 classes": (lambda: mixed([f"class {k}" for k in range(100)], 20_000), LABELLED),
}


def alone(text):
    """As `check`; but a measure may be undefined, where it says why."""
    assert not re.search(r'="[^"]*\bundefined\b', text)
    return check(defined(text))


def defined(text):
    return text.replace("undefined", "not defined")


@pytest.mark.parametrize("name", CASES)
def test_draws_whatever_comes(name):
    made, titles = CASES[name]
    found = made()
    text = found.to_html()
    words = alone(text)
    if titles is not None:
        assert tuple(re.findall("<h3>(.*?)</h3>", text)) == titles
    assert all(defined(finding.text) in words for finding in found.findings)
    assert len(text) < 500_000
    alone(found._repr_html_())


def test_a_page_of_many_rows_is_small():
    truths, scores = random_scores(200_000)
    assert len(binary(truths, scores, costs=(1, 3)).to_html()) < 500_000


def test_a_page_of_many_classes_is_small():
    found = mixed([f"class {k}" for k in range(1000)], 30_000)
    text = found.to_html()
    assert len(text) < 500_000
    assert "800 classes are left out" in check(text)
    assert "170 more classes" in text


def test_same_report_same_page():
    assert late().to_html() == late().to_html()


def test_names_cannot_write_markup():
    evil = '<script>alert("é")</script>'
    text = labelled([evil, "b", "c", evil], ["b", "b", evil, evil]).to_html()
    assert "<script" not in text
    assert "&lt;script&gt;alert(" in text
    parsed(text)
    task = Task("binary", scores=True, positive=evil)
    text = report(task, [evil, "b", "b"], [0.9, 0.4, 0.6]).to_html()
    assert "<script" not in text
    parsed(text)


# --- what the captions say ---------------------------------------------------------------------


def captions(found):
    return {chart.title: chart.caption for chart in class_page.charts(found.view)}


def test_reliability_counts_the_rows_it_speaks_of():
    truths = np.repeat([1, 0, 1, 0], [40, 160, 190, 10])
    said = captions(binary(truths, np.repeat([0.2, 0.6], 200)))[RIGHT]
    assert "Of the rows given 60 %, 95 % were '1': 35 percentage points more than foretold" in said
    assert "1 of the 2 intervals misses" in said


def test_reliability_of_the_example():
    table = pq.read_table(EXAMPLES / "late.parquet")
    y, p = table["late"].to_numpy(), table["p_late"].to_numpy()
    said = captions(late())[RIGHT]
    low, high, rate = map(float, re.search(r"given (\S+) – (\S+) %, (\S+) %", said).groups())
    inside = (p > (low - 0.5) / 100) & (p < (high + 0.5) / 100)
    assert y[inside].mean() == pytest.approx(rate / 100, abs=0.02)


def test_the_cut_is_what_the_rows_say():
    y, p = random_scores(3000)
    said = captions(binary(y, p, threshold=0.3))
    found, alarms = np.mean(p[y == 1] >= 0.3), np.mean(p[y == 0] >= 0.3)
    right = np.mean(y[p >= 0.3])
    assert f"finds {percent(found)}" in said["ROC curve"]
    assert f"takes {percent(alarms)} of the others" in said["ROC curve"]
    wins = np.mean(p[y == 1][:, None] > p[y == 0])
    assert f"In {percent(wins)} of all pairs" in said["ROC curve"]
    assert f"{percent(right)} are '1' (precision)" in said["Precision and recall"]
    assert f"precision is {percent(right)}, recall {percent(found)}" in said[SCORED[3]]
    top = y[np.argsort(-p)][:300].sum() / y.sum()
    assert f"hold {percent(top)} of all" in said[SCORED[4]]


def test_costs_are_what_the_rows_say():
    y, p = random_scores(2000)
    said = captions(binary(y, p, costs=(1, 4)))[COSTLY[4]]

    def cost(cut):
        return np.mean(np.where(p >= cut, 1 - y, 4 * y))

    told = re.search(r"cut at 0.5 costs (\S+) a row. A cut at (\S+) would have saved (\S+)", said)
    now, cut, saved = map(float, told.groups())
    assert "With 1 for a false alarm and 4 for a miss" in said
    assert now == pytest.approx(cost(0.5), abs=0.001)
    assert saved == pytest.approx(cost(0.5) - min(map(cost, p)), abs=0.001)
    assert cost(cut) == pytest.approx(cost(0.5) - saved, abs=0.02)


def test_never_a_yes_may_be_cheapest():
    y, p = [0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1]
    found = class_page.charts(binary(y, p, costs=(5, 1)).view)[4]
    assert "Never saying yes would have saved 3.75" in found.caption
    assert "cheapest here: never a yes" in [key.text for key in found.keys]


def test_cut_beyond_all_scores():
    found = class_page.charts(binary([0, 1] * 20, [0.01, 0.02] * 20).view)
    assert "No row reaches the cut at 0.5" in found[2].caption
    assert "the cut at 0.5 (beyond the picture)" in [key.text for key in found[3].keys]


def test_matrix_says_what_is_counted():
    found = matrix(Confusion.of(["a"] * 8 + ["b"] * 4, ["a"] * 6 + ["b"] * 5 + ["a"]))
    assert "Of the 8 rows that are 'a', 75 % were predicted right" in found.caption
    assert re.search(r'class="wrong"[^>]*>2<small>25 %</small>', found.body)


def test_matrix_shares_are_never_rounded_to_nothing_or_all():
    truths = np.array([f"c{k % 12}" for k in range(12_000)])
    guesses = truths.copy()
    guesses[0] = "c1"
    body = matrix(Confusion.of(truths, guesses)).body
    assert body.count("&lt;1</td>") == 1
    assert body.count("&gt;99</td>") == 1
    assert body.count(">100</td>") == 11


def test_many_classes_are_folded_without_losing_a_row():
    names = np.array([f"c{k:02}" for k in range(40)])
    truths = np.repeat(names, 10)
    guesses = truths.copy()
    guesses[truths == "c07"] = "c33"
    found = matrix(Confusion.of(truths, guesses))
    assert {"c07", "c33", "28 others"} <= set(re.findall(r'row">(.*?)</th>', found.body))
    assert "'c07' taken for 'c33': 100 % of the rows" in found.caption
    sums = [int(n) for n in re.findall(r'<td class="sum">(\d+)</td>', found.body)]
    assert sum(sums) == 400


def test_the_weakest_class_comes_first():
    truths, guesses = ["a"] * 10 + ["b"] * 10 + ["c"] * 10, ["a"] * 10 + ["b"] * 6 + ["c"] * 14
    found = by_class(Confusion.of(truths, guesses), 0.95)
    names = re.findall(r'<th scope="row">(.*?)</th>', found.body)
    assert names == ["b", "c", "a", "all rows (accuracy)", "mean of the classes", "mean by rows"]
    assert "first: 'b'. Of its 10 rows 60 % were found, and of the rows predicted as it 100 %" in (
        found.caption
    )
    assert "0.750" in found.body


def test_what_is_undefined_has_its_reason():
    found = by_class(Confusion.of(list("aab"), list("aaa")), 0.95)
    assert 'title="no row was predicted as &#39;b&#39;">–' in found.body
    assert "no row was predicted as it" in found.caption


def test_pairs_and_worst_rows():
    truths, scores = ["a", "b", "c", "a"], [[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0, 1, 0], [1, 0, 0]]
    view = report(Task("multiclass", scores=True), truths, np.array(scores, float), "abc").view
    pairs, worst = class_page.listings(view, 4)
    assert ("b", "a", "100 %", "1", "50 %") in pairs.lines
    assert worst.lines[0] == ("3", "c", "b", "0 %", "")
    assert "probability of exactly 0" in worst.say
    assert len(worst.lines) == 3  # the last row is perfect


def test_worst_rows_own_a_share():
    (worst,) = class_page.listings(binary([1, 1, 0], [0.9, 0.3, 0.1]).view, 3)
    assert worst.lines[0] == ("2", "1", "0", "30 %", "85 %")
    assert worst.say.startswith("These 3 rows own 100 % of the log loss of all 3 rows")


def test_only_0_is_0():
    assert chance(1e-12) == "1e-10 %"
    assert chance(0.0) == "0 %"
