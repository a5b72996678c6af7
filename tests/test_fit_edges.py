"""Data at the edge of what can be fitted, data beyond it, and what is said about both."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import offby
from offby.errors import DataError, FormulaError, OffbyError
from offby.fit.classifier import LinearClassifier
from offby.fit.regressor import LinearRegressor

SMOOTH = ["squared", "huber:1.345", "log_cosh", "pseudo_huber:1", "expectile:0.8"]
ALL = [*SMOOTH, "absolute", "pinball:0.9", "cauchy:2", "tukey:4"]


@pytest.fixture
def drawn():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 3))
    return X, X @ [1.0, -2.0, 0.5] + 3 + rng.standard_t(4, 60)


# --- laws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared", "absolute", "pinball:0.3", "expectile:0.8"])
def test_units_of_y(drawn, loss):
    X, y = drawn
    one, thousand = LinearRegressor(loss).fit(X, y), LinearRegressor(loss).fit(X, 1000 * y)
    np.testing.assert_allclose(thousand.coef_, 1000 * one.coef_, rtol=1e-9)
    np.testing.assert_allclose(thousand.intercept_, 1000 * one.intercept_, rtol=1e-9)
    np.testing.assert_allclose(thousand.standard_errors_, 1000 * one.standard_errors_, rtol=1e-6)


@pytest.mark.parametrize("loss", ["huber:1.345", "pseudo_huber:1", "cauchy:2", "tukey:4"])
def test_units_of_y_where_the_loss_has_them(drawn, loss):
    X, y = drawn
    name, number = loss.split(":")
    in_thousands = LinearRegressor(f"{name}:{1000 * float(number)}").fit(X, 1000 * y)
    one = LinearRegressor(loss).fit(X, y)
    np.testing.assert_allclose(in_thousands.coef_, 1000 * one.coef_, rtol=1e-6)
    scaled = [LinearRegressor(loss, scale="mad").fit(X, unit * y) for unit in (1, 1000)]
    np.testing.assert_allclose(scaled[1].coef_, 1000 * scaled[0].coef_, rtol=1e-6)


@pytest.mark.parametrize("loss", ALL)
def test_a_weight_of_k_is_k_copies_and_one_of_0_no_row(drawn, loss):
    X, y = drawn
    weight = np.arange(60) % 3
    weighted = LinearRegressor(loss).fit(X, y, weight)
    copied = LinearRegressor(loss).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.coef_, copied.coef_, rtol=1e-6)
    scaled = LinearRegressor(loss).fit(X, y, weight * 7)
    np.testing.assert_allclose(weighted.standard_errors_, scaled.standard_errors_, rtol=1e-6)


@pytest.mark.parametrize("loss", SMOOTH)
def test_a_column_shifted_far_away_keeps_its_coefficient(drawn, loss):
    X, y = drawn
    near, far = LinearRegressor(loss).fit(X, y), LinearRegressor(loss).fit(X + 1e6, y)
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=1e-7)
    np.testing.assert_allclose(far.standard_errors_, near.standard_errors_, rtol=1e-6)


def test_frames_of_all_kinds_give_the_same(drawn):
    X, y = drawn
    plain = LinearRegressor().fit(X, y)
    for frame in (pd.DataFrame(X, columns=list("abc")), pl.DataFrame(X, schema=list("abc"))):
        model = LinearRegressor().fit(frame, y)
        np.testing.assert_array_equal(model.coef_, plain.coef_)
        assert list(model.feature_names_in_) == ["a", "b", "c"]
        assert "\na " in model.summary()


def test_ones_own_loss_and_a_text_formula(drawn):
    X, y = drawn

    @offby.loss
    def late(r, cost=4.0):
        return offby.where(r < 0, cost * r**2, r**2)

    own = LinearRegressor(late).fit(X, y)
    np.testing.assert_allclose(own.coef_, LinearRegressor("expectile:0.8").fit(X, y).coef_)
    text = LinearRegressor("where(r < 0, 4*r**2, r**2)").fit(X, y)
    np.testing.assert_allclose(text.coef_, own.coef_)
    lines = LinearRegressor("where(r < 0, 4*abs(r), abs(r))").fit(X, y)
    np.testing.assert_allclose(lines.coef_, LinearRegressor("pinball:0.8").fit(X, y).coef_)


# --- at the edge -------------------------------------------------------------------------------


def test_separated_classes_have_no_minimum():
    X, y = np.arange(8.0)[:, None], np.arange(8) > 3
    with pytest.warns(UserWarning, match="falls without end"):
        model = LinearClassifier().fit(X, y)
    assert not model.converged_
    assert model.certificate_.startswith("none")
    assert model.score(X, y) == 1.0
    assert np.isfinite(model.coef_).all()
    assert model.standard_errors_ is None
    assert "there is no minimum for rows to agree on" in model.summary()
    held = LinearClassifier(penalty="l2", alpha=0.1).fit(X, y)
    assert held.converged_
    assert held.gap_ <= 1e-10 * held.objective_ + 1e-13


@pytest.mark.parametrize("loss", ["squared", "huber:1.345", "absolute"])
def test_collinear_and_constant_columns(drawn, loss):
    X, y = drawn
    for more in (X[:, :1] - 2 * X[:, 1:2], np.full((60, 1), 7.0)):
        with pytest.warns(UserWarning, match="1 of 5 coefficients .* not determined"):
            model = LinearRegressor(loss).fit(np.hstack([X, more]), y)
        plain = LinearRegressor(loss).fit(X, y)
        assert model.converged_
        np.testing.assert_allclose(model.predict(np.hstack([X, more])), plain.predict(X), atol=1e-6)


@pytest.mark.parametrize("loss", ["squared", "huber:1.345", "log_cosh"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_constant_whose_mean_is_rounded_has_no_coefficient(loss, weighted):
    """35 times 0.01 over 35 is not 0.01; what is left over would take a coefficient of 1e16."""
    rng = np.random.default_rng(1036)
    X = np.column_stack([np.full(35, 0.01), rng.normal(size=35)])
    y, weights = X[:, 1] + rng.standard_t(2, 35), rng.random(35) if weighted else np.ones(35)
    with pytest.warns(UserWarning, match="1 of 3 coefficients .* not determined"):
        model = LinearRegressor(loss).fit(X, y, weights)
    plain = LinearRegressor(loss).fit(X[:, 1:], y, weights)
    assert np.abs(model.coef_).max() < 1e3
    np.testing.assert_allclose(model.predict(X), plain.predict(X[:, 1:]), rtol=1e-6)


@pytest.mark.parametrize("loss", ["squared", "huber:1.345"])
def test_more_columns_than_rows(loss):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(5, 9)), rng.normal(size=5)
    with pytest.warns(UserWarning, match="not determined"):
        model = LinearRegressor(loss, standard_errors=None).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-5)
    held = LinearRegressor(loss, penalty="l2", alpha=0.1).fit(X, y)
    assert held.converged_
    assert np.isfinite(held.standard_errors_).all()


def test_counts_of_one_group_that_are_all_zero():
    """Its mean would be exp(-inf): there is no minimum, and that is said."""
    X, y = np.repeat([[0.0], [1.0]], 6, axis=0), np.array([0.0] * 6 + [1, 2, 3, 1, 0, 2])
    with pytest.warns(UserWarning, match="falls without end"):
        LinearRegressor("poisson").fit(X, y)


def test_counts_that_are_mostly_zero_at_a_high_quantile():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (400, 2)).astype(float)
    y = rng.poisson(1.5, 400) * (rng.random(400) < 0.3)
    model = LinearRegressor("pinball:0.9", standard_errors=None).fit(X, y.astype(float))
    assert model.converged_
    assert model.gap_ <= 1e-9 * model.objective_
    assert np.mean(y <= model.predict(X) + 1e-9) >= 0.9


def test_a_loss_with_several_valleys_has_no_certificate(drawn):
    X, y = drawn
    model = LinearRegressor("welsch:2").fit(X, y)
    assert model.converged_
    assert model.gap_ is None
    assert "not convex" in model.certificate_
    assert "not proved" in model.summary()


def test_a_parabola_that_opens_downwards_has_no_certificate(drawn):
    """Least squares finds its highest point."""
    with pytest.warns(), np.errstate(all="ignore"):
        model = LinearRegressor("-r**2", max_iter=3).fit(*drawn)
    assert model.gap_ is None
    assert not model.converged_
    assert "not convex" in model.certificate_
    assert model.objective_ < -LinearRegressor().fit(*drawn).objective_


@pytest.mark.parametrize("solver", ["auto", "gd"])
def test_a_loss_that_falls_without_end_is_refused(drawn, solver):
    with pytest.raises(DataError, match="falls without end"):
        LinearRegressor("-r**2", solver=solver).fit(*drawn)


def test_rows_that_are_met_exactly_are_a_minimum():
    """With more columns than rows the loss comes to 0, and nothing is left to prove."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(14, 29)), rng.normal(size=14)
    with pytest.warns(UserWarning, match="not determined"):
        model = LinearRegressor("sqrt(1 + r**2) - 1").fit(X, y)
    assert model.converged_
    assert model.gap_ <= 1e-14
    assert model.n_iter_ < 20


