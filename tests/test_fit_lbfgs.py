"""L-BFGS: the minimum that Newton's steps find, with each accepted step in the walk."""

import numpy as np
import pytest
from scipy import optimize

from offby.fit import LinearClassifier, LinearRegressor
from offby.losses import from_text
from offby.verbs.fit import fit


@pytest.fixture
def rows():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 3)) * [1.0, 30.0, 0.02]
    return X, X @ [1.0, 0.1, 20.0] + rng.standard_t(3, 300)


@pytest.mark.parametrize("loss", ["huber:1", "log_cosh", "expectile:0.8"])
def test_the_minimum_is_newtons(rows, loss):
    newton, walked = (LinearRegressor(loss, solver=way).fit(*rows) for way in ("newton", "lbfgs"))
    np.testing.assert_allclose(walked.coef_, newton.coef_, rtol=1e-7)
    assert walked.converged_
    assert walked.gap_ <= 1e-9 * walked.objective_
    assert walked.explained_ == pytest.approx(newton.explained_, rel=1e-9)


def test_the_walk_goes_from_the_start_to_the_end(rows):
    X, y = rows
    heard = []
    table = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y}
    model = LinearRegressor("huber:1", solver="lbfgs").fit_table(table, "y", heard=heard.append)
    history, path = model.history_, model.path_
    assert len(heard) == model.n_iter_ == path.steps == history["objective"].size > 4
    assert [stage.objective for stage in heard] == list(history["objective"])
    fallen = np.diff(history["objective"])
    assert np.all(fallen <= 1e-12 * history["objective"][0])
    assert fallen[0] < 0
    ends = np.vstack([path.coefficients[1:, 0], model.coef_])
    loss = from_text("huber:1")
    for k in range(path.steps):
        predicted = X @ path.coefficients[k, 0] + path.intercepts[k]
        assert history["objective"][k] == pytest.approx(loss.mean(y, predicted), rel=1e-12)
        moved = np.linalg.norm(ends[k] - path.coefficients[k, 0])
        assert moved <= history["step"][k] * (1 + 1e-6) + 1e-7


def test_the_steps_are_scipys(rows):
    X, y = rows
    standard = X / np.sqrt(np.mean(X**2, axis=0))
    model = LinearRegressor("squared", solver="lbfgs", penalty="l2", alpha=1.0,
                            fit_intercept=False).fit(standard, y)  # fmt: skip
    start = model.path_.coefficients[0, 0]

    def look(b):
        left = standard @ b - y
        return np.mean(left**2) + b @ b / 2, 2 * standard.T @ left / len(y) + b

    seen = []
    options = {"maxcor": 20, "ftol": 1e-12, "gtol": 0.0}
    optimize.minimize(look, start, jac=True, method="L-BFGS-B", callback=seen.append,
                      options=options)  # fmt: skip
    places = model.path_.coefficients[1 : 1 + len(seen), 0]
    np.testing.assert_allclose(places[:4], seen[:4], rtol=1e-6, atol=1e-9)


def test_of_many_columns_the_intercept_alone_moves_at_the_end(rows, monkeypatch):
    monkeypatch.setattr("offby.fit.solvers.lbfgs.WIDE", 2)
    X, y = rows
    model = LinearClassifier(penalty="l2", alpha=0.1, solver="lbfgs", tol=1e-6).fit(X, y > 0)
    assert model.n_iter_ == model.history_["objective"].size == model.path_.steps
    newton = LinearClassifier(penalty="l2", alpha=0.1).fit(X, y > 0)
    assert 0 <= model.objective_ - newton.objective_ + 1e-12 <= model.gap_ + 1e-12
    np.testing.assert_allclose(model.coef_[0], model.path_.coefficients[-1, 0], rtol=1e-12)


def test_the_command_tells_of_each_step(rows):
    X, y = rows
    table = {"a": X[:, 0], "b": X[:, 1], "y": y}
    told = []
    found = fit(table, target="y", loss="huber:1", solver="lbfgs", validate=0.2, told=told.append)
    assert len(told) == found.model.n_iter_ > 4
    assert all(np.isfinite(step["held_out"]) for step in told)
