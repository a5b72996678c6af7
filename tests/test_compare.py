"""`compare`: paired differences against direct computation, exact signs, coverage, the command."""

import itertools
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import special, stats

import offby
from offby.pairs import delong
from offby.pairs.in_time import Timeline, overlapping, slowest
from offby.tables import Place
from offby.tables.times import to_times

FLIGHTS = ("examples/flights.parquet", "--true", "arr_delay", "--pred", "predicted", "--pred",
           "predicted_median")  # fmt: skip


def table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(10, 3, n)
    a, b, c = (y + scale * rng.standard_t(6, n) for scale in (1.0, 1.1, 1.6))
    return y, {"a": a, "b": b, "c": c}


def chances(n=500, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    y = (rng.random(n) < special.expit(z)).astype(float)
    return y, {"a": special.expit(z), "b": special.expit(0.5 * z + 0.4 * rng.normal(size=n))}


# --- paired differences ------------------------------------------------------------------------


LOSSES = {"mae": np.abs, "mse": np.square}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_difference_of_means_is_the_mean_of_differences(name, weighted):
    y, models = table()
    w = np.random.default_rng(1).exponential(size=y.size) if weighted else np.ones(y.size)
    loss = LOSSES[name]
    d = loss(models["b"] - y) - loss(models["a"] - y)
    found = offby.compare(y, {k: models[k] for k in "ab"}, measures=name,
                          sample_weight=w if weighted else None)[name]  # fmt: skip
    mean = np.average(d, weights=w)
    n = w.sum() ** 2 / np.sum(w**2)
    error = math.sqrt(np.sum(w**2 * (d - mean) ** 2) * n / (n - 1)) / w.sum()
    assert found.value == pytest.approx(mean, rel=1e-13)
    assert found.standard_error == pytest.approx(error, rel=1e-9)


def jackknife(statistic, *columns):
    n = columns[0].size
    left = [statistic(*(np.delete(x, k) for x in columns)) for k in range(n)]
    return math.sqrt((n - 1) ** 2 / n * np.var(left, ddof=1))


def r2(y, p):
    return 1 - np.mean((p - y) ** 2) / np.var(y)


FORMULAS = {
    "rmse": lambda y, p: np.sqrt(np.mean((p - y) ** 2)),
    "r2": r2,
    "wape": lambda y, p: np.mean(np.abs(p - y)) / np.mean(np.abs(y)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_of_means_have_the_jackknifes_error(name):
    y, models = table(300)
    found = offby.compare(y, {k: models[k] for k in "ab"}, measures=name)[name]
    of = FORMULAS[name]
    assert found.value == pytest.approx(of(y, models["b"]) - of(y, models["a"]))
    direct = jackknife(lambda y, a, b: of(y, b) - of(y, a), y, models["a"], models["b"])
    assert found.standard_error == pytest.approx(direct, rel=0.03)


def test_the_interval_the_p_value_and_the_detectable_difference_are_one_story():
    y, models = table()
    found = offby.compare(y, {k: models[k] for k in "ab"}, measures="r2")["r2"]
    quantile = stats.t(y.size - 1)
    reach = quantile.ppf(0.975) * found.standard_error
    assert found.high - found.value == pytest.approx(reach)
    assert found.value - found.low == pytest.approx(reach)
    assert found.p_value == pytest.approx(
        2 * quantile.cdf(-abs(found.value / found.standard_error))
    )
    assert found.detectable == pytest.approx(reach + quantile.ppf(0.8) * found.standard_error)


def test_bias_is_compared_by_its_distance_from_zero():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    models = {"above": y + 2 + rng.normal(size=400), "below": y - 1 + rng.normal(size=400)}
    found = offby.compare(y, models, measures="bias")["bias"]
    d = (models["below"] - y) + (models["above"] - y)  # |b| - |a| where b < 0 < a, but for the sign
    assert found.value == pytest.approx(-d.mean())
    assert found.standard_error == pytest.approx(d.std(ddof=1) / 20)
    assert found.verdict == "better"


def test_skill_is_the_share_of_the_loss_that_is_gone():
    y, models = table()
    found = offby.compare(y, {"c": models["c"], "a": models["a"]})["mae"]
    share, low, high = found.skill
    sizes = [np.mean(np.abs(models[k] - y)) for k in "ac"]
    assert share == pytest.approx(1 - sizes[0] / sizes[1])
    assert low < share < high < 1
    assert found.flipped.skill[0] == pytest.approx(1 - sizes[1] / sizes[0])


def test_how_often_a_model_is_nearer():
    y, models = [0, 0, 0, 0], {"a": [1, 1, 1, 1], "b": [0, 1, -1, 2]}
    found = offby.compare(y, models).nearer["b", "a"]
    assert found.value == (1 + 0.5 + 0.5 + 0) / 4


# --- signs -------------------------------------------------------------------------------------


def numbers(d):
    return d.value, d.standard_error, d.low, d.high, d.p_value, d.detectable, d.verdict, d.levels


@pytest.mark.parametrize("measures", [None, "mae,median_absolute_error,bias"])
def test_the_order_of_the_models_changes_no_digit(measures):
    y, models = table(120)
    every = [offby.compare(y, {k: models[k] for k in order}, measures=measures)
             for order in itertools.permutations("abc")]  # fmt: skip
    for found, (one, other) in itertools.product(every, itertools.permutations("abc", 2)):
        for name in found.differences:
            d, same = (c.difference(name, one, other) for c in (found, every[0]))
            assert numbers(d) == numbers(same)
            flipped = found.difference(name, other, one)
            assert flipped.value == -d.value
            assert (flipped.low, flipped.high) == (-d.high, -d.low)
            assert numbers(flipped.flipped) == numbers(d)
            assert {d.verdict, flipped.verdict} in ({"tied"}, {"better", "worse"})


def test_swapping_the_predictions_flips_the_sign_exactly():
    for y, models, measures in (
        (*table(), "mae,mse,rmse,r2,bias"), (*chances(), "log_loss,brier,accuracy,roc_auc"),
    ):  # fmt: skip
        a, b = models["a"], models["b"]
        one = offby.compare(y, {"x": a, "y": b}, measures=measures)
        other = offby.compare(y, {"x": b, "y": a}, measures=measures)
        for name in one.differences:
            assert one[name].value == -other[name].value
            assert one[name].low == pytest.approx(-other[name].high, rel=1e-9)


def test_values_do_not_depend_on_the_order_of_the_rows():
    for y, models in (table(), chances()):
        order = np.random.default_rng(3).permutation(y.size)
        one = offby.compare(y, models)
        other = offby.compare(y[order], {k: p[order] for k, p in models.items()})
        for name, of in one.differences.items():
            for pair, d in of.items():
                assert d.value == other.differences[name][pair].value


# --- several models ----------------------------------------------------------------------------


def test_all_pairs_hold_together():
    y, models = table()
    three = offby.compare(y, models, measures="r2")
    two = offby.compare(y, {k: models[k] for k in "ab"}, measures="r2", confidence=1 - 0.05 / 3)
    assert three.difference("r2", "b", "a").low == pytest.approx(two["r2"].low)
    assert three.difference("r2", "b", "a").confidence == 0.95
    assert three.difference("r2", "b", "a").p_value == min(1, 3 * two["r2"].p_value)


def test_the_ranking():
    y, models = table()
    found = offby.compare(y, {k: models[k] for k in "cba"})
    assert [rank.model for rank in found.ranking] == ["a", "b", "c"]
    assert [rank.place for rank in found.ranking] == [1, 2, 3]
    assert found.ranking[2].behind.verdict == "worse"
    best_first = offby.compare(y, models, measures="r2").ranking
    assert [rank.model for rank in best_first] == ["a", "b", "c"]
    assert "is the best of 3" in found.to_text() or "comes first of 3" in found.to_text()


def test_models_that_are_the_same_are_tied():
    y, models = table(50)
    found = offby.compare(y, {"a": models["a"], "twin": models["a"]})
    assert all(found[name].verdict == "tied" for name in ("mae", "rmse", "r2"))
    assert "twin and a are tied: their MAE is the same" in found.to_text(200)
    assert "are they the same?" in found.to_text(200)


# --- classes -----------------------------------------------------------------------------------


def brute_force_delong(y, a, b):
    """DeLong's variance from every pair of a positive and a negative row."""

    def wins(p):
        above = p[y == 1][:, None] - p[y == 0][None, :]
        return (above > 0) + 0.5 * (above == 0)

    gap = wins(b) - wins(a)
    rows, columns = gap.mean(1), gap.mean(0)
    return gap.mean(), math.sqrt(rows.var(ddof=1) / rows.size + columns.var(ddof=1) / columns.size)


@pytest.mark.parametrize("digits", [1, 12])
def test_paired_delong(digits):
    y, models = chances(300)
    a, b = (models[k].round(digits) for k in "ab")
    value, error = brute_force_delong(y, a, b)
    found = offby.compare(y, {"a": a, "b": b}, measures="roc_auc")["roc_auc"]
    assert found.method == "DeLong"
    assert found.value == pytest.approx(value, abs=1e-14)
    assert found.standard_error == pytest.approx(error, rel=1e-10)


def test_a_weight_of_two_is_two_copies_for_auc():
    y, models = chances(60)
    w = np.random.default_rng(0).integers(1, 4, 60).astype(float)
    positive = np.repeat(y, w.astype(int)) == 1
    copies = [np.repeat(models[k], w.astype(int)) for k in "ab"]
    once = [delong.Placements.of(y == 1, models[k], w) for k in "ab"]
    many = [delong.Placements.of(positive, p, np.ones(positive.size)) for p in copies]
    assert delong.difference(*once)[0] == pytest.approx(delong.difference(*many)[0], abs=1e-14)


def test_accuracy_has_mcnemars_interval():
    from offby.confusion import mcnemar

    y, models = chances()
    right = [(models[k] >= 0.5) == (y == 1) for k in "ab"]
    known = mcnemar(int(np.sum(right[1] & ~right[0])), int(np.sum(right[0] & ~right[1])), y.size)
    found = offby.compare(y, models)["accuracy"]
    assert found.value == pytest.approx(known.difference)
    assert (found.low, found.high, found.p_value) == (known.low, known.high, known.mid_p)
    weighted = offby.compare(y, models, sample_weight=np.full(y.size, 2.0))["accuracy"]
    assert weighted.method == "delta"
    assert weighted.value == pytest.approx(known.difference)


def test_what_is_binary_is_found():
    y, models = chances(100)
    found = offby.compare(y, models)
    assert found.task == "binary"
    assert list(found.measures) == ["log_loss", "brier", "accuracy", "roc_auc"]
    assert found.columns == "Compared by probabilities of '1' (binary)."
    assert offby.compare(y, models, task="regression").task == "regression"
    assert offby.compare(y, {**models, "c": 2 * models["a"]}).task == "regression"
    assert offby.compare(np.ones(100), models).task == "binary"
    assert offby.compare(y, models, measures="f1").task == "binary"
    assert offby.compare(y, models, measures="mae").task == "binary"


def test_a_loss_that_is_infinite_is_worse_and_named():
    y, models = chances(100)
    models["b"][np.flatnonzero(y == 1)[0]] = 0.0
    found = offby.compare(y, models)
    assert found["log_loss"].value == math.inf
    assert found["log_loss"].verdict == "worse"
    assert "log loss of b is infinite" in found.to_text(200)
    json.loads(found.to_json(), parse_constant=pytest.fail)
    assert "<svg" in found.to_html()


# --- the bootstrap -----------------------------------------------------------------------------


def test_the_paired_bootstrap_of_medians():
    y, models = table(300)
    found = offby.compare(y, {k: models[k] for k in "ab"}, measures="median_absolute_error")
    d = found["median_absolute_error"]
    sizes = np.array([np.abs(models[k] - y) for k in "ab"])
    rng = np.random.default_rng(9)
    draws = rng.integers(0, 300, (4000, 300))
    medians = np.median(sizes[:, draws], axis=2)
    assert d.method == "bootstrap"
    assert d.value == pytest.approx(np.median(sizes[1]) - np.median(sizes[0]))
    assert d.standard_error == pytest.approx((medians[1] - medians[0]).std(), rel=0.15)


def test_an_extreme_has_no_verdict():
    y, models = table(50)
    found = offby.compare(y, models, measures="max_error,mae")
    assert found.difference("max_error", "b", "a").verdict == "unknown"
    assert "no verdict by max error" in found.to_text(200)


# --- time --------------------------------------------------------------------------------------


def diebold_mariano(d, h):
    """The statistic as Harvey, Leybourne & Newbold (1997) write it."""
    n = d.size
    gamma = [np.sum((d[k:] - d.mean()) * (d[: n - k] - d.mean())) / n for k in range(h)]
    statistic = d.mean() / math.sqrt((gamma[0] + 2 * sum(gamma[1:])) / n)
    return statistic * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)


@pytest.mark.parametrize("horizon", [1, 2, 4])
def test_diebold_mariano(horizon):
    y, models = table(80)
    order = np.random.default_rng(5).permutation(80)
    found = offby.compare(y[order], {k: models[k][order] for k in "ab"}, measures="mse",
                          time=order, horizon=horizon)["mse"]  # fmt: skip
    d = (models["b"] - y) ** 2 - (models["a"] - y) ** 2
    known = diebold_mariano(d, horizon)
    assert found.value / found.standard_error == pytest.approx(known, rel=1e-9)
    assert found.p_value == pytest.approx(2 * stats.t(79).cdf(-abs(known)), rel=1e-9)


def test_diebold_mariano_by_hand():
    """d = 1, 2, 3, 6 at h = 2: the gammas are 3.5 and 0.5, V/n = 4.5/4, the factor 1.5/4."""
    error, degrees = overlapping(np.array([1.0, 2.0, 3.0, 6.0]) - 3, 2)
    assert error / 4 == pytest.approx(math.sqrt(3))
    assert degrees == 3


def test_rows_of_one_moment_are_one_step():
    """Every row twice at the same moment: as sure as once."""
    y, models = table(200)
    pair = {k: models[k] for k in "ab"}
    twice = {k: np.repeat(p, 2) for k, p in pair.items()}
    for horizon in (1, 3, None):
        one = offby.compare(y, pair, time=np.arange(200), horizon=horizon)
        two = offby.compare(np.repeat(y, 2), twice, time=np.repeat(np.arange(200), 2),
                            horizon=horizon)  # fmt: skip
        for name in ("mae", "rmse", "r2"):
            assert one[name].standard_error == pytest.approx(two[name].standard_error)


def test_a_horizon_of_one_is_independence():
    y, models = table(200)
    pair = {k: models[k] for k in "ab"}
    timed = offby.compare(y, pair, time=np.arange(200), horizon=1)
    plain = offby.compare(y, pair)
    for name in ("mae", "rmse", "r2"):
        assert timed[name].standard_error == pytest.approx(plain[name].standard_error)


def autoregressive(rng, tables, n, rho):
    e = rng.normal(size=(tables, n))
    for k in range(1, n):
        e[:, k] = rho * e[:, k - 1] + math.sqrt(1 - rho**2) * e[:, k]
    return e


def test_intervals_in_time_cover():
    series = autoregressive(np.random.default_rng(0), 2000, 400, 0.5)
    held = 0
    for d in series:
        error, degrees = slowest(d - d.mean())
        held += abs(d.sum()) <= special.stdtrit(degrees, 0.975) * error
    assert 0.93 < held / 2000 < 0.965


@pytest.mark.parametrize(
    ("values", "times"),
    [
        (pa.array([3, 1, None]), [3, 1, math.nan]),
        (pa.array(["2", "10"]), [2, 10]),
        (pa.array(["1970-01-02", "1970-01-01"]), [86.4e9, 0]),
        (pa.array(["1970-01-01T00:00:01Z"]), [1e6]),
        (np.array(["1970-01-01T00:00:01"], "datetime64[s]"), [1e6]),
        (pa.array([1], pa.date32()), [86.4e9]),
        (pa.array([1], pa.time32("s")), [1]),
    ],
    ids=str,
)
def test_times(values, times):
    np.testing.assert_array_equal(to_times(values, Place("t", "when")), times)


# --- coverage ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mae", "rmse", "r2"])
def test_paired_intervals_cover(name):
    """Of 400 tables of 100 rows, as many as chance allows hold the true difference."""
    rng = np.random.default_rng(4)
    truth = {"mae": 0.2 * math.sqrt(2 / math.pi), "rmse": 0.2, "r2": (1 - 1.44) / 4}[name]
    held = 0
    for _ in range(400):
        y, e = 2 * rng.normal(size=100), rng.normal(size=(2, 100))
        models = {"a": y + e[0], "b": y + 1.2 * (0.8 * e[0] + 0.6 * e[1])}
        d = offby.compare(y, models, measures=name)[name]
        held += d.low <= truth <= d.high
    assert 0.92 < held / 400 < 0.98


# --- rows that are missing, too few, wrong -----------------------------------------------------


def test_a_row_that_one_model_lacks_all_lack():
    y, models = table(60)
    gaps = {k: p.copy() for k, p in models.items()}
    gaps["b"][3] = math.nan
    keep = np.arange(60) != 3
    for measures, time in (
        ("mae", None),
        ("mae,median_absolute_error", None),
        ("mae", np.arange(60)),
    ):
        dropped = offby.compare(y, gaps, nan="drop", measures=measures, time=time)
        without = offby.compare(y[keep], {k: p[keep] for k, p in models.items()}, measures=measures,
                                time=None if time is None else time[keep])  # fmt: skip
        assert (dropped.rows, dropped.dropped) == (59, 1)
        assert numbers(dropped["mae"]) == numbers(without["mae"])
    with pytest.raises(offby.DataError, match="predictions of 'b' has 1 value that is missing"):
        offby.compare(y, gaps)


def test_few_rows():
    one = offby.compare([1], {"a": [2], "b": [4]})
    assert one["mae"].value == 2
    assert one["mae"].verdict == "unknown"
    assert "one row shows no spread" in one.to_text(200)
    none = offby.compare([], {"a": [], "b": []})
    assert none["mae"].value is None
    assert "there are no rows" in none.to_text(200)
    for found in (one, none):
        json.loads(found.to_json(), parse_constant=pytest.fail)
        assert found.to_html().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (([1], {"a": [1]}), {}, "1 model arrived"),
        (([1], [[1], [2]]), {}, "give each model a name"),
        (([1, 2], {"a": [1, 2], "b": [1]}), {}, "'b' has 1 rows and y_true has 2"),
        (([1], {"a": [1], "b": [1]}), {"true": "y"}, "name columns of a table"),
        (([1], {"a": [1], "b": [1]}), {"horizon": 2}, "a horizon needs the time"),
        (([1], {"a": [1], "b": [1]}), {"time": [1], "horizon": 2}, "the horizon is 2"),
        (([1], {"a": [1], "b": [1]}), {"time": [1, 2]}, "time has 2 rows"),
        (([1], {"a": [1], "b": [1]}), {"task": "ranking"}, "task is 'ranking'"),
        (([2], {"a": [1], "b": [1]}), {"task": "binary"}, "the labels are '2': say which"),
        (([1, 0], {"a": [1, 0.5], "b": [7, 0.5]}), {"task": "binary"}, "'b' is 7 in row 1"),
        (([1], {"a": [1], "b": [1]}), {"sample_weight": [-1]}, "sample_weight is -1"),
        (([1], {"a": [1], "b": [1]}), {"confidence": 95}, "between 0 and 1"),
        (({"y": [1], "a": [1]},), {"true": "y", "sample_weight": [1]}, "goes with arrays"),
    ],
)  # fmt: skip
def test_bad_input(data, options, said):
    with pytest.raises(offby.OffbyError, match=said):
        offby.compare(*data, **options)


