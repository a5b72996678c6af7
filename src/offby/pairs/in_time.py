"""Rows in order of time: how sure a mean is when one row's loss tells of the next one's.

Rows of one moment are added up, since their order is unknown (Driscoll & Kraay 1998). What is left
is a series, whose long-run variance takes the place of its variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from offby.errors import MeasureError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Timeline:
    """When each row was, and over how many moments errors may overlap, if that is known.

    >>> Timeline(np.array([7.0, 3.0, 7.0])).sums(np.array([1.0, 2.0, 4.0]))
    array([2., 5.])
    """

    time: Floats
    horizon: int | None = None

    def checked(self) -> Timeline:
        """Itself; raises `MeasureError` where the horizon does not fit the moments."""
        if self.horizon is not None and not 1 <= self.horizon < self.moments:
            raise MeasureError(
                f"the horizon is {self.horizon}; expected a whole number of moments, at least 1 "
                f"and fewer than the {self.moments:,} there are"
            )
        return self

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        return np.unique(self.time, return_inverse=True)[1].reshape(-1)

    @property
    def moments(self) -> int:
        """How many different moments there are."""
        return int(self._places.max(initial=-1)) + 1

    def sums(self, values: Floats) -> Floats:
        """The sums of the values of each moment, in order of time."""
        return np.asarray(np.bincount(self._places, weights=values), np.float64)

    def error(self, influence: Floats) -> tuple[float, float]:
        """The standard error of a sum of mean 0 over the rows, and its degrees of freedom."""
        series = self.sums(influence)
        if self.horizon is None:
            return slowest(series)
        return overlapping(series, self.horizon)


def slowest(series: Floats) -> tuple[float, float]:
    """The standard error of the sum of a series of mean 0, from its slowest waves.

    About 0.4 n^(2/3) cosines, whose mean square has as many degrees of freedom (Lazarus, Lewis,
    Stock & Watson 2018): valid for any short memory, with no bandwidth to choose.
    """
    n = series.size
    if n < 2:
        return math.nan, math.nan
    many = max(round(0.41 * n ** (2 / 3)), 1)
    waves = fft.dct(series, type=2, norm="ortho")[1 : many + 1]
    return math.sqrt(n * float(np.mean(waves**2))), float(waves.size)


def overlapping(series: Floats, horizon: int) -> tuple[float, float]:
    """The standard error of the sum of a series whose forecasts looked `horizon` steps ahead.

    Errors of such are correlated over horizon - 1 steps: Diebold & Mariano's (1995) sum of
    autocovariances, with Harvey, Leybourne & Newbold's (1997) correction for short series. Where
    that sum is negative, distant steps count less (Bartlett's weights).
    """
    n = series.size
    if n <= horizon:
        return math.nan, math.nan
    gaps = series - series.mean()
    lags = np.arange(1, horizon)
    together = np.array([float(gaps[lag:] @ gaps[:-lag]) for lag in lags])
    own = float(gaps @ gaps)
    whole = own + 2 * float(together.sum())
    if whole <= 0:
        whole = own + 2 * float(((1 - lags / horizon) * together).sum())
    short = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return math.sqrt(max(whole, 0.0) / short) if short > 0 else math.nan, n - 1.0
