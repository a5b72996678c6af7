"""`compare` within segments: the numbers of each part alone, judged together."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import special

import offby
from offby.pairs.difference import Difference, holm

FLIGHTS = ("examples/flights.parquet", "--true", "arr_delay", "--pred", "predicted", "--pred",
           "predicted_median", "--by", "origin,month*carrier")  # fmt: skip


def shops(n=600, seed=0):
    """Two models of which the second is better in shop a, worse in b and as good in c."""
    rng = np.random.default_rng(seed)
    shop = rng.choice(list("abc"), n)
    y = rng.normal(10, 3, n)
    errors = rng.normal(size=(2, n))
    worth = np.select([shop == "a", shop == "b"], [0.4, 2.0], 1.0)
    return y, {"old": y + errors[0], "new": y + worth * errors[1]}, shop


def chances(n=600, seed=0):
    rng = np.random.default_rng(seed)
    z, shop = rng.normal(size=n), rng.choice(list("abc"), n)
    y = (rng.random(n) < special.expit(z)) * 1
    models = {"old": special.expit(0.3 * z), "new": special.expit(z + 0.2 * rng.normal(size=n))}
    return y, models, shop


def labels(n=600, seed=0):
    rng = np.random.default_rng(seed)
    y, shop = rng.integers(0, 3, n), rng.choice(list("abc"), n)
    words = np.array(["u", "v", "w"])
    models = {k: words[np.where(rng.random(n) < s, y, rng.integers(0, 3, n))]
              for k, s in (("old", 0.5), ("new", 0.6))}  # fmt: skip
    return words[y], models, shop


def numbers(d):
    return d.value, d.standard_error, d.low, d.high, d.p_value, d.verdict


CASES = {
    "numbers": (shops, "mae,rmse,r2,bias"),
    "medians": (shops, "median_absolute_error"),
    "chances": (chances, "log_loss,accuracy,roc_auc,f1"),
    "labels": (labels, "accuracy,f1,mcc"),
}


@pytest.mark.parametrize(("data", "measures"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("timed", [False, True])
def test_a_segment_is_what_its_rows_alone_are(data, measures, weighted, timed):
    y, models, shop = data()
    w = np.random.default_rng(1).integers(1, 4, y.size) if weighted else None
    time = np.arange(y.size) // 2 if timed else None
    found = offby.compare(y, models, by={"shop": shop}, measures=measures, sample_weight=w,
                          time=time)  # fmt: skip
    assert {one.label for one in found.segments} == {"shop = a", "shop = b", "shop = c"}
    for one in found.segments:
        here = shop == one.values[0]
        alone = offby.compare(y[here], {k: p[here] for k, p in models.items()}, measures=measures,
                              task=found.task, sample_weight=None if w is None else w[here],
                              time=None if time is None else time[here])  # fmt: skip
        assert one.rows == here.sum()
        for name, of in alone.differences.items():
            d, same = one[name], of["new", "old"]
            assert d.value == same.value
            assert d.standard_error == pytest.approx(same.standard_error, rel=1e-9)
            assert (d.low, d.high) == pytest.approx((same.low, same.high))
            assert one.measures[name]["old"].value == alone.measures[name]["old"].value


def test_all_segments_are_judged_together():
    y, models, shop = shops()
    found = offby.compare(y, models, by={"shop": shop})
    assert {one.name: one["mae"].verdict for one in found.segments} == {
        "b": "worse", "a": "better", "c": "tied"
    }  # fmt: skip
    assert [one.name for one in found.segments] == ["b", "a", "c"]
    text = " ".join(found.to_text(80).split())
    assert "of 3 segments by shop, new against old is better in 1 (a), worse in 1 (b) and" in text
    parts = {k: shop == k for k in "abc"}
    single = {k: offby.compare(y[here], {m: p[here] for m, p in models.items()})["mae"].p_value
              for k, here in parts.items()}  # fmt: skip
    order = sorted(single, key=single.__getitem__)
    adjusted = [min(single[k] * (3 - rank), 1) for rank, k in enumerate(order)]
    by_name = {one.name: one["mae"].p_value for one in found.segments}
    assert [by_name[k] for k in order] == pytest.approx(np.maximum.accumulate(adjusted))


def test_holm_keeps_the_family_wise_error():
    """Of 300 tables with 20 segments where nothing differs, few show any."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(300):
        y = rng.normal(size=1000)
        models = {k: y + rng.normal(size=1000) for k in "ab"}
        found = offby.compare(y, models, by={"part": np.arange(1000) % 20}, measures="mae", bins=0)
        wrong += any(one["mae"].verdict != "tied" for one in found.segments)
    assert wrong / 300 < 0.08


