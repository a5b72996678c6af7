"""Many quantiles of the same rows: where the next fit is looked for, shared lumps, and pivots."""

import numpy as np
import pytest

from offby.fit.quantiles.bands import Band
from offby.fit.quantiles.design import Design
from offby.fit.quantiles.exact import quantile_fit
from offby.fit.quantiles.globs import solve
from offby.fit.quantiles.path import quantile_path
from offby.fit.quantiles.problem import Problem
from offby.fit.quantiles.sweep import Sweep
from offby.fit.quantiles.trail import Known, Trail
from offby.fit.quantiles.vertex import independent, pivoted

TOL = 1e-9
TAUS = np.arange(1, 100) / 100


def table(rows, columns=4, seed=0):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, columns))
    noise = generator.standard_t(3, size=rows) * np.exp(0.3 * X[:, 0])
    return X, 1 + X.sum(axis=1) + noise


def swept(rows, taus=TAUS):
    X, y = table(rows)
    design = Design.of(X, y, None, True)
    return design, list(Sweep(Band.of_all(design.rows.reached())).corners(taus.tolist()))


# --- the line of fits ---------------------------------------------------------------------------


def known(tau, *coef):
    return Known(tau, np.array(coef), np.arange(2), 100.0)


def test_coefficients_go_on_straight_over_log_odds():
    trail = Trail(1_000_000, 2)
    odds = {tau: np.log(tau / (1 - tau)) for tau in (0.5, 0.6, 0.8)}
    for tau in (0.5, 0.6):
        trail.add(known(tau, 1 + 2 * odds[tau], 3 - odds[tau]))
    coef, ranks = trail.ahead(0.8)
    assert coef == pytest.approx([1 + 2 * odds[0.8], 3 - odds[0.8]])
    assert 0 < ranks < 20_000
    assert trail.ahead(0.6)[0].tolist() == trail.last.coef.tolist()


def test_fits_that_only_chance_tells_apart_tell_nothing_of_the_next():
    trail = Trail(1_000, 2)
    for tau in (0.3, 0.4, 0.49, 0.5):
        trail.add(known(tau, tau, 0.0))
    assert (trail.first.tau, trail.last.tau) == (0.3, 0.5)
    trail.turn()
    assert (trail.first.tau, trail.last.tau) == (0.49, 0.3)


# --- rows in doubt ------------------------------------------------------------------------------


def test_quantiles_near_each_other_share_their_lumps():
    _, found = swept(10_000)
    bands = {id(band): band for _, band, _ in found}
    assert len(found) == 99
    assert len(bands) < 60
    assert np.median([band.places.size for band in bands.values()]) < 2_000


def test_a_band_holds_no_fit_that_the_one_around_it_does_not():
    X, y = table(5_000)
    everything = Band.of_all(Design.of(X, y, None, True).rows.reached())
    low, high = (solve(everything.rows, tau).coef for tau in (0.4, 0.6))
    near = float(np.linalg.norm(high - low))
    outer = everything.near(near / 2, low)
    inner = outer.near(4 * near, low)
    through = np.arange(low.size)
    assert everything.near(4 * near, low).holds(high, through)
    assert inner.holds(low, through)
    assert not inner.holds(high, through)


# --- pivots -------------------------------------------------------------------------------------


@pytest.mark.parametrize("near", [(np.inf, np.inf), (0.5, 0.5), (1e-6, 1e-6), (0.0, 0.0), (0.1, 3)])
@pytest.mark.parametrize("tau", [0.05, 0.5, 0.9])
def test_pivots_among_few_rows_end_at_the_best_fit_to_all(tau, near):
    X, y = table(800)
    rows = Problem(np.column_stack([np.ones(800), X]), y)
    start = independent(rows, np.random.default_rng(1).uniform(size=800))
    found = pivoted(rows, tau, start, near=near)
    assert np.sort(found.basis).tolist() == np.sort(solve(rows, tau).basis).tolist()
    dual = found.dual(tau)
    assert np.abs(dual @ rows.X).max() < 1e-10
    assert np.all((found.inner >= tau - 1) & (found.inner <= tau))


@pytest.mark.parametrize("kind", ["categories", "zeros", "rounded"])
def test_rows_that_are_tied_by_the_hundreds(kind):
    X, y = table(4_000)
    if kind == "categories":
        X = (np.arange(4_000)[:, None] % 5 == np.arange(1, 5)).astype(float)
        y = np.round(X @ np.arange(4) + y)
    elif kind == "zeros":
        y = np.maximum(np.round(y), 0)
    else:
        X, y = np.round(X), np.round(y, 1)
    found = quantile_path(X, y, TAUS[::7])
    assert found.relative_gap <= TOL
    for fit in found.fits[::4]:
        alone = quantile_fit(X, y, fit.tau)
        assert fit.objective == pytest.approx(alone.objective, rel=2e-9)


def test_a_path_goes_through_the_same_rows_as_each_fit_alone():
    X, y = table(3_000)
    found = quantile_path(X, y, TAUS[::9])
    for fit in found.fits:
        alone = quantile_fit(X, y, fit.tau)
        assert np.sort(fit.through).tolist() == np.sort(alone.through).tolist()
        assert fit.coef.tolist() == alone.coef.tolist()
