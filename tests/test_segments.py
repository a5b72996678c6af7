"""Segments: the same numbers as their rows alone, honest gaps, a search that noise cannot fool."""

import json
import math
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

import offby
from offby.engine.groups import Groups
from offby.engine.planning import plan_for
from offby.engine.rest import rest_of
from offby.engine.rows import Rows, columns_of, update
from offby.engine.state import State
from offby.formula.words import p, r, w, y
from offby.measures.finish import measurement
from offby.measures.names import resolve
from offby.report import needle
from offby.segments.clusters import Clusters
from offby.segments.gap import SURE, gap_of, holm
from offby.segments.losses import LossRows, halves
from offby.segments.relief import of_segments
from offby.segments.search import search

REGRESSION = ["mae", "rmse", "mse", "bias", "r2", "median_absolute_error", "max_error",
              "squared_error_share:0.1", "d2_absolute"]  # fmt: skip
MEASURES = resolve(REGRESSION)
FORMULAS = tuple(measure.formula for measure in MEASURES)


def table(rows=4000, groups=7, seed=1):
    rng = np.random.default_rng(seed)
    truth = rng.normal(100, 20, rows)
    codes = rng.integers(0, groups, rows)
    guess = truth + rng.normal(0, 5 + codes, rows)
    return truth, guess, codes


def state_of(truth, guess, weight=None):
    state = State(plan_for(FORMULAS, weight is not None))
    update(state, Rows(truth.copy(), guess.copy(), None if weight is None else weight.copy()))
    return state


def same(found, expected, digits=1e-9):
    assert found.value == expected.value, (found, expected)
    assert found.undefined == expected.undefined
    for name in ("standard_error", "low", "high"):
        a, b = getattr(found, name), getattr(expected, name)
        assert a == pytest.approx(b, rel=digits) if b is not None else a is None, found


# --- the totals of groups ----------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch", [333, 4000])
def test_groups_are_the_states_of_their_rows_and_merge_to_the_whole(weighted, batch):
    truth, guess, codes = table()
    scale = np.where(codes == 2, 1e-7, 1.0)  # small numbers among large ones keep their digits
    truth, guess = truth * scale, guess * scale
    weight = np.random.default_rng(2).gamma(2, 1, truth.size) if weighted else None
    groups = Groups(plan_for(FORMULAS, weighted))
    for start, stop in pairwise([*range(0, truth.size, batch), truth.size]):
        at = slice(start, stop)
        part = Rows(truth[at], guess[at], None if weight is None else weight[at])
        groups.add(columns_of(part), codes[at].astype(np.int32), np.arange(start, stop))
    groups.finished()
    merged = State(plan_for(FORMULAS, weighted))
    for k in range(groups.count):
        here = codes == k
        alone = state_of(truth[here], guess[here], None if weight is None else weight[here])
        assert groups.state(k).sums.rows == here.sum()
        for measure in MEASURES:
            same(measurement(groups.state(k), measure, 0.95), measurement(alone, measure, 0.95))
        merged.merge(groups.state(k))
    whole = state_of(truth, guess, weight)
    for measure in MEASURES:
        same(measurement(merged, measure, 0.95), measurement(whole, measure, 0.95), 1e-6)


