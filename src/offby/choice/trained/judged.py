"""What held-out rows cost, fold by fold, under each measure; always so that less is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from offby.choice.trained.folds import Split
from offby.engine.rows import Floats
from offby.losses import Logistic, Loss

Marks = NDArray[np.bool_]
Costs = Sequence[Any]
"""Of a false alarm and of a miss; of several classes, a row for each that came true."""
HIGHER = ("accuracy", "precision", "recall", "f1", "f1:macro", "auc")
"""Measures of which more is better: they are judged by what is missing to 1."""


@dataclass(frozen=True, eq=False)
class Held:
    """Predictions for rows that their model has not seen (n,), and each row's threshold (n,)."""

    scores: Floats
    cuts: Floats
    chances: bool = True
    """Whether the scores of a classifier are logits, so that they tell chances."""
    moved: bool = False
    """Whether it decides as is best for the judge, and not for the class most likely."""


class Judges(Protocol):
    """Measures by name, the one that counts first."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        ...

    @property
    def movable(self) -> tuple[str, ...]:
        """Measures that another threshold than the usual one may be best for."""
        ...

    def each(self, y: Floats, held: Held) -> Floats:
        """What each row costs, to tell the worst ones: (n,)."""
        ...

    def folds(self, y: Floats, held: Held, split: Split, weight: Floats) -> Floats:
        """What each fold's judged rows cost, by their weights (n,): (measures, folds)."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Judged by mean losses."""

    losses: Mapping[str, Loss]
    movable = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(self.losses)

    def each(self, y: Floats, held: Held) -> Floats:
        """The loss that counts."""
        with np.errstate(all="ignore"):
            return np.asarray(next(iter(self.losses.values())).value(y, held.scores))

    def folds(self, y: Floats, held: Held, split: Split, weight: Floats) -> Floats:
        """Weighted mean losses; rows of the weight 0 are as if absent."""
        share = split.means(weight)
        with np.errstate(all="ignore"):
            found = [
                split.means(np.where(weight > 0, weight * loss.value(y, held.scores), 0.0)) / share
                for loss in self.losses.values()
            ]
        return np.stack(found)


class Decided(ABC):
    """Judged by what a classifier is judged by, a measure after the other."""

    first: str
    costs: Costs | None
    usual: ClassVar[tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The one that counts, then the others."""
        return (self.first, *(name for name in self.known if name != self.first))

    @property
    def known(self) -> tuple[str, ...]:
        """Those that there are; cost where costs are told."""
        return (*self.usual, *(("cost",) if self.costs is not None else ()))

    def folds(self, y: Floats, held: Held, split: Split, weight: Floats) -> Floats:
        """Measures of each fold by itself; undefined ones are NaN."""
        tests = [split.test(fold) & (weight > 0) for fold in range(split.folds)]
        return np.array([[self._one(name, y, held, weight, rows) for rows in tests]
                         for name in self.names])  # fmt: skip

    @abstractmethod
    def _one(self, name: str, y: Floats, held: Held, weight: Floats, rows: Marks) -> float:
        """A measure of these rows."""


@dataclass(frozen=True)
class Classes(Decided):
    """Judged by what a classifier of yes and no is judged by; costs are of false alarm and miss."""

    first: str
    costs: Costs | None = None
    movable = ("accuracy", "f1", "cost")
    usual = ("accuracy", "precision", "recall", "f1", "auc", "log_loss")

    def each(self, y: Floats, held: Held) -> Floats:
        """Log loss."""
        return np.asarray(Logistic().value(y, held.scores))

    def _one(self, name: str, y: Floats, held: Held, weight: Floats, rows: Marks) -> float:
        truths, scores, weights = y[rows], held.scores[rows], weight[rows]
        if name == "auc":
            return 1 - auc(truths, scores, weights)
        if name == "log_loss":
            if bool(held.cuts.any()) or not held.chances:
                return np.nan
            return float(np.average(Logistic().value(truths, scores), weights=weights))
        told = scores > held.cuts[rows]
        hits, alarms = (np.array(float(weights[told & (truths == k)].sum())) for k in (1, 0))
        yes, total = float(weights[truths == 1].sum()), float(weights.sum())
        return float(cost_of(name, hits, alarms, yes, total, self.costs))


def cost_of(
    name: str, hits: Floats, alarms: Floats, yes: float, count: float, costs: Costs | None
) -> Floats:  # fmt: skip
    """A measure of a two by two table, so that less is better; NaN where it is undefined.

    >>> cost_of("cost", np.array([3.0]), np.array([1.0]), 4.0, 10, (1.0, 5.0))
    array([0.6])
    """
    missed = yes - hits
    over: dict[str, tuple[Any, Any]] = {
        "accuracy": (missed + alarms, count),
        "precision": (alarms, hits + alarms),
        "recall": (missed, yes),
        "f1": (missed + alarms, 2 * hits + missed + alarms),
        "cost": (alarms * costs[0] + missed * costs[1] if costs else np.nan, count),
    }
    above, below = over[name]
    with np.errstate(all="ignore"):
        return np.asarray(np.divide(above, below))


def auc(y: Floats, scores: Floats, weight: Floats) -> float:
    """The chance that a yes scores above a no, ties half; NaN where a class is missing.

    >>> float(auc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9]), np.ones(3)))
    0.75
    """
    no, yes = y == 0, y == 1
    if not no.any() or not yes.any():
        return np.nan
    order = np.argsort(scores[no])
    below = np.append(0.0, np.cumsum(weight[no][order]))
    ordered = scores[no][order]
    sides = [below[np.searchsorted(ordered, scores[yes], side)] for side in ("left", "right")]
    return float(np.average(sides[0] + sides[1], weights=weight[yes]) / 2 / below[-1])


def best_cut(
    name: str, y: Floats, scores: Floats, costs: Costs | None, weight: Floats | None = None
) -> float:
    """The threshold of scores at which a measure is best; between two rows, in their middle.

    >>> best_cut("accuracy", np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 3.0]), None)
    2.0
    """
    weights = np.ones(y.size) if weight is None else weight
    order = np.argsort(-scores)
    ordered, truths = scores[order], y[order]
    hits, alarms = (np.cumsum(weights[order] * share) for share in (truths, 1 - truths))
    values = cost_of(name, hits, alarms, float(weights @ y), float(weights.sum()), costs)
    ends = np.append(ordered[1:] < ordered[:-1], True)
    at = int(np.nanargmin(np.where(ends, values, np.inf)))
    after = ordered[at + 1] if at + 1 < y.size else ordered[at] - 1.0
    return float((ordered[at] + after) / 2)
