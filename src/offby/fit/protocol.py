"""What scikit-learn asks of an estimator, without importing it.

Following its protocol instead of inheriting keeps it optional: `offby fit` needs no scikit-learn,
there is one class and not two, and importing offby stays free. What scikit-learn defines itself
(tags, warnings, the error of an estimator that is not fitted) is taken from it where it is loaded.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np

from offby.errors import DataError
from offby.fit.data.reading import names_of, read_features
from offby.fit.data.sparse import is_sparse, read_sparse


class Estimator:
    """Parameters by name, feature names and tags; `fit` sets what ends in an underscore."""

    estimator_type: ClassVar[str]
    n_features_in_: int
    feature_names_in_: Any

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return sorted(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, as they were given."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; raises `DataError` for one that there is not."""
        known = self._parameter_names()
        for name, value in params.items():
            if name not in known:
                raise DataError(
                    f"Invalid parameter {name!r} for estimator {self!r}; known are "
                    f"{', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        theirs = import_module("sklearn.utils")
        classifies = self.estimator_type == "classifier"
        of_classes = theirs.ClassifierTags(multi_class=self._takes_many_classes())
        return theirs.Tags(
            estimator_type=self.estimator_type,
            target_tags=theirs.TargetTags(
                required=True, positive_only=self._takes_positive_targets_only()
            ),
            classifier_tags=of_classes if classifies else None,
            regressor_tags=None if classifies else theirs.RegressorTags(),
            input_tags=theirs.InputTags(sparse=self._takes_sparse_features()),
        )

    def _takes_many_classes(self) -> bool:
        """Whether a classifier takes more than two classes."""
        return False

    def _takes_sparse_features(self) -> bool:
        """Whether features may be a sparse matrix."""
        return True

    def _takes_positive_targets_only(self) -> bool:
        """Whether targets below 0 are refused."""
        return False

    def _new_features(self, X: Any) -> Any:
        """Features to fit on, dense or sparse, with their number and names remembered."""
        if is_sparse(X) and not self._takes_sparse_features():
            raise DataError(
                f"X is sparse, which {self!r} does not support, since its solver needs all rows at "
                "once; X.toarray() makes it dense"
            )
        found, names = _read(X), names_of(X)
        self.n_features_in_ = found.shape[1]
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return found

    def _name_features(self, names: Sequence[str]) -> None:
        self.n_features_in_ = len(names)
        self.feature_names_in_ = np.array(names, dtype=object)

    def _features(self, X: Any) -> Any:
        """Features of new rows, dense or sparse: the same columns in the same order."""
        self._refuse_unfitted()
        self._check_names(X)
        found = _read(X)
        if found.shape[1] != self.n_features_in_:
            raise DataError(
                f"X has {found.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        return found

    def _refuse_unfitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise _not_fitted(self)

    def _check_names(self, X: Any) -> None:
        known, given = getattr(self, "feature_names_in_", None), names_of(X)
        kind = type(self).__name__
        if known is None and given is not None:
            told(f"X has feature names, but {kind} was fitted without feature names")
        elif known is not None and given is None:
            told(f"X does not have valid feature names, but {kind} was fitted with feature names")
        elif known is not None and given is not None and not np.array_equal(known, given):
            raise DataError(_differences(list(known), list(given)))

    @property
    def _names(self) -> list[str]:
        """A name for each feature."""
        names = getattr(self, "feature_names_in_", None)
        return list(names) if names is not None else [f"x{j}" for j in range(self.n_features_in_)]


def _read(X: Any) -> Any:
    return read_sparse(X) if is_sparse(X) else read_features(X)


def _differences(known: list[str], given: list[str]) -> str:
    text = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted(set(given) - set(known)), sorted(set(known) - set(given))
    for names, what in (
        (unseen, "Feature names unseen at fit time"),
        (missing, "Feature names seen at fit time, yet now missing"),
    ):
        if names:
            rest = "- ...\n" if len(names) > 5 else ""
            text += f"{what}:\n" + "".join(f"- {name}\n" for name in names[:5]) + rest
    if not unseen and not missing:
        text += "Feature names must be in the same order as they were in fit.\n"
    return text


def told(text: str, category: str = "UserWarning") -> None:
    """Warn, with the class that scikit-learn has for it where that is loaded."""
    theirs = sys.modules.get("sklearn.exceptions")
    kind = getattr(theirs, category, UserWarning)
    warnings.warn(text, kind, stacklevel=4)


def _not_fitted(estimator: Estimator) -> Exception:
    text = f"this {type(estimator).__name__} is not fitted yet; call fit with rows first"
    theirs = sys.modules.get("sklearn.exceptions")
    error: Callable[[str], Exception] = getattr(theirs, "NotFittedError", DataError)
    return error(text)


def as_one_column(y: Any) -> Any:
    """y of shape (n, 1) as (n,), with a warning; anything else as it is."""
    if y is None:
        raise DataError("fit requires y to be passed, but the target y is None")
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        told(
            "A column-vector y was passed when a 1d array was expected; y.ravel() makes it one",
            "DataConversionWarning",
        )
        return array[:, 0]
    return y
