"""BCa intervals for all measures at once are those of `scipy.stats.bootstrap`, one by one."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

import offby

ROWS = 250
SAME = {
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
    "bias": lambda truth, prediction: np.mean(prediction - truth),
}


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(11)
    truth = generator.gamma(2.0, 10.0, ROWS)
    return truth, truth * generator.lognormal(0, 0.3, ROWS)


@pytest.fixture(scope="module")
def report(table):
    return offby.measure(*table, measures=[*SAME, "max_error"], interval="bootstrap")


@pytest.mark.parametrize("name", SAME)
def test_ends_are_those_of_scipy(table, report, name):
    theirs = stats.bootstrap(
        table, SAME[name], paired=True, vectorized=False, n_resamples=4000, method="BCa",
        rng=np.random.default_rng(1),
    )  # fmt: skip
    ours = report[name]
    low, high = theirs.confidence_interval
    chance = 0.12 * (high - low)  # of the ends of 2,000 and 4,000 replicates
    assert ours.low == pytest.approx(low, abs=chance)
    assert ours.high == pytest.approx(high, abs=chance)
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=0.06)


def test_values_are_those_of_the_pass(table, report):
    plain = offby.measure(*table, measures=[*SAME, "max_error"])
    assert {n: m.value for n, m in plain.measures.items()} == {
        n: m.value for n, m in report.measures.items()
    }
    assert plain["mae"].low != report["mae"].low
    assert plain["max_error"] == report["max_error"]


def test_the_seed_is_fixed(table, report):
    again = offby.measure(*table, measures=[*SAME, "max_error"], interval="bootstrap")
    assert again.measures == report.measures


def test_weights_are_resampled_with_their_rows(table):
    truth, prediction = table
    weights = np.where(np.arange(ROWS) < 50, 4.0, 0.5)
    report = offby.measure(*table, sample_weight=weights, interval="bootstrap", measures="mae")
    theirs = stats.bootstrap(
        (truth, prediction, weights),
        lambda t, p, w: np.average(np.abs(p - t), weights=w),
        paired=True, vectorized=False, n_resamples=4000, rng=np.random.default_rng(1),
    )  # fmt: skip
    assert report["mae"].standard_error == pytest.approx(theirs.standard_error, rel=0.06)


def test_degenerate_resamples_do_not_blow_up():
    report = offby.measure([1e8, 1e8 + 1, 1e8 + 3], [1e8, 1e8, 1e8], interval="bootstrap")
    assert abs(report["r2"].standard_error) < 1e3


def test_totals_that_keep_rows_are_refused_where_rows_would_travel(table):
    kept = offby.Totals(keep_rows=True).update(*table)
    with pytest.raises(offby.MeasureError, match="cannot be merged"):
        kept.merge(offby.Totals())
    with pytest.raises(offby.MeasureError, match="cannot be merged"):
        offby.Totals().merge(kept)
    with pytest.raises(offby.MeasureError, match="cannot be stored"):
        kept.to_bytes()