def test_holm_by_hand():
    def one(p):
        return Difference("mae", "b", "a", 1.0, 0.3, 0.4, 1.6, p_value=p)

    found = holm([one(0.01), one(0.04), one(0.03), Difference("mae", "b", "a", None)], 0.05)
    assert [d.p_value for d in found] == pytest.approx([0.03, 0.06, 0.06, None])
    assert [d.verdict for d in found] == ["worse", "tied", "tied", "unknown"]


def test_swapping_the_models_flips_every_segment():
    for data, measures in CASES.values():
        y, models, shop = data()
        one = offby.compare(y, models, by={"shop": shop}, measures=measures)
        other = offby.compare(y, {k: models[k] for k in ("new", "old")}, by={"shop": shop},
                              measures=measures)  # fmt: skip
        flipped = {s.label: s for s in other.segments}
        for s in one.segments:
            for name in one.differences:
                assert numbers(s[name]) == numbers(flipped[s.label][name].flipped)


def test_neither_order_nor_chunks_change_a_value():
    for data, measures in CASES.values():
        y, models, shop = data()
        table = pa.table({"y": y, **models, "shop": shop})
        chunked = pa.Table.from_batches(table.to_batches(max_chunksize=11))
        shuffled = table.take(np.random.default_rng(0).permutation(y.size))
        every = [offby.compare(t, true="y", pred=["old", "new"], by="shop", measures=measures)
                 for t in (table, chunked, shuffled)]  # fmt: skip
        values = [{(s.label, n): s[n].value for s in found.segments for n in found.differences}
                  for found in every]  # fmt: skip
        assert values[0] == values[1] == values[2]


def test_the_largest_are_kept_and_the_others_together():
    y, models, _ = shops()
    part = np.minimum(np.random.default_rng(0).geometric(0.3, y.size), 9)
    found = offby.compare(y, models, by={"part": part}, bins=0, most_segments=2, measures="mae")
    rest = next(one for one in found.segments if one.others)
    known = [one.values[0] for one in found.segments if not one.others]
    assert (sorted(known), rest.others) == (["1", "2"], 7)
    d = np.abs(models["new"] - y) - np.abs(models["old"] - y)
    assert rest["mae"].value == pytest.approx(d[part > 2].mean())
    table = pa.table({"y": y, **models, "part": part})
    same = offby.compare(table, true="y", pred="old,new", by="part", bins=0, most_segments=2,
                         measures="mae")  # fmt: skip
    assert [numbers(s["mae"]) for s in same.segments] == [numbers(s["mae"]) for s in found.segments]


def test_several_models_are_each_compared_with_the_first():
    y, models, shop = shops()
    models["twin"] = models["old"]
    found = offby.compare(y, models, by={"shop": shop})
    for one in found.segments:
        assert list(one.differences["mae"]) == [("new", "old"), ("twin", "old")]
        assert one.differences["mae"]["twin", "old"].verdict == "tied"
    assert "by shop: new and twin less old" in found.to_text(100)


