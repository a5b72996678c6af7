"""Several quantiles at once: each as one alone, none crossing, saved, and on the command line."""

import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from sklearn.base import clone
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GridSearchCV

import offby
from offby.errors import DataError
from offby.fit import LinearRegressor, QuantileRegressor, load
from offby.tables.part import in_part
from offby.verbs.fit import fit
from offby.verbs.predict import predict

FLIGHTS = "examples/flights.parquet"
LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    return X, X @ [1.0, 2.0, 0.0] + rng.normal(size=300) * (1 + np.abs(X[:, 0]))


@pytest.fixture
def crossing():
    """Few rows and many levels, seen far from where they lie."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 2))
    levels = tuple(np.arange(1, 20) / 20)
    return levels, X, X[:, 0] + rng.standard_t(3, size=40), 5 * rng.normal(size=(200, 2))


# --- the estimator -----------------------------------------------------------------------------


@pytest.mark.parametrize("errors", ["HC1", "classical"])
@pytest.mark.parametrize("weighted", [False, True])
def test_each_level_is_the_one_fitted_alone(rows, weighted, errors):
    X, y = rows
    weight = np.random.default_rng(1).integers(0, 4, len(y)) if weighted else None
    model = QuantileRegressor(LEVELS, standard_errors=errors).fit(X, y, weight)
    for k, level in enumerate(LEVELS):
        alone = LinearRegressor(f"pinball:{level}", standard_errors=errors).fit(X, y, weight)
        assert np.array_equal(model.coef_[k], alone.coef_)
        assert model.intercept_[k] == alone.intercept_
        assert model.objective_[k] == pytest.approx(alone.objective_, rel=1e-13)
        np.testing.assert_allclose(model.standard_errors_[k], alone.standard_errors_, rtol=1e-12)
        np.testing.assert_allclose(model.intervals_[k], alone.intervals_, rtol=1e-12)
        np.testing.assert_allclose(model.covariance_[k], alone.covariance_, rtol=1e-11, atol=1e-16)
        assert model.intercept_standard_error_[k] == pytest.approx(
            alone.intercept_standard_error_, rel=1e-12
        )
    assert model.converged_
    assert 0 <= model.gap_ < 1e-12


def test_the_quantiles_are_those_of_statsmodels(rows):
    X, y = rows
    model = QuantileRegressor(LEVELS).fit(X, y)
    for k, level in enumerate(LEVELS):
        theirs = sm.QuantReg(y, sm.add_constant(X)).fit(q=level, max_iter=10_000, p_tol=1e-10)
        np.testing.assert_allclose(model.coef_[k], theirs.params[1:], atol=1e-5)
        ours = mean_pinball_loss(y, X @ model.coef_[k] + model.intercept_[k], alpha=level)
        assert ours <= mean_pinball_loss(y, theirs.fittedvalues, alpha=level) + 1e-14
        assert model.objective_[k] == pytest.approx(ours, rel=1e-12)


def test_predictions_never_cross_where_the_lines_do(crossing):
    levels, X, y, far = crossing
    model = QuantileRegressor(levels).fit(X, y)
    lines = far @ model.coef_.T + model.intercept_
    assert (np.diff(lines, axis=1) < 0).any(axis=1).sum() > 20
    found = model.predict(far)
    assert found.shape == (200, len(levels))
    assert (np.diff(found, axis=1) >= 0).all()
    assert np.array_equal(found, np.sort(lines, axis=1))
    near = (np.diff(X @ model.coef_.T + model.intercept_, axis=1) < -1e-12).any(axis=1)
    assert model.crossed_ == pytest.approx(near.mean())
    assert 0 < model.crossed_ < 1
    assert f"at {100 * near.mean():.3g} % of the rows" in model.summary()


def test_without_intercept_and_without_errors(rows):
    X, y = rows
    model = QuantileRegressor((0.25, 0.75), fit_intercept=False, standard_errors=None).fit(X, y)
    alone = LinearRegressor("pinball:0.75", fit_intercept=False, standard_errors=None).fit(X, y)
    assert np.array_equal(model.coef_[1], alone.coef_)
    assert not model.intercept_.any()
    assert model.standard_errors_ is model.intervals_ is model.covariance_ is None
    assert "(intercept)" not in model.summary()
    assert "No standard errors were asked for." in model.summary()
    with_errors = QuantileRegressor((0.25, 0.75), fit_intercept=False).fit(X, y)
    assert with_errors.intercept_standard_error_ is None
    assert with_errors.standard_errors_.shape == (2, 3)


def test_errors_without_spread_are_none_and_said():
    X = np.arange(6.0)[:, None]
    model = QuantileRegressor((0.4, 0.6)).fit(X, 2 * X[:, 0])
    assert model.standard_errors_ is None
    assert "the errors have no spread to tell them from" in model.summary()


def test_columns_that_the_rows_do_not_determine_are_said_once(rows):
    X, y = rows
    with pytest.warns(UserWarning, match="are not determined by the rows") as heard:
        QuantileRegressor().fit(np.column_stack([X, X[:, 0]]), y)
    assert len(heard) == 1


def test_the_score_is_the_share_of_the_constants_losses_that_is_saved(rows):
    X, y = rows
    model = QuantileRegressor(LEVELS).fit(X, y)
    predicted = model.predict(X)
    lost = [mean_pinball_loss(y, predicted[:, k], alpha=t) for k, t in enumerate(LEVELS)]
    least = [mean_pinball_loss(y, np.full(300, np.quantile(y, t)), alpha=t) for t in LEVELS]
    assert model.score(X, y) == pytest.approx(1 - sum(lost) / sum(least), rel=1e-9)


def test_many_levels_stand_in_blocks(rows):
    levels = np.arange(1, 8) / 8
    lines = QuantileRegressor(levels).fit(*rows).summary().splitlines()
    heads = [line.split() for line in lines if line.split()[:1] in (["0.125"], ["0.75"])]
    assert heads == [["0.125", "0.25", "0.375", "0.5", "0.625"], ["0.75", "0.875"]]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("quantiles", [(0.9, 0.1), (0.1, 0.1), (0.0, 0.5), (0.5, 1.0), (), 0.5,
                                       "0.1,0.9", (0.5, float("nan")), ("a",)])  # fmt: skip
def test_levels_that_are_none(rows, quantiles):
    with pytest.raises(DataError, match="expected numbers above 0 and below 1 that rise"):
        QuantileRegressor(quantiles).fit(*rows)


def test_one_level_estimators_say_where_to_go(rows):
    with pytest.raises(DataError, match=r"names several quantiles; QuantileRegressor fits them"):
        LinearRegressor("pinball:0.1,0.9").fit(*rows)
    several = [offby.losses.Pinball(0.1), offby.losses.Huber(1.0)]
    with pytest.raises(DataError, match="expected one loss, or its name as text"):
        LinearRegressor(several).fit(*rows)


# --- as scikit-learn has them ------------------------------------------------------------------


def test_cloned_and_searched_for(rows):
    X, y = rows
    model = clone(offby.QuantileRegressor([0.2, 0.8], tol=1e-8))
    assert model.get_params() == {
        "quantiles": [0.2, 0.8], "fit_intercept": True, "tol": 1e-8, "standard_errors": "HC1",
    }  # fmt: skip
    grid = {"fit_intercept": [True, False], "quantiles": [(0.1, 0.9), LEVELS]}
    search = GridSearchCV(QuantileRegressor(), grid, cv=3).fit(X, y + 10)
    assert search.best_params_["fit_intercept"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(X).shape == (300, len(search.best_params_["quantiles"]))


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_frames_and_tables(rows, kind):
    X, y = rows
    plain = QuantileRegressor().fit(X, y)
    columns = dict(zip("abc", X.T, strict=True))
    model = QuantileRegressor().fit(kind(columns), y)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    assert np.array_equal(model.coef_, plain.coef_)
    of_table = QuantileRegressor().fit_table(kind({**columns, "y": y}), "y", list("abc"))
    assert np.array_equal(of_table.predict(kind(columns)), model.predict(kind(columns)))
    with pytest.raises(DataError, match="unseen at fit time"):
        model.predict(kind({"a": y, "b": y, "d": y}))


# --- saved -------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantiles", [LEVELS, [0.5], np.array([0.05, 0.95])], ids=len)
def test_saved_and_loaded(rows, tmp_path, quantiles):
    X = pd.DataFrame(rows[0], columns=["a", "b", "c"])
    model = QuantileRegressor(quantiles).fit(X, rows[1])
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.summary() == model.summary()
    assert (again.gap_, again.crossed_) == (model.gap_, model.crossed_)
    assert np.array_equal(again.intervals_, model.intervals_)
    assert np.array_equal(again.fit(X, rows[1]).coef_, model.coef_)


def test_damaged_files_are_refused(rows, tmp_path):
    path = tmp_path / "model.json"
    QuantileRegressor().fit(*rows).save(path)
    content = json.loads(path.read_text())
    for fits in ([], [{**content["fits"][0], "loss": "squared"}], [{}]):
        path.write_text(json.dumps({**content, "fits": fits}))
        with pytest.raises(DataError, match="the saved model is damaged"):
            load(path)


def test_predictions_beside_a_table(rows):
    X = pd.DataFrame(rows[0], columns=["a", "b", "c"])
    model = QuantileRegressor((0.05, 0.5)).fit(X, rows[1])
    file = io.BytesIO()
    assert predict(model, X.assign(note="x"), file) == 300
    written = pd.read_csv(io.BytesIO(file.getvalue()))
    assert list(written) == ["a", "b", "c", "note", "prediction_0.05", "prediction_0.5"]
    np.testing.assert_allclose(written.iloc[:, -2:], model.predict(X), rtol=1e-15)
    with pytest.raises(offby.TableError, match=r"has a column 'prediction_0\.5' already"):
        predict(model, X.assign(**{"prediction_0.5": 0.0}), io.BytesIO())


# --- on the command line -----------------------------------------------------------------------

ASKED = ("fit", FLIGHTS, "--target", "arr_delay", "--features", "hour,month,distance",
         "--loss", "pinball:0.1,0.5,0.9", "--validate", "0.2")  # fmt: skip


def test_fitted_measured_and_saved_by_command(offby_command, tmp_path):
    saved, out = tmp_path / "model.json", tmp_path / "out.parquet"
    ran = offby_command(*ASKED, "--save", saved)
    assert (ran.code, ran.err) == (0, "")
    frame = pq.read_table(FLIGHTS).to_pandas()
    held = in_part(np.arange(len(frame)), 0.2)
    names = ["hour", "month", "distance"]
    model, peer = load(saved), LinearRegressor("pinball:0.9")
    peer.fit(frame.loc[~held, names], frame.loc[~held, "arr_delay"])
    np.testing.assert_allclose(model.coef_[2], peer.coef_, rtol=1e-12)
    lines = ran.out.splitlines()
    first = f"3 quantiles fitted to {(~held).sum():,} rows: each proved to be at its minimum"
    assert lines[0].startswith(first)
    at = lines.index(f"On {held.sum():,} rows held out")
    predicted, truths = model.predict(frame.loc[held, names]), frame.loc[held, "arr_delay"]
    for k, (level, line) in enumerate(zip(LEVELS, lines[at + 3 : at + 6], strict=True)):
        name, loss, error, below, *_, low, _, high, _ = line.replace(" %", "  %").split()
        assert float(name) == level
        theirs = mean_pinball_loss(truths, predicted[:, k], alpha=level)
        assert float(loss) == pytest.approx(theirs, rel=1e-4)
        share = 100 * np.mean(truths <= predicted[:, k])
        assert float(below) == pytest.approx(share, abs=0.06)
        assert float(low) < share < float(high)
        assert float(error) > 0
    assert offby_command("predict", saved, FLIGHTS, "--out", out).code == 0
    written = pq.read_table(out).to_pandas()
    columns = [f"prediction_{level}" for level in LEVELS]
    assert np.array_equal(written[columns], model.predict(frame[names]))
    assert (np.diff(written[columns], axis=1) >= 0).all()


def test_the_same_as_json(offby_command):
    found = json.loads(offby_command(*ASKED, "--json").out, parse_constant=pytest.fail)
    assert found["loss"] == "pinball:0.1,0.5,0.9"
    assert np.shape(found["coefficients"]) == np.shape(found["standard_errors"]) == (3, 3)
    for level, one in zip(LEVELS, found["levels"], strict=True):
        assert one["quantile"] == level
        assert one["share_below"]["low"] < level < one["share_below"]["high"]


def test_with_weights_on_the_rows_that_were_fitted(rows):
    X, y = rows
    weight = np.random.default_rng(1).integers(0, 4, len(y))
    table = {"a": X[:, 0], "y": y, "w": weight}
    found = fit(table, target="y", loss="pinball:0.2,0.8", weight="w")
    assert (found.trained, found.held_out, found.features) == (300, 0, ("a",))
    repeated = QuantileRegressor((0.2, 0.8)).fit(
        np.repeat(X[:, :1], weight, axis=0), np.repeat(y, weight)
    )
    np.testing.assert_allclose(found.model.coef_, repeated.coef_, rtol=1e-12)
    losses = [level.pinball.value for level in found.levels]
    np.testing.assert_allclose(losses, found.model.objective_, rtol=1e-12)
    assert "On the very rows that were fitted" in found.to_text()
    assert "rows below" in found.to_text(50)


def test_the_page_has_all_of_it(offby_command, tmp_path):
    page = tmp_path / "fit.html"
    assert offby_command(*ASKED, "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "<h1>3 quantiles fitted to 43,049 rows: each proved to be at its minimum" in text
    assert "Rows below each quantile" in text
    assert "Of 3 levels 3 are drawn." in text
    assert '<th scope="row">(intercept)</th><td>-64.08 ± 2.6</td>' in text


def test_a_long_page_says_what_it_leaves_out():
    rng = np.random.default_rng(0)
    table = {f"x{j}": rng.normal(size=900) for j in range(201)} | {"y": rng.normal(size=900)}
    wide = fit(table, target="y", loss="pinball:0.05,0.95", validate=0.5).to_html()
    assert "Coefficients: the first 200 of 202" in wide
    assert "aims elsewhere" in wide  # 202 numbers from 450 rows follow these rows too closely
    levels = ",".join(f"{k / 25}" for k in range(1, 25))
    found = fit(table, target="y", features=["x0"], loss=f"pinball:{levels}")
    assert "Of 24 levels 12 are drawn." in found.to_html()
    assert "<h1>24 quantiles fitted" in found._repr_html_()


def test_cautions_are_said(rows):
    X, y = rows
    found = fit({"a": X[:, 0], "b": X[:, 0], "y": y}, target="y", loss="pinball:0.2,0.8")
    assert "caution: 1 of 3 coefficients (with the intercept) are not" in found.to_text()
