"""The segments that own most excess loss: found on one half of the rows, confirmed on the other.

Whoever looks at hundreds of segments finds bad ones in pure noise. So what the first half brings up
is only a list of candidates; each is tested on rows that had no say in its choice, and Holm's
correction keeps the chance of any false one below 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.segments.gap import holm
from offby.segments.losses import Flags, Floats, LossRows

LEAST_ROWS = 30
"""Of each half, that a segment needs to be looked at."""
MOST_CARRIED = 10
_MOST_VALUES = 1000  # of a column: its largest
_SIMPLER = 0.02  # by which share a second condition must add to the excess
_PENALTY = 2.0  # standard errors that an excess is marked down by, so that noise is not chosen
Condition = tuple[str, str]


@dataclass(frozen=True)
class Culprit:
    """A confirmed segment that owns more than its share of the loss.

    `loss` is the mean loss of its rows on the half that confirmed it, `gap` how far that lies above
    the rest's, with the interval from `low` to `high`. Rows of culprits named before are left out.
    """

    conditions: tuple[Condition, ...]
    rows: int
    loss: float
    rest: float
    gap: float
    low: float
    high: float
    p: float
    rows_share: float
    loss_share: float

    @property
    def label(self) -> str:
        """The segment in words."""
        return ", ".join(f"{column} = {value}" for column, value in self.conditions)

    def to_dict(self) -> dict[str, Any]:
        """The segment for JSON."""
        conditions = [{"column": c, "value": v} for c, v in self.conditions]
        return vars(self) | {"conditions": conditions}


@dataclass(frozen=True)
class Search:
    """What a search looked at and what it confirmed: perhaps nothing, which is an answer."""

    columns: tuple[str, ...]
    loss: str
    looked_at: int
    carried: int
    found: tuple[Culprit, ...]
    reason: str = ""
    """Why nothing could be searched, if so."""

    def to_dict(self) -> dict[str, Any]:
        """The search for JSON."""
        return vars(self) | {"columns": list(self.columns),
                             "found": [one.to_dict() for one in self.found]}  # fmt: skip


@dataclass(frozen=True)
class _Candidate:
    """A segment by the places of its columns and their codes, which are 1 and more."""

    parts: tuple[tuple[int, int], ...]
    score: float


def search(rows: LossRows, name: Callable[[int, int], str], loss: str, confidence: float) -> Search:
    """Find and confirm; `name` says what a code of a column stands for."""
    losses, weights, first = rows.losses, rows.weights, rows.first_half
    reason = _unfit(losses, first)
    if reason:
        return Search(rows.columns, loss, 0, 0, (), reason)
    columns = [_Values.of(rows.codes(k), first) for k in range(len(rows.columns))]
    half = _Half([column.places[first] for column in columns], losses[first], weights[first],
                 [column.size for column in columns])  # fmt: skip
    candidates = list(half.candidates())
    tests = _confirmed(candidates, columns, losses, weights, first, confidence)
    stand = holm([test.p for test in tests])
    found = []
    for candidate, test, stands in zip(candidates, tests, stand, strict=True):
        if stands:
            told = tuple((rows.columns[k], name(k, int(columns[k].codes[value - 1])))
                         for k, value in candidate.parts)  # fmt: skip
            found.append(Culprit(told, *test.numbers))
    return Search(rows.columns, loss, half.looked_at, len(candidates), tuple(found))


def _unfit(losses: Floats, first: Flags) -> str:
    bad = losses.size - int(np.count_nonzero(np.isfinite(losses)))
    if bad:
        return f"the loss of {bad:,} row{'s' * (bad > 1)} is not finite; judge by another measure"
    if min(np.count_nonzero(first), np.count_nonzero(~first)) < 2 * LEAST_ROWS:
        return f"{losses.size:,} rows are too few to find segments on one half and confirm on other"
    return ""


@dataclass(frozen=True)
class _Values:
    """The largest values of a column: each row's place among them from 1 on, 0 for the others."""

    places: NDArray[np.int32]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, codes: NDArray[np.int32], first: Flags) -> _Values:
        counts = np.bincount(codes[first])
        large = np.argsort(-counts, kind="stable")[:_MOST_VALUES]
        large = np.sort(large[counts[large] >= LEAST_ROWS])
        table = np.zeros(max(counts.size, int(codes.max(initial=0)) + 1), np.int32)
        table[large] = np.arange(1, large.size + 1)
        return cls(table[codes], large)

    @property
    def size(self) -> int:
        """How many places there are, with 0."""
        return self.codes.size + 1


