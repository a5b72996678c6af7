"""Several classes: a score for each, trained under the softmax twin of a loss, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Split
from offby.choice.trained.judged import Costs, Decided, Held, Marks, auc
from offby.choice.trained.linear import SETTINGS, Data
from offby.engine.rows import Floats
from offby.errors import MeasureError
from offby.fit.classes import fit_classes, problem_of_classes
from offby.fit.data.rows import Rows
from offby.losses import CategoricalFocal, FocalLogit, Logistic, SoftmaxCrossEntropy

_MOST_STEPS = 500
_LEAST_BEND = 1e-9  # beside the largest, in directions that hardly change a chance


class Softmax:
    """Linear models of several classes, one for each fold: y is the number of each row's class."""

    def __init__(self, data: Data, classes: int, candidate: Candidate) -> None:
        check_twin(candidate)
        self.data, self.classes, self.candidate = data, classes, candidate

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row: logits (n, folds, K)."""
        found = [self.data.X @ self._fit(split.train(fold)).T for fold in range(split.folds)]
        return np.stack(found, axis=1)

    def _fit(self, train: NDArray[np.bool_]) -> Floats:
        y, weight = self.data.y[train], self.data.weights(train)
        rows = Rows(self.data.X[train], y, balanced(y, weight, self.candidate))
        plain = np.asarray(fit_classes(rows, self.classes, SETTINGS).coefficients)
        family = self.candidate.family
        return _focused(rows, plain, family.gamma) if isinstance(family, FocalLogit) else plain


def check_twin(candidate: Candidate) -> None:
    """Raise `MeasureError` for a loss of yes and no that several classes have no twin of."""
    if candidate.name.partition("+")[0] == "class_weighted":
        return
    if not isinstance(candidate.family, Logistic | FocalLogit):
        raise MeasureError(
            f"{candidate.family} is of two classes; of several there are cross_entropy, "
            "class_weighted and focal:2"
        )


def balanced(y: Floats, weight: Floats | None, candidate: Candidate) -> Floats | None:
    """The weights of the rows, in which all classes weigh alike if the candidate is so.

    >>> from offby.choice.trained.candidate import of_classes
    >>> balanced(np.array([0.0, 0.0, 1.0]), None, of_classes("class_weighted")).round(2)
    array([0.75, 0.75, 1.5 ])
    """
    if candidate.name.partition("+")[0] != "class_weighted":
        return weight
    codes = y.astype(np.int64)
    sums = np.bincount(codes, weight)
    each = sums.sum() / np.count_nonzero(sums) / np.maximum(sums, np.finfo(float).tiny)
    return np.asarray(each[codes] if weight is None else weight * each[codes])


def _focused(rows: Rows, start: Floats, gamma: float) -> Floats:
    """Coefficients under the focal loss of the softmax, from those of cross-entropy on.

    Steps are taken where the cross-entropy is round, without which hundreds are needed.
    """
    loss, codes = CategoricalFocal(gamma), rows.y.astype(np.int64)
    weight = np.ones(codes.size) if rows.weight is None else rows.weight
    share = weight / weight.sum()
    problem = problem_of_classes(rows, len(start), SETTINGS)
    first = problem.places.slope(start)
    bend = problem.point(first).bend
    assert bend is not None
    bends, directions = np.linalg.eigh(bend)
    unit = directions / np.sqrt(np.maximum(bends, _LEAST_BEND * bends[-1]))

    def coefficients(at: Floats) -> Floats:
        return problem.places.by_class(first + unit @ at)

    def cost(at: Floats) -> tuple[float, Floats]:
        chances = special.softmax(rows.X @ coefficients(at).T, axis=1)
        slopes = loss.gradient(codes, chances)
        pulls = chances * (slopes - np.sum(slopes * chances, axis=1, keepdims=True))
        slope = problem.places.slope((share[:, None] * pulls).T @ rows.X)
        return float(share @ loss.value(codes, chances)), unit.T @ slope

    told: dict[str, Any] = {"jac": True, "options": {"maxiter": _MOST_STEPS, "gtol": 1e-7}}
    found: Any = optimize.minimize(cost, np.zeros(first.size), method="L-BFGS-B", **told)
    return coefficients(found.x)


@dataclass(frozen=True)
class Kinds(Decided):
    """Judged by what a classifier of K classes is judged by; costs are K rows of what came true."""

    first: str
    classes: int
    costs: Costs | None = None
    movable = ("cost",)
    usual = ("accuracy", "f1:macro", "auc", "log_loss")

    def each(self, y: Floats, held: Held) -> Floats:
        """Log loss; nothing for rows that were never held out."""
        told = np.isfinite(held.scores).all(axis=1)
        found = np.full(y.size, np.nan)
        found[told] = SoftmaxCrossEntropy().value(y[told].astype(np.int64), held.scores[told])
        return found

    def _one(self, name: str, y: Floats, held: Held, weight: Floats, rows: Marks) -> float:
        codes, scores, weights = y[rows].astype(np.int64), held.scores[rows], weight[rows]
        if name == "log_loss":
            if held.moved or not held.chances:
                return np.nan
            return float(np.average(SoftmaxCrossEntropy().value(codes, scores), weights=weights))
        chances = special.softmax(scores, axis=1)
        if name == "auc":
            each = [auc((codes == k) * 1.0, chances[:, k], weights) for k in range(self.classes)]
            return 1 - float(np.mean(each))
        acts = self._acts(chances, moved=held.moved)
        if name == "cost":
            return float(np.average(np.asarray(self.costs)[codes, acts], weights=weights))
        if name == "accuracy":
            return float(np.average(acts != codes, weights=weights))
        return 1 - _macro_f1(codes, acts, weights, self.classes)

    def _acts(self, chances: Floats, *, moved: bool) -> NDArray[np.int64]:
        """The class that is likeliest, or if so asked that which costs least on average."""
        if moved:
            return np.asarray(np.argmin(chances @ np.asarray(self.costs, float), axis=1))
        return np.asarray(np.argmax(chances, axis=1))


def _macro_f1(
    codes: NDArray[np.int64], acts: NDArray[np.int64], weight: Floats, classes: int
) -> float:
    """The mean over classes; NaN where one neither came true nor was told."""
    sums = [np.bincount(of, weight, classes) for of in (codes, acts)]
    hits = np.bincount(codes[codes == acts], weight[codes == acts], classes)
    with np.errstate(invalid="ignore"):
        return float(np.mean(2 * hits / (sums[0] + sums[1])))
