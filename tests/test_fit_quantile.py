"""Quantile regression: exact against enumeration, linear programs, peers and published values."""

import math
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from offby.errors import DataError
from offby.fit.quantiles import sweep as sweep_room
from offby.fit.quantiles import trail as trail_room
from offby.fit.quantiles.bands import Band
from offby.fit.quantiles.design import Design
from offby.fit.quantiles.exact import best_of, certified, exact_coefficients, quantile_fit, refined
from offby.fit.quantiles.gap import duality_gap, imbalance
from offby.fit.quantiles.globs import solve
from offby.fit.quantiles.path import quantile_path
from offby.fit.quantiles.problem import Problem
from offby.fit.quantiles.smooth import guessed
from offby.fit.quantiles.ties import through_ties

TOL = 1e-9


def pinball(y, fitted, tau, weight=None):
    residual = y - fitted
    return np.average(np.maximum(tau * residual, (tau - 1) * residual), weights=weight)


def least_by_enumeration(X, y, tau):
    """The least mean loss of all fits through as many rows as there are columns."""
    best = np.inf
    for rows in map(list, combinations(range(len(y)), X.shape[1])):
        if abs(np.linalg.det(X[rows])) > 1e-9:
            best = min(best, pinball(y, X @ np.linalg.solve(X[rows], y[rows]), tau))
    return best


def least_by_program(X, y, tau, weight=None):
    """The least mean loss by HiGHS, from the dual program, with columns and y scaled for it."""
    weight = np.ones(len(y)) if weight is None else weight
    share, unit = weight / weight.max(), np.max(np.abs(y)) or 1.0
    size = np.max(np.abs(X), axis=0)
    scaled = X / np.where(size > 0, size, 1)
    found = linprog(
        -y / unit,
        A_eq=scaled.T,
        b_eq=np.zeros(X.shape[1]),
        bounds=np.column_stack([share * (tau - 1), share * tau]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.status == 0
    return -found.fun * unit / share.sum()


def with_ones(X):
    return np.column_stack([np.ones(len(X)), X])


def draw(rows, columns, seed=0):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, columns))
    return X, 1 + X.sum(axis=1) + generator.standard_t(3, size=rows)


# --- exact ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_the_least_of_all_vertices(seed):
    generator = np.random.default_rng(seed)
    rows, columns = int(generator.integers(3, 10)), int(generator.integers(1, 3))
    X = generator.normal(size=(rows, columns))
    y = generator.normal(size=rows)
    if seed % 3 == 0:
        y = np.round(y)
    tau = float(generator.choice([0.1, 0.25, 0.5, 0.9]))
    found = quantile_fit(X, y, tau)
    assert found.objective == pytest.approx(
        least_by_enumeration(with_ones(X), y, tau), rel=1e-12, abs=1e-14
    )
    assert found.vertex
    assert len(found.through) == columns + 1
    fitted = X[found.through] @ found.coef + found.intercept
    assert fitted == pytest.approx(y[found.through], rel=1e-12, abs=1e-12)


def plain(generator, rows, columns):
    return generator.normal(size=(rows, columns)), generator.standard_t(2, size=rows)


def rounded(generator, rows, columns):
    X, y = plain(generator, rows, columns)
    return np.round(X), np.round(2 * y)


def counted(generator, rows, columns):
    X = generator.integers(0, 2, size=(rows, columns)).astype(float)
    return X, generator.poisson(0.3, size=rows).astype(float)


def repeated(generator, rows, columns):
    X, y = plain(generator, rows, columns)
    return np.repeat(X, 3, axis=0), np.repeat(y, 3)


def collinear(generator, rows, columns):
    X, y = plain(generator, rows, columns)
    return np.column_stack([X, 2 * X[:, 0] - X[:, -1]]), y


def constant(generator, rows, columns):
    X, y = plain(generator, rows, columns)
    return np.column_stack([np.full(rows, 7.0), X, np.zeros(rows), np.full(rows, -1e6)]), y


