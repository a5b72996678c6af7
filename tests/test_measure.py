"""`offby.measure`: every way in gives the same report, and the report says what is so."""

import io
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import offby
from offby import DataError, Mean, Measure, MeasureError, OffbyError, Totals, r, where

Y = [210_000, 240_000, 320_000]
P = [200_000, 250_000, 300_000]
HOUSES = {"y_true": Y, "y_pred": P}


def same_houses(report):
    return (
        report["mse"].value == 200e6
        and report["mae"].value == pytest.approx(40_000 / 3, rel=1e-15)
        and report["rmse"].value == pytest.approx(200e6**0.5, rel=1e-15)
        and report["r2"].value == pytest.approx(0.9072164948453608, rel=1e-14)
    )


def strided(values):
    wide = np.zeros((len(values), 3))
    wide[:, 1] = values
    return wide[:, 1]


def read_only(values):
    array = np.array(values, float)
    array.flags.writeable = False
    return array


COLUMNS = {
    "list": list,
    "tuple": tuple,
    "range-like int64": np.array,
    "float32": lambda x: np.array(x, np.float32),
    "uint32": lambda x: np.array(x, np.uint32),
    "strided": strided,
    "read-only": read_only,
    "backwards": lambda x: np.array(x[::-1])[::-1],
    "big-endian": lambda x: np.array(x, ">f8"),
    "fortran (n, 1)": lambda x: np.asfortranarray(np.array(x, float)[:, None]),
    "object": lambda x: np.array(x, object),
    "pandas": pd.Series,
    "pandas Int64": lambda x: pd.Series(x, dtype="Int64"),
    "polars": pl.Series,
    "pyarrow": pa.array,
    "pyarrow chunked": lambda x: pa.chunked_array([x[:1], x[1:]]),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_columns_of_every_kind(column):
    assert same_houses(offby.measure(column(Y), column(P)))
    assert same_houses(offby.measure(column(Y), P))


def parquet(folder):
    pq.write_table(pa.table(HOUSES), folder / "t.parquet")
    return folder / "t.parquet"


def ipc(folder):
    with pa.ipc.new_file(str(folder / "t.arrow"), pa.table(HOUSES).schema) as writer:
        writer.write_table(pa.table(HOUSES))
    return str(folder / "t.arrow")


def csv(folder):
    pd.DataFrame(HOUSES).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


TABLES = {
    "dict": lambda at: HOUSES,
    "pandas": lambda at: pd.DataFrame(HOUSES),
    "polars": lambda at: pl.DataFrame(HOUSES),
    "pyarrow": lambda at: pa.table(HOUSES),
    "duckdb": lambda at: duckdb.from_arrow(pa.table(HOUSES)),
    "structured": lambda at: np.array(
        list(zip(Y, P, strict=True)), [("y_true", "i8"), ("y_pred", "f8")]
    ),
    "csv": csv,
    "parquet": parquet,
    "ipc": ipc,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_tables_of_every_kind(table, tmp_path):
    report = offby.measure(table(tmp_path))
    assert same_houses(report)
    assert report.columns == "true is 'y_true' and pred is 'y_pred', found by their names."


def test_standard_input(monkeypatch):
    data = b"actual,predicted\n210000,200000\n240000,250000\n320000,300000\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert same_houses(offby.measure("-"))


def test_small_integers_and_booleans_do_not_wrap_around():
    for kind in (np.uint8, np.int8, bool):
        report = offby.measure(np.array([0, 1, 1], kind), np.array([1, 0, 1], kind))
        assert report["mae"].value == 2 / 3
        assert report["bias"].value == 0


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


def test_missing_values_are_refused_by_row_or_dropped_and_counted():
    truth = [1.0, float("nan"), 3.0, None, 5.0, 90.0]
    with pytest.raises(DataError, match=r"y_true has 2 values .*\(row 2: nan, row 4: nan;"):
        offby.measure(truth, [1] * 6)
    report = offby.measure(truth, [1, 2, 3, 4, float("inf"), 1], nan="drop")
    assert (report.rows, report.dropped) == (3, 3)
    worst = next(f for f in report.findings if f.kind == "concentration").numbers["worst"]
    assert worst[0]["row"] == 6
    assert "3 rows with missing values were left out (50 %)" in repr(report)
    with pytest.raises(DataError, match=r"column 'actual' has 1 value .*row 2"):
        offby.measure({"actual": [1, None], "predicted": [1, 2]})
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])
    assert offby.measure(masked, [1, 9, 3], nan="drop")["mae"].value == 0
    nullable = pd.Series([1, None, 3], dtype="Int64")
    assert offby.measure(nullable, [1, 9, 3], nan="drop").dropped == 1


