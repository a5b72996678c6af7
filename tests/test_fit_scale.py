"""A loss in units of the errors' own size: found with the coefficients, in memory and out of it."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse
from sklearn.linear_model import HuberRegressor

from offby.errors import DataError
from offby.fit import LinearRegressor
from offby.fit.data.rows import Batches
from offby.losses.constant import weighted_quantile

NAMES = ["a", "b", "c"]
KINDS = [("huber:1.345", "mad"), ("huber:1.345", "joint"), ("pseudo_huber:1", "mad"),
         ("tukey:4.685", "mad")]  # fmt: skip


def drawn(n, noise, seed=0, unit=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1.0, 100.0, 0.01] + [0.0, 2000.0, 0.0]
    errors = {
        "heavy": rng.standard_t(2, n),
        "skewed": rng.lognormal(size=n),
        "sorted": np.sort(rng.standard_t(3, n)),
    }[noise]
    return X, unit * (X @ [1.0, 0.05, 70.0] + errors), rng.integers(0, 3, n).astype(float)


def table_of(X, y, weights):
    return pd.DataFrame(X, columns=NAMES).assign(y=y, w=weights)


@pytest.fixture
def in_parts(monkeypatch):
    """Tables in parts of 2,000 rows, of which a sample is a start; gives the passes taken."""
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    monkeypatch.setattr("offby.fit.data.tabular._AT_ONCE", 6000)
    monkeypatch.setattr("offby.fit.solvers.scaled._FEW", 1000)
    passes, parts = [], Batches.parts

    def counted(self):
        passes.append(self)
        return parts(self)

    monkeypatch.setattr(Batches, "parts", counted)
    return passes


def test_the_median_scale_is_that_of_statsmodels():
    X, y, _ = drawn(2000, "heavy")
    for loss, norm in (("huber:1.345", sm.robust.norms.HuberT(1.345)),
                       ("tukey:4.685", sm.robust.norms.TukeyBiweight(4.685))):  # fmt: skip
        peer = sm.RLM(y, sm.add_constant(X), M=norm).fit(maxiter=1000, tol=1e-13)
        model = LinearRegressor(loss, scale="mad").fit(X, y)
        np.testing.assert_allclose(model.coef_, peer.params[1:], rtol=1e-4)
        assert model.scale_ == pytest.approx(peer.scale, rel=1e-5)


def test_the_joint_scale_is_that_of_scikit_learn():
    X, y, weights = drawn(2000, "skewed")
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    how = {"epsilon": 1.5, "alpha": 0.0, "max_iter": 10_000, "tol": 1e-12}
    peer = HuberRegressor(**how).fit(X, y, weights)
    model = LinearRegressor("huber:1.5", scale="joint").fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-4, atol=1e-5)
    assert model.scale_ == pytest.approx(peer.scale_, rel=1e-5)


@pytest.mark.parametrize(("loss", "kind"), KINDS)
@pytest.mark.parametrize("noise", ["heavy", "skewed", "sorted"])
def test_out_of_core_it_is_the_same(loss, kind, noise, in_parts):
    X, y, weights = drawn(40_000, noise)
    whole = LinearRegressor(loss, scale=kind).fit(X, y, weights)
    parts = LinearRegressor(loss, scale=kind).fit_table(table_of(X, y, weights), "y", NAMES, "w")
    assert whole.converged_
    assert parts.converged_
    assert parts.scale_ == pytest.approx(whole.scale_, rel=1e-9)
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-9)
    np.testing.assert_allclose(parts.standard_errors_, whole.standard_errors_, rtol=1e-7)
    if whole.gap_ is not None:
        assert parts.gap_ <= 1e-9 * parts.objective_
    least = 45 if noise == "sorted" else 35
    assert len(in_parts) < least


@pytest.mark.parametrize(("loss", "kind"), KINDS)
def test_what_was_found_stands_still(loss, kind, in_parts):
    """The scale is that of the errors, and the coefficients are the fit's at that scale."""
    X, y, weights = drawn(30_000, "skewed", unit=1e-3)
    model = LinearRegressor(loss, scale=kind).fit_table(table_of(X, y, weights), "y", NAMES, "w")
    sizes = np.abs(y - model.predict(pd.DataFrame(X, columns=NAMES)))
    if kind == "mad":
        of_errors = weighted_quantile(sizes, weights, 0.5) / 0.6744897501960817
        assert model.scale_ == pytest.approx(of_errors, rel=1e-9)
    else:
        squares = np.minimum((sizes / model.scale_) ** 2, 1.345**2)
        assert np.average(squares, weights=weights) == pytest.approx(1.0, rel=1e-9)
    again = LinearRegressor(model.loss_).fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, again.coef_, rtol=1e-6)