class _Half:
    """Sums of weights, losses and squared losses for every one or two conditions, as rows leave."""

    def __init__(
        self, places: list[NDArray[np.int32]], losses: Floats, weights: Floats, sizes: Sequence[int]
    ) -> None:
        self.places, self.losses, self.weights, self.sizes = places, losses, weights, sizes
        alone = [(k,) for k in range(len(places))]
        self.tables = {key: self._sums(key, slice(None))
                       for key in (*alone, *combinations(range(len(places)), 2))}  # fmt: skip
        self.left = np.ones(losses.size, np.bool_)
        self.looked_at = sum(len(self._large(*item)[0]) for item in self.tables.items())

    def candidates(self) -> Iterator[_Candidate]:
        """The segments with most excess loss, each on the rows that those before left."""
        for _ in range(MOST_CARRIED):
            best = max((self._best(key) for key in self.tables), key=lambda found: found.score)
            if best.score <= 0:
                return
            yield best
            inside = _inside(best, self.places) & self.left
            self.left &= ~inside
            at = np.flatnonzero(inside)
            for key in self.tables:
                self.tables[key] -= self._sums(key, at)

    def _sums(self, key: tuple[int, ...], rows: Any) -> Floats:
        """Rows, weight, w², w x, w² x, w² x² a cell."""
        code = self.places[key[0]][rows]
        size = self.sizes[key[0]]
        if len(key) == 2:
            code = code.astype(np.int64) * self.sizes[key[1]] + self.places[key[1]][rows]
            size *= self.sizes[key[1]]
        weight, loss = self.weights[rows], self.losses[rows]
        squares = weight * weight
        beside = (None, weight, squares, weight * loss, squares * loss, squares * loss * loss)
        return np.stack([np.bincount(code, column, size) for column in beside]).astype(np.float64)

    def _large(self, key: tuple[int, ...], table: Floats) -> tuple[NDArray[np.intp], Floats]:
        """The cells with enough rows and a value for each condition."""
        cells = np.flatnonzero(table[0] >= LEAST_ROWS)
        if len(key) == 2:
            width = self.sizes[key[1]]
            cells = cells[(cells % width > 0) & (cells // width > 0)]
        else:
            cells = cells[cells > 0]
        return cells, table[:, cells]

    def _best(self, key: tuple[int, ...]) -> _Candidate:
        """The cell whose excess over the mean of the rows left is surely largest."""
        cells, (_, weight, squares, loss, loss2, square_loss) = self._large(
            key, self.tables[key])  # fmt: skip
        if not cells.size:
            return _Candidate((), -math.inf)
        left = self.tables[key].sum(axis=1)
        mean = left[3] / left[1]
        excess = loss - mean * weight
        spread = (
            square_loss - 2 * mean * loss2 + mean**2 * squares - excess**2 * squares / weight**2
        )
        score = excess - _PENALTY * np.sqrt(np.maximum(spread, 0.0))
        at = int(np.argmax(score))
        fair = 1 - _SIMPLER * (len(key) - 1)
        return _Candidate(self._parts(key, int(cells[at])), fair * float(score[at]))

    def _parts(self, key: tuple[int, ...], cell: int) -> tuple[tuple[int, int], ...]:
        values = (cell,) if len(key) == 1 else divmod(cell, self.sizes[key[1]])
        return tuple(zip(key, values, strict=True))


def _inside(candidate: _Candidate, places: Sequence[NDArray[np.int32]]) -> Flags:
    inside: Flags = np.logical_and.reduce([places[k] == value for k, value in candidate.parts])
    return inside


@dataclass(frozen=True)
class _Test:
    p: float
    numbers: tuple[Any, ...]


def _confirmed(
    candidates: Sequence[_Candidate], columns: Sequence[_Values], losses: Floats, weights: Floats,
    first: Flags, confidence: float,
) -> list[_Test]:  # fmt: skip
    """Each candidate against the rest of the other half, without the rows of those before."""
    left = np.ones(losses.size, np.bool_)
    whole = np.array([weights[~first].sum(), (weights * losses)[~first].sum()])
    tests = []
    for candidate in candidates:
        inside = _inside(candidate, [column.places for column in columns]) & left
        left &= ~inside
        ours, rest = (_mean(losses[part], weights[part]) for part in
                      (inside & ~first, left & ~first))  # fmt: skip
        tests.append(_tested(ours, rest, int(inside.sum()), whole, confidence))
    return tests


def _mean(losses: Floats, weights: Floats) -> tuple[float, float, float, float]:
    """The mean, its squared error, the effective number of rows, and the weight."""
    total = float(weights.sum())
    if losses.size < 2 or not total:
        return math.nan, math.nan, 0.0, total
    mean = float(weights @ losses) / total
    n = total**2 / float(weights @ weights)
    square = float(np.sum((weights * (losses - mean)) ** 2)) / total**2 * n / (n - 1)
    return mean, square, n, total


def _tested(
    ours: tuple[float, ...], rest: tuple[float, ...], rows: int, whole: Floats, confidence: float
) -> _Test:
    """Welch's one-sided test that the segment's mean loss is larger, and the gap's interval."""
    (mean, square, n, weight), (other, other_square, m, _) = ours, rest
    gap, error = mean - other, math.sqrt(square + other_square)
    if not error > 0 or n < 2 or m < 2:
        return _Test(1.0, ())
    lost = square**2 / (n - 1) + other_square**2 / (m - 1)
    degrees = (square + other_square) ** 2 / lost
    p = float(special.stdtr(degrees, -gap / error))
    reach = float(special.stdtrit(degrees, (1 + confidence) / 2)) * error
    shares = weight / whole[0], weight * mean / whole[1] if whole[1] else math.nan
    numbers = (rows, mean, other, gap, gap - reach, gap + reach, p, *map(float, shares))
    return _Test(p, numbers)
