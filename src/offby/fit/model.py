"""What a fitted linear estimator keeps, and how it scores new rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from offby.engine.rows import Floats
from offby.fit import saved
from offby.fit.data.rows import Source
from offby.fit.data.sparse import is_sparse
from offby.fit.fitted import Fit
from offby.fit.linear import Settings
from offby.fit.protocol import Estimator
from offby.fit.solvers.history import Path
from offby.fit.statistics.inference import Inference
from offby.fit.statistics.summary import Line, Summary, counted, table_of
from offby.losses import CategoricalLoss, Loss

if TYPE_CHECKING:
    from offby.drawing.landscape import Landscape


class LinearModel(Estimator):
    """The parameters, and the attributes that fitting sets, which both estimators share."""

    loss: str | Loss
    penalty: str | None
    alpha: float
    l1_ratio: float
    fit_intercept: bool
    solver: Any
    coef_: Floats
    intercept_: Any
    standard_errors_: Floats | None
    intervals_: Floats | None
    intercept_standard_error_: Any
    covariance_: Floats | None
    objective_: float
    gap_: float | None
    certificate_: str
    converged_: bool
    n_iter_: int
    rank_: int
    loss_: Loss | CategoricalLoss
    scale_: float | None
    history_: dict[str, Floats]
    path_: Path | None
    explained_: float | None

    def _settings(self) -> Settings:
        given = self.get_params()
        return Settings(**{name: given[name] for name in Settings.__annotations__ if name in given})

    def _keep(self, found: Fit) -> None:
        """Set the attributes that a fit has."""
        self._fit = found
        self.loss_, self.scale_ = found.loss, found.scale
        self.coef_, self.intercept_ = self._shaped(found.coefficients), self._one(found.intercepts)
        self.objective_, self.gap_ = found.objective, found.gap
        self.certificate_, self.converged_ = found.certificate, found.converged
        self.n_iter_, self.rank_ = found.iterations, found.rank
        self.history_, self.path_ = found.history, found.path
        self.explained_ = found.explained
        self.standard_errors_ = self.intervals_ = self.covariance_ = None
        self.intercept_standard_error_ = None
        if found.inference is not None:
            self._keep_errors(found, found.inference)

    def _keep_errors(self, found: Fit, inference: Inference) -> None:
        self.covariance_ = inference.covariance
        errors, of_intercepts = found.in_rows(inference.standard_errors)
        half, _ = found.in_rows(inference.half_width())
        ends = [self._shaped(found.coefficients - half), self._shaped(found.coefficients + half)]
        self.standard_errors_, self.intervals_ = self._shaped(errors), np.stack(ends, axis=-1)
        if of_intercepts is not None:
            self.intercept_standard_error_ = self._one(of_intercepts)

    def _shaped(self, table: Floats) -> Floats:
        """What there is for each output and feature, as this kind of estimator shows it."""
        return table

    def _one(self, numbers: Floats) -> Any:
        """What there is for each output."""
        return numbers

    def _scores(self, X: Any) -> Floats:
        """X coefficients + intercept of new rows: (n, outputs)."""
        found: Floats = self._features(X) @ self._fit.coefficients.T
        return found + self._fit.intercepts

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a file, as JSON; `offby.fit.load` reads it.

        Raises `DataError` for labels or parameters that JSON cannot hold.
        """
        self._refuse_unfitted()
        saved.write(path, self._as_json())

    def _as_json(self) -> dict[str, Any]:
        names = getattr(self, "feature_names_in_", None)
        return {
            "estimator": type(self).__name__,
            "parameters": saved.parameters_as_json(self.get_params()),
            "feature_names": None if names is None else list(names),
            "fit": saved.fit_as_json(self._fit),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The model that `save` wrote; raises `DataError` for content that is damaged."""
        found = saved.fit_from_json(content.get("fit", {}))
        model = cls(**saved.parameters_from_json(content.get("parameters", {})))
        model.n_features_in_ = found.coefficients.shape[1]
        if content.get("feature_names") is not None:
            model._name_features(content["feature_names"])
        model._keep(found)
        return model

    def plot_landscape(self, X: Any, y: Any, sample_weight: Any = None) -> Landscape:
        """A map of the loss around the model, on rows it was fitted to, with the path walked.

        It is over the two directions that tell most; of classes the accuracy stands beside it. A
        notebook shows it, and its `save(path)` writes SVG or HTML.
        """
        self._refuse_unfitted()
        return self.landscape_over(self._rows(X, y, sample_weight))

    def landscape_over(self, rows: Source) -> Landscape:
        """The same over rows that lie anywhere, whose classes are numbers."""
        from offby.fit.landscape import landscape_of

        classes = list(map(str, getattr(self, "classes_", ())))
        return landscape_of(self._fit, self._settings(), rows, self._names, classes, self.loss_name)

    def _rows(self, X: Any, y: Any, sample_weight: Any) -> Source:
        """Rows as the search saw them, with classes as numbers."""
        raise NotImplementedError

    def _dense(self, X: Any) -> Floats:
        """Features of rows that are few enough to be looked at: (n, p)."""
        found = self._features(X)
        return np.asarray(found.toarray() if is_sparse(found) else found, np.float64)

    def summary(self) -> Summary:
        """What was fitted and found, as a table of text."""
        self._refuse_unfitted()
        return table_of(self._facts(), self._lines(), self._kind_of_errors())

    def _facts(self) -> list[tuple[str, str]]:
        gap = "not proved" if self.gap_ is None else f"{self.gap_:.3g}"
        penalty = "none"
        if self.penalty is not None:
            penalty = f"{self.penalty}, alpha {self.alpha:g}"
        facts = [
            ("Loss", self.loss_name),
            ("Prediction", "the score" if self._fit.link == "identity" else "exp(score)"),
            ("Penalty", penalty),
            ("Rows", f"{self._fit.rows:,}"),
            ("Objective", f"{self.objective_:.8g}"),
            ("Above its minimum by", f"at most {gap}" if self.gap_ is not None else gap),
            ("Certificate", self.certificate_),
            ("Converged", f"{'yes' if self.converged_ else 'no'}, {counted(self.n_iter_)}"),
        ]
        if self.explained_ is not None:
            facts.insert(5, self._what_it_explains(self.explained_))
        return facts

    def _what_it_explains(self, share: float) -> tuple[str, str]:
        if self.loss_name == "squared":
            return "R²", f"{share:.6g}"
        return "D²", f"{share:.6g} (share of the best constant's loss saved)"

    @property
    def loss_name(self) -> str:
        """The loss that was fitted, as it is asked for; with the errors' scale where it has one."""
        if not isinstance(self.loss_, Loss):
            return self.loss_.name
        if self.scale_ is None:
            return str(self.loss_)
        return f"{self.loss} at a scale of {self.scale_:.5g}"

    def _lines(self) -> list[Line]:
        inference, found = self._fit.inference, self._fit.flat(intercept=self.fit_intercept)
        names = self._names_of_all()
        if inference is None:
            return [Line(name, float(x)) for name, x in zip(names, found, strict=True)]
        errors, half = inference.standard_errors, inference.half_width()
        chances = inference.p_values(found)
        return [
            Line(name, *map(float, numbers))
            for name, *numbers in zip(names, found, errors, chances, half, strict=True)
        ]

    def _names_of_all(self) -> list[str]:
        """A name for each number that was found, those of the first output first."""
        names = [*self._names, "(intercept)"] if self.fit_intercept else list(self._names)
        return [f"{output}{name}" for output in self._outputs() for name in names]

    def _outputs(self) -> list[str]:
        """What stands before the names of each output's numbers."""
        return [""]

    def _kind_of_errors(self) -> str:
        kind = getattr(self, "standard_errors", None)
        if self._fit.inference is not None:
            return f"Standard errors: {kind}" + ("" if kind == "classical" else " (sandwich)") + "."
        if kind is None:
            return "No standard errors were asked for."
        if self.penalty in ("l1", "elasticnet"):
            return "No standard errors: the penalty chose among the coefficients."
        if self._fit.escapes:
            return "No standard errors: there is no minimum for rows to agree on."
        return "No standard errors: the errors have no spread to tell them from."