def test_names_that_were_not_compared():
    y, models = table(20)
    found = offby.compare(y, models)
    with pytest.raises(offby.MeasureError, match="holds mae, rmse, r2"):
        found["mse"]
    with pytest.raises(offby.MeasureError, match="no two of the models a, b, c"):
        found.difference("mae", "a", "a")


# --- the command -------------------------------------------------------------------------------


def test_real_flights(offby_command):
    ran = offby_command("compare", *FLIGHTS)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        "predicted_median is better than predicted: MAE lower by 0.7256 (95 %"
    )
    assert "the measures disagree" in ran.out
    assert all(len(line) <= 80 and line == line.rstrip() for line in ran.out.splitlines())
    timed = offby_command("compare", *FLIGHTS, "--time", "scheduled").out
    assert "over 21,469 moments" in " ".join(timed.split())


def test_json(offby_command):
    ran = offby_command("compare", *FLIGHTS, "--json", "--measures", "mae")
    found = json.loads(ran.out, parse_constant=pytest.fail)
    assert found["models"] == ["predicted", "predicted_median"]
    assert found["ranking"]["models"] == ["predicted_median", "predicted"]
    (d,) = found["differences"]
    assert (d["model"], d["against"], d["verdict"]) == ("predicted_median", "predicted", "better")
    values = {k: m["value"] for k, m in found["measures"]["mae"].items()}
    assert d["difference"] == pytest.approx(values["predicted_median"] - values["predicted"])


