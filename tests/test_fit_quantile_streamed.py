"""Quantiles of rows that are not kept: the same fits, with the same proof, in a few passes."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_fit_quantile import (
    KINDS,
    discrete,
    heavy,
    least_by_program,
    pinball,
    rare,
    with_ones,
    zero_inflated,
)

from offby.fit import LinearRegressor, QuantileRegressor
from offby.fit.data.rows import Batches, Rows
from offby.fit.passes.blocks import Linear
from offby.fit.quantiles import streamed
from offby.fit.quantiles.balance import Balance
from offby.fit.quantiles.design import Design
from offby.fit.quantiles.drawn import drawn
from offby.fit.quantiles.exact import quantile_fit
from offby.fit.quantiles.narrowed import Along, Guess, Smoothed
from offby.fit.quantiles.nearest import LUMPED, Nearest
from offby.fit.quantiles.problem import Problem
from offby.fit.quantiles.streamed import quantiles_of_source
from offby.fit.solvers.lines import Lines
from offby.fit.statistics.density import densities_of
from offby.verbs.fit import fit

TOL = 1e-9
LEVELS = [0.01, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.99]


class Read:
    """Rows in parts of a size, and how often all of them were read."""

    def __init__(self, rows, size):
        self.rows, self.size, self.passes = rows, size, 0
        self.source = Batches(self.read, rows.count)

    def read(self):
        for start in range(0, self.rows.count, self.size):
            yield self.rows.taken(slice(start, start + self.size))
        self.passes += 1


@pytest.fixture
def little_room(monkeypatch):
    """Room for so few rows that hardly a band fits, whatever the columns."""

    def of(columns, rows):
        monkeypatch.setattr(streamed, "_ROOM", rows * (columns + 4))

    return of


def met_rarely(generator, rows, columns):
    """Zero-inflated: a crowd is tied with the fit in some columns, a few rows decide the rest."""
    X = np.column_stack([generator.uniform(size=rows) < 0.02, generator.normal(size=rows)])
    y = np.where(X[:, 0] > 0, 5 + generator.normal(size=rows), generator.poisson(0.1, size=rows))
    return X, y


def sorted_by_a_column(generator, rows, columns):
    X = np.sort(generator.normal(size=(rows, columns)), axis=0)
    return X, X.sum(axis=1) + generator.standard_t(2, size=rows)


def few_columns(kind):
    def made(generator, rows, columns):
        return kind(generator, rows)

    made.__name__ = kind.__name__
    return made


MANY = [kind for kind in KINDS if kind.__name__ != "wide"]
MANY += [few_columns(kind) for kind in (rare, zero_inflated, discrete, heavy)]
MANY += [met_rarely, sorted_by_a_column]


@pytest.mark.parametrize("kind", MANY)
@pytest.mark.parametrize("seed", range(12))
def test_with_little_room(kind, seed, little_room):
    generator = np.random.default_rng([seed, MANY.index(kind)])
    X, y = kind(generator, int(generator.integers(1000, 2500)), int(generator.integers(1, 4)))
    levels = np.sort(generator.choice(LEVELS, generator.integers(1, 4), replace=False)).tolist()
    weight = generator.choice([0, 0.5, 1, 3, 1000.0], size=len(y)) if seed % 3 == 0 else None
    intercept = seed % 2 == 0
    little_room(X.shape[1] + intercept, 300)
    read = Read(Rows(X, y, weight), int(generator.integers(20, 400)))
    found = quantiles_of_source(read.source, levels, intercept, TOL)
    assert [one.tau for one in found] == levels
    for one in found:
        least = quantile_fit(X, y, one.tau, weight, intercept)
        size = least.rounding / np.finfo(float).eps
        assert one.relative_gap <= TOL
        assert one.objective == pytest.approx(least.objective, rel=TOL, abs=TOL * size / 4)
        fitted = X @ one.coef + one.intercept
        assert one.objective == pytest.approx(pinball(y, fitted, one.tau, weight), abs=1e-13 * size)


@pytest.mark.parametrize("kind", MANY)
def test_as_a_linear_program(kind, little_room):
    generator = np.random.default_rng(MANY.index(kind))
    X, y = kind(generator, 700, 2)
    little_room(X.shape[1] + 1, 250)
    (found,) = quantiles_of_source(Read(Rows(X, y), 90).source, [0.25], True, TOL)
    least = least_by_program(with_ones(X), y, 0.25)
    size = found.rounding / np.finfo(float).eps
    assert found.relative_gap <= TOL
    assert found.objective == pytest.approx(least, rel=TOL, abs=TOL * size / 4)


# --- many rows --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    generator = np.random.default_rng(2)
    X = generator.normal([0, 0, 0, 1e4], size=(200_000, 4))
    X[:, 1] = generator.integers(0, 3, size=len(X))
    y = 7 + X.sum(axis=1) + (1 + X[:, 1]) * generator.standard_t(3, size=len(X))
    return Rows(X, y, generator.lognormal(size=len(X)))


def test_the_same_vertices_in_three_passes(many):
    read = Read(many, 30_000)
    found = quantiles_of_source(read.source, [0.1, 0.5, 0.95], True, 1e-10)
    assert read.passes == 2  # beside the one that looks at all rows first
    for one in found:
        whole = quantile_fit(many.X, many.y, one.tau, many.weight)
        assert set(one.through) == set(whole.through)
        assert one.coef == pytest.approx(whole.coef, rel=1e-10)
        assert one.objective == pytest.approx(whole.objective, rel=1e-12)
        assert one.relative_gap <= 1e-10


def test_few_rows_are_kept(many, monkeypatch):
    kept, rows = [], Nearest.rows

    def counted(near):
        kept.append(sum(part.count for part in near.parts))
        return rows(near)

    monkeypatch.setattr(Nearest, "rows", counted)
    monkeypatch.setattr(streamed, "_ROOM", 9 * 8000)
    quantiles_of_source(Read(many, 5000).source, [0.1, 0.5, 0.9], True, TOL)
    assert 0 < max(kept) <= 8000


def test_the_parts_make_no_difference(many):
    first, second = (
        quantiles_of_source(Read(many, size).source, [0.3], True, TOL)[0] for size in (999, 77_777)
    )
    assert first.coef.tolist() == second.coef.tolist()
    assert set(first.through) == set(second.through)


def test_a_category_that_no_sample_has(little_room):
    generator = np.random.default_rng(4)
    X = np.zeros((20_000, 2))
    X[12_345:12_348, 0] = 1
    X[:, 1] = generator.normal(size=len(X))
    y = 100 * X[:, 0] + X[:, 1] + generator.normal(size=len(X))
    little_room(3, 2000)
    (found,) = quantiles_of_source(Read(Rows(X, y), 3000).source, [0.5], True, TOL)
    assert found.relative_gap <= TOL
    assert found.coef == pytest.approx(quantile_fit(X, y, 0.5).coef, rel=1e-10)


@pytest.mark.parametrize("tau", [0.25, 0.5])
def test_most_rows_are_met(tau, little_room):
    """More rows than there is room for are tied: only some of them are kept, and all prove it."""
    generator = np.random.default_rng(5)
    X = generator.normal(size=(20_000, 3))
    y = np.maximum(X[:, 0] + generator.normal(size=len(X)) - 1.5, 0)
    little_room(4, 1000)
    read = Read(Rows(X, y), 3000)
    (found,) = quantiles_of_source(read.source, [tau], True, TOL)
    assert found.coef.tolist() == [0, 0, 0]
    assert found.relative_gap <= TOL
    assert found.objective == pytest.approx(quantile_fit(X, y, tau).objective, rel=1e-12)


def test_where_no_proof_is_found_none_is_claimed(many, monkeypatch):
    monkeypatch.setattr(streamed, "_ROUNDS", 1)
    astray = replace(Guess.of(0.5, np.full(5, 3.0), 1e-9, many.count), rows=400)
    monkeypatch.setattr(streamed.Streamed, "_guesses", lambda *_: [astray])
    (found,) = quantiles_of_source(Read(many, 30_000).source, [0.5], True, TOL)
    fitted = many.X @ found.coef + found.intercept
    assert found.objective == pytest.approx(pinball(many.y, fitted, 0.5, many.weight), rel=1e-9)
    least = quantile_fit(many.X, many.y, 0.5, many.weight).objective
    assert found.gap >= found.objective - least > 0
    assert found.relative_gap > 1e-3


@pytest.mark.parametrize("shape", ["zeros", "one row", "wide", "constant y"])
def test_hardly_any_rows(shape):
    generator = np.random.default_rng(6)
    rows = {
        "zeros": Rows(np.zeros((30, 2)), generator.normal(size=30)),
        "one row": Rows(np.ones((1, 2)), np.ones(1)),
        "wide": Rows(generator.normal(size=(3, 8)), generator.normal(size=3)),
        "constant y": Rows(generator.normal(size=(50, 2)), np.full(50, 3.0)),
    }[shape]
    for intercept in (True, False):
        (found,) = quantiles_of_source(Read(rows, 7).source, [0.3], intercept, TOL)
        least = quantile_fit(rows.X, rows.y, 0.3, None, intercept)
        assert found.objective == pytest.approx(least.objective, abs=1e-14)
        assert found.relative_gap <= TOL


# --- its parts --------------------------------------------------------------------------------


def problem(rows=400, seed=0, weight=False):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, 2))
    y = 1 + X.sum(axis=1) + generator.standard_t(3, size=rows)
    return Design.of(X, y, generator.uniform(size=rows) if weight else None, True).rows.reached()


def test_a_sample_stands_for_all_rows():
    generator = np.random.default_rng(0)
    weight = generator.lognormal(0, 2, size=5000)
    weight[::10] = 0
    found = drawn(Rows(np.ones((5000, 1)), np.arange(5000.0), weight), 500)
    assert found.count == np.count_nonzero(weight)
    assert found.rows.count == 500
    assert found.standing.sum() == pytest.approx(weight.sum(), rel=0.1)
    assert np.all(found.standing >= found.rows.weight)
    assert np.isin(np.sort(weight)[-20:], found.rows.weight).all()  # heavy rows are all there
    assert 0 < found.variance < 1 / 100
    whole = drawn(Rows(np.ones((9, 1)), np.arange(9.0)), 500)
    assert (whole.rows.count, whole.variance) == (9, 0)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_nearest_rows_and_the_sums_of_the_others(weighted):
    rows = problem(weight=weighted)
    coef = np.array([1.0, 0.5, 0.5])
    near = Nearest(coef, 50)
    for start in range(0, 400, 30):
        part = slice(start, start + 30)
        weight = None if rows.weight is None else rows.weight[part]
        some = replace(rows, X=rows.X[part], y=rows.y[part], weight=weight, reach=rows.reach[part])
        near.show(some, np.arange(400)[part])
    kept, places = near.rows()
    distance = np.abs(rows.residual(coef)) / rows.reach
    assert set(places[:-2]) <= set(np.argsort(distance)[:50])
    assert 40 <= places.size - 2 <= 50
    assert places[-2:].tolist() == [LUMPED, LUMPED]
    weight = np.ones(400) if rows.weight is None else rows.weight
    assert (kept.weight @ kept.X) == pytest.approx(weight @ rows.X, rel=1e-12, abs=1e-12)
    assert (kept.weight @ kept.y) == pytest.approx(weight @ rows.y, rel=1e-12)
    generator = np.random.default_rng(1)
    for _ in range(20):  # no row that was lumped changes sides within the radius
        away = generator.normal(size=3)
        other = coef + 0.998 * near.radius / np.sqrt(3) * away / np.linalg.norm(away)
        assert near.ahead(other) == 1
        assert near.ahead(coef + 2.1 * (other - coef)) < 0.5
        lumped = np.setdiff1d(np.arange(400), places)
        sides = np.sign(rows.residual(other)) == np.sign(rows.residual(coef))
        assert sides[lumped].all()


def test_equal_rows_take_the_room_of_one():
    X = np.repeat(np.arange(5.0), 200)[:, None]
    y = np.tile(np.arange(10.0), 100)
    rows = Problem(X, y, None, np.ones((1, 1)), np.ones(1000))
    near = Nearest(np.zeros(1), 60)
    near.show(rows, np.arange(1000))
    kept, places = near.rows()
    assert places.size == 52
    assert near.radius == np.inf
    assert kept.weight[:-2].tolist() == [20.0] * 50


def test_a_step_of_the_smoothed_fit_comes_nearer():
    rows = problem(20_000)
    exact = quantile_fit(rows.X[:, 1:], rows.y, 0.3)
    best = np.linalg.solve(rows.mixture, np.append(exact.intercept, exact.coef))
    guess = Guess.of(0.3, best + 0.004, 1e-4, rows.count)
    window = guess.window(rows, rows.count, 100)
    assert window > 0
    assert guess.window(rows, rows.count, rows.count) == 0
    smoothed = Smoothed(guess, window)
    smoothed.show(rows, np.arange(rows.count))
    step = smoothed.step(rows.count)
    assert np.linalg.norm(step.coef - best) < np.linalg.norm(guess.coef - best) / 2
    assert step.rows < guess.rows
    far = Smoothed(replace(guess, coef=best + 10), window)
    far.show(rows, np.arange(rows.count))
    moved = np.linalg.norm(far.step(rows.count).coef - best - 10)
    assert moved <= window * (1 + 1e-9)  # no further than where the window ends


def test_the_best_on_the_way():
    rows = problem()
    guess = Guess.of(0.5, np.zeros(3), 1e-2, rows.count)
    along = Along(guess, np.ones(3), np.array([0.0, 0.5, 1.0, 50.0]))
    along.show(rows, np.arange(rows.count))
    given = [rows.X @ rows.coefficients(length * np.ones(3)) for length in along.lengths]
    losses = [rows.count * pinball(rows.y, fitted, 0.5) for fitted in given]
    assert along.losses == pytest.approx(losses)
    assert along.best.coef.tolist() == [along.lengths[np.argmin(losses)]] * 3


def test_an_unbalanced_dual_proves_nothing():
    rows = Problem(np.ones((4, 1)), np.array([0.0, 0.0, 0.0, 9.0]), mixture=np.ones((1, 1)))
    for tilt in (0.0, -1.0, 1.0):
        balance = Balance(0.5, np.zeros(1), np.zeros(1), np.array([tilt]))
        balance.show(rows, np.arange(4))
        assert balance.gap(rows).gap == np.inf
    astray = Balance(0.5, np.ones(1), np.ones(1), np.zeros(1))  # no row is met
    astray.show(rows, np.arange(4))
    astray = astray.tilted(np.ones((1, 1)))
    astray.show(rows, np.arange(4))
    assert astray.gap(rows).gap == np.inf


# --- the estimators ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frame(many):
    table = pd.DataFrame(many.X, columns=list("abcd"))
    return table.assign(y=many.y, w=many.weight)


@pytest.mark.parametrize("errors", ["HC1", "classical", None])
@pytest.mark.parametrize("loss", ["absolute", "pinball:0.9"])
def test_a_table_that_is_not_kept(frame, loss, errors, monkeypatch):
    how = {"loss": loss, "standard_errors": errors}
    whole = LinearRegressor(**how).fit(frame[list("abcd")], frame["y"], frame["w"])
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    parts = LinearRegressor(**how).fit_table(frame, "y", list("abcd"), "w")
    assert parts.coef_ == pytest.approx(whole.coef_, rel=1e-10)
    assert parts.objective_ == pytest.approx(whole.objective_, rel=1e-12)
    assert parts.converged_
    assert parts.gap_ <= 1e-10 * parts.objective_
    assert parts.explained_ == pytest.approx(whole.explained_, rel=1e-9)
    assert (parts.rank_, parts.path_) == (whole.rank_, None)
    if errors is None:
        assert parts.standard_errors_ is None
    else:
        assert parts.standard_errors_ == pytest.approx(whole.standard_errors_, rel=1e-5)
    assert "200,000" in parts.summary()
    assert parts.predict(frame[list("abcd")]) == pytest.approx(whole.predict(frame[list("abcd")]))


@pytest.mark.parametrize("errors", ["HC1", "classical"])
def test_several_quantiles_of_it(frame, errors, monkeypatch):
    how = {"quantiles": [0.05, 0.5, 0.75], "standard_errors": errors}
    whole = QuantileRegressor(**how).fit(frame[list("abcd")], frame["y"], frame["w"])
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    monkeypatch.setattr("offby.fit.data.tabular._AT_ONCE", 40_000)
    monkeypatch.setattr("offby.fit.levels._AT_ONCE", 10_000)
    parts = QuantileRegressor(**how).fit_table(frame, "y", list("abcd"), "w")
    assert parts.coef_ == pytest.approx(whole.coef_, rel=1e-10)
    assert parts.standard_errors_ == pytest.approx(whole.standard_errors_, rel=1e-5)
    assert parts.crossed_ == pytest.approx(whole.crossed_, rel=1e-12)
    assert parts.gap_ <= 1e-10 * parts.objective_.min()
    assert parts.converged_
    assert str(parts.summary())[:40] == str(whole.summary())[:40]


def test_a_search_that_does_not_end_is_said(frame, monkeypatch):
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    monkeypatch.setattr(streamed, "_ROUNDS", 1)
    monkeypatch.setattr(Nearest, "ahead", lambda *_: 0.4)  # a fit is never trusted
    monkeypatch.setattr(Along, "length", 0.4)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model = LinearRegressor("absolute").fit_table(frame, "y", list("abcd"))
    assert not model.converged_
    assert model.gap_ == model.objective_
    assert len(heard) == 1


@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_how_far_errors_spread_that_are_not_kept(shift):
    """Also where the first rows, which tell where to look, are unlike the others."""
    generator = np.random.default_rng(8)
    X, y = generator.normal(size=(300_000, 2)), generator.standard_t(3, size=300_000)
    y[150_000:] *= 1 + shift
    weight = generator.integers(0, 3, size=len(y)).astype(float)
    rows, linear = Rows(X, y, weight), Linear(np.zeros(2), intercept=True)
    fits = [(np.zeros(3), Lines(0.5, 1.0)), (np.ones(3), Lines(0.9, 2.0))]
    for alike in (False, True):
        whole = densities_of(rows, linear, fits, alike=alike)
        parts = densities_of(Read(rows, 70_000).source, linear, fits, alike=alike)
        for one, other in zip(whole, parts, strict=True):
            assert one.width == pytest.approx(other.width, rel=1e-4)
            if alike:
                assert one.level == pytest.approx(other.level, rel=1e-4)


def test_errors_without_spread_have_no_density():
    rows, linear = Rows(np.ones((99, 1)), np.ones(99)), Linear(np.zeros(1), intercept=False)
    at = [(np.ones(1), Lines(0.5, 1.0))]
    assert densities_of(Read(rows, 10).source, linear, at, alike=False) == [None]
    assert densities_of(rows, linear, at, alike=True) == [None]


@pytest.mark.parametrize("validate", [0.0, 0.3])
def test_the_verb_measures_what_is_not_kept(frame, validate, monkeypatch):
    how = {"target": "y", "weight": "w", "loss": "pinball:0.2,0.9", "validate": validate}
    whole = fit(frame, **how)
    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    monkeypatch.setattr("offby.verbs.fit_quantiles._AT_ONCE", 9999)
    parts = fit(frame, **how)
    assert parts.model.coef_ == pytest.approx(whole.model.coef_, rel=1e-10)
    for one, other in zip(parts.levels, whole.levels, strict=True):
        assert one.pinball.value == pytest.approx(other.pinball.value, rel=1e-9)
        assert one.below.value == pytest.approx(other.below.value, abs=1e-4)
    assert (parts.trained, parts.held_out) == (whole.trained, whole.held_out)
