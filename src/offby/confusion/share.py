"""A share of a class: a ratio of sums over its true and false positives and negatives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from offby.confusion.estimate import Estimate, on_its_scale, recovered, standard_error, wilson
from offby.confusion.table import Confusion
from offby.errors import MeasureError
from offby.measures.aggregate import Undefined

Floats = NDArray[np.float64]
Average = Literal["macro", "micro", "weighted"]
TP, FP, FN, TN = np.eye(4)
_UNIT = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Share:
    """A ratio of two sums over the true and false positives and negatives of a class.

    Called with a table and the index of a class, or with "macro" (the mean over classes), "micro"
    (the outcomes of all classes summed) or "weighted" (the mean over classes by their support).
    Left out, it is class 1 of two classes, and "macro" of any other number. Raises `Undefined`
    where a needed denominator is 0; `empty` then says why.

    >>> table = Confusion.of([1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    >>> precision = Share("precision", TP, TP + FP, "no row was predicted as {}")
    >>> precision(table, 1).value, precision(table, "macro").value
    (0.6666666666666666, 0.5833333333333333)
    """

    name: str
    numerator: Floats
    denominator: Floats
    empty: str

    def __call__(
        self, confusion: Confusion, of: int | Average | None = None, confidence: float = 0.95
    ) -> Estimate:
        """The share, and how sure it is."""
        if of is None:
            of = 1 if len(confusion.labels) == 2 else "macro"
        if of == "macro":
            return self._macro(confusion, confidence)
        if of == "micro":
            return self._micro(confusion, confidence)
        if of == "weighted":
            return self._weighted(confusion, confidence)
        return self._of_class(confusion, of, confidence)

    def _of_class(self, confusion: Confusion, place: int, confidence: float) -> Estimate:
        if not 0 <= place < len(confusion.labels):
            raise MeasureError(f"there is no class {place}; there are {len(confusion.labels)}")
        weights, squares = (bins[:, place] for bins in confusion.outcomes)
        if not self.denominator @ weights:
            raise self._undefined(confusion, [place])
        found = _ratio(weights, squares, self.numerator, self.denominator, confidence)
        slopes = np.zeros((4, len(confusion.labels)))
        slopes[:, place] = self.numerator - found.value * self.denominator
        whole = float(self.denominator @ weights)
        return replace(found, influence=lambda: _over_cells(slopes) / whole)

    def _micro(self, confusion: Confusion, confidence: float) -> Estimate:
        """Of K classes, a right row is a true negative for K - 1, a wrong one for K - 2."""
        outcomes = np.array([TP + (len(confusion.labels) - 1) * TN,
                             FP + FN + (len(confusion.labels) - 2) * TN])  # fmt: skip
        numerator, denominator = outcomes @ self.numerator, outcomes @ self.denominator
        weights, squares = confusion.verdicts
        if not denominator @ weights:
            raise self._undefined(confusion, range(len(confusion.labels)))
        found = _ratio(weights, squares, numerator, denominator, confidence)
        right, wrong = (numerator - found.value * denominator) / float(denominator @ weights)
        on_diagonal = partial(np.eye, len(confusion.labels), dtype=bool)
        return replace(found, influence=lambda: np.where(on_diagonal(), right, wrong))

    def _macro(self, confusion: Confusion, confidence: float) -> Estimate:
        factors = np.ones(len(confusion.labels))
        values, slopes = self._by_class(confusion, factors)
        value = float((factors * values).sum() / factors.sum())
        factors /= factors.sum()
        influence = _over_cells(slopes * factors)
        error, n = _error(confusion, influence)
        if not self.apart:
            return replace(
                on_its_scale(value, error, n, confidence, _UNIT), influence=lambda: influence
            )
        rows, squares = (self.denominator @ bins for bins in confusion.outcomes)
        ends = wilson(values, rows**2 / squares, confidence)
        low, high = recovered(value, values, ends, factors)
        return Estimate(value, error if error > 0 else None, low, high, influence=lambda: influence)

    def _weighted(self, confusion: Confusion, confidence: float) -> Estimate:
        support = confusion.support
        values, slopes = self._by_class(confusion, support)
        value = float((support * values).sum() / support.sum())
        # a row also adds to the support of its class
        influence = _over_cells(slopes * confusion.shares.sum(1)) + (
            (values - value)[:, None] / confusion.total
        )
        error, n = _error(confusion, influence)
        return replace(
            on_its_scale(value, error, n, confidence, _UNIT), influence=lambda: influence
        )

    @property
    def apart(self) -> bool:
        """Whether the denominators of different classes share no row."""
        return bool(self.denominator @ TN == 0 and self.denominator @ (FP + FN) == 1)

    def _by_class(self, confusion: Confusion, factors: Floats) -> tuple[Floats, Floats]:
        """The value of each class that counts, and its derivatives towards the four outcomes."""
        weights = confusion.outcomes[0]
        whole = self.denominator @ weights
        missing = np.flatnonzero((whole == 0) & (factors > 0))
        if missing.size or not factors.any():
            raise self._undefined(confusion, missing)
        whole = np.where(whole == 0, 1.0, whole)
        values = self.numerator @ weights / whole
        return values, (self.numerator[:, None] - np.outer(self.denominator, values)) / whole

    def _undefined(self, confusion: Confusion, places: Iterable[int]) -> Undefined:
        if not confusion.total:
            return Undefined("there are no rows")
        return Undefined(self.empty.format(confusion.named(places)))


def _ratio(
    weights: Floats, squares: Floats, numerator: Floats, denominator: Floats, confidence: float
) -> Estimate:
    """A ratio of weighted sums over a few bins of rows.

    Rows that the denominator leaves out tell nothing: they count neither here nor there.
    """
    about = denominator > 0
    weights, squares, numerator, denominator = (
        part[about] for part in (weights, squares, numerator, denominator)
    )
    whole = float(denominator @ weights)
    value = float(numerator @ weights) / whole
    error, n = standard_error(weights, squares, (numerator - value * denominator) / whole)
    kinds = sorted(set(zip(numerator, denominator, strict=True)), key=lambda kind: kind[0])
    if len(kinds) > 2:
        return on_its_scale(value, error, n, confidence, _UNIT)
    hit = (numerator == kinds[-1][0]) & (denominator == kinds[-1][1])
    share = float(weights[hit].sum() / weights.sum())
    low, high = (_mixed(float(end), *kinds) for end in wilson(share, n, confidence))
    return Estimate(value, error if error > 0 else None, low, high)


def _mixed(share: float, miss: tuple[float, float], hit: tuple[float, float]) -> float:
    """The ratio, where it is settled by the share of rows that are hits: it grows with that.

    So F1 = 2 TP / (2 TP + FP + FN) is as sure as the share TP / (TP + FP + FN).
    """
    above, below = (share * a + (1 - share) * b for a, b in zip(hit, miss, strict=True))
    return above / below


def _error(confusion: Confusion, influence: Floats) -> tuple[float, float]:
    return standard_error(confusion.weights, confusion.squares, influence)


def _over_cells(slopes: Floats) -> Floats:
    """From derivatives towards each class's four outcomes to those towards the K x K cells.

    A cell off the diagonal is a false negative of its row's class, a false positive of its
    column's, and a true negative of all others.
    """
    tp, fp, fn, tn = slopes
    cells = tn.sum() + (fn - tn)[:, None] + (fp - tn)
    np.fill_diagonal(cells, tn.sum() - tn + tp)
    return np.asarray(cells)
