"""The linear estimators as scikit-learn and its users meet them."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from offby.fit.classifier import LinearClassifier
from offby.fit.regressor import LinearRegressor

with warnings.catch_warnings():  # that they follow the protocol without inheriting is meant
    warnings.filterwarnings("ignore", message=".*does not inherit from `sklearn.base.BaseEst")
    checks = parametrize_with_checks(
        [
            LinearRegressor(),
            LinearRegressor(loss="squared", penalty="elasticnet", alpha=0.01),
            LinearRegressor(loss="absolute"),
            LinearRegressor(loss="poisson"),
            LinearClassifier(),
            LinearClassifier(loss="cost_logistic:1:5", penalty="l2", alpha=0.01),
        ],
        expected_failed_checks=lambda estimator: (
            {"check_classifiers_train": "it acts at the threshold of its costs, not at 1/2"}
            if estimator.loss != "logistic" and isinstance(estimator, LinearClassifier)
            else {}
        ),
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
