"""A parameter chosen by folds within the rows that each fold trains on, by the judge.

The rows of the outer fold are never among them, so nothing is learnt from rows held out. With five
blocks of rows each pair of them is left out once, and tells of both: as the outer fold's inner one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from offby.choice.trained.folds import Ints, Split
from offby.engine.rows import Floats
from offby.losses import Loss

MOST = 10_000
"""Rows that a parameter is chosen by: with more, what differs there is too little to matter."""
_SURE = 1.0  # standard errors by which another value must be better than the usual one
_Sets = dict[tuple[bool, ...], int]


class Fits(Protocol):
    """Models of one candidate, one for each fold."""

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row, seen or not: (n, folds), or (n, folds, K)."""
        ...


@dataclass(frozen=True, eq=False)
class Trials:
    """How an option does on some of the rows: its fits there, their truths, weights and places."""

    fits: Sequence[Fits]
    y: Floats
    weight: Floats | None
    rows: Ints

    @classmethod
    def of(
        cls, fit: Callable[[int, Ints], Fits], options: int, y: Floats, weight: Floats | None
    ) -> Trials:
        """Fits of each option, by its place, to rows evenly spread."""
        rows = np.arange(0, y.size, max(-(-y.size // MOST), 1))
        some = None if weight is None else weight[rows]
        return cls([fit(option, rows) for option in range(options)], y[rows], some, rows)


class Nested:
    """Fits under the option that inner folds find best, for each fold by itself."""

    def __init__(
        self, whole: Callable[[int], Fits], trials: Trials, aim: Loss, most: int | None = None
    ) -> None:
        self._whole, self._trials, self._aim, self._most = whole, trials, aim, most
        self._fits: dict[int, Fits] = {}
        self._taken: list[int] = []

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row, under the option of that fold: (n, folds)."""
        best = self._best(split)
        self._taken += best.tolist()
        found = np.empty((split.block.size, split.folds))
        for option in np.unique(best).tolist():
            folds = np.flatnonzero(best == option)
            if option not in self._fits:
                self._fits[option] = self._whole(option)
            found[:, folds] = self._fits[option].scores(split.of(folds))
        return found

    @property
    def usual(self) -> int:
        """The option that was taken most often so far."""
        return max(sorted(set(self._taken)), key=self._taken.count, default=0)

    def _best(self, split: Split) -> Ints:
        """The option of each fold; the usual one where there are no inner folds."""
        some = Split(split.block[self._trials.rows], split.trains, split.tests, split.forward)
        sets: _Sets = {}
        inner = [
            [(sets.setdefault(tuple(trained.tolist()), len(sets)), held)
             for trained, held in list(some.inner(fold))[: self._most]]
            for fold in range(some.folds)
        ]  # fmt: skip
        if not sets:
            return np.zeros(some.folds, np.int64)
        every = Split(some.block, np.array(list(sets)), np.zeros(len(sets), np.int64))
        costs = [self._costs(fits.scores(every), some, inner) for fits in self._trials.fits]
        return np.array([self._better([one[fold] for one in costs], fold, inner, some)
                         for fold in range(some.folds)])  # fmt: skip

    def _costs(
        self, scores: Floats, split: Split, inner: list[list[tuple[int, int]]]
    ) -> list[Floats]:
        """What each row held out by an inner fold costs the judge, for each outer fold."""
        found = []
        for folds in inner:
            parts = [np.zeros(0)]
            for place, held in folds:
                rows = split.block == held
                with np.errstate(all="ignore"):
                    parts.append(self._aim.value(self._trials.y[rows], scores[rows, place]))
            found.append(np.concatenate(parts))
        return found

    def _better(
        self, costs: list[Floats], fold: int, inner: list[list[tuple[int, int]]], split: Split
    ) -> int:
        """The option that is best by more than a standard error of the difference, if one is.

        So chance alone seldom leads from the usual one (the rule of Breiman et al. 1984).
        """
        weight = self._trials.weight
        every = [np.zeros(0, np.int64), *(np.flatnonzero(split.block == g) for _, g in inner[fold])]
        weights = np.ones(costs[0].size) if weight is None else weight[np.concatenate(every)]
        gains = [surely(costs[0] - one, weights) for one in costs[1:]]
        best = int(np.argmax(gains)) if gains else 0
        return best + 1 if gains and gains[best] > 0 else 0


def surely(gains: Floats, weights: Floats) -> float:
    """The weighted mean of what rows gain, if it is above its standard error; 0 if not.

    >>> surely(np.array([1.0, 1.0, 2.0]), np.ones(3)), surely(np.array([-9.0, 11.0]), np.ones(2))
    (1.3333333333333333, 0.0)
    """
    if not gains.size or not np.isfinite(gains).all():
        return 0.0
    mean = float(np.average(gains, weights=weights))
    error = float(np.sqrt(np.sum((weights * (gains - mean)) ** 2))) / float(np.sum(weights))
    return mean if mean > _SURE * error else 0.0