def wide(generator, rows, columns):
    return plain(generator, columns, columns + 3)


def met_exactly(generator, rows, columns):
    X, _ = plain(generator, rows, columns)
    return X, X.sum(axis=1)


def in_units(generator, rows, columns):
    X, y = plain(generator, rows, columns)
    return X * 10.0 ** generator.integers(-8, 8, size=columns), y * 1e5


def far_away(generator, rows, columns):
    X, y = plain(generator, rows, columns)
    return X + 1e5, y


KINDS = [plain, rounded, counted, repeated, collinear, constant, wide, met_exactly, in_units,
         far_away]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20))
def test_as_a_linear_program(kind, seed):
    generator = np.random.default_rng([seed, KINDS.index(kind)])
    X, y = kind(generator, int(generator.integers(1, 80)), int(generator.integers(1, 7)))
    tau = float(generator.choice([0.01, 0.25, 1 / 3, 0.5, 0.9, 0.99]))
    weight = generator.choice([0, 0.5, 1, 3, 1000.0], size=len(y)) if seed % 3 == 0 else None
    if weight is not None:
        weight[0] = 1.0
    intercept = seed % 2 == 0
    found = quantile_fit(X, y, tau, weight, intercept)
    least = least_by_program(with_ones(X) if intercept else X, y, tau, weight)
    assert found.relative_gap <= TOL
    assert found.gap >= 0
    size = found.rounding / np.finfo(float).eps
    assert found.objective == pytest.approx(least, rel=TOL, abs=TOL * size / 4)
    fitted = X @ found.coef + found.intercept
    assert found.objective == pytest.approx(pinball(y, fitted, tau, weight), abs=1e-13 * size)


def test_ties_that_only_noise_can_order():
    """A case found by chance, where pivots went through rows that the edge never met."""
    X = np.zeros((12, 2))
    X[[4, 8, 9, 10], 0] = 1
    X[[0, 1, 3, 7, 9], 1] = 1
    y = np.array([0, 0, 1, 0, 2, 0, 0, 0, 1, 1, 0, 0.0])
    found = quantile_fit(X, y, 0.25, fit_intercept=False)
    assert found.objective == pytest.approx(least_by_program(X, y, 0.25), rel=1e-12)
    assert found.relative_gap <= TOL


# --- many rows: sampled, lumped, and proved ---------------------------------------------------


def rare(generator, rows):
    X = (generator.uniform(size=(rows, 3)) < [0.001, 0.01, 0.3]).astype(float)
    return X, X @ [5, 1, 1] + generator.standard_t(2, size=rows)


def zero_inflated(generator, rows):
    X = generator.normal(size=(rows, 2))
    return X, generator.poisson(np.exp(-2 + X[:, 0] / 2)).astype(float)


def discrete(generator, rows):
    X = np.round(generator.normal(size=(rows, 3)))
    return X, np.round(X.sum(axis=1) + generator.normal(size=rows))


def heavy(generator, rows):
    X = generator.standard_cauchy(size=(rows, 2))
    return X, X.sum(axis=1) + generator.lognormal(0, 2, size=rows)


