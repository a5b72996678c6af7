"""How dense the errors of a fit lie at 0, which standard errors of quantiles need.

The loss of two lines has no bend, but its mean has one: that density. It is estimated as R's
quantreg does ("ker": Powell 1991, with the bandwidth of Hall & Sheather 1988), from the spread of
the errors, which rows in memory or read in parts tell in a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.fit.data.rows import Rows, Source
from offby.fit.passes.added import Added
from offby.fit.passes.blocks import Block, Linear
from offby.fit.passes.several import sums_over_rows
from offby.fit.solvers.lines import Lines

_FEW = 1 << 16
_ON_IT = 1e-9
_NORMAL = 1.34  # the interquartile range of a standard normal
_QUARTILES = np.array([0.25, 0.75])
_MOST = 0.02, 0.98  # of some rows: where those quartiles of all are looked for
_BINS = 1 << 14
_WIDER = 4.0


@dataclass(frozen=True)
class Density:
    """How dense errors lie at 0, seen through a normal kernel; times what a loss's slope jumps by.

    Its values over many rows add up to the bend of their mean loss. `level` is its one value where
    the errors of all rows are taken to be alike.
    """

    width: float
    jump: float
    level: float | None = None

    def at(self, errors: Floats) -> Floats:
        """The share of each row: (n,)."""
        if self.level is not None:
            return np.full(errors.shape, self.level)
        return self.jump / self.width * _normal_density(errors / self.width)

    def settled(self, errors: Floats, slope: Floats) -> Floats:
        """The slopes, 0 for rows that the fit goes through: rounding decides on which side."""
        return np.where(np.abs(errors) <= _ON_IT * self.width, 0.0, slope)


@dataclass(frozen=True, eq=False)
class Errors(Added):
    """Of the errors of rows with a weight: their count, sum and squares; and the largest y.

    They are those less a `pilot` that is near their mean. `counts` (bins + 2) says how many are
    below a range, in each of equal bins of it, and above it.
    """

    count: int
    total: float
    squares: float
    largest: float = field(metadata={"joined": max})
    counts: Floats

    @property
    def deviation(self) -> float:
        """Their standard deviation."""
        mean = self.total / self.count
        return float(np.sqrt(max(self.squares / self.count - mean**2, 0.0)))


_NONE = Errors(0, 0.0, 0.0, 0.0, np.zeros(_BINS + 2))


@dataclass(frozen=True, eq=False)
class Look:
    """At the errors of a fit `at` (size,), and where most of them should be: from `low` to `high`.

    >>> rows, linear = Rows(np.ones((101, 1)), np.arange(101.0)), Linear(np.zeros(1), False)
    >>> look = Look.of(rows, linear, np.zeros(1))
    >>> (errors,) = sums_over_rows(rows, linear, [look.of_block], _NONE)
    >>> round(look.interquartile(errors)), round(errors.deviation, 1)
    (50, 29.2)
    """

    at: Floats
    low: float
    high: float

    @classmethod
    def of(cls, few: Rows, linear: Linear, at: Floats) -> Look:
        """From some of the rows."""
        coefficients, intercept = linear.uncentred(at)
        errors = few.y - few.X @ coefficients - intercept
        low, high = np.quantile(errors, _MOST)
        least = _ON_IT * float(np.abs(few.y).max())
        return cls(at, float(low) - least, float(high) + least)

    @property
    def pilot(self) -> float:
        """The middle of the range."""
        return (self.low + self.high) / 2

    def of_block(self, block: Block) -> Errors:
        """What there is to know of the errors of a block."""
        errors = _errors(block, self.at)
        away = errors - self.pilot
        bins = (errors - self.low) * (_BINS / (self.high - self.low)) + 1
        counts = np.bincount(np.clip(bins, 0, _BINS + 1).astype(np.int64), minlength=_BINS + 2)
        return Errors(
            errors.size,
            float(away.sum()),
            float((away**2).sum()),
            float(np.abs(block.y).max(initial=0.0)),
            counts.astype(np.float64),
        )

    def interquartile(self, found: Errors) -> float:
        """How far the quartiles are apart; NaN if one is beyond the range, 0 if no bins tell."""
        upto = np.cumsum(found.counts)
        edges = np.linspace(self.low, self.high, _BINS + 1)
        low, high = np.interp(_QUARTILES * found.count, upto[:-1], edges, np.nan, np.nan)
        least = 2 * (self.high - self.low) / _BINS
        return 0.0 if high - low <= least else float(high - low)

    def wider(self) -> Look:
        """At a larger range."""
        reach = _WIDER * (self.high - self.low)
        return replace(self, low=self.low - reach, high=self.high + reach)


@dataclass(frozen=True)
class Spread:
    """How far errors spread, of how many rows, and the largest y among these."""

    spread: float
    count: int
    largest: float


def densities_of(
    source: Source, linear: Linear, fits: Sequence[tuple[Floats, Lines]], *, alike: bool
) -> list[Density | None]:
    """The densities of the errors of several fits; one for all rows of each if they are alike.

    A fit is where it is (size,), and its loss. None where its errors have no spread, as those of
    fewer rows than coefficients. Rows read in parts take a pass, and another if they are alike.
    """
    places = [at for at, _ in fits]
    spreads = _spreads(source, linear, places)
    found: list[Density | None] = []
    for one, (_, lines) in zip(spreads, fits, strict=True):
        width = one.spread * _share(one.count, lines.tau)
        found.append(Density(width, lines.factor) if width > _ON_IT * one.largest else None)
    return _levelled(source, linear, places, found) if alike else found


def _spreads(source: Source, linear: Linear, places: Sequence[Floats]) -> list[Spread]:
    if isinstance(source, Rows):
        return [_spread_in_memory(source, linear, at) for at in places]
    few = source.sample(_FEW)
    looks = [Look.of(few, linear, at) for at in places]
    sums = sums_over_rows(source, linear, [look.of_block for look in looks], _NONE)
    return [_spread_in_parts(source, linear, *pair) for pair in zip(looks, sums, strict=True)]


def _spread_in_memory(rows: Rows, linear: Linear, at: Floats) -> Spread:
    coefficients, intercept = linear.uncentred(at)
    errors = rows.y - rows.X @ coefficients - intercept
    if rows.weight is not None:
        errors = errors[rows.weight > 0]
    low, high = np.quantile(errors, _QUARTILES)
    spread = min(float(errors.std()), float(high - low) / _NORMAL)
    return Spread(spread, errors.size, float(np.abs(rows.y).max(initial=0.0)))


def _spread_in_parts(source: Source, linear: Linear, look: Look, errors: Errors) -> Spread:
    while np.isnan(apart := look.interquartile(errors)):
        look = look.wider()
        (errors,) = sums_over_rows(source, linear, [look.of_block], _NONE)
    return Spread(min(errors.deviation, apart / _NORMAL), errors.count, errors.largest)


def _levelled(
    source: Source, linear: Linear, places: Sequence[Floats], found: Sequence[Density | None]
) -> list[Density | None]:
    """With the mean of each density over all rows."""

    def total(at: Floats, density: Density | None) -> Callable[[Block], Floats]:
        def of_block(block: Block) -> Floats:
            errors = _errors(block, at)
            return np.array([0.0 if density is None else density.at(errors).sum(), errors.size])

        return of_block

    looks = [total(*pair) for pair in zip(places, found, strict=True)]
    sums = sums_over_rows(source, linear, looks, np.zeros(2))
    return [
        density and replace(density, level=float(value / count))
        for density, (value, count) in zip(found, sums, strict=True)
    ]


def _errors(block: Block, at: Floats) -> Floats:
    """Those of a block's rows that have a weight."""
    found = block.y - block.score(at)
    return found if block.weight is None else found[block.counts()]


def _share(count: int, tau: float) -> float:
    """The bandwidth for errors of a standard normal; halved until it stays within 0 and 1."""
    usual = float(special.ndtri(tau))
    peak = 1.5 * float(_normal_density(np.array(usual))) ** 2 / (2 * usual**2 + 1)
    share = count ** (-1 / 3) * float(special.ndtri(0.975)) ** (2 / 3) * peak ** (1 / 3)
    while not 0 < tau - share < tau + share < 1:
        share /= 2
    return float(special.ndtri(tau + share) - special.ndtri(tau - share))


def _normal_density(x: Floats) -> Floats:
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