@pytest.mark.filterwarnings("ignore:.*not determined")
def test_what_is_proved_where_a_search_is_stuck_counts():
    """No step gains any more, one too early for the usual proof; that at the end is as good."""
    for seed in (1, 66, 81, 109, 394):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(5, 12))
        X = rng.integers(0, 2, (n, 3)).astype(float)
        X, y = np.column_stack([X, X[:, 0] + X[:, 1]]), 3 * rng.standard_t(2, n)
        model = LinearRegressor("huber:1.345", fit_intercept=False).fit(X, y)
        assert model.gap_ <= 1e-10 * model.objective_
        assert model.converged_


def test_too_few_iterations_are_said(drawn):
    X, y = drawn
    with pytest.warns(UserWarning, match="stopped after 1 iteration"):
        model = LinearRegressor("log_cosh", max_iter=1).fit(X, y)
    assert not model.converged_
    best = LinearRegressor("log_cosh").fit(X, y)
    assert model.objective_ - best.objective_ <= model.gap_
    assert model.gap_ > best.gap_


def test_history_goes_down(drawn):
    X, y = drawn
    history = LinearRegressor("poisson").fit(X, np.round(abs(y))).history_
    assert np.all(np.diff(history["objective"]) <= 0)
    assert history["gradient"][-1] < 1e-3 * history["gradient"][0]


