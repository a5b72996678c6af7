"""A linear model of numbers under any smooth loss, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, Self

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.reading import read_target, read_weights
from offby.fit.data.rows import Rows, Source
from offby.fit.data.sparse import rows_of
from offby.fit.data.tabular import columns_of, numbers_of
from offby.fit.data.truths import check_domain, defined_for, levels_of, read_loss
from offby.fit.linear import fit_linear
from offby.fit.model import LinearModel
from offby.fit.objective.score import toward_score
from offby.fit.protocol import as_one_column
from offby.fit.solvers.descent import Descent, descent_of
from offby.fit.solvers.history import Heard
from offby.fit.solvers.lines import lines_of
from offby.fit.solvers.solve import Solver
from offby.fit.warned import warn_of
from offby.losses import BinaryLoss, Loss


class LinearRegressor(LinearModel):
    """A linear model of numbers: the least mean loss, plus alpha times a penalty.

    Minimised is sum(w l(y, p)) / sum(w) + alpha (l1_ratio |b| + (1 - l1_ratio) b²/2), where p is
    X b + intercept, or the exponential of that where a prediction must be positive (Poisson, gamma,
    Tweedie). `penalty` is None, "l2", "l1" or "elasticnet"; `tol` the largest gap to the minimum,
    as a share of it; `standard_errors` "HC1", "HC0", "classical" or None. With `scale="mad"` the
    loss's parameters are in units of the errors' standard deviation (by their median size), which
    is found together with the coefficients: `huber:1.345` then suits data of any units. "joint" is
    Huber's other way to that deviation, and for that loss alone. The gap is that at this scale.

    Fitting sets `coef_`, `intercept_`; `standard_errors_`, `intervals_` (95 %),
    `intercept_standard_error_` and `covariance_` (None under an l1 penalty, and where there is no
    minimum); `objective_`, `gap_` (how far that is above the minimum at most: proved),
    `certificate_`, `converged_`, `n_iter_`, `history_` (a column of numbers for each fact of the
    walk downhill) and `path_` (the coefficients at each of its iterations; None where there was no
    walk, and from a file), `explained_` (D², the share of the best constant's mean loss that is
    saved: R² for squared loss, Koenker and Machado's R¹ for quantiles; None where that constant
    loses nothing, and for a loss that is not convex, whose best constant is not known), `rank_`,
    `loss_`, `scale_`, `n_features_in_` and `feature_names_in_`.

    >>> X, y = [[1.0], [2.0], [3.0], [4.0], [5.0]], [1.1, 1.9, 3.1, 3.9, 500.0]
    >>> model = LinearRegressor(loss="huber:0.5").fit(X, y)
    >>> model.coef_.round(3), model.converged_, model.gap_ < 1e-8
    (array([1.25]), True, True)
    """

    estimator_type = "regressor"

    def __init__(
        self,
        loss: str | Loss = "squared",
        penalty: Literal["l1", "l2", "elasticnet"] | None = None,
        alpha: float = 0.0,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        tol: float = 1e-10,
        max_iter: int = 100,
        solver: Solver | Descent = "auto",
        standard_errors: Literal["HC0", "HC1", "classical"] | None = "HC1",
        scale: Literal["mad", "joint"] | None = None,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.standard_errors = standard_errors
        self.scale = scale

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to features (n, p), truths (n,) and weights (n,).

        Raises `DataError` for missing values, text, and truths that the loss is not defined for.
        """
        loss = self._loss_of_numbers()
        features = self._new_features(X)
        truths = read_target(as_one_column(y), features.shape[0])
        check_domain(loss, truths)
        weights = read_weights(sample_weight, features.shape[0])
        return self._fit_rows(rows_of(features, truths, weights), loss)

    def fit_table(
        self,
        table: Any,
        target: str,
        features: Sequence[str] | None = None,
        sample_weight: str | None = None,
        heard: Heard | None = None,
    ) -> Self:
        """Fit to columns of a table that need not fit in memory: a file, a folder, a frame.

        `table` is whatever `offby.measure` takes; `features` are all other columns if not named. A
        large one is read anew for each pass, some ten times (twenty for a `scale`, more by a
        descent). `heard` is told of each iteration of the search, by a `Stage` of
        `offby.fit.solvers.history`. Raises `TableError` and `DataError`.

        >>> table = {"size": [1.0, 2.0, 4.0], "price": [3.0, 5.0, 9.0]}
        >>> LinearRegressor().fit_table(table, target="price").coef_
        array([2.])
        """
        loss = self._loss_of_numbers()
        columns = columns_of(table, target, features, sample_weight)
        check = partial(check_domain, loss)
        source = numbers_of(columns, check)
        self._name_features(columns.features)
        return self._fit_rows(source, loss, heard)

    def _loss_of_numbers(self) -> Loss:
        if levels_of(self.loss) is not None:
            raise DataError(
                f"{self.loss} names several quantiles; QuantileRegressor fits them together, so "
                "that they do not cross"
            )
        loss = read_loss(self.loss)
        if isinstance(loss, BinaryLoss):
            raise DataError(f"{loss} is a loss of yes and no; use LinearClassifier")
        return loss

    def _rows(self, X: Any, y: Any, sample_weight: Any) -> Rows:
        features = self._dense(X)
        truths = read_target(as_one_column(y), len(features))
        return Rows(features, truths, read_weights(sample_weight, len(features)))

    def _takes_sparse_features(self) -> bool:
        on_lines = lines_of(read_loss(self.loss)) is not None and descent_of(self.solver) is None
        return not on_lines

    def _takes_positive_targets_only(self) -> bool:
        return not defined_for(read_loss(self.loss), np.array([-1.0])).all()

    def _fit_rows(self, source: Source, loss: Loss, heard: Heard | None = None) -> Self:
        settings = self._settings()
        self._keep(fit_linear(source, toward_score(loss), settings, heard))
        warn_of(type(self).__name__, self._fit, settings)
        return self

    def _shaped(self, table: Floats) -> Floats:
        return np.asarray(table[0])

    def _one(self, numbers: Floats) -> float:
        return float(numbers[0])

    def predict(self, X: Any) -> Floats:
        """The prediction for each row: (n,)."""
        scores = self._scores(X)[:, 0]
        return np.exp(scores) if self._fit.link == "log" else scores

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of the best constant's mean loss that the model saves: R² for squared loss."""
        predicted = self.predict(X)
        truths = read_target(y, predicted.size)
        assert isinstance(self.loss_, Loss)
        constant = self.loss_.best_constant(truths, sample_weight)
        least = self.loss_.mean(truths, np.full(truths.size, constant), sample_weight)
        if not least:
            return float("nan")
        return float(1 - self.loss_.mean(truths, predicted, sample_weight) / least)
