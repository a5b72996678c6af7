"""A start from a few of many rows: the minimum is that of all rows, whatever the few say."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from offby.fit import LinearClassifier, LinearRegressor
from offby.fit.data.rows import Rows
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.problem import Problem
from offby.fit.objective.score import toward_score
from offby.fit.objective.shape import shape_of
from offby.fit.passes.blocks import Linear
from offby.fit.solvers.newton import step_from
from offby.fit.solvers.start import start_of
from offby.losses import Logistic, Poisson

ROWS = 50_000  # of which a sixteenth is more than a thousand for each of three numbers
AS_FLAT_AS_IT_IS = 2e-6  # such a step changes the objective by less than its rounding


@pytest.fixture(params=["alike", "rare column", "few rows of another kind"])
def drawn(request):
    """Rows of which every 16th is taken for a start, and may be unlike the others."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(ROWS, 2))
    if request.param == "rare column":
        X[:, 1] = np.arange(ROWS) % 160 == 1
    score = X @ [1.0, -0.5]
    if request.param == "few rows of another kind":
        score[::16] *= -1
    return X, score, rng


def test_logistic(drawn):
    X, score, rng = drawn
    y = rng.random(ROWS) < 1 / (1 + np.exp(-score))
    ours = LinearClassifier(penalty="l2", alpha=1 / ROWS).fit(X, y)
    theirs = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12).fit(X, y)
    assert ours.converged_
    assert 0 <= ours.gap_ <= 1e-10 * ours.objective_
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=AS_FLAT_AS_IT_IS)


def test_poisson(drawn):
    X, score, rng = drawn
    y = rng.poisson(np.exp(score)).astype(float)
    ours = LinearRegressor("poisson").fit(X, y)
    theirs = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-12).fit(X, y)
    assert ours.converged_
    assert 0 <= ours.gap_ <= 1e-10 * ours.objective_
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=AS_FLAT_AS_IT_IS)


def test_the_start_of_many_rows_is_near_the_minimum():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(ROWS, 2))
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    loss, free = toward_score(Logistic()), Penalty(np.zeros(3), np.zeros(3))
    problem = Problem(Rows(X, y), Linear(np.zeros(2), True), loss, free, shape_of(loss, y))
    least = LinearClassifier().fit(X, y).objective_
    assert problem.point(start_of(problem)).objective - least < 1e-5 * least


def test_a_few_rows_foretell_where_a_step_leads():
    rng = np.random.default_rng(9)
    X = rng.normal(size=(ROWS, 2))
    y = rng.poisson(np.exp(X[:, 0] / 2)).astype(float)
    loss, free = toward_score(Poisson()), Penalty(np.zeros(3), np.zeros(3))
    problem = Problem(Rows(X, y), Linear(np.zeros(2), True), loss, free, shape_of(loss, y))
    point = problem.point(np.array([0.49, 0.01, 0.01]))
    step = step_from(problem, point)
    off = [
        np.abs(problem.point(there).slope).max()
        for there in (point.at + step.direction, problem.ahead(point, step))
    ]
    assert off[1] < off[0] / 5


def test_the_few_may_have_no_weight():
    rng = np.random.default_rng(10)
    X = rng.normal(size=(ROWS, 2))
    y = rng.poisson(np.exp(X[:, 0])).astype(float)
    counted = np.arange(ROWS) % 16 != 0
    ours = LinearRegressor("poisson").fit(X, y, counted.astype(float))
    alone = LinearRegressor("poisson").fit(X[counted], y[counted])
    assert ours.converged_
    np.testing.assert_allclose(ours.coef_, alone.coef_, rtol=AS_FLAT_AS_IT_IS)