# --- beyond it ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "poisson"}, r"poisson needs targets y with y >= 0; .*first -.* in row"),
        ({"loss": "gamma"}, "gamma needs targets y with y > 0"),
        ({"loss": "hinge"}, "use LinearClassifier"),
        ({"loss": "log_loss"}, "use LinearClassifier"),
        ({"loss": "epsilon_insensitive:1"}, "has a kink .* solver 'gd'"),
        ({"penalty": "ridge"}, "penalty is 'ridge'; known are"),
        ({"penalty": "l2", "alpha": -1.0}, "alpha is -1.0"),
        ({"solver": "magic"}, "solver is 'magic'; known are"),
        ({"tol": 0.0}, "tol is 0.0"),
        ({"max_iter": 2.5}, "max_iter 2.5; .* a whole one"),
        ({"loss": "huber:1", "scale": "mad", "solver": "gd"}, "a descent walks down one loss"),
        ({"loss": "absolute", "penalty": "l2", "alpha": 1.0}, "huber with a small delta"),
        ({"scale": "mad"}, "has no parameter in units of y"),
        ({"loss": "huber:1", "scale": "sd"}, "scale is 'sd'; known are"),
        ({"loss": "tukey:4", "scale": "joint"}, "scale='joint' is for huber alone"),
        ({"loss": "huber:0.5", "scale": "joint"}, "take a delta above 1"),
        ({"standard_errors": "HC9"}, "standard_errors is 'HC9'"),
    ],
)
def test_what_cannot_be_fitted(drawn, change, message):
    with pytest.raises(OffbyError, match=message):
        LinearRegressor(**change).fit(*drawn)


def test_missing_values_and_text(drawn):
    X, y = drawn
    holes = X.copy()
    holes[4, 1] = np.nan
    with pytest.raises(DataError, match=r"nan in column 'x1', row 5"):
        LinearRegressor().fit(holes, y)
    with pytest.raises(DataError, match=r"y has 1 value that is NaN or inf, first in row 3"):
        LinearRegressor().fit(X, np.where(np.arange(60) == 2, np.inf, y))
    frame = pd.DataFrame(X, columns=list("abc")).assign(city="Rome")
    with pytest.raises(DataError, match=r"column 'city' of X holds text \('Rome'\); .*dummies"):
        LinearRegressor().fit(frame, y)
    with pytest.raises(DataError, match="weights must be finite and not negative"):
        LinearRegressor().fit(X, y, np.full(60, -1.0))