@pytest.mark.parametrize("kind", [rare, zero_inflated, discrete, heavy])
@pytest.mark.parametrize("tau", [0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_rows(kind, tau, weighted):
    generator = np.random.default_rng(1)
    X, y = kind(generator, 45_000)
    weight = generator.lognormal(size=len(y)) if weighted else None
    found = quantile_fit(X, y, tau, weight)
    assert found.relative_gap <= TOL
    assert found.vertex
    fitted = X @ found.coef + found.intercept
    assert found.objective == pytest.approx(pinball(y, fitted, tau, weight), rel=1e-12)
    within = np.average(y - fitted < -1e-9, weights=weight)
    assert within <= tau + 1e-9 <= np.average(y - fitted < 1e-9, weights=weight) + 2e-9


def test_zero_inflated_counts_at_a_high_quantile():
    X, y = zero_inflated(np.random.default_rng(3), 2_000)
    assert np.mean(y == 0) > 0.8
    found = quantile_fit(X, y, 0.9)
    assert found.objective == pytest.approx(least_by_program(with_ones(X), y, 0.9), rel=1e-9)


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_a_rare_category_in_a_sample_is_not_sent_away(seed):
    """Where no row of it is near the fit, its Newton step is as long as it likes."""
    generator = np.random.default_rng(seed)
    X = np.column_stack([generator.uniform(size=45_000) < 0.0005, generator.normal(size=45_000)])
    y = 5 * X[:, 0] + generator.standard_t(2, size=45_000)
    design = Design.of(X, y, None, True)
    _, coef, _ = guessed(design.rows, 0.95)
    assert np.max(np.abs(design.rows.coefficients(coef))) < 100
    assert quantile_fit(X, y, 0.95).relative_gap <= TOL


def test_a_start_far_off_only_takes_longer():
    X, y = draw(20_000, 2)
    design = Design.of(X, y, None, True)
    misled = solve(design.rows, 0.5, np.array([50.0, -20.0, 3.0]), 0.001)
    found = certified(design, 0.5, misled)
    assert found.relative_gap <= TOL
    assert found.coef == pytest.approx(quantile_fit(X, y, 0.5).coef, rel=1e-12)


# --- peers ------------------------------------------------------------------------------------


def test_engel_as_in_r():
    """quantreg's rq(foodexp ~ income), as its vignette has it."""
    engel = pytest.importorskip("statsmodels.api").datasets.engel.load_pandas().data
    published = {
        0.05: (124.88004, 0.3433611),
        0.25: (95.48354, 0.4741032),
        0.5: (81.48225, 0.5601806),
        0.75: (62.39659, 0.6440141),
        0.95: (64.10396, 0.7090685),
    }
    for tau, (intercept, slope) in published.items():
        found = quantile_fit(engel[["income"]], engel["foodexp"], tau)
        assert found.intercept == pytest.approx(intercept, abs=5e-6)
        assert found.coef == pytest.approx([slope], abs=5e-8)


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.8])
def test_as_statsmodels(tau):
    regression = pytest.importorskip("statsmodels.regression.quantile_regression")
    X, y = draw(300, 3)
    theirs = regression.QuantReg(y, with_ones(X)).fit(q=tau, p_tol=1e-8, max_iter=5000)
    ours = quantile_fit(X, y, tau)
    assert np.append(ours.intercept, ours.coef) == pytest.approx(theirs.params, abs=1e-4)
    assert ours.objective <= pinball(y, with_ones(X) @ theirs.params, tau) + 1e-14


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.8])
def test_as_scikit_learn(tau):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = draw(300, 3)
    weight = np.random.default_rng(1).uniform(size=300)
    model = linear_model.QuantileRegressor(quantile=tau, alpha=0, solver="highs")
    model.fit(X, y, sample_weight=weight)
    ours = quantile_fit(X, y, tau, weight)
    assert ours.coef == pytest.approx(model.coef_, abs=1e-7)
    assert ours.intercept == pytest.approx(model.intercept_, abs=1e-7)


# --- laws -------------------------------------------------------------------------------------


def test_equivariance():
    """Theorem 3.2 of Koenker & Bassett (1978)."""
    X, y = draw(400, 3)
    found = quantile_fit(X, y, 0.3)
    scaled = quantile_fit(X, 1000 * y, 0.3)
    assert scaled.coef == pytest.approx(1000 * found.coef, rel=1e-12)
    assert scaled.objective == pytest.approx(1000 * found.objective, rel=1e-12)
    shifted = quantile_fit(X, y + X @ [1, 2, 3] + 5, 0.3)
    assert shifted.coef == pytest.approx(found.coef + np.array([1, 2, 3]), rel=1e-10)
    assert shifted.intercept == pytest.approx(found.intercept + 5, rel=1e-10)
    assert quantile_fit(X, -y, 0.7).coef == pytest.approx(-found.coef, rel=1e-10)
    assert quantile_fit(X * [2, 10, 0.1], y, 0.3).coef == pytest.approx(
        found.coef / [2, 10, 0.1], rel=1e-10
    )


