"""Several classes: the same numbers as peers, a proof that holds, and what cannot be done."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from offby.errors import DataError
from offby.fit.classifier import LinearClassifier
from offby.fit.data.rows import Rows
from offby.fit.objective.penalty import Penalty
from offby.fit.objective.places import Places
from offby.fit.objective.softmax import SoftmaxProblem
from offby.fit.passes.blocks import Linear


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(600, 3))
    scores = X @ rng.normal(size=(3, 4)) * 0.7 + [0.5, 0, -0.5, 0]
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def contrasted(X, y, penalty):
    linear = Linear(np.zeros(X.shape[1]), True)
    places = Places.of(len(np.unique(y)), linear, one_by_one=False)
    return SoftmaxProblem(Rows(X, y.astype(float)), linear, places, penalty)


def test_penalised_as_scikit_learn_has_it(iris):
    X, y = iris
    peer = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000, solver="newton-cg").fit(X, y)
    model = LinearClassifier(penalty="l2", alpha=1 / 150).fit(X, y)
    assert model.converged_
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-6)
    assert list(model.predict(X)) == list(peer.predict(X))
    assert "setosa: x0" in model.summary()


def test_unpenalised_as_statsmodels_has_it(drawn):
    X, y = drawn
    peer = sm.MNLogit(y, sm.add_constant(X)).fit(disp=0, tol=1e-14)
    model = LinearClassifier(standard_errors="HC0").fit(X, y)
    found = np.column_stack([model.intercept_, model.coef_])
    np.testing.assert_allclose((found[1:] - found[0]).T, peer.params, rtol=1e-6)
    assert model.objective_ == pytest.approx(-peer.llf / 600, rel=1e-12)
    robust = sm.MNLogit(y, sm.add_constant(X)).fit(disp=0, tol=1e-14, cov_type="HC0")
    # their errors are those of differences from the first class
    size = X.shape[1] + 1
    ours = model.covariance_.reshape(4, size, 4, size)
    difference = ours[1, :, 1] - ours[0, :, 1] - ours[1, :, 0] + ours[0, :, 0]
    wanted = robust.bse[:, 0]
    np.testing.assert_allclose(
        np.sqrt(np.diag(difference)), np.append(wanted[1:], wanted[0]), rtol=1e-5
    )


def test_two_classes_are_the_same_either_way(drawn):
    """The difference of two scores of a softmax is a logit, penalised by half of its square."""
    X, y = drawn
    binary = LinearClassifier(penalty="l2", alpha=0.05).fit(X, y > 1)
    places = np.array([1.0, 1.0, 1.0, 0.0]) * 0.1
    problem = contrasted(X, y > 1, Penalty(np.zeros(4), places))
    coefficients = np.append(binary.coef_[0], binary.intercept_) / 2
    point = problem.point(problem.places.slope(np.stack([-coefficients, coefficients])))
    assert point.objective == pytest.approx(binary.objective_, rel=1e-12)
    np.testing.assert_allclose(point.slope + problem.penalty.slope(point.at), 0, atol=1e-9)


def test_no_solver_finds_less_than_the_gap_allows():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, p, classes = int(rng.integers(12, 40)), int(rng.integers(1, 4)), int(rng.integers(3, 5))
        X, y = rng.normal(size=(n, p)), np.arange(n) % classes
        weight = rng.integers(1, 4, n).astype(float)
        alpha = 10.0 ** rng.uniform(-3, 0)
        model = LinearClassifier(penalty="l2", alpha=alpha).fit(X, y, weight)

        def objective(flat, X=X, y=y, weight=weight, alpha=alpha, classes=classes):
            table = flat.reshape(classes, -1)
            scores = X @ table[:, :-1].T + table[:, -1]
            losses = logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
            return np.average(losses, weights=weight) + alpha * np.sum(table[:, :-1] ** 2) / 2

        best = minimize(objective, np.zeros(classes * (p + 1)), options={"gtol": 1e-7}).fun
        here = objective(np.column_stack([model.coef_, model.intercept_]).ravel())
        assert model.converged_, seed
        assert model.gap_ <= 1e-10 * here + 1e-13, seed
        assert here == pytest.approx(model.objective_, rel=1e-12)
        assert here <= best + model.gap_ + 1e-13, seed


def test_the_bound_holds_at_any_point_with_any_step(drawn):
    X, y = drawn
    places = np.tile([1.0, 1.0, 1.0, 0.0], 3) * 0.02
    problem = contrasted(X, y, Penalty(np.zeros(12), places))
    model = LinearClassifier(penalty="l2", alpha=0.02).fit(X, y)
    table = np.column_stack([model.coef_, model.intercept_])
    best = problem.places.slope(table)
    rng = np.random.default_rng(0)
    for size in 10.0 ** rng.uniform(-6, 0.5, 50):
        at, step = best + size * rng.normal(size=12), size * rng.normal(size=12)
        found = problem.certify(at, step)
        above = problem.point(at + step).objective - model.objective_
        assert above <= found.gap + 1e-12


def test_slopes_and_bends_are_derivatives(drawn):
    X, y = drawn
    problem = contrasted(X, y, Penalty(np.zeros(12), np.zeros(12)))
    at, small = np.random.default_rng(1).normal(size=12), 1e-5
    moved = [problem.point(at + small * row) for row in np.eye(12)]
    back = [problem.point(at - small * row) for row in np.eye(12)]
    slopes = [(a.objective - b.objective) / (2 * small) for a, b in zip(moved, back, strict=True)]
    bends = [(a.slope - b.slope) / (2 * small) for a, b in zip(moved, back, strict=True)]
    here = problem.point(at)
    np.testing.assert_allclose(here.slope, slopes, atol=1e-8)
    np.testing.assert_allclose(here.bend, bends, atol=1e-8)


def test_separated_classes_have_no_minimum(iris):
    X = np.arange(9.0)[:, None]
    with pytest.warns(UserWarning, match="falls without end"):
        model = LinearClassifier().fit(X, np.repeat(["a", "b", "c"], 3))
    assert not model.converged_
    assert model.score(X, np.repeat(["a", "b", "c"], 3)) == 1.0


def test_separated_classes_are_seen_through_the_rounding_of_sure_rows():
    """A chance of 1 - 1e-17 is 1, but it still says which way the row's loss falls."""
    x = np.linspace(-1, 1, 60)
    with pytest.warns(UserWarning, match="falls without end"):
        model = LinearClassifier().fit(x[:, None], np.digitize(x, [-0.3, 0.3]))
    assert not model.converged_
    assert model.standard_errors_ is None


def test_one_class_that_is_apart_from_the_others_has_no_minimum_either(iris):
    """No plane parts the other two, but the coefficients of the first grow without end."""
    with pytest.warns(UserWarning, match="falls without end"):
        model = LinearClassifier().fit(*iris)
    assert model.gap_ == model.objective_
    assert model.score(*iris) > 0.97


def test_what_cannot_be_fitted(iris):
    X, y = iris
    with pytest.raises(DataError, match="solver is 'lbfgs'; 3 classes at once are fitted with"):
        LinearClassifier(solver="lbfgs").fit(X, y)
    with pytest.raises(DataError, match="is a loss of two; take 'logistic'"):
        LinearClassifier("cost_logistic:1:5").fit(X, y)