def test_many_groups_merge_to_the_bits_of_the_whole():
    truth, guess, codes = table(20_000, 1500)
    groups = Groups(plan_for(FORMULAS, False))
    groups.add({y: truth, p: guess}, codes.astype(np.int32), np.arange(truth.size))
    merged = State(plan_for(FORMULAS, False))
    for k in range(groups.count):
        merged.merge(groups.state(k))
    whole = state_of(truth, guess)
    for measure in MEASURES:
        same(measurement(merged, measure, 0.95), measurement(whole, measure, 0.95), 1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_of_groups_beyond_their_budget_do_not_depend_on_chunks(weighted, monkeypatch):
    monkeypatch.setattr("offby.engine.group_counts.KEYS", 6000)
    truth, guess, codes = table(60_000, 3)
    guess[::50] = truth[::50] + 2.0  # a round number: its key is a power of two
    weight = np.random.default_rng(2).gamma(2, 1, truth.size) if weighted else None
    found = []
    for batch in (60_000, 7000):
        groups = Groups(plan_for(FORMULAS, weighted))
        for start in range(0, truth.size, batch):
            at = slice(start, start + batch)
            part = Rows(truth[at], guess[at], None if weight is None else weight[at])
            ids = np.arange(start, start + truth[at].size)
            groups.add(columns_of(part), codes[at].astype(np.int32), ids)
        groups.finished()
        found.append([groups.state(k) for k in range(3)])
    for k, pair in enumerate(zip(*found, strict=True)):
        for measure in MEASURES:
            a, b = (measurement(state, measure, 0.95) for state in pair)
            same(a, b, 1e-6)
            assert a.bracket == b.bracket
        here = codes == k
        alone = state_of(truth[here], guess[here], None if weight is None else weight[here])
        median = measurement(pair[0], MEASURES[5], 0.95)
        low, high = median.bracket
        assert low <= measurement(alone, MEASURES[5], 0.95).value <= high
        assert pair[0].sums.counted[0].counts.sum() == here.sum()


def test_the_first_row_without_a_value_is_named_by_its_number():
    truth = np.array([1.0, 2.0, 0.0, 4.0, 0.0])
    plan = plan_for(tuple(m.formula for m in resolve("mape")), False)
    groups = Groups(plan)
    codes = np.array([0, 1, 1, 0, 0], np.int32)
    groups.add({y: truth, p: truth + 1}, codes, np.arange(5) * 10)
    found = [measurement(groups.state(k), resolve("mape")[0], 0.95).undefined for k in (0, 1)]
    assert "the first is row 41" in found[0]
    assert "the first is row 21" in found[1]


def test_the_rest_is_the_other_rows_even_beside_a_giant():
    truth, guess, codes = table()
    giant = codes == 0
    truth[giant] *= 1e9
    guess[giant] *= 1e9
    whole = state_of(truth, guess)
    assert rest_of(whole, state_of(truth[giant], guess[giant])) is None  # would be rounding
    others = state_of(truth[~giant], guess[~giant])
    rest = rest_of(whole, others)
    for measure in MEASURES:
        if measure.name != "max_error":
            same(measurement(rest, measure, 0.95),
                 measurement(state_of(truth[giant], guess[giant]), measure, 0.95))  # fmt: skip
    found = offby.measure(truth, guess, measures="mae,rmse", by={"g": codes})
    (one,) = [segment for segment in found.segments if segment.values == ("0",)]
    alone = offby.measure(truth[~giant], guess[~giant], measures="mae")["mae"]
    assert one.gaps["mae"].value == one["mae"].value - alone.value
    assert one.gaps["mae"].sure


# --- segments in a report ----------------------------------------------------------------------


def named(report, *columns):
    return {one.values: one for one in report.segments if one.columns == columns}


def test_a_segment_is_measured_as_its_rows_alone():
    truth, guess, codes = table()
    report = offby.measure(truth, guess, measures=REGRESSION, by={"shop": codes})
    found = named(report, "shop")
    assert len(found) == 7
    for (value,), one in found.items():
        here = codes == int(value)
        alone = offby.measure(truth[here], guess[here], measures=REGRESSION)
        assert one.rows == here.sum()
        for name in REGRESSION:
            same(one[name], alone[name])
        rest = offby.measure(truth[~here], guess[~here], measures=REGRESSION)
        gap = one.gaps["rmse"]
        assert gap.value == one["rmse"].value - rest["rmse"].value
        errors = one["rmse"].standard_error, rest["rmse"].standard_error
        assert gap.standard_error == pytest.approx(math.hypot(*errors), rel=1e-6)
        assert gap.low < gap.value < gap.high
        assert one.gaps["max_error"] is None


@pytest.mark.parametrize("task", ["binary", "multiclass", "labels"])
def test_segments_of_classifiers(task):
    rng = np.random.default_rng(5)
    rows, codes = 3000, rng.integers(0, 3, 3000)
    if task == "binary":
        chance = rng.uniform(0, 1, rows)
        truth, guess = (rng.uniform(0, 1, rows) < chance).astype(int), chance
        asked = ["log_loss", "roc_auc", "accuracy", "f1", "ece"]
    else:
        chance = rng.dirichlet(np.ones(4), rows)
        truth = np.array([rng.choice(4, p=row) for row in chance])
        guess = chance if task == "multiclass" else np.array(list("0123"))[chance.argmax(1)]
        truth = truth if task == "multiclass" else truth.astype(str)
        asked = ["accuracy", "f1", "mcc"] + ["log_loss"] * (task == "multiclass")
    report = offby.measure(truth, guess, measures=asked, by={"g": codes})
    for (value,), one in named(report, "g").items():
        here = codes == int(value)
        alone = offby.measure(truth[here], guess[here], measures=asked)
        for name in asked:
            same(one[name], alone[name])
            assert one.gaps[name] is not None


def test_weights_dropped_rows_and_missing_segments():
    truth, guess, codes = table(900, 3)
    weight = np.random.default_rng(0).gamma(1, 1, 900)
    weight[:50] = 0
    truth[100:120] = np.nan
    region = np.where(codes == 0, None, codes.astype(str).astype(object))
    data = {"y_true": truth, "y_pred": guess, "w": weight, "region": region}
    report = offby.measure(data, weight="w", by="region", nan="drop", measures="mae,rmse")
    found = named(report, "region")
    assert set(found) == {("(missing)",), ("1",), ("2",)}
    kept = np.isfinite(truth) & (weight > 0)
    assert sum(one.rows for one in report.segments) == kept.sum()
    here = kept & (codes == 0)
    alone = offby.measure(truth[here], guess[here], sample_weight=weight[here], measures="mae")
    same(found["(missing)",]["mae"], alone["mae"])


def test_crossed_columns_bins_and_edges():
    truth, guess, codes = table()
    age = np.random.default_rng(3).integers(10, 90, truth.size)
    data = {"y_true": truth, "y_pred": guess, "shop": codes.astype(str), "age": age}
    report = offby.measure(data, by="shop,shop*age", edges={"age": [18, 65]}, measures="mae")
    assert len(named(report, "shop")) == 7
    crossed = named(report, "shop", "age")
    assert len(crossed) == 21
    here = (codes == 3) & (age >= 18) & (age < 65)
    one = crossed["3", "18 to under 65"]
    assert one.label == "shop = 3, age = 18 to under 65"
    assert one["mae"].value == offby.measure(truth[here], guess[here])["mae"].value
    binned = named(offby.measure(data, by=["age"], bins=4, measures="mae"), "age")
    assert len(binned) == 4
    assert min(one.rows for one in binned.values()) > 800  # quantiles: about a thousand each
    assert len(named(offby.measure(data, by="age", bins=0, measures="mae"), "age")) == 80
    shuffled = np.random.default_rng(9).permutation(truth.size)
    moved = {name: column[shuffled] for name, column in data.items()}
    again = named(offby.measure(moved, by=["age"], bins=4, measures="mae"), "age")
    assert {k: v["mae"].value for k, v in again.items()} == {
        k: v["mae"].value for k, v in binned.items()}  # fmt: skip


def test_the_largest_are_kept_and_the_others_are_exact():
    rng = np.random.default_rng(4)
    codes = np.sort(rng.zipf(1.5, 30_000) % 4000)  # sorted: the first rows know but a few
    truth = rng.normal(size=codes.size)
    guess = truth + rng.normal(size=codes.size)
    data = {"y_true": truth, "y_pred": guess, "shop": [f"s{k}" for k in codes]}
    report = offby.measure(data, by="shop", most_segments=5, measures="mae")
    assert len(report.segments) == 6
    counts = np.bincount(codes)
    largest = set(np.argsort(-counts, kind="stable")[:5].tolist())
    (others,) = [one for one in report.segments if one.others]
    assert others.others == np.count_nonzero(counts) - 5
    assert {one.values[0] for one in report.segments if not one.others} == {
        f"s{k}" for k in largest}  # fmt: skip
    here = ~np.isin(codes, list(largest))
    alone = offby.measure(truth[here], guess[here], measures="mae")["mae"]
    same(others["mae"], alone)


def test_one_row_segments_and_a_million_labels():
    rows = 1_000_000
    truth = np.arange(rows) % 7.0
    data = {"y_true": truth, "y_pred": truth + 1 + (np.arange(rows) % 2), "id": np.arange(rows)}
    report = offby.measure(data, by="id", bins=0, measures="mae")
    assert len(report.segments) == 1001
    lone = next(one for one in report.segments if not one.others)
    assert (lone.rows, lone["mae"].low, lone.gaps["mae"]) == (1, None, None)
    assert lone["mae"].unsure == "one row: no interval"
    assert "and 981 more" in report.to_text()
    assert json.loads(report.to_json())["segments"][0]["rows"] >= 1


def test_one_segment_alone_has_no_rest():
    truth, guess, _ = table(100)
    (one,) = offby.measure(truth, guess, by={"all": ["x"] * 100}, measures="mae").segments
    assert one.gaps["mae"] is None


def test_mistakes_are_named():
    truth, guess, codes = table(100)
    data = {"y_true": truth, "y_pred": guess, "shop": codes, "x": truth}
    for wrong, said in (
        ({"by": "shap"}, "did you mean 'shop'"),
        ({"by": "shop*shop"}, "cannot be read"),
        ({"by": "x", "bins": 1}, "bins is 1"),
        ({"by": "shop", "edges": {"y_pred": [1]}}, "no segments are made by"),
        ({"edges": {"x": [1]}}, "name the columns"),
        ({"by": "x", "edges": {"x": [3, 2]}}, "each above the last"),
        ({"cluster": "shop", "interval": "bootstrap"}, "draws single rows"),
        ({"cluster": "nobody"}, "no column 'nobody'"),
    ):
        with pytest.raises(offby.OffbyError, match=said):
            offby.measure(data, **wrong)
    with pytest.raises(offby.DataError, match="has 3 rows and y_true has 100"):
        offby.measure(truth, guess, by={"shop": [1, 2, 3]})
    with pytest.raises(offby.MeasureError, match="name: column"):
        offby.measure(truth, guess, by="shop")
    two = np.stack([truth, truth], 1)
    with pytest.raises(offby.MeasureError, match="of one output"):
        offby.measure(two, two + 1, by={"shop": codes})


# --- gaps --------------------------------------------------------------------------------------


def test_a_gap_of_means_is_welchs_test():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 1, 40), rng.normal(0, 2, 90)
    ours, rest = (offby.measure(np.zeros(x.size), x, measures="bias")["bias"] for x in (a, b))
    gap, test = gap_of(ours, rest), stats.ttest_ind(a, b, equal_var=False)
    assert gap.value == pytest.approx(a.mean() - b.mean())
    assert gap.p == pytest.approx(test.pvalue, rel=0.02)