@pytest.mark.parametrize("power", [-900, 10, 900])
def test_units_of_a_power_of_two_change_no_digit(power):
    X, y = draw(300, 3)
    found, scaled = quantile_fit(X, y, 0.3), quantile_fit(X, y * 2.0**power, 0.3)
    assert scaled.coef.tolist() == (found.coef * 2.0**power).tolist()
    assert scaled.relative_gap <= TOL


def test_weights_are_copies():
    X, y = draw(200, 2)
    weight = np.random.default_rng(5).integers(0, 4, size=200).astype(float)
    whole = np.repeat(np.arange(200), weight.astype(int))
    weighted, copied = quantile_fit(X, y, 0.4, weight), quantile_fit(X[whole], y[whole], 0.4)
    assert weighted.objective == pytest.approx(copied.objective, rel=1e-12)
    assert weighted.coef == pytest.approx(copied.coef, rel=1e-10)
    assert np.all(weight[weighted.through] > 0)
    scaled = quantile_fit(X, y, 0.4, 1e-6 * weight)
    assert scaled.objective == pytest.approx(weighted.objective, rel=1e-12)


def test_dependent_columns_have_no_coefficient():
    X, y = draw(100, 2)
    found = quantile_fit(np.column_stack([X, X[:, 0] - X[:, 1], np.full(100, 3.0)]), y, 0.5)
    assert found.coef[2:].tolist() == [0, 0]
    assert found.coef[:2] == pytest.approx(quantile_fit(X, y, 0.5).coef, rel=1e-10)


def test_nothing_to_fit():
    y = np.array([3.0, -1.0, 2.0])
    found = quantile_fit(np.zeros((3, 2)), y, 0.25, fit_intercept=False)
    assert found.coef.tolist() == [0, 0]
    assert found.objective == pytest.approx(pinball(y, 0, 0.25))
    assert (found.relative_gap, found.vertex) == (0, False)
    assert quantile_fit([[2.0]], [5.0], 0.5).intercept == 5


def test_the_result_is_frozen():
    with pytest.raises(FrozenInstanceError):
        quantile_fit([[1.0], [2.0]], [1.0, 2.0], 0.5).gap = 0


# --- the certificate --------------------------------------------------------------------------


def proved(tau=0.3, weight=None):
    """A fit of its own, with the dual that proves it."""
    X, y = draw(50, 2)
    design = Design.of(X, y, weight, True)
    corner = solve(design.rows, tau)
    coef = design.rows.coefficients(corner.coef)
    return design.rows, tau, coef, corner.dual(tau)


def test_the_gap_bounds_the_excess_of_any_coefficients():
    rows, tau, coef, dual = proved()
    best = duality_gap(rows, tau, coef, dual)
    assert best.gap <= 1e-12 * best.loss
    generator = np.random.default_rng(0)
    for _ in range(20):
        other = duality_gap(rows, tau, coef + generator.normal(size=3), dual)
        assert other.gap >= other.loss - best.loss > 0
        assert other.gap == pytest.approx(other.loss - best.loss, rel=1e-9)