def test_unseen_columns_at_prediction(drawn):
    X, y = drawn
    model = LinearRegressor().fit(pd.DataFrame(X, columns=list("abc")), y)
    with pytest.raises(DataError, match=r"(?s)unseen at fit time:\n- d\n.*now missing:\n- c"):
        model.predict(pd.DataFrame(X, columns=list("abd")))
    with pytest.raises(DataError, match="must be in the same order"):
        model.predict(pd.DataFrame(X, columns=list("acb")))
    with (
        pytest.warns(UserWarning, match="does not have valid feature names"),
        pytest.raises(DataError, match="X has 2 features"),
    ):
        model.predict(X[:, :2])


def test_errors_without_a_scale():
    X, y = np.arange(9.0)[:, None], np.append(2 * np.arange(8.0), 40)
    with pytest.raises(DataError, match="more than half of the rows are fitted exactly"):
        LinearRegressor("tukey:4", scale="mad").fit(X, y)


def test_one_class(drawn):
    X, _ = drawn
    with pytest.raises(DataError, match="one class only"):
        LinearClassifier().fit(X, np.ones(60))
    with pytest.raises(FormulaError, match="fit 'logistic'"):
        LinearClassifier("log_loss").fit(X, np.arange(60) % 2)


# --- sparse ------------------------------------------------------------------------------------


@pytest.fixture
def sparse():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 6)) * (rng.random((300, 6)) < 0.3)
    return X, X @ np.arange(6.0) + rng.normal(size=300)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.coo_matrix])
@pytest.mark.parametrize("at_once", [1 << 22, 100])  # in one part, or in many
def test_sparse_features_give_the_same(sparse, kind, at_once, monkeypatch):
    monkeypatch.setattr("offby.fit.data.sparse._AT_ONCE", at_once)
    X, y = sparse
    for loss in ("squared", "huber:1"):
        thin, dense = LinearRegressor(loss).fit(kind(X), y), LinearRegressor(loss).fit(X, y)
        np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-8)
        np.testing.assert_allclose(thin.standard_errors_, dense.standard_errors_, rtol=1e-6)
        np.testing.assert_allclose(thin.predict(kind(X)), dense.predict(X), rtol=1e-8)
        assert thin.converged_
    labels = np.digitize(y, [-2, 2])
    thin = LinearClassifier(penalty="l2", alpha=0.01).fit(kind(X), labels)
    dense = LinearClassifier(penalty="l2", alpha=0.01).fit(X, labels)
    np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-8, atol=1e-12)


def test_what_sparse_features_cannot_be(sparse):
    X, y = sparse
    with pytest.raises(DataError, match=r"X is sparse, which .* does not support"):
        LinearRegressor("absolute").fit(scipy.sparse.csr_array(X), y)
    X[7, 2] = np.nan
    with pytest.raises(DataError, match="nan in column 2, row 8"):
        LinearRegressor().fit(scipy.sparse.csr_array(X), y)


def test_numbers_that_are_none_and_columns_named_twice(drawn):
    with pytest.raises(DataError, match="alpha is 'a'"):
        LinearRegressor(penalty="l2", alpha="a").fit(*drawn)
    table = {"a": [1.0, 2.0, 4.0], "y": [3.0, 5.0, 9.0]}
    with pytest.raises(DataError, match="name each column once"):
        LinearRegressor().fit_table(table, "y", ["a", "a"])


@pytest.mark.parametrize(
    "model", [LinearRegressor("absolute"), LinearRegressor(), offby.QuantileRegressor([0.2, 0.8])]
)
def test_columns_too_far_from_0_for_their_coefficients_are_told(drawn, model):
    """The objective is that of centred columns, which predictions cannot come up to."""
    X, y = drawn
    model.fit(X + 1e5, y)
    with pytest.warns(UserWarning, match="fewer than 8 digits"):
        model.fit(X + 1e10, y)