def test_noise_marks_no_segments():
    rng = np.random.default_rng(11)
    tables, marked = 300, 0
    for _ in range(tables):
        error = rng.exponential(size=400)
        found = offby.measure(np.zeros(400), error, measures="mae",
                              by={"g": rng.integers(0, 10, 400)})  # fmt: skip
        marked += any(one.gaps["mae"].sure for one in found.segments)
    assert marked / tables <= SURE + 3 * math.sqrt(SURE * (1 - SURE) / tables)


def test_holm_by_hand():
    assert holm([]) == []
    assert holm([0.02, 0.01, 0.5]) == [True, True, False]
    assert holm([0.02, 0.03, 0.5]) == [False, False, False]


# --- the search --------------------------------------------------------------------------------


def searched(loss, *columns, weight=None):
    rows = LossRows([f"c{k}" for k in range(len(columns))], abs(r))
    values = {y: np.zeros(loss.size), p: loss}
    if weight is not None:
        values[w] = weight
    rows.add(values, [column.astype(np.int32) for column in columns], np.arange(loss.size))
    return search(rows, lambda k, code: str(code), "mae", 0.95)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_planted_segment_is_found_and_nothing_else(weighted):
    rng = np.random.default_rng(7)
    a, b, c = (rng.integers(0, k, 20_000) for k in (5, 8, 3))
    loss = rng.exponential(size=20_000) * np.where((a == 3) & (b == 2), 2.0, 1.0)
    weight = rng.gamma(4, 0.25, 20_000) if weighted else None
    (one,) = searched(loss, a, b, c, weight=weight).found
    assert one.conditions == (("c0", "3"), ("c1", "2"))
    here = (a == 3) & (b == 2)
    assert one.rows == here.sum()
    assert one.low < 1 < one.high
    assert one.gap == pytest.approx(1, abs=0.4)
    assert one.rows_share < one.loss_share