@pytest.mark.parametrize("weight", [None, np.linspace(1, 3, 50)])
def test_an_infeasible_dual_proves_nothing(weight):
    rows, tau, coef, dual = proved(weight=weight)
    free = int(np.argmax(np.minimum(dual - tau + 1, tau - dual)))
    assert np.isfinite(duality_gap(rows, tau, coef, dual).gap)
    for change in (1e-6, -1e-6, np.nan):  # in the box, but out of balance
        moved = dual.copy()
        moved[free] += change
        assert duality_gap(rows, tau, coef, moved).gap == np.inf
    outside = dual * 1.5  # in balance, but out of the box
    assert duality_gap(rows, tau, coef, outside).gap == np.inf


def test_a_dual_in_the_box_and_in_balance_proves_as_much_as_it_does():
    rows, tau, coef, dual = proved()
    loss = duality_gap(rows, tau, coef, dual).loss
    assert duality_gap(rows, tau, coef, 0 * dual).gap == pytest.approx(loss)
    assert duality_gap(rows, tau, coef, dual / 2).gap == pytest.approx(loss / 2)


def test_imbalance_within_rounding_costs_its_share_of_the_gap():
    rows, tau, coef, dual = proved()
    free = int(np.argmax(np.minimum(dual - tau + 1, tau - dual)))
    exact = duality_gap(rows, tau, coef, dual).gap
    dual[free] += 1e-11
    assert np.inf > duality_gap(rows, tau, coef, dual).gap > exact + 1e-12


@pytest.mark.parametrize("far", [1e5, 1e6, 1e8])
@pytest.mark.parametrize("weighted", [False, True])
def test_columns_far_from_0_without_an_intercept(far, weighted):
    generator = np.random.default_rng(3)
    X, y = generator.normal(size=(3_000, 4)) + far, generator.standard_t(2, size=3_000)
    weight = generator.lognormal(size=3_000) if weighted else None
    assert quantile_fit(X, y, 0.25, weight, fit_intercept=False).relative_gap <= TOL


def test_twice_the_digits_prove_what_float64_cannot():
    generator = np.random.default_rng(3)
    X, y = generator.normal(size=(3_000, 4)) + 1e6, generator.standard_t(2, size=3_000)
    design = Design.of(X, y, None, False)
    corner = solve(design.rows, 0.25)
    coarse, fine = certified(design, 0.25, corner), refined(design, 0.25, corner)
    assert fine.coef.tolist() == coarse.coef.tolist()
    assert fine.gap < 1e-12 * fine.objective < 1e-9 * coarse.objective < coarse.gap
    wrong = refined(design, 0.25, replace(corner, side=-corner.side))
    assert wrong.gap > 0.1 * wrong.objective


def test_imbalance_is_as_exact_fractions_have_it():
    generator = np.random.default_rng(0)
    X, dual = (
        generator.normal(size=(9_000, 2)) * [1, 1e8] + 1e6,
        generator.uniform(-0.5, 0.5, 9_000),
    )
    weight = generator.lognormal(size=9_000)
    rows = Problem(X, dual, weight)
    for column, found in zip(X.T, imbalance(rows, dual), strict=True):
        terms = zip(column, weight, dual, strict=True)
        exact = sum(Fraction(x) * Fraction(w) * Fraction(d) for x, w, d in terms)
        assert found == pytest.approx(float(exact), rel=1e-15)


def test_a_wrong_solution_is_found_out_and_mended():
    X, y = draw(200, 2)
    design = Design.of(X, y, None, True)
    corner = solve(design.rows, 0.5)
    wrong = replace(corner, coef=corner.coef + 1, basis=None)
    assert certified(design, 0.5, wrong).relative_gap > 0.1
    unproved = certified(design, 0.5, replace(corner, side=-corner.side))
    assert unproved.gap == unproved.objective > 1e6 * unproved.rounding
    unproved = replace(corner, side=-corner.side)
    assert best_of(design, 0.5, unproved, TOL).relative_gap <= TOL


# --- rows met to rounding ---------------------------------------------------------------------


