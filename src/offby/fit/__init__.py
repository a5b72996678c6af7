"""Linear models fitted under the loss you care about, with proof of how near the best they are."""

from offby.fit.classifier import LinearClassifier
from offby.fit.loading import load
from offby.fit.quantile_regressor import QuantileRegressor
from offby.fit.regressor import LinearRegressor
from offby.fit.solvers.descent import Descent

__all__ = ["Descent", "LinearClassifier", "LinearRegressor", "QuantileRegressor", "load"]
