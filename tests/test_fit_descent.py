"""Descent ends where the exact solvers do, keeps the best place, and proves what it can."""

import numpy as np
import pytest
from sklearn.base import clone

from offby.errors import OffbyError
from offby.fit import Descent, LinearClassifier, LinearRegressor, load


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(800, 4)) * [1.0, 10.0, 0.1, 1.0] + [0, 0, 0, 50]
    return X, X @ [1.0, -0.2, 5.0, 0.0] + 2 + rng.standard_t(4, 800)


@pytest.mark.parametrize("loss", ["squared", "huber:1.345", "log_cosh", "expectile:0.9"])
def test_plain_descent_reaches_the_minimum_and_proves_it(drawn, loss):
    X, y = drawn
    exact = LinearRegressor(loss).fit(X, y)
    walked = LinearRegressor(loss, solver="gd", max_iter=2000).fit(X, y)
    assert walked.converged_
    assert walked.gap_ <= 1e-10 * walked.objective_
    np.testing.assert_allclose(walked.coef_, exact.coef_, rtol=1e-3, atol=1e-4)
    assert np.all(np.diff(walked.history_["objective"]) <= 1e-15 * walked.objective_)
    np.testing.assert_allclose(walked.standard_errors_, exact.standard_errors_, rtol=1e-3)


@pytest.mark.parametrize("method", ["sgd", "adam"])
@pytest.mark.parametrize(("loss", "near"), [("huber:1.345", 1e-2), ("poisson", 1e-2)])
def test_a_few_rows_at_a_time_come_near(drawn, method, loss, near):
    X, y = drawn
    y = np.round(np.abs(y)) if loss == "poisson" else y
    exact = LinearRegressor(loss).fit(X, y)
    how = Descent(method, batch=32, rate=0.05)
    with pytest.warns(UserWarning, match="above its minimum is at most"):
        walked = LinearRegressor(loss, solver=how, max_iter=60).fit(X, y)
    above = walked.objective_ - exact.objective_
    assert 0 <= above <= near * exact.objective_
    assert above <= walked.gap_ <= 2 * near * exact.objective_


@pytest.mark.parametrize("loss", ["absolute", "pinball:0.8", "epsilon_insensitive:0.5"])
@pytest.mark.parametrize("method", ["gd", "adam"])
def test_kinks(drawn, loss, method):
    X, y = drawn
    how = Descent(method, rate=0.5 if method == "gd" else 0.05)
    model = LinearRegressor(loss, solver=how, max_iter=1500, tol=1e-4, standard_errors=None)
    model.fit(X, y)
    assert model.gap_ is None
    if loss != "epsilon_insensitive:0.5":
        exact = LinearRegressor(loss).fit(X, y).objective_
        assert exact <= model.objective_ <= 1.01 * exact
    assert model.history_["objective"][-1] < model.history_["objective"][0]


@pytest.mark.parametrize("loss", ["absolute", "pinball:0.8"])
@pytest.mark.parametrize("method", ["gd", "adam"])
def test_a_walk_from_a_kink_finds_its_own_rate(drawn, loss, method):
    """Of an odd number of rows the best constant is one of them, where the bend is infinite."""
    X, y = drawn[0][:-1], drawn[1][:-1]
    X, y = (X, y) if len(y) % 2 else (X[1:], y[1:])
    model = LinearRegressor(loss, solver=method, max_iter=1000, standard_errors=None).fit(X, y)
    exact = LinearRegressor(loss).fit(X, y).objective_
    assert exact <= model.objective_ <= 1.02 * exact


def test_hinge_is_walked_down_to_a_support_vector_machine(drawn):
    X, y = drawn
    labels = y > np.median(y)
    model = LinearClassifier(
        "hinge", penalty="l2", alpha=0.01, solver="adam", tol=1e-3, standard_errors=None
    ).fit(X, labels)
    assert model.score(X, labels) > 0.75


def test_early_stopping_keeps_the_best_on_the_rows_held_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 50))  # hardly more rows than columns: the minimum is too good
    y = X[:, 0] + rng.normal(size=80)
    how = Descent("gd", validation=0.3, patience=5)
    model = LinearRegressor(solver=how, max_iter=3000, standard_errors=None).fit(X, y)
    history = model.history_
    assert model.converged_
    assert model.gap_ is None
    assert "validation rows fared best" in model.certificate_
    assert len(history["validation"]) < 3000
    best = np.argmin(history["validation"])
    assert best < len(history["validation"]) - 1
    assert model.objective_ == pytest.approx(history["objective"][best], rel=1e-9)
    new = rng.normal(size=(500, 50))
    whole = LinearRegressor(standard_errors=None).fit(X, y)
    errors = [np.mean((fit.predict(new) - new[:, 0]) ** 2) for fit in (model, whole)]
    assert errors[0] < errors[1]


