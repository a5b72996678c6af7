"""D²: what a model saves of the best constant's loss, for every loss that has a best constant."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse
from sklearn import metrics
from statsmodels.regression.quantile_regression import QuantReg

from offby.fit import Descent, LinearClassifier, LinearRegressor
from offby.fit.data.rows import Batches, Rows
from offby.fit.objective.score import toward_score
from offby.fit.objective.shape import shape_of
from offby.fit.passes.ranked import Ranked, quantile_in_passes, range_about
from offby.fit.solvers.least_constant import least_of_convex
from offby.losses import from_text
from offby.losses.constant import weighted_quantile

CONVEX = ["huber:1", "pseudo_huber:0.5", "log_cosh", "expectile:0.8", "absolute", "pinball:0.9",
          "squared", "where(r < 0, 5*r**2, r**2)"]  # fmt: skip


def some(n=500, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, X @ [1.0, -0.5] + rng.standard_t(3, n) + 2, rng.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("loss", CONVEX)
def test_against_a_search_for_the_constant(loss):
    X, y, weights = some()
    model = LinearRegressor(loss).fit(X, y, weights)
    formula = from_text(loss)
    ends = {"bounds": (y.min(), y.max()), "method": "bounded", "options": {"xatol": 1e-10}}
    least = optimize.minimize_scalar(lambda c: formula.mean(y, np.full(500, c), weights), **ends)
    assert model.explained_ == pytest.approx(1 - model.objective_ / least.fun, rel=1e-9)
    assert model.explained_ == pytest.approx(model.score(X, y, weights), rel=1e-9)
    assert "D²" in model.summary() or loss == "squared"


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.83])
def test_of_quantiles_it_is_koenkers_and_scikit_learns(tau):
    X, y, weights = some()
    model = LinearRegressor(f"pinball:{tau}").fit(X, y)
    theirs = QuantReg(y, np.column_stack([X, np.ones(500)])).fit(q=tau, p_tol=1e-10)
    assert model.explained_ == pytest.approx(theirs.prsquared, rel=1e-5)
    assert model.explained_ == pytest.approx(
        metrics.d2_pinball_score(y, model.predict(X), alpha=tau), rel=1e-9
    )
    model = LinearRegressor("absolute").fit(X, y, weights)
    expected = metrics.d2_absolute_error_score(y, model.predict(X), sample_weight=weights)
    assert model.explained_ == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("loss", "power"), [("poisson", 1), ("gamma", 2), ("tweedie:1.5", 1.5)])
def test_of_deviances_it_is_scikit_learns(loss, power):
    X, _, weights = some()
    y = np.random.default_rng(1).gamma(2.0, np.exp(X[:, 0] / 2))
    model = LinearRegressor(loss).fit(X, y, weights)
    how = {"sample_weight": weights, "power": power}
    expected = metrics.d2_tweedie_score(y, model.predict(X), **how)
    assert model.explained_ == pytest.approx(expected, rel=1e-9)


def test_of_classes_it_is_scikit_learns():
    X, y, weights = some()
    for labels in (y > 2, np.digitize(y, [0.0, 2.0, 3.0])):
        model = LinearClassifier().fit(X, labels, weights)
        expected = metrics.d2_log_loss_score(labels, model.predict_proba(X), sample_weight=weights)
        assert model.explained_ == pytest.approx(expected, rel=1e-9)
        rows = LinearClassifier().fit(sparse.csr_array(X), labels, weights)
        assert rows.explained_ == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*stopped after")
@pytest.mark.parametrize("loss", ["cost_logistic:1:5", "squared_hinge", "exponential", "hinge"])
def test_of_scores(loss):
    X, y, weights = some()
    how = {"solver": Descent("adam", rate=0.05)} if loss == "hinge" else {}
    model = LinearClassifier(loss, **how).fit(X, y > 2, weights)
    formula, yes = from_text(loss), (y > 2).astype(float)
    ends = {"bounds": (-9, 9), "method": "bounded", "options": {"xatol": 1e-10}}
    least = optimize.minimize_scalar(lambda c: formula.mean(yes, np.full(500, c), weights), **ends)
    reached = formula.mean(yes, model.decision_function(X), weights)
    assert 0.1 < model.explained_ == pytest.approx(1 - reached / least.fun, rel=1e-7)


@pytest.mark.parametrize("loss", [*CONVEX, "poisson", "logistic", "several"])
def test_out_of_core_it_is_the_same(loss, monkeypatch):
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    monkeypatch.setattr("offby.fit.data.tabular._AT_ONCE", 2000)
    X, y, weights = some(20_000)
    order = np.argsort(y)  # the first part is not like the others
    X, y, weights = X[order], y[order], weights[order]
    target = {"poisson": np.exp(y / 4).round(), "logistic": y > 2}.get(loss, y)
    if loss == "several":
        target = np.digitize(y, [0.0, 3.0])
    classes = loss in ("logistic", "several")
    kind = LinearClassifier("logistic") if classes else LinearRegressor(loss)
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "w": weights, "y": target})
    whole = kind.fit(X, target, weights).explained_
    parts = kind.fit_table(table, "y", ["a", "b"], "w").explained_
    assert parts == pytest.approx(whole, rel=1e-9)


def test_where_it_is_undefined():
    X, y, _ = some()
    assert LinearRegressor("huber:1").fit(X, np.full(500, 3.0)).explained_ is None
    assert LinearRegressor("absolute", standard_errors=None).fit(X, 0 * y).explained_ is None
    tukey = LinearRegressor("tukey:4").fit(X, y)
    assert tukey.explained_ is None
    assert "D²" not in tukey.summary()
    assert LinearRegressor("poisson").fit(X, y.round() ** 2).explained_ is not None


def test_rows_held_out_of_a_walk_are_rows_too():
    X, y, _ = some()
    model = LinearRegressor(solver=Descent("gd", validation=0.3), max_iter=1000).fit(X, y)
    assert model.explained_ == pytest.approx(metrics.r2_score(y, model.predict(X)), rel=1e-9)


def least_of(loss, y, weights):
    """The least mean loss of a constant, among the truths and between each two of them."""

    def cost(constant):
        return float(np.average(loss.value(y, constant), weights=weights))

    places = np.unique(y)
    heights = [cost(place) for place in places]
    k = int(np.argmin(heights))
    low, high = places[max(k - 1, 0)], places[min(k + 1, places.size - 1)]
    for _ in range(200):  # ternary search: what is convex falls towards its least from both sides
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    return min(heights[k], cost(low))


def test_constants_of_random_samples():
    """Ties, few rows, weights, scales of all sizes; a part of them at a time."""
    rng = np.random.default_rng(3)
    losses = ["huber:1", "log_cosh", "expectile:0.9", "pseudo_huber:2", "epsilon_insensitive:0.5",
              "where(r < 0, 2*abs(r), abs(r)) + abs(r)"]  # fmt: skip
    for case in range(300):
        n, unit = int(rng.integers(2, 60)), 10.0 ** rng.integers(-3, 6)
        y = rng.integers(-5, 6, n) * 1.0 if case % 2 else rng.standard_t(2, n)
        y, weights = y * unit, rng.integers(1, 4, n) / 3
        loss = toward_score(from_text(losses[case % len(losses)]))
        rows = Rows(np.zeros((n, 1)), y, weights)
        found = least_of_convex(rows, loss, shape_of(loss, y))
        assert found == pytest.approx(least_of(loss.loss, y, weights), rel=1e-9), (case, loss.loss)


def test_quantiles_in_passes_are_those_of_all_at_once(monkeypatch):
    rng = np.random.default_rng(5)
    for case in range(300):
        monkeypatch.setattr("offby.fit.passes.ranked.ROOM", int(rng.choice([8, 1 << 20])))
        n = int(rng.integers(1, 300))
        numbers = rng.integers(-9, 9, n) / 4 if case % 2 else rng.standard_cauchy(n)
        weights = [None, rng.integers(0, 3, n) * 1.0, rng.random(n)][case % 3]
        if weights is not None and not weights.any():
            continue
        q = float(rng.choice([0.01, 0.25, 0.5, 0.9]))
        cuts = np.sort(rng.integers(0, n + 1, 3))

        def look(within, numbers=numbers, weights=weights, cuts=cuts):
            ones = [None] * 4 if weights is None else np.split(weights, cuts)
            parts = zip(np.split(numbers, cuts), ones, strict=True)
            first, *rest = (Ranked.of(*part, within) for part in parts)
            return sum(rest, first)

        within = (
            tuple(np.sort(rng.normal(size=2))) if case % 5 else range_about(numbers, weights, q)
        )
        all_weights = np.ones(n) if weights is None else weights
        present = all_weights > 0
        expected = weighted_quantile(numbers[present], all_weights[present], q)
        assert quantile_in_passes(look, q, within) == expected


def test_a_good_guess_takes_one_pass_and_many_rows_little_room(monkeypatch):
    rng = np.random.default_rng(6)
    numbers = rng.normal(size=300_000)
    looks = []

    def look(within):
        looks.append(within)
        parts = [Ranked.of(part, None, within) for part in np.split(numbers, 30)]
        return sum(parts[1:], parts[0])

    guess = range_about(numbers[::10], None, 0.5)
    assert quantile_in_passes(look, 0.5, guess) == np.median(numbers)
    assert len(looks) == 1
    assert sum(part.size for part, _ in look(guess).kept) < 15_000
    monkeypatch.setattr("offby.fit.passes.ranked.ROOM", 1000)
    everywhere = look((-np.inf, np.inf))
    assert everywhere.ranks().keys.size <= 1 << 15
    looks.clear()
    assert quantile_in_passes(look, 0.5, (-np.inf, np.inf)) == np.median(numbers)
    assert len(looks) <= 3


def test_passes_over_truths_read_no_features():
    rows = Rows(np.ones((6, 2)), np.arange(6.0), np.ones(6))
    assert [part.X.shape for part in Batches(lambda: [rows, rows], 12).targets()] == [(6, 0)] * 2
