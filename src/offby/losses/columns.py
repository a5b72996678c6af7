"""What losses of K columns share, one column for each class: reading, targets and derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from offby.engine.evaluate import compute
from offby.errors import DataError, FormulaError
from offby.formula.derive import gradient, hessian
from offby.formula.expression import Expression, constant, parameter, substitute
from offby.formula.words import maximum, p, y
from offby.losses import tensors
from offby.losses.average import exact_mean
from offby.losses.classes import (
    check_probabilities,
    check_shapes,
    class_numbers,
    on_host,
    traced,
)
from offby.losses.loss import LEAST_CURVATURE
from offby.losses.trainable import Trainable


@dataclass(frozen=True)
class CategoricalLoss(Trainable, ABC):
    """How wrong K numbers a row are about which of K classes came true.

    `y_true` holds column numbers from 0 on, or names of classes where `classes` says which column
    is whose; `y_pred` is (n, K). Arrays of NumPy, torch and JAX stay in their library. Raises
    `DataError` on labels without a column and on probabilities that are none, save while JAX
    compiles: there are no values yet, and a label without a column makes the loss NaN.
    """

    name: ClassVar[str]
    scale: ClassVar[str] = "identity"
    """The scale of the predictions: identity (probabilities) or logit."""
    classes: Sequence[Any] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.classes is None:
            return
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(set(self.classes)) < len(self.classes):
            raise FormulaError(f"{self.name}: classes names one class twice: {self.classes}")

    @abstractmethod
    def value(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each row: (n,)."""

    @abstractmethod
    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        """The derivative towards each number given, the others held: (n, K)."""

    @abstractmethod
    def hessian(self, y_true: Any, y_pred: Any) -> Any:
        """The diagonal of each row's matrix of second derivatives: (n, K)."""

    @abstractmethod
    def curvature(self, y_true: Any, y_pred: Any) -> Any:
        """A positive stand-in for that diagonal, for trainers that divide by it: (n, K)."""

    def mean(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted mean sum(w l) / sum(w); for arrays correctly rounded, whatever the order."""
        values = self.value(y_true, y_pred)
        if tensors.library_of(values):
            return tensors.mean(values, sample_weight)
        finite = np.isfinite(values)
        found = exact_mean(p, 0.0, np.where(finite, values, 0.0), sample_weight)
        counted = np.ones_like(finite) if sample_weight is None else np.asarray(sample_weight) > 0
        return found + float(values[counted & ~finite].sum())

    def _read(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """The namespace that computes, each column's target and what the column was given."""
        xp = tensors.namespace(tensors.library_of(y_true, y_pred))
        given = tensors.floats(xp, y_pred)
        labels = y_true if traced(y_true) else on_host(y_true, "y_true")
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        check_shapes(labels, given)
        if not traced(labels):
            labels = class_numbers(labels, given.shape[-1], self.classes)
        elif self.classes is not None:
            raise DataError("while JAX compiles, y_true holds column numbers; leave out classes=")
        if self.scale == "identity" and not traced(given):
            check_probabilities(xp, given)
        return xp, self._targets(xp, labels, given), given

    def _targets(self, xp: Any, labels: Any, given: Any) -> Any:
        """Each column's target: 1 where its class came true, else 0."""
        return tensors.one_hot(xp, labels, given)


class Columnwise(CategoricalLoss):
    """A sum over the columns of one formula in p, what a column was given, and y, its target."""

    formula: ClassVar[Expression]
    surrogate: ClassVar[Expression | None] = None
    """The curvature's formula, where the hessian will not do."""

    def value(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each row: (n,)."""
        return self._each(self._bound(self.formula), y_true, y_pred).sum(-1) + 0.0  # 0, never -0

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        """The derivative towards each number given, the others held: (n, K)."""
        return self._each(self._gradient, y_true, y_pred)

    def hessian(self, y_true: Any, y_pred: Any) -> Any:
        """The diagonal of each row's matrix of second derivatives, whose other cells are 0."""
        return self._each(self._hessian, y_true, y_pred)

    def curvature(self, y_true: Any, y_pred: Any) -> Any:
        """A positive stand-in for that diagonal, for trainers that divide by it: (n, K)."""
        found = self._hessian if self.surrogate is None else self._bound(self.surrogate)
        return self._each(maximum(found, LEAST_CURVATURE), y_true, y_pred)

    @cached_property
    def _gradient(self) -> Expression:
        return self._bound(gradient(self.formula))

    @cached_property
    def _hessian(self) -> Expression:
        return self._bound(hessian(self.formula))

    def _bound(self, formula: Expression) -> Expression:
        """The formula with the numbers among the fields put in for its parameters."""
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        return substitute(formula, {
            parameter(name): constant(value)
            for name, value in known.items() if isinstance(value, int | float)
        })  # fmt: skip

    def _each(self, formula: Expression, y_true: Any, y_pred: Any) -> Any:
        _, targets, given = self._read(y_true, y_pred)
        library = tensors.library_of(given)
        if library:
            return tensors.evaluate(library, formula, targets, given)
        return compute([formula], {y: targets, p: given})[0]


@dataclass(frozen=True)
class Smoothed(CategoricalLoss):
    """A loss whose targets may be smoothed: 1 - s + s/K for what came true, s/K for the others."""

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.smoothing < 1:
            raise FormulaError(
                f"{self.name}: smoothing is {self.smoothing!r}; it must be at least 0 and below 1"
            )

    def _targets(self, xp: Any, labels: Any, given: Any) -> Any:
        """Each column's target, smoothed; weights of rows come after."""
        hot = tensors.one_hot(xp, labels, given)
        return hot * (1 - self.smoothing) + self.smoothing / given.shape[-1]
