"""Linear models of several quantiles that do not cross, as one scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, Self

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit import saved
from offby.fit.data.reading import read_target, read_weights
from offby.fit.data.rows import Rows, Source
from offby.fit.data.tabular import columns_of, numbers_of
from offby.fit.data.truths import check_domain, read_levels
from offby.fit.fitted import Fit
from offby.fit.levels import fit_levels
from offby.fit.linear import Settings
from offby.fit.protocol import Estimator, as_one_column
from offby.fit.statistics.inference import Inference
from offby.fit.statistics.summary import Summary, by_output, text_of
from offby.fit.warned import warn_of
from offby.formula.expression import number_text
from offby.losses import Pinball


class QuantileRegressor(Estimator):
    """Several quantiles of y at once, each linear in X: least pinball loss, exact and proved.

    `quantiles` are numbers above 0 and below 1 that rise. Each is fitted as
    `LinearRegressor("pinball:0.9")` does one (Koenker & Bassett 1978), all of them for the price of
    a few. Lines of their own may cross, which no distribution has: `predict` sorts each row's
    numbers, which are then never further from the true quantiles, in the mean over levels
    (Chernozhukov, Fernández-Val & Galichon 2010). `tol` is the largest gap to each minimum, as a
    share of it; `standard_errors` "HC1", "HC0", "classical" or None.

    Fitting sets `quantiles_` (m,), `coef_` (m, p), `intercept_` (m,); `standard_errors_` (m, p),
    `intervals_` (m, p, 2: 95 %), `intercept_standard_error_` (m,), `covariance_` (m, size, size),
    all None where there are none; `objective_` (m,), the mean pinball losses, and `gap_`, how far
    any of them is above its minimum at most: proved; `converged_`, `n_iter_`, `n_features_in_`,
    `feature_names_in_`, and `crossed_`, the share of the rows (by weight) where the lines cross.

    >>> X, y = [[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]], [0.0, 1.0, 2.0, 10.0, 20.0, 30.0]
    >>> model = QuantileRegressor([0.2, 0.5, 0.8], standard_errors=None).fit(X, y)
    >>> model.predict([[0.0], [1.0], [-1.0]]).round(9).tolist(), model.crossed_
    ([[0.0, 1.0, 2.0], [10.0, 20.0, 30.0], [-26.0, -18.0, -10.0]], 0.0)
    """

    estimator_type = "regressor"

    def __init__(
        self,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        fit_intercept: bool = True,
        tol: float = 1e-10,
        standard_errors: Literal["HC0", "HC1", "classical"] | None = "HC1",
    ) -> None:
        self.quantiles = quantiles
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.standard_errors = standard_errors

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to features (n, p), truths (n,) and weights (n,).

        Raises `DataError` for levels that do not rise, missing values, and text.
        """
        levels = read_levels(self.quantiles)
        features = self._new_features(X)
        truths = read_target(as_one_column(y), len(features))
        return self._fit_rows(Rows(features, truths, read_weights(sample_weight, len(features))),
                              levels)  # fmt: skip

    def fit_table(
        self,
        table: Any,
        target: str,
        features: Sequence[str] | None = None,
        sample_weight: str | None = None,
    ) -> Self:
        """Fit to columns of a table that need not fit in memory: a file, a folder, a frame.

        `table` is whatever `offby.measure` takes; `features` are all other columns if not named. A
        large one is read anew for each pass, some seven times. Raises `TableError` and `DataError`.

        >>> table = {"size": [1.0, 2.0, 4.0], "price": [3.0, 5.0, 9.0]}
        >>> QuantileRegressor([0.5], standard_errors=None).fit_table(table, "price").coef_
        array([[2.]])
        """
        levels = read_levels(self.quantiles)
        columns = columns_of(table, target, features, sample_weight)
        source = numbers_of(columns, partial(check_domain, Pinball()))
        self._name_features(columns.features)
        return self._fit_rows(source, levels)

    def _fit_rows(self, source: Source, levels: Sequence[float]) -> Self:
        settings = self._settings()
        fits, crossed = fit_levels(source, levels, settings)
        self._keep(fits, crossed)
        warn_of(type(self).__name__, min(fits, key=lambda fit: fit.converged), settings)
        return self

    def _settings(self) -> Settings:
        return Settings(
            penalty=None, alpha=0.0, l1_ratio=0.0, fit_intercept=self.fit_intercept, tol=self.tol,
            max_iter=1, solver="auto", standard_errors=self.standard_errors,
        )  # fmt: skip

    def _takes_sparse_features(self) -> bool:
        return False

    def _keep(self, fits: Sequence[Fit], crossed: float) -> None:
        self._fits, self.crossed_ = tuple(fits), crossed
        self.quantiles_ = np.array([_level(fit) for fit in fits])
        self.coef_ = np.concatenate([fit.coefficients for fit in fits])
        self.intercept_ = np.concatenate([fit.intercepts for fit in fits])
        self.objective_ = np.array([fit.objective for fit in fits])
        self.gap_ = max(_gap(fit) for fit in fits)
        self.converged_ = all(fit.converged for fit in fits)
        self.n_iter_ = sum(fit.iterations for fit in fits)
        self._keep_errors([fit.inference for fit in fits if fit.inference is not None])

    def _keep_errors(self, known: Sequence[Inference]) -> None:
        """What is known of every level; a level without spread has no errors, nor then have all."""
        self.covariance_ = self.standard_errors_ = self.intervals_ = None
        self.intercept_standard_error_ = None
        if len(known) < len(self._fits):
            return
        p = self.n_features_in_
        errors = np.array([one.standard_errors for one in known])
        half = np.array([one.half_width() for one in known])[:, :p]
        self.covariance_ = np.array([one.covariance for one in known])
        self.standard_errors_ = errors[:, :p]
        self.intervals_ = np.stack([self.coef_ - half, self.coef_ + half], axis=-1)
        if errors.shape[1] > p:
            self.intercept_standard_error_ = errors[:, p]

    def predict(self, X: Any) -> Floats:
        """The quantiles of each row, which never fall from one level to the next: (n, m)."""
        return np.sort(self._features(X) @ self.coef_.T + self.intercept_, axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of the best constants' pinball losses, of all levels, that the model saves."""
        predicted = self.predict(X)
        truths = read_target(y, len(predicted))
        lost = least = 0.0
        for level, column in zip(self.quantiles_.tolist(), predicted.T, strict=True):
            loss = Pinball(level)
            constant = loss.best_constant(truths, sample_weight)
            lost += loss.mean(truths, column, sample_weight)
            least += loss.mean(truths, np.full(truths.size, constant), sample_weight)
        return float(1 - lost / least) if least else float("nan")

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels as they are written: (m,)."""
        return tuple(map(number_text, self.quantiles_.tolist()))

    @property
    def loss_name(self) -> str:
        """The losses that were fitted, as they are asked for."""
        return f"{Pinball.name}:{','.join(self.level_names)}"

    def summary(self) -> Summary:
        """What was fitted and found, as a table of text with a column for each level."""
        self._refuse_unfitted()
        lines = by_output(self.level_names, *self.coefficient_table())
        return text_of(self._facts(), lines, self._note())

    def coefficient_table(self) -> tuple[list[str], Floats, Floats | None]:
        """The names of all numbers, these (m, p or p + 1) with the intercept, and their errors."""
        names, found, errors = self._names, self.coef_, self.standard_errors_
        if self.fit_intercept:
            names, found = [*names, "(intercept)"], np.column_stack([found, self.intercept_])
        if errors is not None and self.intercept_standard_error_ is not None:
            errors = np.column_stack([errors, self.intercept_standard_error_])
        return names, found, errors

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("Loss", self.loss_name),
            ("Rows", f"{self._fits[0].rows:,}"),
            ("Above their minima by", f"at most {self.gap_:.3g}"),
            ("Certificate", self._fits[0].certificate),
            ("Converged", "yes" if self.converged_ else "no"),
            ("Lines cross", f"{self._where_they_cross()}; predictions are sorted"),
        ]

    def _where_they_cross(self) -> str:
        return f"at {100 * self.crossed_:.3g} % of the rows" if self.crossed_ else "at no row"

    def _note(self) -> str:
        if self.standard_errors_ is not None:
            sandwich = "" if self.standard_errors == "classical" else " (sandwich)"
            return f"Standard errors, in brackets: {self.standard_errors}{sandwich}."
        if self.standard_errors is None:
            return "No standard errors were asked for."
        return "No standard errors: the errors have no spread to tell them from."

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a file, as JSON; `offby.fit.load` reads it."""
        self._refuse_unfitted()
        names = getattr(self, "feature_names_in_", None)
        content = {
            "estimator": type(self).__name__,
            "parameters": saved.parameters_as_json(self.get_params()),
            "feature_names": None if names is None else list(names),
            "crossed": self.crossed_,
            "fits": [saved.fit_as_json(fit) for fit in self._fits],
        }
        saved.write(path, content)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The model that `save` wrote; raises `DataError` for content that is damaged."""
        fits = [saved.fit_from_json(fit) for fit in content.get("fits") or [{}]]
        model = cls(**saved.parameters_from_json(content.get("parameters", {})))
        model.n_features_in_ = fits[0].coefficients.shape[1]
        if content.get("feature_names") is not None:
            model._name_features(content["feature_names"])
        model._keep(fits, float(content.get("crossed", "nan")))
        return model


def _level(fit: Fit) -> float:
    if not isinstance(fit.loss, Pinball):
        raise DataError(f"the saved model is damaged: {fit.loss} is no loss of a quantile")
    return float(fit.loss.parameters["tau"])


def _gap(fit: Fit) -> float:
    return float("inf") if fit.gap is None else fit.gap