def test_an_l1_penalty_leaves_zeros(drawn):
    X, y = drawn
    exact = LinearRegressor(penalty="l1", alpha=0.5).fit(X, y)
    walked = LinearRegressor(penalty="l1", alpha=0.5, solver="gd", max_iter=5000).fit(X, y)
    assert np.array_equal(walked.coef_ == 0, exact.coef_ == 0)
    np.testing.assert_allclose(walked.coef_, exact.coef_, rtol=1e-3)


@pytest.fixture(scope="module")
def three(drawn):
    X, y = drawn
    rng = np.random.default_rng(3)
    scores = np.column_stack([y, 2 - y, X[:, 0]]) + rng.gumbel(size=(800, 3))
    return X, np.array(["a", "b", "c"])[scores.argmax(axis=1)]


@pytest.mark.parametrize(
    "penalty", [{}, {"penalty": "l2", "alpha": 0.1}, {"penalty": "l1", "alpha": 0.02}]
)
def test_several_classes_are_walked_down_like_one_score(three, penalty):
    exact = LinearClassifier(**penalty).fit(*three)
    walked = LinearClassifier(**penalty, solver="gd", max_iter=5000).fit(*three)
    assert walked.converged_
    assert walked.gap_ <= 1e-10 * walked.objective_
    np.testing.assert_allclose(walked.coef_, exact.coef_, rtol=2e-3, atol=1e-4)
    assert np.array_equal(walked.coef_ == 0, exact.coef_ == 0)
    assert np.all(np.diff(walked.history_["objective"]) <= 1e-15 * walked.objective_)
    assert walked.history_["gradient"][-1] < 1e-4 * walked.history_["gradient"][0]
    if not penalty:
        np.testing.assert_allclose(walked.standard_errors_, exact.standard_errors_, rtol=1e-3)


@pytest.mark.parametrize("method", ["sgd", "adam"])
@pytest.mark.parametrize("penalty", [{}, {"penalty": "l1", "alpha": 0.02}])
def test_several_classes_a_few_rows_at_a_time(three, method, penalty):
    exact = LinearClassifier(**penalty).fit(*three)
    how = Descent(method, batch=32, rate=0.05)
    with pytest.warns(UserWarning, match="above its minimum is at most"):
        walked = LinearClassifier(**penalty, solver=how, max_iter=60).fit(*three)
    above = walked.objective_ - exact.objective_
    assert 0 <= above <= 0.02 * exact.objective_
    assert above <= walked.gap_ <= 0.1 * exact.objective_


def test_early_stopping_of_several_classes():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(90, 40)), rng.normal(size=(1000, 40))
    y, truth = ((some[:, :3] * 2 + rng.gumbel(size=(len(some), 3))).argmax(axis=1)
                for some in (X, new))  # fmt: skip
    how = Descent("gd", validation=0.3, patience=5)
    model = LinearClassifier(solver=how, max_iter=3000).fit(X, y)
    history = model.history_
    best = np.argmin(history["validation"])
    assert model.gap_ is None
    assert "validation rows fared best" in model.certificate_
    assert best + 6 == len(history["validation"]) < 3000
    assert model.objective_ == pytest.approx(history["objective"][best], rel=1e-9)
    with pytest.warns(UserWarning, match="falls without end"):
        whole = LinearClassifier().fit(X, y)
    losses = [-np.log(fit.predict_proba(new)[np.arange(1000), truth]).mean()
              for fit in (model, whole)]  # fmt: skip
    assert losses[0] < losses[1]


def test_the_same_seed_is_the_same_walk(drawn):
    X, y = drawn
    fits = [
        LinearRegressor(solver=Descent("sgd", seed=seed), max_iter=3, tol=10.0).fit(X, y).coef_
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_tables_are_walked_a_batch_at_a_time(drawn):
    X, y = drawn
    table = {**{f"x{j}": X[:, j] for j in range(4)}, "y": y}
    walked = LinearRegressor(solver="gd", max_iter=2000).fit_table(table, "y")
    np.testing.assert_allclose(walked.coef_, LinearRegressor().fit(X, y).coef_, atol=1e-4)


def test_a_descent_is_a_parameter_like_others(drawn, tmp_path):
    how = Descent("adam", rate=0.01, batch=64)
    model = LinearRegressor(solver=how, max_iter=2, tol=10.0)
    assert clone(model).solver == how
    model.fit(*drawn).save(tmp_path / "model.json")
    assert load(tmp_path / "model.json").solver == how


@pytest.mark.parametrize(
    "wrong", [{"method": "walk"}, {"rate": 0.0}, {"momentum": 1.0}, {"batch": 0}, {"validation": 1}]
)
def test_what_no_descent_is(wrong):
    with pytest.raises(OffbyError, match=f"Descent: {next(iter(wrong))} is"):
        Descent(**wrong)
