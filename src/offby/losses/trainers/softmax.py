"""A loss of K raw scores a row: the logits of K classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.errors import DataError, FormulaError
from offby.losses import CategoricalCrossEntropy, CategoricalLoss, SoftmaxCrossEntropy, tensors
from offby.losses.classes import on_host

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SoftmaxScore:
    """Cross-entropy of one logit for each class; classes are numbered from 0, as trainers do."""

    loss: SoftmaxCrossEntropy

    def start(self, y_true: Any, sample_weight: Any = None) -> Floats:
        """The logits of the classes' shares: the constant that minimises the mean loss.

        Raises `DataError` naming the first row whose label is no class's number.

        >>> np.exp(SoftmaxScore(SoftmaxCrossEntropy()).start([0, 1, 1, 2]))
        array([0.25, 0.5 , 0.25])
        """
        numbers = _numbered(on_host(y_true, "y_true").reshape(-1))
        counted = np.bincount(numbers, sample_weight)
        if not counted.all():
            raise DataError(f"all rows of class {np.argmin(counted)} have the weight 0")
        smoothing = self.loss.smoothing
        shares = counted / counted.sum() * (1 - smoothing) + smoothing / counted.size
        return np.asarray(np.log(shares))

    def response(self, raw: Any) -> Any:
        """The probabilities of the classes.

        >>> SoftmaxScore(SoftmaxCrossEntropy()).response([[0.0, 0.0], [1000.0, 0.0]])
        array([[0.5, 0.5],
               [1. , 0. ]])
        """
        xp = tensors.namespace(tensors.library_of(raw))
        logits = tensors.floats(xp, raw)
        powers = xp.exp(logits - xp.amax(logits, -1)[..., None])
        return powers / powers.sum(-1)[..., None]

    def mean(self, y_true: Any, raw: Any, sample_weight: Any = None) -> float:
        """The weighted mean loss of rows of logits."""
        return float(self.loss.mean(y_true, raw, sample_weight))

    def value(self, y_true: Any, raw: Any) -> Any:
        """The loss of each row, of tensors."""
        return self.loss.value(y_true, raw)

    def slopes(
        self,
        y_true: Any,
        raw: Any,
        sample_weight: Any = None,
        scale: tuple[float, float] = (1, 1),
        dtype: type = np.float64,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The gradient and the curvature of each logit, weighted and scaled: (n, K) each."""
        weight = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64)[:, None]
        slope, bend = self.loss.gradient(y_true, raw), self.loss.curvature(y_true, raw)
        slope, bend = slope * (weight * scale[0]), bend * (weight * scale[1])
        return slope.astype(dtype, copy=False), bend.astype(dtype, copy=False)


def _numbered(labels: NDArray[Any]) -> NDArray[np.int64]:
    """The labels, which must be 0, 1 … K - 1 and all occur: trainers take a column for each."""
    kinds = np.unique(labels)
    expected = np.arange(max(kinds.size, 2))
    for row in np.flatnonzero(~np.isin(labels, expected))[:1].tolist():
        raise DataError(
            f"y_true is {labels[row].item()!r} in row {row + 1} (counted from 1); there are "
            f"{kinds.size} classes, so trainers want them numbered 0 to {kinds.size - 1}; "
            "scikit-learn's LabelEncoder numbers them"
        )
    if kinds.size < 2:
        raise DataError(f"y_true holds {kinds.size} classes; training needs two or more")
    return labels.astype(np.int64)


def softmax_score(loss: CategoricalLoss) -> SoftmaxScore:
    """The score of a loss of K classes; raises `FormulaError` for losses that have no logits."""
    if isinstance(loss, SoftmaxCrossEntropy | CategoricalCrossEntropy):
        return SoftmaxScore(SoftmaxCrossEntropy(loss.smoothing))
    raise FormulaError(
        f"{loss.name} takes probabilities, and trainers give logits; of these there is "
        "SoftmaxCrossEntropy"
    )
