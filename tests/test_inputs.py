"""Every way into `offby.measure` gives the same report, and what is no column is refused."""

import io
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import offby
from offby import DataError, Mean, Measure, OffbyError, r

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
        values = np.array([0, 1, 1], kind), np.array([1, 0, 1], kind)
        report = offby.measure(*values, task="regression")
        assert report["mae"].value == 2 / 3
        assert report["bias"].value == 0


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


def test_a_table_of_many_batches_names_the_row_of_the_file(tmp_path):
    rows, bad = 2_500_000, 2_345_677
    truth, prediction = np.arange(float(rows)) % 1000, np.zeros(rows)
    truth[bad] = np.nan
    table = pa.table({"actual": truth, "predicted": prediction})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=500_000)
    with pytest.raises(DataError, match=r"column 'actual' has 1 value .*row 2345678: nan"):
        offby.measure(tmp_path / "t.parquet")
    seen = []
    report = offby.measure(tmp_path / "t.parquet", nan="drop", progress=seen.append)
    assert (report.rows, report.dropped) == (rows - 1, 1)
    assert len(seen) > 1
    assert seen[-1].progress == 1
    in_memory = offby.measure(truth, prediction, nan="drop")
    for name, measured in report.measures.items():
        assert measured.value == in_memory[name].value, name