@pytest.mark.parametrize(("loss", "kind"), KINDS[:3])
def test_sparse_features(loss, kind):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(3000, 4)) * (rng.random((3000, 4)) < 0.3)
    y = X @ [1.0, 2.0, 0.0, -1.0] + rng.standard_t(3, 3000)
    dense = LinearRegressor(loss, scale=kind).fit(X, y)
    model = LinearRegressor(loss, scale=kind).fit(sparse.csc_array(X), y)
    assert model.scale_ == pytest.approx(dense.scale_, rel=1e-9)
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-8, atol=1e-10)


def test_small_tables_of_all_kinds():
    """Ties, weights, units, penalties: whatever was found is the scale of its own errors."""
    for case in range(120):
        rng = np.random.default_rng(case)
        n, unit = int(rng.integers(12, 200)), 10.0 ** rng.integers(-3, 5)
        X = rng.normal(size=(n, 2)) + 10 * (case % 3)
        noise = rng.integers(-3, 4, n) if case % 2 else rng.standard_t(2, n)
        y = unit * (X @ [1.0, -2.0] + noise)
        weights = rng.integers(0, 3, n) * 1.0 if case % 5 == 0 else rng.random(n)
        how = {"penalty": "l2", "alpha": 0.1} if case % 4 == 0 else {}
        model = LinearRegressor("huber:1.345", scale="mad", standard_errors=None, **how)
        model.fit(X, y, weights)
        sizes, present = np.abs(y - model.predict(X)), weights > 0
        sizes[sizes < 1e-9 * unit] = 0.0
        of_errors = weighted_quantile(sizes[present], weights[present], 0.5) / 0.6744897501960817
        assert model.scale_ == pytest.approx(of_errors, rel=1e-6), case


def test_a_scale_that_does_not_settle_is_said():
    """Of four rows, tied in X, the median error jumps between two of them."""
    rng = np.random.default_rng(23)
    n = int(rng.integers(4, 12))
    X, y = np.round(rng.normal(size=(n, 1))), rng.standard_t(2, n)
    with pytest.warns(UserWarning, match="the scale has not settled"):
        model = LinearRegressor("huber:1.345", scale="mad", standard_errors=None).fit(X, y)
    assert not model.converged_
    assert model.gap_ <= 1e-10 * model.objective_


@pytest.mark.parametrize("kind", ["mad", "joint"])
def test_a_first_part_that_is_not_like_the_others(kind, in_parts):
    """Without a weight, or fitted exactly, or of another scale: it is but a start."""
    X, y, weights = drawn(30_000, "heavy")
    weightless = np.where(np.arange(30_000) < 4000, 0.0, weights)
    exact = np.where(np.arange(30_000) < 4000, X @ [1.0, 0.05, 70.0], y)
    large = np.where(np.arange(30_000) < 4000, 1e6 * y, y)
    for target, weight in ((y, weightless), (exact, weights), (large, weights)):
        whole = LinearRegressor("huber:1.345", scale=kind).fit(X, target, weight)
        rows = table_of(X, target, weight)
        parts = LinearRegressor("huber:1.345", scale=kind).fit_table(rows, "y", NAMES, "w")
        assert parts.scale_ == pytest.approx(whole.scale_, rel=1e-8)
        np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-7)


@pytest.mark.parametrize(
    ("kind", "message"), [("mad", "half of the rows are fitted exactly"), ("joint", "joint scale")]
)
def test_errors_without_a_scale(kind, message, in_parts):
    X, y, weights = drawn(20_000, "heavy")
    exact = np.where(np.arange(20_000) % 10 > 0, X @ [1.0, 0.05, 70.0], y)
    with pytest.raises(DataError, match=message):
        LinearRegressor("huber:1.05", scale=kind).fit_table(table_of(X, exact, weights), "y", NAMES)
