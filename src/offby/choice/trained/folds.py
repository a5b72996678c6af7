"""Which rows train and which are held out: blocks of rows, and for each fold those it may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.errors import DataError

Ints = NDArray[np.int64]
_SEED = 5


@dataclass(frozen=True, eq=False)
class Split:
    """Blocks of rows, (n,) numbers from 0; fold f trains on the blocks `trains[f]` marks.

    It is judged on block `tests[f]`; a block in no test is never held out. With `forward`, blocks
    follow one another in time.
    """

    block: Ints
    trains: NDArray[np.bool_]
    tests: Ints
    forward: bool = False

    @property
    def folds(self) -> int:
        """How many fits there are."""
        return int(self.tests.size)

    def train(self, fold: int) -> NDArray[np.bool_]:
        """The rows that a fold trains on: (n,)."""
        return np.asarray(self.trains[fold][self.block])

    def test(self, fold: int) -> NDArray[np.bool_]:
        """The rows that it is judged on: (n,)."""
        return np.asarray(self.block == self.tests[fold])

    def of(self, folds: Ints) -> Split:
        """These folds alone."""
        return replace(self, trains=self.trains[folds], tests=self.tests[folds])

    def inner(self, fold: int) -> Iterator[tuple[NDArray[np.bool_], int]]:
        """Folds within the blocks that a fold trains on: those trained on, and the one held out.

        >>> split = splits(8, 4, 1)[0]
        >>> [(trained.tolist(), held) for trained, held in split.inner(3)][0]
        ([False, True, True, False], 0)
        """
        blocks = np.arange(self.trains.shape[1])
        for held in np.flatnonzero(self.trains[fold]):
            trained = self.trains[fold] & (blocks < held if self.forward else blocks != held)
            if trained.any():
                yield trained, int(held)

    def ratio(self, weight: Floats | None = None) -> float:
        """The rows judged over the rows trained on, by weight, on average over the folds."""
        sizes = np.bincount(self.block, weight, minlength=self.trains.shape[1])
        return float(np.mean(sizes[self.tests] / (self.trains @ sizes)))

    def means(self, values: Floats) -> Floats:
        """The mean of each fold's judged rows: (folds,)."""
        sums = np.bincount(self.block, values, minlength=self.trains.shape[1])
        sizes = np.bincount(self.block, minlength=self.trains.shape[1])
        return np.asarray(sums[self.tests] / np.maximum(sizes[self.tests], 1))


def splits(
    count: int, folds: int = 5, repeats: int = 5, *, classes: Ints | None = None,
    groups: Ints | None = None, time: Floats | None = None,
) -> list[Split]:  # fmt: skip
    """Repeated K-fold; of whole groups, of classes alike in every fold, or forward in time.

    Rows of one time stay together. Raises `DataError` where there are too few rows or groups.

    >>> [split.test(0).sum().item() for split in splits(10, repeats=2)]
    [2, 2]
    >>> forward = splits(6, 2, time=np.array([1.0, 2, 3, 4, 5, 6]))
    >>> forward[0].train(1).astype(int), forward[0].test(1).astype(int)
    (array([1, 1, 1, 1, 0, 0]), array([0, 0, 0, 0, 1, 1]))
    """
    if folds < 2 or repeats < 1:
        raise DataError(f"{folds} folds, {repeats} repeats; expected at least 2 and 1")
    if time is not None and groups is not None:
        raise DataError("groups and time cannot both decide the folds; give one of them")
    if time is not None:
        return [_forward(time, folds)]
    random = np.random.default_rng(_SEED)
    what = np.arange(count) if groups is None else groups
    if np.unique(what).size < 2 * folds and (groups is None or np.unique(what).size < folds):
        raise DataError(f"{np.unique(what).size} rows or groups are too few for {folds} folds")
    deal: Callable[[], Ints] = lambda: _dealt(what, folds, random)  # noqa: E731
    if groups is None and classes is not None:
        deal = lambda: _within(classes, folds, random)  # noqa: E731
    return [_apart(deal(), folds) for _ in range(repeats)]


def _apart(block: Ints, folds: int) -> Split:
    return Split(block, ~np.eye(folds, dtype=bool), np.arange(folds))


def _dealt(groups: Ints, folds: int, random: np.random.Generator) -> Ints:
    """Groups in random order, each to the block with fewest rows so far."""
    names, of_row, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = random.permutation(names.size)
    if sizes.max() == 1:
        block = np.empty(names.size, np.int64)
        block[order] = np.arange(names.size) % folds
        return np.asarray(block[of_row])
    block, filled = np.empty(names.size, np.int64), np.zeros(folds)
    for name in order[np.argsort(-sizes[order], kind="stable")]:
        block[name] = np.argmin(filled)
        filled[block[name]] += sizes[name]
    return np.asarray(block[of_row])


def _within(classes: Ints, folds: int, random: np.random.Generator) -> Ints:
    """Each class dealt out by itself."""
    block = np.empty(classes.size, np.int64)
    for one in np.unique(classes):
        rows = np.flatnonzero(classes == one)
        block[random.permutation(rows)] = np.arange(rows.size) % folds
    return block


def _forward(time: Floats, folds: int) -> Split:
    """Blocks of time, each judged by what was trained on those before it."""
    cuts = np.unique(np.quantile(time, np.arange(1, folds + 1) / (folds + 1), method="lower"))
    block = np.searchsorted(cuts, time, side="left").astype(np.int64)
    blocks = int(block.max()) + 1
    if blocks < 3:
        raise DataError("time has too few values for folds that follow one another")
    tests = np.arange(1, blocks)
    return Split(block, np.arange(blocks) < tests[:, None], tests, forward=True)


def named(values: Sequence[object]) -> Ints:
    """Numbers for names.

    >>> named(["b", "a", "b"])
    array([1, 0, 1])
    """
    return np.asarray(np.unique(np.asarray(values), return_inverse=True)[1], np.int64)
