"""Quantile regression of rows that need not fit in memory, exactly and with the same certificate.

A sample leads near each fit. In one pass the rows near it are kept and the others lumped. Mostly
the fit to these is proved for all rows: it is so near the guess that no row which was lumped can be
on its other side. Where it is not, rows near a better guess are kept in another pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import numpy as np

from offby.engine.rows import Floats
from offby.fit.data.rows import Rows, Source
from offby.fit.quantiles.balance import Balance
from offby.fit.quantiles.bands import Band
from offby.fit.quantiles.columns import mixture_by, triangle_of
from offby.fit.quantiles.design import Design
from offby.fit.quantiles.drawn import drawn, numbered
from offby.fit.quantiles.exact import QuantileFit, in_given_units
from offby.fit.quantiles.narrowed import LEAST, Along, Guess, Smoothed
from offby.fit.quantiles.nearest import Nearest
from offby.fit.quantiles.problem import Places, Problem, Sizes
from offby.fit.quantiles.sweep import Sweep
from offby.fit.quantiles.threads import one_thread
from offby.fit.quantiles.tried import Tried

_ROOM = 1 << 24  # numbers: 128 MB for rows of a sample, and as much for those near the fits
_BESIDE = 4  # numbers of a row besides its columns
_SINGULAR = 1e-6  # of the largest eigenvalue: a direction that a sample knows too little of
_NOTHING = 1e-300
_STEPS = 6  # of narrowing, at most,
_ROUNDS = 10  # of keeping the nearest rows, and
_TILTS = 20  # of balancing crowds


def quantiles_of_source(
    source: Source, levels: Sequence[float], fit_intercept: bool, tol: float
) -> tuple[QuantileFit, ...]:
    """The fits to rising quantiles of all rows of a source that have a weight.

    Each is what `quantile_fit` finds, with memory for few rows. The source is mostly read twice: to
    draw rows, and to keep those near the fits. It is read more often where columns depend on
    others, where there is no room for the rows near all fits at once, and where rows are tied. A
    fit that is not proved in some forty passes has the best bound that was found as its gap.

    >>> rows = Rows(np.arange(10.0)[:, None], np.arange(10.0) ** 2)
    >>> found, = quantiles_of_source(rows, [0.5], True, 1e-9)
    >>> found.coef.round(9).tolist(), round(found.intercept, 9), found.relative_gap
    ([9.0], -14.0, 0.0)
    """
    with one_thread():
        return Streamed.of(source, fit_intercept).fits(levels, tol)


class Watcher(Protocol):
    """Whatever looks at rows, some at a time."""

    def show(self, rows: Problem, places: Places) -> None:
        """Look at some rows, with their numbers."""
        ...


@dataclass(eq=False)
class Whole:
    """What a proof needs to know of all rows; `square` is X'X of some that know all columns.

    Without it, it is that of all.
    """

    mixture: Floats | None
    square: Floats | None
    total_weight: float = 0.0
    truth_size: float = 0.0
    column_size: Floats = field(default_factory=lambda: np.zeros(1))
    squares: Floats = field(default_factory=lambda: np.zeros((1, 1)))

    def show(self, rows: Problem, places: Places) -> None:
        """Add up rows."""
        self.total_weight += rows.total_weight
        self.truth_size += rows.truth_size
        self.column_size = self.column_size + rows.column_size
        if self.square is None:
            self.squares = self.squares + rows.square()

    @property
    def spread(self) -> tuple[Floats, Floats]:
        """Eigenvalues and vectors of the square; next to 0 where it knows nothing."""
        values, vectors = np.linalg.eigh(self.squares if self.square is None else self.square)
        return np.maximum(values, _NOTHING), vectors


@dataclass(frozen=True, eq=False)
class Streamed:
    """A source with `count` rows that have a weight, and a design with some drawn from them.

    In the design these weigh as much as they stand for, `own` has their own weights. Ranks that
    they tell have a `variance` as a share of a single row's.
    """

    source: Source
    design: Design
    own: Problem
    count: int
    variance: float

    @classmethod
    def of(cls, source: Source, fit_intercept: bool) -> Streamed:
        """Draw rows; if they leave open which columns depend on others, all are asked about it."""
        columns = source.sample(1).columns + fit_intercept
        most = min(_room(columns), _enough(source.count, columns))
        found = drawn(source, most)
        design = Design.of(found.rows.X, found.rows.y, found.standing, fit_intercept)
        if design.kept.size < columns and found.rows.count < found.count:
            design = _asked(source, design)
            found = drawn(source, most, partial(_outlying, design))
        rows = found.rows
        own = design.alike(rows.X, rows.y, rows.weight)
        standing = replace(own, weight=found.standing)
        return cls(source, replace(design, rows=standing), own, found.count, found.variance)

    def fits(self, levels: Sequence[float], tol: float) -> tuple[QuantileFit, ...]:
        """The fits to rising quantiles."""
        if not self.design.kept.size:  # all columns are 0
            return tuple(self._balanced(self._of_nothing(levels), tol))
        tried: dict[float, Tried] = {}
        guesses = self._narrowed(self._guesses(levels))
        for _ in range(_ROUNDS):
            tried |= {one.fit.tau: one for one in self._tried(guesses, tol)}
            ways = self._looked_along([tried[guess.tau] for guess in guesses])
            guesses = [way.best for way in ways if way.length > 0]
            for way in ways:  # if it leads nowhere, or no further in so many rounds
                tried[way.guess.tau] = self._left_open(tried[way.guess.tau], way)
            if not guesses:
                break
        return tuple(self._balanced([tried[tau] for tau in levels], tol))

    def _nothing_known(self) -> Whole:
        square = self.own.square()
        values = np.linalg.eigvalsh(square)
        knows = values.size > 0 and values[0] > _SINGULAR * values[-1]
        return Whole(self.own.mixture, square if knows else None)

    def _of_nothing(self, levels: Sequence[float]) -> list[Tried]:
        """Coefficients of 0."""
        none, size, whole = np.empty(0, np.intp), self.own.X.shape[1], self._nothing_known()
        self._pass([whole])
        return [
            Tried(
                QuantileFit(tau, np.zeros(size), 0.0, np.inf, np.inf, 0.0, 0, none),
                whole, None, Balance(tau, np.zeros(0), np.zeros(size), np.zeros(0)),
            )
            for tau in levels
        ]  # fmt: skip

    def _pass(self, watchers: Iterable[Watcher]) -> None:
        """Show all rows that have a weight, made ready, to whoever wants to see them."""
        for places, part in numbered(self.source):
            rows = self.design.alike(part.X, part.y, part.weight).reached()
            for one in watchers:
                one.show(rows, places)

    def _guesses(self, levels: Sequence[float]) -> list[Guess]:
        corners = Sweep(Band.of_all(self.design.rows.reached())).corners(levels)
        found = {
            tau: Guess.of(tau, corner.coef, tau * (1 - tau) * self.variance, self.count)
            for tau, _, corner in corners
        }
        return [found[tau] for tau in levels]

    def _narrowed(self, guesses: list[Guess]) -> list[Guess]:
        """Better guesses, where there is no room for all rows that they leave in doubt."""
        sample, room = self.design.rows.reached(), self._room // len(guesses)
        for _ in range(_STEPS):
            smoothed = {
                guess.tau: Smoothed(guess, half)
                for guess in guesses
                if (half := guess.window(sample, self.count, room)) > 0
            }
            if not smoothed:
                break
            self._pass(smoothed.values())
            guesses = [
                smoothed[guess.tau].step(self.count) if guess.tau in smoothed else guess
                for guess in guesses
            ]
        return guesses

    @property
    def _room(self) -> int:
        return _room(self.own.X.shape[1])

    def _tried(self, guesses: Sequence[Guess], tol: float) -> Iterator[Tried]:
        """The fits to the rows nearest to guesses; a pass for as many as there is room for."""
        for some in self._together(guesses):
            whole = self._nothing_known()
            near = [Nearest(guess.coef, guess.rows) for guess in some]
            self._pass([whole, *near])
            for guess, rows in zip(some, near, strict=True):
                yield Tried.of(guess, rows, self.design, whole, tol)

    def _together(self, guesses: Sequence[Guess]) -> Iterator[list[Guess]]:
        some: list[Guess] = []
        for guess in guesses:
            fitting = replace(guess, rows=min(guess.rows, self._room))
            if some and sum(one.rows for one in some) + fitting.rows > self._room:
                yield some
                some = []
            some.append(fitting)
        if some:
            yield some

    def _looked_along(self, tried: Sequence[Tried]) -> list[Along]:
        """The ways on from guesses that are no proof, with the losses on them."""
        ways = [one.way for one in tried if one.way is not None]
        open_ends = [way for way in ways if way.lengths.size > 1]
        if open_ends:
            self._pass(open_ends)
        return ways

    def _left_open(self, tried: Tried, way: Along) -> Tried:
        """The best that was found, where no proof was."""
        given = self.design.rows.coefficients(way.best.coef)
        coef, intercept = self.design.coefficients(given)
        none = np.empty(0, np.intp)
        fit = replace(tried.fit, coef=coef, intercept=intercept, through=none)
        balance = tried.balance
        if balance is None or way.length > 0:
            balance = Balance(fit.tau, way.best.coef, given, np.zeros(way.move.size))
        return replace(tried, fit=fit, balance=balance)

    def _balanced(self, tried: Sequence[Tried], tol: float) -> Iterator[QuantileFit]:
        """The fits, with certificates from all rows where a few did not do."""
        fits = {one.fit.tau: one.fit for one in tried}
        balances = {one.fit.tau: one.balance for one in tried if one.balance is not None}
        for _ in range(_TILTS):
            if not balances:
                break
            self._pass(balances.values())
            for tau, balance in balances.items():
                fits[tau] = self._certified(fits[tau], balance, tried[0].whole)
            left = {tau: one for tau, one in balances.items() if not fits[tau].relative_gap <= tol}
            balances = {
                tau: tilted
                for tau, balance in left.items()
                if (tilted := balance.tilted(np.asarray(self.own.mixture))).differs(balance)
            }
        yield from fits.values()

    def _certified(self, fit: QuantileFit, balance: Balance, whole: Sizes) -> QuantileFit:
        design = replace(self.design, whole=whole)
        known = in_given_units(design, fit.coef, balance.gap(whole))
        return replace(fit, objective=known.loss, gap=known.gap, rounding=known.rounding)


def _room(columns: int) -> int:
    """How many rows there is room for."""
    return max(_ROOM // (columns + _BESIDE), LEAST * columns)


def _enough(rows: int, columns: int) -> int:
    """How many rows to draw, about as many as they then leave in doubt."""
    root = math.sqrt(columns)
    return math.ceil(math.pow(rows * root * (3 + root), 2 / 3))


def _asked(source: Source, design: Design) -> Design:
    """A design whose columns are those that all rows together know of."""
    triangle, count = None, 0
    for _, part in numbered(source):
        rows = design.alike(part.X, part.y, part.weight)
        triangle, count = triangle_of(rows.X, triangle), count + rows.count
    assert triangle is not None
    kept, mixed = mixture_by(triangle, count)
    return replace(design, rows=replace(design.rows, mixture=mixed), kept=kept)


def _outlying(design: Design, part: Rows) -> Floats:
    """How far out rows are: those of rare categories are drawn rather than others."""
    reach = design.alike(part.X, part.y, part.weight).reached().reach
    return 1 + np.asarray(reach) ** 2