@pytest.mark.parametrize(
    ("truth", "prediction", "said"),
    [
        ([1, 2, 3], [1, 2], "y_true has 3 rows and y_pred has 2"),
        (np.ones((3, 2)), np.ones(3), r"\(3, 2\) and y_pred \(3, 1\)"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), r"\(2, 2, 2\) arrived"),
        (1.0, 2.0, r"y_true has shape \(\)"),
        (["a", "b"], [1, 2], "y_true holds <U1, not numbers"),
        ([1, "b"], [1, 2], "y_true holds <U"),
        ([1, object()], [1, 2], "y_true holds <object"),
        ([[1], [2, 3]], [1, 2], "y_true cannot be read as an array"),
        ([1, 2**53 + 1], [1, 2], "float64 cannot hold exactly, 9007199254740993 in row 2"),
        ([1, 2**70 + 1], [1, 2], "1180591620717411303425 in row 2"),
        (np.array(["2020-01-01"], "M8[s]"), [1], "datetime64"),
        ([1j], [1], "complex128"),
    ],
)
def test_what_is_not_columns_of_numbers_is_refused(truth, prediction, said):
    with pytest.raises(DataError, match=said):
        offby.measure(truth, prediction)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1, -2, 1], "sample_weight is -2.0 in row 2"),
        ([1, 1, np.inf], "sample_weight is inf in row 3"),
        ([np.nan, 1, 1], "sample_weight is nan in row 1"),
        ([1, 1], "sample_weight has 2 rows and y_true has 3"),
    ],
)
def test_bad_weights_are_refused(weights, said):
    with pytest.raises(DataError, match=said):
        offby.measure(Y, P, sample_weight=weights)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"interval": "jackknife"}, "expected 'delta' or 'bootstrap'"),
        ({"confidence": 0}, "confidence is 0; expected a number between 0 and 1"),
        ({"confidence": 95}, "confidence is 95"),
        ({"nan": "ignore"}, "expected 'raise' or 'drop'"),
        ({"measures": "rmze"}, "did you mean rmse"),
        ({"measures": []}, "no measure was asked for"),
        ({"measures": 3}, "3 is not a measure"),
        ({"true": "a"}, "true, pred and weight name columns of a table"),
        ({"measures": Measure("mse", Mean(r**2) / 2)}, "'mse' names .*; give each"),
        ({"measures": [Measure("a", Mean(r)), Measure("a", Mean(r**2))]}, "'a' names mean"),
    ],
)
def test_bad_options_are_refused(options, said):
    with pytest.raises(OffbyError, match=said):
        offby.measure(Y, P, **options)


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
    assert first.merge(second).report()["late_cost"] == whole
    text = offby.measure(Y, P, measures="late = where(r < 0, 5*abs(r), abs(r))")["late"]
    assert text.value == whole.value


def test_importing_the_package_in_another_process_measures_the_same():
    code = "import offby; print(offby.measure([1, 2], [1, 4])['rmse'].value.hex())"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert out.stdout.strip() == offby.measure([1, 2], [1, 4])["rmse"].value.hex()