def test_one_condition_is_enough_where_it_explains_all():
    rng = np.random.default_rng(8)
    a, b = (rng.integers(0, k, 20_000) for k in (5, 4))
    (one,) = searched(rng.exponential(size=20_000) * np.where(a == 1, 1.5, 1.0), a, b).found
    assert one.conditions == (("c0", "1"),)


def test_noise_confirms_nothing():
    rng = np.random.default_rng(21)
    tables, wrong = 400, 0
    for _ in range(tables):
        columns = [rng.integers(0, k, 2000) for k in (3, 5, 8, 12)]
        wrong += bool(searched(rng.exponential(size=2000), *columns).found)
    assert wrong / tables <= SURE + 2.6 * math.sqrt(SURE * (1 - SURE) / tables)


def test_what_cannot_be_searched_says_why():
    assert "too few" in searched(np.ones(50), np.zeros(50)).reason
    infinite = np.ones(500)
    infinite[3] = np.inf
    rows = LossRows(["c"], p - y)
    rows.add({y: np.zeros(500), p: infinite}, [np.zeros(500, np.int32)], np.arange(500))
    assert "1 row is not finite" in search(rows, lambda k, code: "", "mae", 0.95).reason


def test_the_search_in_a_report(offby_command):
    flights = ("examples/flights.parquet", "--true", "arr_delay", "--pred", "predicted")
    ran = offby_command("measure", *flights, "--find-segments", "carrier,origin,month", "--json")
    found = json.loads(ran.out)["search"]
    assert found["found"][0]["conditions"] == [{"column": "month", "value": "12"}]
    assert found["loss"] == "mae"
    text = offby_command("measure", *flights, "--find-segments", "carrier,origin,month").out
    assert "month = 12 owns most excess loss" in text
    calm = offby.measure(np.zeros(400), np.ones(400) + np.arange(400) % 2,
                         find_segments={"a": np.arange(400) % 3})  # fmt: skip
    assert any(f.kind == "nothing_confirmed" for f in calm.findings)


