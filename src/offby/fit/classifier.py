"""A linear model of classes under any smooth loss of a score, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit import saved
from offby.fit.classes import fit_classes
from offby.fit.data.class_weights import weighted_by_class
from offby.fit.data.reading import read_weights
from offby.fit.data.rows import Rows, Source
from offby.fit.data.sparse import rows_of
from offby.fit.data.tabular import classes_of, columns_of, labels_of
from offby.fit.data.truths import read_loss
from offby.fit.linear import fit_linear
from offby.fit.model import LinearModel
from offby.fit.objective.score import toward_score
from offby.fit.protocol import as_one_column
from offby.fit.solvers.descent import Descent
from offby.fit.solvers.history import Heard
from offby.fit.solvers.solve import Solver
from offby.fit.warned import warn_of
from offby.formula.expression import walk
from offby.formula.words import z
from offby.losses import BinaryLoss, Logistic, Loss

_SMALL = 256
_CONTINUOUS = (
    "Unknown label type: continuous. y holds numbers, not classes; use LinearRegressor, or make "
    "classes of them, such as y > 0"
)


class LinearClassifier(LinearModel):
    """A linear model of classes: the least mean loss of the score, plus alpha times a penalty.

    Of two classes the later in sorting order is the yes. More than two have a score each, and the
    loss "logistic" is that of their softmax; the penalty is that of all their coefficients, and
    solvers are "auto", "newton" and descents. `class_weight` is None, "balanced" or a weight for
    each class; all else is as in `LinearRegressor`. Where the loss has costs (`cost_logistic:1:5`)
    `predict` acts at the threshold that they set, and `predict_proba` still gives chances.

    Fitting sets what it sets there, with `coef_` of shape (1, p), or (K, p) for K > 2 classes, and
    `classes_`.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
    >>> model = LinearClassifier(penalty="l2", alpha=0.1).fit(X, y)
    >>> model.predict([[3.0]]), model.converged_
    (array(['yes'], dtype='<U3'), True)
    """

    estimator_type = "classifier"
    classes_: NDArray[Any]

    def __init__(
        self,
        loss: str | Loss = "logistic",
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        penalty: Literal["l1", "l2", "elasticnet"] | None = None,
        alpha: float = 0.0,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        tol: float = 1e-10,
        max_iter: int = 100,
        solver: Solver | Descent = "auto",
        standard_errors: Literal["HC0", "HC1", "classical"] | None = "HC1",
    ) -> None:
        self.loss = loss
        self.class_weight = class_weight
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.standard_errors = standard_errors

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to features (n, p), labels (n,) and weights (n,).

        Raises `DataError` for missing values, text among the features, one class only, and more
        than two for a loss other than "logistic".
        """
        loss = self._loss_of_scores()
        features = self._new_features(X)
        labels = as_one_column(y)
        weights = read_weights(sample_weight, features.shape[0])
        self.classes_, codes = _classes(labels, features.shape[0], weights)
        self._refuse_many(loss)
        self._fit_codes(rows_of(features, codes.astype(np.float64), weights), loss)
        return self

    def fit_table(
        self,
        table: Any,
        target: str,
        features: Sequence[str] | None = None,
        sample_weight: str | None = None,
        positive: str | None = None,
        heard: Heard | None = None,
    ) -> Self:
        """Fit to columns of a table that need not fit in memory: a file, a folder, a frame.

        `table` is whatever `offby.measure` takes; `features` are all other columns if not named.
        The classes are the labels as texts; `positive` is the yes of two, the later in order if not
        named. `heard` is told of each iteration of the search, by a `Stage` of
        `offby.fit.solvers.history`. Raises `TableError` and `DataError`.

        >>> table = {"hours": [1.0, 2.0, 3.0, 4.0], "passed": [False, True, False, True]}
        >>> LinearClassifier().fit_table(table, target="passed").classes_
        array(['false', 'true'], dtype='<U5')
        """
        loss = self._loss_of_scores()
        columns = columns_of(table, target, features, sample_weight)
        classes = classes_of(columns, positive)
        source = labels_of(columns, classes)
        self.classes_ = np.array(classes)
        self._refuse_many(loss)
        self._name_features(columns.features)
        self._fit_codes(source, loss, heard)
        return self

    def _refuse_many(self, loss: Loss) -> None:
        if len(self.classes_) > 2 and loss != Logistic():
            raise DataError(_too_many(self.classes_, loss))

    def _as_json(self) -> dict[str, Any]:
        return {**super()._as_json(), "classes": saved.classes_as_json(self.classes_)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The model that `save` wrote; raises `DataError` for content that is damaged."""
        model = super().from_json(content)
        model.classes_ = saved.classes_from_json(content.get("classes", {}))
        return model

    def _loss_of_scores(self) -> Loss:
        loss = read_loss(self.loss)
        if not isinstance(loss, BinaryLoss) and z not in set(walk(loss.formula)):
            raise DataError(f"{loss} is no loss of a score z; use LinearRegressor")
        toward_score(loss)  # raises for losses of probabilities
        return loss

    def _fit_codes(self, source: Source, loss: Loss, heard: Heard | None = None) -> None:
        """Fit to rows whose y is the number of their class."""
        settings, classes = self._settings(), self.classes_.tolist()
        weighted = weighted_by_class(source, self.class_weight, classes)
        if len(classes) == 2:
            self._keep(fit_linear(weighted, toward_score(loss), settings, heard, classes=2))
        else:
            self._keep(fit_classes(weighted, len(classes), settings, heard))
        warn_of(type(self).__name__, self._fit, settings)

    def _rows(self, X: Any, y: Any, sample_weight: Any) -> Source:
        features, labels = self._dense(X), np.asarray(as_one_column(y))
        known = self.classes_.tolist()
        unknown = sorted(set(labels.tolist()) - set(known))
        if unknown:
            raise DataError(
                f"y holds classes that the model does not know: {unknown[0]!r}, and not {known}"
            )
        codes = np.argmax(labels[:, None] == self.classes_, axis=1).astype(np.float64)
        rows = Rows(features, codes, read_weights(sample_weight, len(features)))
        return weighted_by_class(rows, self.class_weight, known)

    def _takes_many_classes(self) -> bool:
        return self.loss in ("logistic", Logistic())

    def _outputs(self) -> list[str]:
        return [""] if len(self.classes_) == 2 else [f"{name}: " for name in self.classes_]

    def decision_function(self, X: Any) -> Floats:
        """The score of each row, positive for a yes: (n,); of each class where these are many."""
        scores = self._scores(X)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each row: (n,)."""
        scores = self.decision_function(X)
        chosen = scores.argmax(axis=1) if scores.ndim > 1 else (scores > 0).astype(int)
        return np.asarray(self.classes_[chosen])

    def predict_proba(self, X: Any) -> Floats:
        """The chance of each class: (n, K).

        Of two classes the chance of a yes is the one for which the score is the best answer: there
        the slopes of both outcomes are in balance.
        """
        scores = self.decision_function(X)
        if scores.ndim > 1:
            return np.asarray(special.softmax(scores, axis=1))
        yes, no = (self.loss_.gradient(truth, scores) for truth in (1.0, 0.0))
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            chance = np.clip(no / (no - yes), 0.0, 1.0)
            rest = np.clip(yes / (yes - no), 0.0, 1.0)
        return np.stack([rest, chance], axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows whose class is right."""
        right = self.predict(X) == np.asarray(as_one_column(y))
        return float(np.average(right, weights=sample_weight))


def _classes(
    labels: Any, rows: int, weights: Floats | None
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The classes in sorting order, and the number of each row's."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.size != rows:
        raise DataError(f"y should be a 1d array of {rows} labels; it has shape {array.shape}")
    _refuse_missing(array)
    classes, codes = _distinct(array)
    if array.dtype.kind == "f" and len(classes) > 2 and np.any(classes != np.round(classes)):
        raise DataError(_CONTINUOUS)
    counted = codes if weights is None else codes[weights > 0]
    if counted.min() == counted.max():
        raise DataError(
            f"y holds one class only ({classes[counted[0]]!r}, among rows with a weight); a "
            "classifier needs rows of at least two"
        )
    return classes, codes


def _distinct(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The distinct labels in order, and each one's number; small integers are counted, not sorted.

    >>> _distinct(np.array([3, 1, 3]))
    (array([1, 3]), array([1, 0, 1]))
    """
    small = labels.dtype.kind in "biu" and labels.min() >= 0 and labels.max() < _SMALL
    if not small:
        classes, codes = np.unique(labels, return_inverse=True)
        return classes, codes
    places = labels.astype(np.intp)
    present = np.flatnonzero(np.bincount(places))
    number = np.zeros(int(present[-1]) + 1, np.intp)
    number[present] = np.arange(present.size)
    return present.astype(labels.dtype), number[places]


def _refuse_missing(labels: NDArray[Any]) -> None:
    if labels.dtype.kind in "biuSU":  # which have no value for what is missing
        return
    numbers = labels.dtype.kind == "f"
    bad = ~np.isfinite(labels) if numbers else np.array([x is None or x != x for x in labels])
    if bad.any():
        raise DataError(
            f"y has {int(bad.sum())} missing labels (NaN or inf), first in row "
            f"{int(np.argmax(bad)) + 1} (counted from 1); leave such rows out"
        )


def _too_many(classes: NDArray[Any], loss: Loss) -> str:
    return (
        "Only binary classification is supported. The type of the target is multiclass: y holds "
        f"{len(classes)} classes, {', '.join(map(repr, classes[:3].tolist()))} …, and {loss} is a "
        "loss of two; take 'logistic', or wrap this in scikit-learn's OneVsRestClassifier"
    )
