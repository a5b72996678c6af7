"""Fitting to tables, a batch at a time: the same as to the same rows in memory."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from offby.errors import DataError, TableError
from offby.fit import LinearClassifier, LinearRegressor
from offby.tables import Table, open_table

FEATURES = ["a", "b", "year"]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(11)
    n = 70_000  # more than one batch
    table = pd.DataFrame({"a": rng.normal(size=n), "b": rng.exponential(size=n)})
    table["year"] = rng.integers(1990, 2020, n)
    score = 0.3 * table["a"] - 0.2 * table["b"] + 0.01 * (table["year"] - 2000)
    table["price"] = score + rng.standard_t(3, n)
    table["count"] = rng.poisson(np.exp(score))
    table["late"] = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), "yes", "no")
    table["grade"] = rng.integers(9, 12, n)  # 9, 10, 11: by number, not by letter
    table["weight"] = rng.integers(0, 3, n)
    return table


@pytest.fixture(scope="module", params=["csv", "parquet", "frame"])
def table(request, frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / f"rows.{request.param}"
    arrow = pa.Table.from_pandas(frame)
    if request.param == "csv":
        csv.write_csv(arrow, path)
    elif request.param == "parquet":
        parquet.write_table(arrow, path, row_group_size=8000)
    return frame if request.param == "frame" else path


@pytest.mark.parametrize(
    ("loss", "target"),
    [("squared", "price"), ("huber:1", "price"), ("poisson", "count"), ("tukey:4", "price")],
)
def test_numbers(frame, table, loss, target, monkeypatch):
    monkeypatch.setattr("offby.fit.data.tabular._AT_ONCE", 30_000)  # many parts
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    whole = LinearRegressor(loss).fit(frame[FEATURES], frame[target], frame["weight"])
    parts = LinearRegressor(loss).fit_table(table, target, FEATURES, "weight")
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6)
    np.testing.assert_allclose(parts.standard_errors_, whole.standard_errors_, rtol=1e-6)
    assert parts.converged_
    np.testing.assert_allclose(
        parts.predict(frame[FEATURES]), whole.predict(frame[FEATURES]), atol=1e-5
    )
    assert "70,000" in parts.summary()


def test_labels(frame, table, monkeypatch):
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    whole = LinearClassifier().fit(frame[FEATURES], frame["late"])
    parts = LinearClassifier().fit_table(table, "late", FEATURES)
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6)
    assert list(parts.predict(frame[FEATURES])) == list(whole.predict(frame[FEATURES]))
    several = LinearClassifier(penalty="l2", alpha=0.1).fit(frame[FEATURES], frame["grade"])
    parts = LinearClassifier(penalty="l2", alpha=0.1).fit_table(table, "grade", FEATURES)
    assert list(parts.classes_) == ["9", "10", "11"]
    np.testing.assert_allclose(parts.coef_, several.coef_, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("how", [{"loss": "absolute"}, {"loss": "huber:1.345", "scale": "mad"}])
def test_what_takes_more_than_sums(frame, how, monkeypatch):
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    rows = frame.head(5000)
    whole = LinearRegressor(**how).fit(rows[FEATURES], rows["price"])
    parts = LinearRegressor(**how).fit_table(rows, "price", FEATURES)
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-9)


def test_a_small_table_is_read_once(frame, monkeypatch):
    table, read = open_table(frame.head(100)), Table.read
    readings = []

    def counting(self, *columns):
        readings.append(columns)
        return read(self, *columns)

    monkeypatch.setattr(Table, "read", counting)
    LinearRegressor("huber:1").fit_table(table, "price", FEATURES)
    assert len(readings) == 1


@pytest.mark.parametrize("wanted", ["balanced", {"yes": 3.0}])
@pytest.mark.parametrize("kept", [0, 1 << 24])
def test_classes_that_weigh_more(frame, wanted, kept, monkeypatch):
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", kept)
    whole = LinearClassifier(class_weight=wanted)
    whole.fit(frame[FEATURES], frame["late"], frame["weight"])
    parts = LinearClassifier(class_weight=wanted).fit_table(frame, "late", FEATURES, "weight")
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6)
    np.testing.assert_allclose(parts.standard_errors_, whole.standard_errors_, rtol=1e-6)


def test_the_positive_class(frame):
    usual = LinearClassifier().fit_table(frame, "late", FEATURES)
    turned = LinearClassifier().fit_table(frame, "late", FEATURES, positive="no")
    assert list(turned.classes_) == ["yes", "no"]
    np.testing.assert_allclose(turned.coef_, -usual.coef_, rtol=1e-6)
    np.testing.assert_allclose(
        turned.predict_proba(frame[FEATURES]), usual.predict_proba(frame[FEATURES])[:, ::-1],
        atol=1e-9,
    )  # fmt: skip
    seen = turned.plot_landscape(frame[FEATURES], frame["late"])
    assert seen.accuracy.max() == pytest.approx(
        turned.score(frame[FEATURES], frame["late"]), abs=1e-3
    )


def test_all_other_columns_are_the_features(frame):
    model = LinearRegressor().fit_table(frame[[*FEATURES, "price", "weight"]], "price")
    assert list(model.feature_names_in_) == [*FEATURES, "weight"]
    weighted = LinearRegressor().fit_table(
        frame[[*FEATURES, "price", "weight"]], "price", sample_weight="weight"
    )
    assert list(weighted.feature_names_in_) == FEATURES


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"features": ["a", "late"]}, "column 'late' of .* holds text, not numbers; name"),
        ({}, {"features": ["a", "bee"]}, "no column 'bee'"),
        ({}, {"features": ["a", "price"]}, "expected columns other than 'price'"),
        ({}, {"target": "prize"}, "no column 'prize'; did you mean 'price'"),
        ({"a": np.nan}, {}, "column 'a' lacks a number in 1 of 70000 rows .* first in row 60001"),
        ({"price": np.inf}, {}, "column 'price' lacks a number"),
        ({"weight": -1}, {"sample_weight": "weight"}, "'weight' lacks a weight, finite and not"),
    ],
)
def test_what_cannot_be_fitted(frame, change, arguments, message):
    rows = frame.copy()
    for name, value in change.items():
        rows[name] = rows[name].astype(float)
        rows.loc[60_000, name] = value
    asked = {"target": "price", "features": FEATURES, **arguments}
    with pytest.raises((DataError, TableError), match=message):
        LinearRegressor().fit_table(rows, **asked)


def test_what_a_loss_asks_of_all_rows(frame):
    rows = frame.assign(count=frame["count"].where(frame.index != 60_000, -2))
    with pytest.raises(DataError, match=r"poisson needs targets y with y >= 0; .*row 60001"):
        LinearRegressor("poisson").fit_table(rows, "count", FEATURES)
    with pytest.raises(DataError, match="one class only"):
        LinearClassifier().fit_table(frame.assign(late="no"), "late", FEATURES)
    with pytest.raises(DataError, match=r"'price' holds numbers such as .*, not classes"):
        LinearClassifier().fit_table(frame.head(100), "price", FEATURES)
    missing = frame.assign(late=frame["late"].where(frame.index != 60_000))
    with pytest.raises(DataError, match=r"'late' lacks a label .* row 60001"):
        LinearClassifier().fit_table(missing, "late", FEATURES)


def test_what_can_be_read_only_once(frame, monkeypatch):
    text = frame.head(10).to_csv(index=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    with pytest.raises(TableError, match="can be read only once, and a fit takes several"):
        LinearRegressor().fit_table("-", "price", FEATURES)
