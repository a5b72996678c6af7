"""What the report says in words is so, and what does not exist is undefined with its reason."""

import math

import numpy as np
import pytest

import offby

N = 4000


def kinds(report):
    return {finding.kind: finding for finding in report.findings}


def with_errors(errors, seed=5):
    truth = 50 + 3 * np.random.default_rng(seed).normal(size=len(errors))
    return truth, truth + errors


def normal(n=N, seed=1):
    return np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize(("shift", "way"), [(0.5, "high"), (-0.5, "low")])
def test_bias_is_found_with_its_cost(shift, way):
    report = offby.measure(*with_errors(normal() + shift))
    found = kinds(report)["bias"]
    assert f"predictions are too {way} by" in found.text
    assert found.numbers["mse_share"] == pytest.approx(0.2, abs=0.03)
    assert found.numbers["low"] < shift < found.numbers["high"]


def test_no_bias_is_found_where_the_interval_holds_zero():
    found = kinds(offby.measure(*with_errors(normal())))
    assert "unbiased" in found
    assert "bias" not in found


def test_concentration_names_the_rows_that_own_the_error():
    errors = normal() / 100
    errors[[17, 2000]] = 50.0, -30.0
    report = offby.measure(*with_errors(errors))
    found = kinds(report)["concentration"]
    assert [row["row"] for row in found.numbers["worst"][:2]] == [18, 2001]
    assert found.numbers["worst"][0]["mse_share"] == pytest.approx(2500 / 3400, rel=1e-2)
    assert "the worst are rows 18, 2001," in found.text
    assert found.numbers["share"] > 0.99


def test_a_small_table_names_its_worst_row():
    text = kinds(offby.measure([1.0, 2, 3], [1, 2, 5]))["concentration"].text
    assert text == "row 3 (predicted 5 where 3 came) alone owns 100 % of the MSE"


def test_a_light_tail_draws_no_warning():
    report = offby.measure(*with_errors(normal()))
    assert all(report[name].caution is None for name in report)
    assert kinds(report)["describes_best"].numbers["measure"] == "rmse"


@pytest.mark.parametrize(
    "errors",
    [
        np.random.default_rng(2).standard_t(3, N),
        np.random.default_rng(2).lognormal(0, 2, N),
    ],
    ids=["t3", "lognormal"],
)
def test_a_heavy_tail_draws_a_warning_beside_the_number(errors):
    report = offby.measure(*with_errors(errors))
    assert "heavy tail: trust" in report["mse"].caution
    assert report["median_absolute_error"].caution is None
    found = kinds(report)
    assert found["describes_best"].numbers["measure"] in ("mae", "median_absolute_error")
    assert "mse" in found["interval_worth"].numbers["measures"]
    assert found["interval_worth"].text.endswith("worse ones than these are still to come")


def test_without_a_mean_even_mae_is_not_trusted():
    report = offby.measure(*with_errors(np.random.default_rng(3).standard_cauchy(N)))
    assert report["mae"].caution == "too narrow, heavy tail: trust median_absolute_error"


@pytest.mark.parametrize(
    ("shift", "kind"), [(0.0, "skill"), (20.0, "worse_than_mean")], ids=["good", "far off"]
)
def test_skill_against_the_mean(shift, kind):
    assert kind in kinds(offby.measure(*with_errors(normal() + shift)))


def test_no_skill_where_the_data_are_not_sure():
    truth = normal()
    found = kinds(offby.measure(truth, np.zeros(N)))
    assert "no_skill" in found
    assert "not surely better than always predicting the mean" in found["no_skill"].text


def test_few_rows_are_called_few():
    assert "few_rows" in kinds(offby.measure(*with_errors(normal(29))))
    assert "few_rows" not in kinds(offby.measure(*with_errors(normal(30))))


# --- what does not exist -----------------------------------------------------------------------


def test_an_empty_table():
    for report in (offby.measure([], []), offby.Totals().report()):
        assert report.rows == 0
        assert {m.undefined for m in report.measures.values()} == {"there are no rows"}
        assert [f.kind for f in report.findings] == ["empty"]
        assert repr(report).startswith("mae is undefined on 0 rows: there are no rows")


def test_one_row():
    report = offby.measure([2.0], [5.0])
    assert report["mae"].value == 3
    assert (report["mae"].low, report["mae"].unsure) == (None, "one row: no interval")
    assert report["r2"].undefined == "y_true is constant, so its variance is 0"


def test_a_constant_truth():
    report = offby.measure([5.0] * 40, normal(40))
    assert report["r2"].undefined == "y_true is constant, so its variance is 0"
    assert "r2 is undefined" in kinds(report)["undefined"].text


def test_equal_predictions():
    report = offby.measure([1.0, 2, 3, 4], [2.5] * 4, measures="r2,squared_correlation,bias")
    assert report["r2"].value == 0
    assert report["bias"].value == 0
    assert report["squared_correlation"].value is None


def test_zero_weights_are_no_rows():
    report = offby.measure([1.0, 2], [1, 3], sample_weight=[0, 0])
    assert report["mae"].undefined == "there are no rows"


def test_mape_counts_its_zero_targets():
    mape = offby.measure([0.0, 1, 0, 2], [1, 1, 1, 1], measures="mape")["mape"]
    assert mape.value is None
    assert mape.undefined.startswith("2 rows have no defined value (needs targets other than 0;")
    assert mape.undefined.endswith("the first is row 1)")


def test_the_log_of_zero_is_infinite_and_named():
    report = offby.measure([1.0, 2, 3], [1, 0, 3], measures="poisson")
    assert report["poisson"].value == math.inf
    assert report["poisson"].unsure == "its term is infinite in 1 row, the first is row 2"
    assert "row 2" in kinds(report)["infinite"].text


def test_perfect_predictions():
    report = offby.measure([1.0, 2, 3], [1.0, 2, 3])
    assert (report["mae"].value, report["r2"].value) == (0, 1)
    assert report["mae"].standard_error is None
    assert "edge of its range" in report["r2"].unsure
    assert "is it the truth itself?" in kinds(report)["perfect"].text


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e200, 1e308])
def test_extreme_sizes_are_measured_and_shown(scale):
    report = offby.measure(np.array([1.0, -1, 0.5, 0.3]) * scale, np.array([0.5, 1, 1, 0]) * scale)
    assert report["mae"].value >= 0
    assert repr(report).startswith("off by")
    assert "nan" not in report.to_json().lower()