def test_rows_that_are_dropped_and_segments_that_are_missing():
    y, models, shop = shops()
    models["new"][shop == "c"] = math.nan
    names = np.where(np.arange(y.size) % 50, shop, None)
    found = offby.compare(y, models, by={"shop": names}, nan="drop", measures="mae")
    assert {one.name for one in found.segments} == {"a", "b", "(missing)"}
    assert sum(one.rows for one in found.segments) == found.rows == np.sum(shop != "c")


def test_a_segment_of_few_rows_has_no_verdict():
    y, models, _ = shops()
    shop = np.where(np.arange(y.size), "a", "single")
    for time, horizon in ((None, None), (np.arange(y.size), 4)):
        found = offby.compare(y, models, by={"shop": shop}, time=time, horizon=horizon)
        one = next(s for s in found.segments if s.name == "single")
        assert one["mae"].verdict == "unknown"
        json.loads(found.to_json(), parse_constant=pytest.fail)
        assert "<svg" in found.to_html()


# --- the command -------------------------------------------------------------------------------


def test_real_flights(offby_command, tmp_path):
    page = tmp_path / "page.html"
    ran = offby_command("compare", *FLIGHTS, "--html", page)
    assert (ran.code, ran.err) == (0, "")
    assert "MAE by month × carrier: predicted_median less predicted" in ran.out
    assert "more segments (--json has all)" in ran.out
    assert all(len(line) <= 80 and line == line.rstrip() for line in ran.out.splitlines())
    assert page.read_text(encoding="utf-8").count("<svg xmlns") == 4


def test_json(offby_command):
    ran = offby_command("compare", *FLIGHTS, "--json", "--measures", "mae")
    found = json.loads(ran.out, parse_constant=pytest.fail)
    part = next(one for one in found["segments"] if one["values"] == ["JFK"])
    (d,) = part["differences"]
    values = part["measures"]["mae"]
    assert d["difference"] == pytest.approx(values["predicted_median"] - values["predicted"])
    said = next(finding for finding in found["findings"] if finding["kind"] == "segments")
    assert said["better"] + said["worse"] + said["tied"] + said["unknown"] == 3


@pytest.mark.parametrize("width", [24, 40, 66, 80, 120])
def test_terminals_of_every_width(offby_command, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = offby_command("compare", *FLIGHTS).out.splitlines()
    assert max(map(len, lines)) <= width


REFUSED = {
    "unknown column": (["--by", "x"], "has no column 'x'"),
    "edges without": (["--edges", "y=1,2"], "edges cut columns that by= names"),
    "edges of another": (["--by", "shop", "--edges", "y=1"], "which no segments are made by"),
    "one bin": (["--by", "y", "--bins", "1"], "bins is 1"),
    "no numbers": (["--by", "y", "--edges", "y=a"], "cannot be read"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_goes_wrong_is_said_in_one_line(offby_command, tmp_path, arguments, said):
    y, models, shop = shops(50)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"y": y, **models, "shop": shop}), path)
    ran = offby_command("compare", path, "--true", "y", "--pred", "old,new", *arguments)
    assert said in ran.error


def test_no_rows_have_no_segments():
    found = offby.compare([], {"a": [], "b": []}, by={"shop": []})
    assert found.segments == ()
    assert "there are no rows" in found.to_text()


def test_segments_of_another_length():
    y, models, shop = shops(50)
    with pytest.raises(offby.DataError, match="'shop' has 49 rows and y_true has 50"):
        offby.compare(y, models, by={"shop": shop[1:]})


def test_one_column_beside_arrays_needs_no_name():
    truth, models = [1.0, 2.0, 3.0, 4.0], {"a": [1.5, 2.0, 3.5, 4.0], "b": [1.0, 2.5, 3.0, 4.5]}
    alone = offby.compare(truth, models, by=["x", "y", "x", "y"])
    called = offby.compare(truth, models, by={"segment": ["x", "y", "x", "y"]})
    assert alone.to_dict() == called.to_dict()
