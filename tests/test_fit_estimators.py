"""The linear estimators as scikit-learn and its users meet them."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from offby.fit.classifier import LinearClassifier
from offby.fit.quantile_regressor import QuantileRegressor
from offby.fit.regressor import LinearRegressor

EXPECTED = {
    "QuantileRegressor()": {"check_regressors_train": "it predicts a column for each quantile"},
    "LinearClassifier(alpha=0.01, loss='cost_logistic:1:5', penalty='l2')": {
        "check_classifiers_train": "it acts at the threshold of its costs, not at 1/2"
    },
}

with warnings.catch_warnings():  # that they follow the protocol without inheriting is meant
    warnings.filterwarnings("ignore", message=".*does not inherit from `sklearn.base.BaseEst")
    checks = parametrize_with_checks(
        [
            LinearRegressor(),
            LinearRegressor(loss="squared", penalty="elasticnet", alpha=0.01),
            LinearRegressor(loss="absolute"),
            LinearRegressor(loss="poisson"),
            QuantileRegressor(),
            LinearClassifier(),
            LinearClassifier(loss="cost_logistic:1:5", penalty="l2", alpha=0.01),
        ],
        expected_failed_checks=lambda estimator: EXPECTED.get(repr(estimator), {}),
    )


def test_scikit_learn_is_not_needed():
    code = """
import sys
from offby.fit import LinearClassifier, LinearRegressor, load
LinearRegressor().fit([[1.0], [2.0], [4.0]], [2.0, 4.0, 8.0]).summary()
LinearClassifier(penalty="l2", alpha=1.0).fit([[1.0], [2.0], [4.0]], [0, 1, 1])
print([name for name in sys.modules if name.split(".")[0] in ("sklearn", "statsmodels")])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_in_a_pipeline_and_a_grid_search():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    steps = make_pipeline(StandardScaler().set_output(transform="pandas"), LinearRegressor())
    grid = {"linearregressor__loss": ["squared", "huber:60", "absolute"]}
    search = GridSearchCV(steps, grid, scoring="neg_mean_absolute_error", cv=3).fit(X, y)
    best = search.best_estimator_[-1]
    assert list(best.feature_names_in_) == list(X.columns)
    revived = pickle.loads(pickle.dumps(search.best_estimator_))
    assert np.array_equal(revived.predict(X), search.predict(X))


@pytest.mark.filterwarnings("ignore")  # as scikit-learn runs them: some data have no minimum
@checks
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("loss", ["squared", "poisson", "gamma", "logistic"])
def test_what_is_explained_is_the_score_on_the_rows_fitted(loss):
    """R² for squared loss; for other losses of means what of the constant's loss is saved."""
    rng = np.random.default_rng(8)
    X, weights = rng.normal(size=(400, 2)), rng.integers(0, 4, 400).astype(float)
    score = X @ [0.4, -0.3]
    y = {
        "squared": score + rng.normal(size=400),
        "poisson": rng.poisson(np.exp(score)),
        "gamma": rng.gamma(2.0, np.exp(score)),
        "logistic": score > rng.logistic(size=400),
    }[loss]
    kind = LinearClassifier if loss == "logistic" else LinearRegressor
    model = kind(loss, penalty="l2", alpha=0.1).fit(X, y, weights)
    if loss == "logistic":
        share = np.average(y, weights=weights)
        best = log_loss(y, np.full(400, share), sample_weight=weights)
        expected = 1 - log_loss(y, model.predict_proba(X)[:, 1], sample_weight=weights) / best
    else:
        expected = model.score(X, y, weights)
    assert model.explained_ == pytest.approx(expected, rel=1e-9)
    named = "R²:" if loss == "squared" else "D²:"
    assert any(line.startswith(named) for line in model.summary().splitlines())
    assert repr(model.summary()) == str(model.summary())


def test_what_is_explained_of_several_classes():
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(300, 2)), rng.integers(0, 3, 300)
    model = LinearClassifier().fit(X, y)
    shares = np.bincount(y) / 300
    expected = 1 - log_loss(y, model.predict_proba(X)) / -(shares @ np.log(shares))
    assert model.explained_ == pytest.approx(expected, rel=1e-9)


def test_coefficients_that_the_rows_do_not_determine_have_no_errors():
    X = np.random.default_rng(1).normal(size=(50, 2))
    with pytest.warns(UserWarning, match="are not determined by the rows"):
        model = LinearRegressor().fit(np.column_stack([X, X[:, 0]]), X[:, 1] + X[:, 0] ** 2)
    rows = (line.split() for line in model.summary().splitlines() if line.startswith("x"))
    lines = {name: rest for name, _, *rest in rows}
    assert lines["x0"] == lines["x2"] == ["–"] * 5
    assert "–" not in lines["x1"]