def test_html_holds_names_and_pictures(offby_command, tmp_path):
    source, page = tmp_path / "t.csv", tmp_path / "page.html"
    rng = np.random.default_rng(0)
    y = rng.normal(size=100)
    columns = {"y": y, "a<b>": y + rng.normal(size=100), "c": y + rng.normal(size=100)}
    lines = [
        ",".join(columns),
        *(",".join(map(repr, map(float, row))) for row in zip(*columns.values(), strict=True)),
    ]
    source.write_text("\n".join(lines))
    ran = offby_command("compare", source, "--pred", "a<b>", "--pred", "c", "--html", page)
    assert ran.out.endswith(f"\n\nwrote {page}\n")
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg xmlns") == 2
    assert "<b>" not in text
    assert "a&lt;b&gt;" in text


@pytest.mark.parametrize("width", [24, 40, 66, 80, 120])
def test_terminals_of_every_width(offby_command, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = offby_command("compare", *FLIGHTS).out.splitlines()
    assert max(map(len, lines)) <= width


REFUSED = {
    "one model": (["--pred", "a"], "1 column of predictions is named"),
    "no model": ([], "0 column of predictions is named"),
    "unknown column": (["--pred", "a", "--pred", "x"], "has no column 'x'"),
    "the same twice": (["--pred", "a", "--pred", "a"], "column 'a' is named twice"),
    "the truth again": (["--pred", "a", "--pred", "y"], "column 'y' is named twice"),
    "missing": (["--pred", "a", "--pred", "gap"], "column 'gap' has 1 value that is missing"),
    "no times": (["--pred", "a", "--pred", "b", "--time", "text"], "holds no times"),
    "unknown measure": (["--pred", "a", "--pred", "b", "--measures", "rmze"], "did you mean rmse"),
    "no number": (["--pred", "a", "--pred", "text"], "not numbers"),
    "horizon": (["--pred", "a", "--pred", "b", "--horizon", "2"], "a horizon needs the time"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_goes_wrong_is_said_in_one_line(offby_command, tmp_path, arguments, said):
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"y": [1.0, 2.0], "a": [1.0, 3.0], "b": [2.0, 2.0], "gap": [1.0, None],
                  "text": ["u", "v"]}), path)  # fmt: skip
    assert said in offby_command("compare", path, "--true", "y", *arguments).error


def test_dropped_rows_and_weights(offby_command, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("y,a,b,w\n1,2,1,1\n2,,2,1\n3,5,3,2\n4,4,5,1\n")
    ran = offby_command("compare", path, "--true", "y", "--pred", "a,b", "--weight", "w", "--nan",
                        "drop")  # fmt: skip
    assert "on 3 rows (1 dropped)" in " ".join(ran.out.split())
    assert "weighted by 'w'" in ran.out


def test_a_timeline_needs_a_horizon_that_fits():
    with pytest.raises(offby.MeasureError, match="fewer than the 2 there are"):
        Timeline(np.array([1.0, 2.0, 2.0]), 2).checked()
