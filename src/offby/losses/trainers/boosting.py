"""What gradient boosting libraries share: a pair of slopes a row, a metric, a score to start at."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.engine.rows import as_column, fit_rows
from offby.formula.words import y
from offby.losses import Gamma, InverseGaussian, Poisson, SquaredLog, Tweedie
from offby.losses.average import exact_mean
from offby.losses.trainable import Trainable
from offby.losses.trainers import kinks
from offby.losses.trainers.score import Score, score_of
from offby.losses.trainers.softmax import SoftmaxScore

Floats = NDArray[np.float64]
POISSON_STEP = 0.7
"""How far a Poisson score may move while the curvature taken is still an upper bound."""
_HALVED = (SquaredLog, Poisson, Gamma, Tweedie, InverseGaussian)
"""Boosting libraries leave out the 2 of a deviance's slope."""


@dataclass(frozen=True)
class Boosted:
    """A loss as a boosting library wants it."""

    score: Score
    start: Any
    """The raw score all rows start from: the loss's best constant; one for each class of many."""
    scale: tuple[float, float]
    """What the gradient and the curvature are multiplied by."""
    adapts: bool
    """Whether they are then divided by the curvature's average, each time anew."""

    whole: ClassVar[bool] = True
    """Whether the library gives all rows in one call, and not in blocks."""
    kept: ClassVar[type] = np.float32
    """What the library keeps slopes in."""
    careful: ClassVar[bool] = False
    """Whether the library takes a larger curvature for Poisson losses, by `POISSON_STEP`."""

    @classmethod
    def of(cls, loss: Trainable, y_true: ArrayLike, sample_weight: Any, link: str | None) -> Self:
        """The loss as the library wants it, for the targets it will be trained on."""
        score = score_of(loss, link)
        _check_weights(np.size(y_true), sample_weight)
        start = score.start(y_true, sample_weight)
        if isinstance(score, SoftmaxScore):
            each = tuple(np.atleast_1d(start).tolist())
            return cls(score, each, (1.0, cls.softmax_curvature(len(each))), False)
        in_units = kinks.straight(score.loss) or kinks.of_errors(score.loss)
        adapts = in_units and cls.whole and not score.quadratic
        factor = 0.5 if isinstance(score.loss, _HALVED) else 1.0
        if in_units and not adapts:
            truth = as_column(y_true, "y_true")
            factor = _to_unit(score.slopes(truth, np.full(truth.size, start))[1])
        widened = cls.careful and isinstance(score.loss, Poisson) and score.link.name == "log"
        return cls(score, start, (factor, factor * math.exp(widened * POISSON_STEP)), adapts)

    @staticmethod
    def softmax_curvature(classes: int) -> float:
        """What the library multiplies offby's curvature of K logits by."""
        return 1.0

    @property
    def columns(self) -> int:
        """How many raw scores a row has."""
        return int(np.size(self.start))

    @property
    def name(self) -> str:
        """The metric's name: no sign in it that the libraries take apart.

        >>> from offby.losses import Huber
        >>> Boosted.of(Huber(1.345), [1.0, 2.0], None, None).name
        'mean_huber_1.345'
        """
        return "mean_" + re.sub(r"[^\w.]+", "_", str(self.score.loss)).strip("_")

    def scores(self, model: Any, data: Any) -> Floats:
        """The raw scores of a trained model: what its trees add up to, with the start."""
        raise NotImplementedError

    def predict(self, model: Any, data: Any) -> Floats:
        """The predictions of a trained model, on the scale of the targets."""
        return self.response(self.scores(model, data))

    def response(self, raw: ArrayLike) -> Floats:
        """The predictions that raw scores stand for, on the scale of the targets."""
        return np.asarray(self.score.response(raw))

    def slopes(
        self, y_true: Any, raw: Any, sample_weight: Any = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The gradient and the curvature of each row, as the library wants and keeps them."""
        if isinstance(self.score, SoftmaxScore) or not self.adapts:
            return self.score.slopes(y_true, raw, sample_weight, self.scale, self.kept)
        slope, bend = self.score.slopes(y_true, raw, sample_weight, dtype=self.kept)
        unit = self.kept(_to_unit(bend, sample_weight))
        slope *= unit
        bend *= unit
        return slope, bend


@dataclass(frozen=True)
class Metric:
    """The mean loss, as a library's evaluation metric: less is better."""

    name: str
    of: Callable[..., Any]

    @property
    def __name__(self) -> str:
        """What libraries show."""
        return self.name

    def __call__(self, first: Any, second: Any, sample_weight: Any = None) -> Any:
        """What the library makes of it for these rows."""
        return self.of(first, second, sample_weight)


def in_order(first: Any, second: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Targets, raw scores and weights, however a library names and orders them.

    Its own interface gives the scores and then its data set; that in scikit-learn's manner gives
    targets, scores and perhaps weights.
    """
    if not hasattr(second, "get_label"):
        return first, second, sample_weight
    weight = second.get_weight()
    return second.get_label(), first, weight if weight is not None and len(weight) else None


def _check_weights(rows: int, sample_weight: Any) -> None:
    """Raise `DataError` for weights that are not one for each row, finite and not negative."""
    ones = np.ones(rows)
    fit = fit_rows(ones, ones, sample_weight)
    exact_mean(y, fit.y_true, fit.y_pred, fit.weight)


def _to_unit(bend: NDArray[Any], sample_weight: Any = None) -> float:
    """What makes the curvature of a row of weight 1 to be 1 on average.

    Trainers add penalties to sums of curvatures and ask for a least sum in a leaf: of an absolute
    error in millions they would learn nothing, and of one in thousandths learn every row by heart.
    For the squared error this is the 1/2 that they all take.
    """
    total = bend.size if sample_weight is None else np.sum(sample_weight, dtype=np.float64)
    return float(total / bend.sum(dtype=np.float64))