# --- the worst segment among what could be done --------------------------------------------------


def uneven(rows=6000, seed=11, worst=1.5, groups=8):
    """Normal errors; those of the last group are larger."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, groups, rows)
    return np.zeros(rows), rng.normal(size=rows) * np.where(codes == groups - 1, worst, 1), codes


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_the_worst_segment_takes_off_what_the_rest_lacks(name, weighted):
    truth, guess, codes = uneven()
    weight = np.random.default_rng(1).gamma(3, 1, truth.size) if weighted else None
    report = offby.measure(truth, guess, sample_weight=weight, measures=name, by={"g": codes})
    (one,) = report.trials.extra
    others = codes != 7
    rest = offby.measure(truth[others], guess[others], measures=name,
                         sample_weight=None if weight is None else weight[others])  # fmt: skip
    assert one.gain == pytest.approx(report[name].value - rest[name].value, rel=1e-9)
    assert one.relative == pytest.approx(one.gain / report[name].value)
    whole = np.ones(truth.size) if weight is None else weight
    share = whole[~others].sum() / whole.sum()
    assert one.fitted["share"] == pytest.approx(share, rel=1e-9)
    assert one.low < one.gain < one.high
    assert needle.said(one).startswith("g = 7 (")
    assert needle.said(one).endswith("at the level of the rest; interval for the worst of 8")


def test_the_interval_of_a_segment_that_was_picked_is_that_of_all_together():
    report = offby.measure(*uneven()[:2], measures="mae", by={"g": uneven()[2]})
    alone = of_segments(report.segments[:1], "mae", report["mae"])
    together = of_segments(report.segments, "mae", report["mae"])
    assert alone.segment == together.segment == "g = 7"
    ratio = stats.norm.ppf(1 - 0.025 / 8) / stats.norm.ppf(0.975)
    for end in ("low", "high"):
        reach = [abs(getattr(one, end) - one.value) for one in (alone, together)]
        assert reach[1] / reach[0] == pytest.approx(ratio, rel=1e-6)


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_a_segment_that_was_found_is_estimated_on_the_other_half(name):
    truth, guess, codes = uneven()
    report = offby.measure(truth, guess, measures=name, find_segments={"g": codes})
    (one,) = report.trials.extra
    held = ~halves(np.arange(truth.size))
    left = held & (codes != 7)
    inside, outside = (offby.measure(truth[rows], guess[rows], measures=name)[name].value
                       for rows in (held, left))  # fmt: skip
    assert one.gain == pytest.approx(inside - outside, rel=1e-9)
    assert one.low < one.gain < one.high
    assert "not on the rows that chose it" in needle.said(one)
    assert (report.search.loss == "rmse²") == (name == "rmse")


def test_nothing_is_claimed_of_segments_that_are_alike():
    claims = 0
    for seed in range(60):
        truth, guess, codes = uneven(1200, seed, worst=1.0)
        for how in ("by", "find_segments"):
            report = offby.measure(truth, guess, measures="mae", **{how: {"g": codes}})
            claims += len(report.trials.extra)
    assert claims <= 120 * 0.025 + 3 * math.sqrt(120 * 0.025)


def test_every_form_of_the_report_names_the_worst_segment():
    truth, guess, codes = uneven()
    shop = np.where(codes == 7, "{a} & <b>", "c")
    report = offby.measure(truth, guess + 0.4, by={"shop": shop}, find_segments={"shop": shop})
    (one,) = report.trials.extra  # both name the same, which stands once
    assert [each.name for each in report.interventions if each.survives].count(one.name) == 1
    assert "remove the bias" in {each.name for each in report.interventions if each.survives}
    assert "shop = {a} & <b>" in " ".join(report.to_text(120).split())
    assert "shop = {a} &amp; &lt;b&gt;" in report.to_html()
    told = next(each for each in report.to_dict()["interventions"] if each["name"] == one.name)
    assert told["text"].startswith("shop = {a} & <b> (12 % of the rows) at the level of the rest")
    shares = [each.relative for each in report.interventions if each.survives]
    assert shares == sorted(shares, reverse=True)
    (heads,) = (line for line in report.to_text().splitlines() if line.startswith("correction"))
    assert heads.endswith("rmse")  # what other corrections do to it


def test_labels_alone_have_a_worst_segment_too():
    rng = np.random.default_rng(3)
    truth, codes = rng.choice(list("abc"), 4000), rng.integers(0, 4, 4000)
    said = np.where(rng.random(4000) < np.where(codes == 2, 0.5, 0.1), "a", truth)
    report = offby.measure(truth, said, task="multiclass", find_segments={"g": codes})
    (one,) = report.interventions
    assert (one.loss, one.survives) == ("error rate", True)
    text = " ".join(report.to_text().split())
    assert "each alone; gains overlap" in text
    assert re.search(r"g = 2 \(2\d % of the rows\) at the level of the rest", text)
    assert "halves of 0 rows" not in text + report.to_html()


# --- clusters ----------------------------------------------------------------------------------


def clustered(rng, clusters=40, size=15, share=0.2, tables=1):
    """Errors of rows in clusters, with this intra-class correlation and variance 1."""
    common = rng.normal(0, math.sqrt(share), (tables, clusters, 1))
    rest = rng.normal(0, math.sqrt(1 - share), (tables, clusters, size))
    return (common + rest).reshape(tables, -1), np.repeat(np.arange(clusters), size)


def test_standard_errors_are_the_textbooks():
    sm = pytest.importorskip("statsmodels.api")
    (error,), codes = clustered(np.random.default_rng(0))
    fit = sm.OLS(error, np.ones(error.size)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False})  # fmt: skip
    found = offby.measure(np.zeros(error.size), error, measures="bias", cluster=codes)["bias"]
    assert found.standard_error == pytest.approx(float(fit.bse[0]) * math.sqrt(40 / 39))
    alone = offby.measure(np.zeros(error.size), error, measures="bias")["bias"]
    assert found.standard_error > 1.3 * alone.standard_error


@pytest.mark.parametrize("name", ["bias", "mae", "mse"])
def test_clusters_cover(name):
    tables = 2000
    errors, codes = clustered(np.random.default_rng(3), tables=tables)
    (measure,) = resolve(name)
    plan = plan_for((measure.formula,), False)
    truth = {"bias": 0.0, "mae": math.sqrt(2 / math.pi), "mse": 1.0}[name]
    zero, ids, held = np.zeros(codes.size), np.arange(codes.size), 0
    for error in errors:
        state, clusters = State(plan), Clusters("c")
        update(state, Rows(zero, error, None))
        clusters.add(state, {y: zero, p: error}, codes.astype(np.int32), ids)
        plain = measurement(state, measure, 0.95)
        found = clusters.refined(state, measure, plain, None)
        held += found.low <= truth <= found.high
    chance = 2.6 * math.sqrt(0.95 * 0.05 / tables)
    assert 0.935 - chance <= held / tables <= 0.965 + chance


def test_order_statistics_and_scores_know_clusters_too():
    rng = np.random.default_rng(1)
    (error,), codes = clustered(rng, 60, 20, 0.5)
    truth = np.zeros(error.size)
    names = "median_absolute_error,mae"
    plain = offby.measure(truth, error, measures=names)
    found = offby.measure(truth, error, measures=names, cluster=codes)
    for name in names.split(","):
        assert found[name].value == plain[name].value
        assert found[name].standard_error > 1.3 * plain[name].standard_error
    chance = 1 / (1 + np.exp(-error))
    label = rng.uniform(0, 1, error.size) < 1 / (1 + np.exp(-2 * np.repeat(error[::20], 20)))
    binary = [offby.measure(label.astype(int), chance, measures="roc_auc,accuracy", cluster=c)
              for c in (None, codes)]  # fmt: skip
    for name in ("roc_auc", "accuracy"):
        assert binary[1][name].standard_error > 1.3 * binary[0][name].standard_error
    (word,) = [f.text for f in found.findings if f.kind == "clusters"]
    assert "60 clusters of 'cluster'" in word
    assert not any(f.kind == "independence" for f in found.findings)


def test_one_cluster_has_no_interval():
    truth, guess, _ = table(100)
    found = offby.measure(truth, guess, measures="mae", cluster=["a"] * 100)["mae"]
    assert (found.low, found.unsure) == (None, "one cluster: no interval")


# --- the command line and the page -------------------------------------------------------------


LATE = ("examples/late.parquet", "--true", "late", "--pred", "p_late", "--measures", "log_loss")


def test_the_command_line(offby_command, tmp_path):
    page = tmp_path / "page.html"
    ran = offby_command("measure", *LATE, "--by", "carrier,carrier*month", "--html", page)
    assert ran.code == 0
    assert "log_loss by carrier, the most surely bad first" in ran.out
    assert "log_loss by carrier × month, the most surely bad first" in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())
    assert "log_loss by carrier" in page.read_text()
    found = json.loads(offby_command("measure", *LATE, "--by", "carrier", "--json").out)
    assert len(found["segments"]) == 16
    assert set(found["segments"][0]["measures"]["log_loss"]["gap"]) == {
        "value", "standard_error", "low", "high", "p", "sure"}  # fmt: skip


CSV = b"y_true,y_pred,age,city\n" + b"".join(
    b"%d,%d,%d,c%d\n" % (k, k + k % 3, 20 + k % 50, k % 4) for k in range(200)
)


def test_standard_input(offby_command, monkeypatch):
    ran = offby_command("measure", "-", "--by", "city,age", "--edges", "age=30,50",
                        "--measures", "mae", stdin=CSV)  # fmt: skip
    assert ran.code == 0, ran.err
    assert "30 to under 50" in ran.out
    many = offby_command("measure", "-", "--by", "age", "--most-segments", "10", stdin=CSV)
    assert "read only once" in many.error
    wrong = offby_command("measure", "-", "--by", "age", "--edges", "age:30", stdin=CSV)
    assert "--edges 'age:30' cannot be read" in wrong.error


def test_a_csv_file_has_its_numbers_binned(offby_command, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(CSV)
    out = offby_command("measure", path, "--by", "age", "--bins", "2", "--measures", "mae").out
    assert "under 45" in out
    assert "45 and more" in out


@pytest.mark.parametrize("many", [5, 500])
def test_pictures(many):
    truth, guess, codes = table(20_000, many)
    page = offby.measure(truth, guess, by={"shop": codes.astype(str)}, measures="mae").to_html()
    assert "mae by shop" in page
    assert ("All 500 segments by shop" in page) == (many == 500)


def test_names_of_any_kind_are_shown_as_they_are():
    report = offby.measure(np.zeros(60), np.arange(60.0), measures="mae",
                           by={"[b]x": ["[red]<b>", "ü" * 50] * 30})  # fmt: skip
    assert "[red]<b>" in report.to_text()
    assert "<b>" not in report.to_html().replace("&lt;b&gt;", "")
    frame = pa.table({"y_true": [1.0, 2.0], "y_pred": [1.0, 3.0], "a,b": ["x", "y"]})
    assert len(offby.measure(frame, by="a,b", measures="mae").segments) == 2


def test_beside_arrays_a_column_needs_no_name():
    truth, guess, codes = table()
    named = offby.measure(truth, guess, by={"shop": codes})
    for column, label in ((codes, "segment"), (pd.Series(codes, name="shop"), "shop"),
                          (list(map(int, codes)), "segment")):  # fmt: skip
        found = offby.measure(truth, guess, by=column)
        assert {segment.columns for segment in found.segments} == {(label,)}
        values = [segment["mae"].value for segment in found.segments]
        assert values == [segment["mae"].value for segment in named.segments]
    with pytest.raises(offby.MeasureError, match="or one column of 4,000 values, not names"):
        offby.measure(truth, guess, by=["shop", "month"])
