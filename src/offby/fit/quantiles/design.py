"""What a quantile regression is given, made ready: checked rows, an intercept, mixed columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.reading import read_features, read_target, read_weights
from offby.fit.quantiles.columns import mixture
from offby.fit.quantiles.problem import Places, Problem, Sizes

_SOME = 5_000  # rows that tell where columns lie
_FAR = 8.0  # deviations from 0, beyond which digits are lost


@dataclass(frozen=True, eq=False)
class Design:
    """The rows that have a weight, where they are if not all do, and the independent columns.

    With an intercept, the first column is 1, so that other constant columns are of no use beside
    it, and `centre` (p,) is subtracted from the others. y is in units of `unit`, a power of two,
    so that nothing overflows and no digit is changed. Where the rows are some of many, and the last
    of them lumps of the others, `whole` is what is known of all.
    """

    rows: Problem
    kept: Places
    present: Places | None
    centre: Floats | None
    unit: float
    whole: Sizes | None = None

    @classmethod
    def of(cls, X: Any, y: Any, sample_weight: Any, fit_intercept: bool) -> Design:
        """From what the caller has: (n, p), (n,) and (n,) or None; raises `DataError`."""
        features = read_features(X)
        truth = read_target(y, len(features))
        weight = read_weights(sample_weight, len(features))
        present = None
        if weight is not None and not weight.all():
            present = np.flatnonzero(weight)
            features, truth, weight = features[present], truth[present], weight[present]
        centre = _centre(features) if fit_intercept else None
        if centre is not None:
            features = _with_ones(features, centre)
        kept, mixed = mixture(features)
        unit = _unit(truth)
        return cls(Problem(features, truth / unit, weight, mixed), kept, present, centre, unit)

    @cached_property
    def total_weight(self) -> float:
        """What a sum of losses is divided by for their mean."""
        return (self.whole or self.rows).total_weight

    def alike(self, X: Floats, y: Floats, weight: Floats | None) -> Problem:
        """Other rows, all with a weight, made ready as these are."""
        features = X if self.centre is None else _with_ones(X, self.centre)
        return Problem(features, y / self.unit, weight, self.rows.mixture)

    def coefficients(self, coef: Floats) -> tuple[Floats, float]:
        """Coefficients of the columns as they were given, and the intercept, for y as it was."""
        coef = self.unit * coef
        if self.centre is None:
            return coef, 0.0
        return coef[1:], float(coef[0] - self.centre @ coef[1:])

    def mixed(self, coef: Floats, intercept: float) -> Floats:
        """Coefficients and intercept as those of mixed columns, the inverse of what leads there."""
        given = coef / self.unit
        if self.centre is not None:
            given = np.append(intercept / self.unit + self.centre @ given, given)
        mixture = self.rows.mixture
        assert mixture is not None
        return np.asarray(np.linalg.solve(mixture[self.kept], given[self.kept]))

    def far(self, coef: Floats) -> float:
        """How large the terms are that the intercept makes up for, where columns lie far from 0."""
        return 0.0 if self.centre is None else float(np.abs(self.centre) @ np.abs(coef))

    def given(self, places: Places) -> Places:
        """Where rows stand in what the caller gave."""
        return places if self.present is None else self.present[places]


def check_tau(tau: Any) -> float:
    """Which quantile: strictly between 0 and 1; raises `DataError` for anything else.

    >>> check_tau(0.5)
    0.5
    """
    number = isinstance(tau, float | int | np.floating) and not isinstance(tau, bool)
    if not number or not 0 < tau < 1:
        raise DataError(f"tau is {tau!r}; expected a number between 0 and 1, as 0.9 for 90 %")
    return float(tau)


def _centre(X: Floats) -> Floats:
    """What to subtract from columns far from 0 for their spread: years, say; 0 for others.

    As a float32 it has few digits, so that the differences to numbers near it are exact.
    """
    some = X[:: max(len(X) // _SOME, 1)]
    mean = some.mean(axis=0)
    far = np.abs(mean) > _FAR * some.std(axis=0)
    return np.where(far, mean, 0.0).astype(np.float32).astype(np.float64)


def _unit(y: Floats) -> float:
    """The power of two below the largest of y, or 1 if all are 0.

    >>> _unit(np.array([0.0, -5.0]))
    4.0
    """
    largest = np.max(np.abs(y))
    return float(np.ldexp(0.5, np.frexp(largest)[1])) if largest > 0 else 1.0


def _with_ones(X: Floats, centre: Floats) -> Floats:
    found = np.empty((X.shape[0], X.shape[1] + 1))

    def fill(start: int, stop: int) -> None:
        found[start:stop, 0] = 1
        np.subtract(X[start:stop], centre, out=found[start:stop, 1:])

    in_slices(len(X), fill)
    return found
