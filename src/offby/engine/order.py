"""Rows counted by value: order statistics that merge, exact or with a guaranteed bracket.

Keys are the order-preserving bits of a float. All different keys are kept up to a budget; past it
low bits are dropped, the fewest that make the keys fit. How many that takes depends on the set of
rows only, never on their order, so neither does anything read off here.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

BUDGET = 1 << 15
"""Different keys that an order statistic keeps."""
_SIGN = np.int64(0x7FFFFFFFFFFFFFFF)


@dataclass(frozen=True, eq=False)
class KeyCounts:
    """Sorted keys with the low `level` bits dropped, rows a key, and (sum, correction) pairs."""

    level: int
    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    pairs: NDArray[np.float64]
    budget: int = BUDGET

    @classmethod
    def empty(cls, columns: int, budget: int = BUDGET) -> KeyCounts:
        """No rows yet, with so many columns of sums."""
        none = np.zeros(0, np.int64)
        return cls(0, none, none, np.zeros((0, 2 * columns)), budget)

    @classmethod
    def of(
        cls, keys: NDArray[np.int64], pairs: NDArray[np.float64], budget: int = BUDGET
    ) -> KeyCounts:
        """The counts of rows with these keys, in any order, and sums beside them."""
        order = np.argsort(keys, kind="stable")
        rows = cls(0, keys[order], np.ones_like(keys), pairs[order], budget)
        return _run_lengths(rows).within(budget)

    def within(self, budget: int) -> KeyCounts:
        """The same rows, as coarse as this budget asks."""
        fit = self.at_level(self.level + finest_drop(self.keys, budget))
        return replace(fit, budget=budget)

    def without(self, part: KeyCounts) -> KeyCounts:
        """The rows of these that are not among those of a part."""
        level = max(self.level, part.level)
        whole, some = self.at_level(level), part.at_level(level)
        places = np.searchsorted(whole.keys, some.keys)
        counts, pairs = whole.counts.copy(), whole.pairs.copy()
        counts[places] -= some.counts
        pairs[places] = _add_pairs(pairs[places], -some.pairs)
        left = counts > 0
        return KeyCounts(level, whole.keys[left], counts[left], pairs[left], self.budget)

    def merge(self, other: KeyCounts) -> KeyCounts:
        """Both together, as coarse as the budget asks and no coarser."""
        if not other.keys.size or not self.keys.size:
            whole = self if self.keys.size else other
            coarsest = max(self.level, other.level)
            drop = finest_drop(whole.keys, whole.budget)
            return whole.at_level(max(coarsest, whole.level + drop))
        level = max(self.level, other.level)
        merged = _joined(self.at_level(level), other.at_level(level))
        return merged.at_level(level + finest_drop(merged.keys, self.budget))

    def at_level(self, level: int) -> KeyCounts:
        """The same rows with more low bits dropped."""
        if level == self.level:
            return self
        return _run_lengths(replace(self, level=level, keys=self.keys >> (level - self.level)))

    @property
    def exact(self) -> bool:
        """Whether every key is one value."""
        return self.level == 0

    def low(self) -> NDArray[np.float64]:
        """The smallest value each key can stand for."""
        return _float(self.keys << self.level)

    def high(self) -> NDArray[np.float64]:
        """The largest value each key can stand for."""
        return _float((self.keys << self.level) | np.int64((1 << self.level) - 1))

    def column(self, place: int) -> list[Fraction]:
        """The exact sum a key of a column."""
        pairs = self.pairs[:, 2 * place : 2 * place + 2].tolist()
        return [Fraction(total) + Fraction(rest) for total, rest in pairs]


def finest_drop(keys: NDArray[np.int64], budget: int = BUDGET) -> int:
    """The fewest low bits to drop so that at most `budget` of the sorted keys differ."""
    differ = (keys[1:] ^ keys[:-1]).view(np.uint64)  # neighbours differ at a level if this reaches

    def too_many(drop: int) -> bool:
        return bool(1 + np.count_nonzero(differ >= np.uint64(1 << drop)) > budget)

    return bisect_left(range(64), True, key=lambda drop: not too_many(drop))


def _joined(a: KeyCounts, b: KeyCounts) -> KeyCounts:
    """The keys of both, of one level; a stable sort finds the two sorted runs and merges them."""
    runs = (a, b) if a.keys.size >= b.keys.size else (b, a)
    keys = np.concatenate([part.keys for part in runs])
    order = np.argsort(keys, kind="stable")
    counts = np.concatenate([part.counts for part in runs])
    pairs = np.concatenate([part.pairs for part in runs])
    return _run_lengths(replace(a, keys=keys[order], counts=counts[order], pairs=pairs[order]))


def _run_lengths(runs: KeyCounts) -> KeyCounts:
    """One row for each run of equal keys."""
    keys, counts, pairs = runs.keys, runs.counts, runs.pairs
    if not keys.size:
        return runs
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])
    ends = np.append(starts[1:], keys.size)
    upto = np.concatenate([[0], np.cumsum(counts)])
    if pairs.shape[1]:
        pairs = _add_runs(np.repeat(np.arange(starts.size), ends - starts), pairs)
    counts = upto[ends] - upto[starts]
    return KeyCounts(runs.level, keys[starts], counts, pairs[: starts.size], runs.budget)


def _add_runs(group: NDArray[np.int64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the pairs of each group, two neighbours at a time until one is left."""
    while group[-1] + 1 < group.size:
        first = np.flatnonzero(np.diff(group, prepend=-1))
        rank = np.arange(group.size) - first[group]
        left = np.flatnonzero(rank % 2 == 0)
        right = np.minimum(left + 1, group.size - 1)
        paired = (group[right] == group[left]) & (right > left)
        a, b = pairs[left], np.where(paired[:, None], pairs[right], 0.0)
        pairs, group = _add_pairs(a, b), group[left]
    return pairs


def _add_pairs(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Knuth's two-sum of the sums; its error joins the corrections."""
    total = np.empty_like(a)
    left, right = a[:, ::2], b[:, ::2]
    total[:, ::2] = left + right
    back = total[:, ::2] - left
    total[:, 1::2] = (left - (total[:, ::2] - back)) + (right - back) + a[:, 1::2] + b[:, 1::2]
    return total


def _float(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    return (keys ^ ((keys >> 63) & _SIGN)).view(np.float64)


def ordered_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integers that sort as the floats do; those of -x and x are each other's complement."""
    bits = values.view(np.int64)
    keys = bits >> 63
    keys &= _SIGN
    keys ^= bits
    return keys
