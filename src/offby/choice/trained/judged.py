"""What held-out rows cost, fold by fold, under each measure; always so that less is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from offby.choice.trained.folds import Split
from offby.engine.rows import Floats
from offby.losses import Logistic, Loss

Rows = NDArray[np.bool_]
HIGHER = ("accuracy", "precision", "recall", "f1", "auc")
"""Measures of which more is better: they are judged by what is missing to 1."""

MOVABLE = ("accuracy", "f1", "cost")
"""Measures that a threshold between the extremes is best for."""


@dataclass(frozen=True, eq=False)
class Held:
    """Predictions for rows that their model has not seen (n,), and each row's threshold (n,)."""

    scores: Floats
    cuts: Floats
    chances: bool = True
    """Whether the scores of a classifier are logits, so that they tell chances."""


class Judges(Protocol):
    """Measures by name, the one that counts first."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        ...

    def each(self, y: Floats, held: Held) -> Floats:
        """What each row costs, to tell the worst ones: (n,)."""
        ...

    def folds(self, y: Floats, held: Held, split: Split, kept: Rows) -> Floats:
        """What each fold's judged rows cost, of those that are kept: (measures, folds)."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Judged by mean losses."""

    losses: Mapping[str, Loss]

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(self.losses)

    def each(self, y: Floats, held: Held) -> Floats:
        """The loss that counts."""
        with np.errstate(all="ignore"):
            return np.asarray(next(iter(self.losses.values())).value(y, held.scores))

    def folds(self, y: Floats, held: Held, split: Split, kept: Rows) -> Floats:
        """Mean losses of the kept rows."""
        share = split.means(kept.astype(float))
        with np.errstate(all="ignore"):
            found = [
                split.means(np.where(kept, loss.value(y, held.scores), 0.0)) / share
                for loss in self.losses.values()
            ]
        return np.stack(found)


@dataclass(frozen=True)
class Classes:
    """Judged by what a classifier of yes and no is judged by; costs are of false alarm and miss."""

    first: str
    costs: tuple[float, float] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The one that counts, then the others."""
        known = (*HIGHER, "log_loss", *(("cost",) if self.costs is not None else ()))
        return (self.first, *(name for name in known if name != self.first))

    def each(self, y: Floats, held: Held) -> Floats:
        """Log loss."""
        return np.asarray(Logistic().value(y, held.scores))

    def folds(self, y: Floats, held: Held, split: Split, kept: Rows) -> Floats:
        """Measures of each fold by itself; undefined ones are NaN."""
        tests = [split.test(fold) & kept for fold in range(split.folds)]
        return np.array([[self._one(name, y[t], held, t) for t in tests] for name in self.names])

    def _one(self, name: str, y: Floats, held: Held, rows: Rows) -> float:
        scores = held.scores[rows]
        if name == "auc":
            return 1 - auc(y, scores)
        if name == "log_loss":
            moved = bool(held.cuts.any()) or not held.chances
            return np.nan if moved else float(np.mean(Logistic().value(y, scores)))
        told = scores > held.cuts[rows]
        hits, alarms = (np.array(float(np.sum(told & (y == k)))) for k in (1, 0))
        return float(cost_of(name, hits, alarms, float(np.sum(y == 1)), y.size, self.costs))


def cost_of(
    name: str, hits: Floats, alarms: Floats, yes: float, count: int,
    costs: tuple[float, float] | None,
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


def auc(y: Floats, scores: Floats) -> float:
    """The chance that a yes scores above a no, ties half; NaN where a class is missing.

    >>> float(auc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9])))
    0.75
    """
    no, yes = np.sort(scores[y == 0]), scores[y == 1]
    if not no.size or not yes.size:
        return np.nan
    below = np.searchsorted(no, yes, "left") + np.searchsorted(no, yes, "right")
    return float(np.mean(below) / 2 / no.size)


def best_cut(name: str, y: Floats, scores: Floats, costs: tuple[float, float] | None) -> float:
    """The threshold of scores at which a measure is best; between two rows, in their middle.

    >>> best_cut("accuracy", np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 3.0]), None)
    2.0
    """
    order = np.argsort(-scores)
    ordered, truths = scores[order], y[order]
    hits, alarms = np.cumsum(truths), np.cumsum(1 - truths)
    values = cost_of(name, hits, alarms, float(y.sum()), y.size, costs)
    ends = np.append(ordered[1:] < ordered[:-1], True)
    at = int(np.nanargmin(np.where(ends, values, np.inf)))
    after = ordered[at + 1] if at + 1 < y.size else ordered[at] - 1.0
    return float((ordered[at] + after) / 2)