def met_by(share, rows, columns=5):
    """Rows of which a share is met by coefficients of 1, 2, 3 …, but for rounding."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(rows, columns))
    y = X @ np.arange(1.0, columns + 1)
    noise = generator.standard_t(3, size=rows)
    y += np.where(generator.uniform(size=rows) < share, 0, noise)
    return X, y, generator.lognormal(size=rows)


@pytest.mark.parametrize(
    ("share", "weighted", "intercept", "tau"),
    [(1, False, True, 0.33), (1, True, True, 0.99), (1, True, False, 0.52),
     (0.5, True, False, 0.89), (0.5, True, False, 0.99), (0.5, True, True, 0.72)],
)  # fmt: skip
def test_rows_met_to_rounding(share, weighted, intercept, tau):
    X, y, weight = met_by(share, 60_000)
    weight = weight if weighted else None
    found = quantile_fit(X, y, tau, weight, intercept)
    assert found.relative_gap <= TOL
    assert found.vertex
    assert found.coef == pytest.approx(np.arange(1.0, 6), rel=1e-12)
    truth = pinball(y, X @ np.arange(1.0, 6), tau, weight)
    assert found.objective == pytest.approx(truth, rel=1e-9, abs=found.rounding)


@pytest.mark.parametrize(("share", "weighted"), [(1, False), (1, True), (0.5, True)])
def test_a_path_of_rows_met_to_rounding(share, weighted):
    X, y, weight = met_by(share, 60_000)
    taus = [0.3, 0.31, 0.32, 0.33, 0.52, 0.89, 0.9, 0.99]
    found = quantile_path(X, y, taus, weight if weighted else None, fit_intercept=share == 1)
    assert found.relative_gap <= TOL
    assert np.max(np.abs(found.coef - np.arange(1.0, 6))) < 1e-11


def test_shared_duals_are_in_the_box_and_in_balance():
    X, y, weight = met_by(0.2, 3_000)
    design = Design.of(X, y, weight, False)
    rows = design.rows.scaled(slice(None))
    truth = np.linalg.lstsq(rows.X, X @ np.arange(1.0, 6) * weight / design.unit)[0]
    found = through_ties(rows, 0.7, truth)
    assert found.places.size > 500
    dual = found.dual(0.7)
    assert dual[found.places] == pytest.approx(found.inner, abs=0)  # nothing was clipped
    assert np.max(np.abs(dual @ rows.X)) < 1e-9
    met = np.abs(y - X @ np.arange(1.0, 6)) < 1e-9
    assert np.flatnonzero(met).tolist() == found.places.tolist()


def test_shared_duals_prove_no_wrong_fit():
    """A third of the rows is met, but the best fit is another: no dual of theirs is in balance."""
    generator = np.random.default_rng(0)
    X = np.ones((3_000, 1))
    y = np.where(np.arange(3_000) < 1_000, 0.0, 1 + generator.uniform(size=3_000))
    design = Design.of(X, y, None, False)
    found = through_ties(design.rows.scaled(slice(None)), 0.5, np.zeros(1))
    wrong = certified(design, 0.5, found)
    assert duality_gap(design.rows, 0.5, np.zeros(1), found.dual(0.5)).gap == np.inf
    assert wrong.relative_gap == 1
    assert refined(design, 0.5, found).relative_gap == 1
    assert quantile_fit(X, y, 0.5, fit_intercept=False).relative_gap <= TOL


def test_a_fit_that_meets_no_more_rows_than_it_has_coefficients_has_no_ties():
    X, y = draw(200, 2)
    design = Design.of(X, y, None, True)
    scaled = design.rows.scaled(slice(None))
    assert through_ties(scaled, 0.5, solve(design.rows, 0.5).coef) is None


# --- many quantiles ---------------------------------------------------------------------------

TAUS = np.arange(1, 20) / 20


@pytest.mark.parametrize("rows", [3, 30, 1_000, 45_000])
def test_a_path_is_what_each_fit_is(rows):
    X, y = draw(rows, 2)
    found = quantile_path(X, y, TAUS)
    assert found.relative_gap <= TOL
    assert found.taus == pytest.approx(TAUS)
    for fit in found.fits[:: 6 if rows > 1_000 else 1]:
        alone = quantile_fit(X, y, fit.tau)
        assert fit.objective == pytest.approx(alone.objective, rel=1e-10, abs=1e-14)


def test_a_path_of_counts_with_weights():
    X, y = zero_inflated(np.random.default_rng(0), 3_000)
    weight = np.random.default_rng(1).integers(0, 3, size=3_000).astype(float)
    found = quantile_path(X, y, [0.9, 0.5, 0.5, 0.1], weight)
    assert found.taus.tolist() == [0.1, 0.5, 0.9]
    assert found.relative_gap <= TOL
    alone = quantile_fit(X, y, 0.9, weight)
    assert found.fits[-1].objective == pytest.approx(alone.objective, rel=1e-12)


@pytest.mark.parametrize("kind", [zero_inflated, discrete, rare])
def test_a_path_through_ties(kind):
    X, y = kind(np.random.default_rng(0), 20_000)
    found = quantile_path(X, y, np.arange(1, 50) / 50)
    assert found.relative_gap <= TOL
    assert all(fit.vertex for fit in found.fits)


def test_a_path_of_rows_that_no_coefficient_moves():
    generator = np.random.default_rng(1)
    X = generator.integers(0, 2, size=(700, 1)).astype(float)
    y = X[:, 0] * generator.uniform(1, 2, size=700)
    y[:20] += generator.normal(size=20)
    found = quantile_path(X, y, [0.2, 0.21, 0.22], fit_intercept=False)
    assert found.relative_gap <= TOL


def bands_of(rows, weighted=False):
    """A design of many rows and the path through its quantiles, each with its rows in doubt."""
    generator = np.random.default_rng(0)
    X = generator.standard_t(3, size=(rows, 5))
    y = X.sum(axis=1) + generator.standard_t(3, size=rows) * np.exp(X[:, 0] / 4)
    weight = generator.lognormal(size=rows) if weighted else None
    design = Design.of(X, y, weight, True)
    everything = Band.of_all(design.rows.reached())
    return design, sweep_room.Sweep(everything).corners((np.arange(1, 50) / 50).tolist())


@pytest.mark.parametrize("weighted", [False, True])
def test_the_rows_in_doubt_prove_what_all_rows_do(weighted):
    design, swept = bands_of(45_000, weighted)
    rows, shares = design.rows, []
    for tau, band, corner in swept:
        coef = exact_coefficients(band.rows, design.kept, corner)
        found = band.gap(tau, coef, corner.dual(tau))
        dual = np.where(rows.residual(corner.coef) > 0, tau, tau - 1)
        plain = slice(None, -2 if band.rows.lumps else None)
        dual[band.places] = corner.dual(tau)[plain]
        alone = duality_gap(rows, tau, coef, dual)
        assert found.loss == pytest.approx(alone.loss, rel=1e-12)
        assert max(found.gap, alone.gap) <= TOL * found.loss
        assert found.rounding == alone.rounding
        shares.append(band.places.size / rows.count)
    assert np.median(shares) < 0.1


@pytest.mark.parametrize("weighted", [False, True])
def test_lumped_rows_are_on_their_side_of_every_fit_that_is_held(weighted):
    design, _ = bands_of(5_000, weighted)
    rows, generator = design.rows.reached(), np.random.default_rng(1)
    low, high = solve(design.rows, 0.4).coef, solve(design.rows, 0.6).coef
    radius = float(np.linalg.norm(high - low))
    band = Band.of_all(rows).near(radius, low, high)
    assert 0.1 < band.places.size / rows.count < 0.9
    held = 0
    for _ in range(200):
        move = generator.normal(size=low.size) * generator.uniform(0, radius / 3)
        fit = low + generator.uniform(-0.2, 1.2) * (high - low) + move
        if band.holds(fit, band.places[:1] * 0):
            held += 1
            residual = rows.residual(fit)
            assert np.all(residual * band.lumps.side >= 0)
    assert 20 < held < 180


def test_lumps_moved_are_lumps_found_anew():
    design, _ = bands_of(5_000, weighted=True)
    everything = Band.of_all(design.rows.reached())
    first, second = solve(design.rows, 0.4).coef, solve(design.rows, 0.5).coef
    before = everything.near(0.1, first)
    moved, anew = everything.near(0.2, second, before=before), everything.near(0.2, second)
    assert moved.lumps.side.tolist() == anew.lumps.side.tolist()
    assert pytest.approx(anew.rows.X, rel=1e-15, abs=1e-18) == moved.rows.X
    outside = anew.lumps.side > 0
    weighted = design.rows.X[outside] * design.rows.weight[outside, None]
    exact = [math.fsum(column) for column in weighted.T]
    assert anew.rows.X[-2] == pytest.approx(exact, rel=3e-16)


def test_a_fit_far_from_where_it_was_looked_for_is_found(monkeypatch):
    monkeypatch.setattr(trail_room, "_ERRORS", -2.4)  # so that next to no doubt is left
    design, swept = bands_of(25_000)
    assert sum(band.fits == () for _, band, _ in swept) > 5
    X, y = design.rows.X[:, 1:], design.rows.y
    assert quantile_path(X, y, np.arange(1, 50) / 50).relative_gap <= TOL


def test_sorted_quantiles_do_not_cross_and_lose_nothing():
    X, y = draw(60, 3)
    found = quantile_path(X, y, TAUS)
    as_fitted, in_order = found.predict(X, rearranged=False), found.predict(X)
    assert as_fitted == pytest.approx(X @ found.coef.T + found.intercept)
    assert found.crossed(X).any()
    moved = np.abs(as_fitted - in_order) > 1e-12 * np.max(np.abs(as_fitted), axis=1, keepdims=True)
    assert found.crossed(X).tolist() == moved.any(axis=1).tolist()
    assert np.all(np.diff(in_order, axis=1) >= 0)

    def loss(fitted):
        return np.mean([pinball(y, fitted[:, k], tau) for k, tau in enumerate(TAUS)])

    assert loss(in_order) <= loss(as_fitted)


def test_a_path_of_no_columns():
    found = quantile_path(np.zeros((4, 1)), [1, 2, 3, 4], [0.2, 0.8], fit_intercept=False)
    assert found.coef.tolist() == [[0], [0]]
    assert found.relative_gap == 0


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tau": 1}, "tau is 1; expected a number between 0 and 1"),
        ({"tau": 0.0}, "tau is 0.0"),
        ({"tau": np.nan}, "tau is nan"),
        ({"tau": "median"}, "tau is 'median'"),
        ({"X": [[1.0], [np.nan], [3.0]]}, "NaN or inf"),
        ({"X": [1.0, 2.0, 3.0]}, "Expected 2D array"),
        ({"X": [["a"], ["b"], ["c"]]}, "text"),
        ({"y": [1.0, np.inf, 2.0]}, "y has 1 value"),
        ({"y": [1.0, 2.0]}, "y has 2 rows and X 3"),
        ({"sample_weight": [1.0, -1.0, 1.0]}, "sample_weight is -1.0 in row 2"),
        ({"sample_weight": [0.0, 0.0, 0.0]}, "all weights are zero"),
    ],
)
def test_refused(change, message):
    given = {"X": [[1.0], [2.0], [3.0]], "y": [1.0, 2.0, 4.0], "tau": 0.5} | change
    with pytest.raises(DataError, match=message):
        quantile_fit(**given)


def test_a_path_of_nothing_is_refused():
    with pytest.raises(DataError, match="taus is empty"):
        quantile_path([[1.0]], [1.0], [])
