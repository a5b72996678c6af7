"""`offby.measure`: the report holds all that is known, on screens and for machines."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import offby
from offby import Mean, Measure, MeasureError, Totals, r, where

Y = [210_000, 240_000, 320_000]
P = [200_000, 250_000, 300_000]
HOUSES = {"y_true": Y, "y_pred": P}


def test_a_measurement_says_all_that_is_known():
    report = offby.measure(Y, P, measures="rmse, bias,pinball:0.9")
    assert list(report) == ["rmse", "bias", "pinball:0.9"]
    assert "rmse" in report
    assert "mae" not in report
    rmse = report["rmse"]
    assert (rmse.n, rmse.units, rmse.undefined, rmse.better) == (3, "y", None, "lower")
    assert 0 < rmse.low < rmse.value < rmse.high
    assert rmse.standard_error == pytest.approx(1e8 / (2 * 200e6**0.5), rel=1e-9)
    with pytest.raises(MeasureError, match="'mae' was not measured; this report holds rmse, bias"):
        report["mae"]


def test_more_confidence_is_a_wider_interval():
    narrow, wide = (offby.measure(Y, P, confidence=c)["mae"] for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert narrow.standard_error == wide.standard_error


def test_json_is_strict_and_survives_infinity():
    report = offby.measure([0.0, 1e200], [1.0, -1e200], measures=["mse", "mape", "poisson"])
    assert report["mse"].value == float("inf")
    found = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert found["rows"] == 2
    assert found["dropped"] == 0
    assert found["measures"]["mse"]["value"] == "Infinity"
    assert found["measures"]["mape"]["value"] is None
    assert "1 row has no defined value" in found["measures"]["mape"]["undefined"]
    assert {"value", "standard_error", "low", "high", "units", "bracket", "undefined"} <= set(
        found["measures"]["mse"]
    )
    assert all(finding["kind"] and finding["text"] for finding in found["findings"])
    assert found == report.to_dict()


def test_repr_and_notebook():
    report = offby.measure(Y, P)
    lines = repr(report).splitlines()
    assert lines[0] == "off by 13,333 on average (MAE), 14,142 RMSE, on 3 rows"
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert report.to_text() == repr(report)
    assert max(map(len, report.to_text(40).splitlines())) <= 40
    assert "\x1b[" in report.to_text(color=True)
    assert "13,333" in report._repr_html_()


def test_names_with_brackets_are_shown_as_they_are():
    table = {"price [EUR]": [1.0, 2], "b": [1.0, 3], "price [EUR]_pred": [1, 2], "b_pred": [2, 2]}
    text = offby.measure(table, true=["price [EUR]", "b"], pred=["price [EUR]_pred", "b_pred"])
    assert "price [EUR]: off by 0 on average" in repr(text)
    assert "[/b]" in repr(offby.measure(Y, P, measures=Measure("odd [/b]", Mean(r))))


def test_several_outputs_and_their_average():
    truth, prediction = np.array([[1, 10], [2, 20], [4, 30]]), np.array([[1, 11], [3, 20], [4, 32]])
    report = offby.measure(truth, prediction)
    assert list(report.outputs) == ["output 1", "output 2"]
    assert report.outputs["output 1"]["mae"].value == 1 / 3
    assert report.outputs["output 2"]["mae"].value == 1
    assert report["mae"].value == pytest.approx(2 / 3)
    assert report["r2"].low < report["r2"].value < report["r2"].high < 1
    assert report["mae"].low > 0
    assert "output 1: off by" in repr(report)
    said = [finding.text for finding in report.findings]
    assert len(said) == len(set(said))
    frame = pd.DataFrame({"a": truth[:, 0], "b": truth[:, 1], "pa": prediction[:, 0],
                          "pb": prediction[:, 1]})  # fmt: skip
    named = offby.measure(frame, true="a,b", pred=["pa", "pb"])
    assert named["mae"].value == report["mae"].value
    assert list(named.outputs) == ["a", "b"]


def test_a_row_that_one_output_lacks_is_left_out_of_all():
    truth = np.array([[1.0, 10], [np.nan, 20], [4, 30]])
    report = offby.measure(truth, np.zeros((3, 2)), nan="drop", measures="bias")
    assert [part["bias"].value for part in report.outputs.values()] == [-2.5, -20]
    assert (report.rows, report.dropped) == (2, 1)


def test_weights_count_as_copies_in_values():
    weighted = offby.measure(Y, P, sample_weight=[2, 1, 0])
    copied = offby.measure([Y[0], Y[0], Y[1]], [P[0], P[0], P[1]])
    assert weighted["mae"].value == copied["mae"].value
    assert weighted["r2"].value == copied["r2"].value
    assert weighted.rows == 2
    table = {**HOUSES, "w": [2, 1, 0]}
    assert offby.measure(table, weight="w")["rmse"].value == copied["rmse"].value
    uneven = [f for f in weighted.findings if f.kind == "weights"]
    assert uneven == []  # 2 and 1 are worth 1.8 rows of 2
    (uneven,) = [f for f in offby.measure(Y, P, sample_weight=[9, 1, 1]).findings
                 if f.kind == "weights"]  # fmt: skip
    assert uneven.numbers["effective_rows"] == pytest.approx(121 / 83)


def test_weights_of_a_table_are_a_column():
    with pytest.raises(MeasureError, match="name its column: weight="):
        offby.measure(HOUSES, sample_weight=[1, 2, 3])


@pytest.mark.parametrize("far", [0.0, 1e8, 1e12])
def test_r2_far_from_zero(far):
    generator = np.random.default_rng(3)
    truth = np.round(generator.normal(size=2000), 3)
    prediction = np.round(truth + 0.1 * generator.normal(size=2000), 3)
    moved_truth, moved = truth + far, prediction + far
    errors, centred = (moved - moved_truth), (moved_truth - far)
    expected = 1 - np.sum(errors**2) / np.sum((centred - centred.mean()) ** 2)
    r2 = offby.measure(moved_truth, moved)["r2"]
    assert r2.value == pytest.approx(expected, rel=1e-12)
    near = offby.measure(truth, prediction)["r2"].standard_error
    assert r2.standard_error == pytest.approx(near, rel=1e-3)


def test_your_own_measure_streams_and_merges():
    late = Measure("late_cost", Mean(where(r < 0, 5 * abs(r), abs(r))), better="lower")
    whole = offby.measure(Y, P, measures=[late, "mae"])["late_cost"]
    assert whole.value == pytest.approx((50_000 + 10_000 + 100_000) / 3)
    assert whole.standard_error == pytest.approx(np.std([5e4, 1e4, 1e5], ddof=1) / 3**0.5)
    first, second = (Totals([late, "mae"]).update(Y[k], P[k]) for k in (slice(1), slice(1, 3)))
    merged = first.merge(second).report()["late_cost"]
    assert merged.value == whole.value
    assert merged.standard_error == pytest.approx(whole.standard_error, rel=1e-12)
    assert (merged.low, merged.high) == pytest.approx((whole.low, whole.high), rel=1e-12)
    text = offby.measure(Y, P, measures="late = where(r < 0, 5*abs(r), abs(r))")["late"]
    assert text.value == whole.value


def test_importing_the_package_in_another_process_measures_the_same():
    code = "import offby; print(offby.measure([1, 2], [1, 4])['rmse'].value.hex())"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert out.stdout.strip() == offby.measure([1, 2], [1, 4])["rmse"].value.hex()
