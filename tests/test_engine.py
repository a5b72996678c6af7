"""The engine: exact sums, counted keys and programs, the same bits in any order and any pieces."""

import math
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import offby
from offby.engine import evaluate as evaluating
from offby.engine import lane, planning
from offby.engine.order import KeyCounts, finest_drop, ordered_bits
from offby.engine.planning import plan_for
from offby.engine.rows import fit_rows, update
from offby.engine.state import State
from offby.formula import log, p, r, y
from offby.formula.aggregates import (
    ORDERED,
    Mean,
    Quantile,
    TopShare,
    Variance,
    aggregates_of,
)
from offby.formula.expression import apply
from offby.measures.aggregate import aggregate
from offby.measures.finish import measurement
from offby.measures.names import resolve

DOUBLES = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
LARGEST = math.nextafter(math.inf, 0)


def passed(formulas, y_true, y_pred=None, weight=None):
    """A state after one update."""
    y_true = np.asarray(y_true, float)
    y_pred = np.zeros_like(y_true) if y_pred is None else y_pred
    made = State(plan_for(tuple(formulas), weight is not None))
    update(made, fit_rows(y_true, y_pred, weight))
    return made


def exact_sum(found, term):
    return found.sums.exact(found.plan.exact[term])


@pytest.fixture
def many_threads(monkeypatch):
    """Slices of a tile or two, on more threads than there are processors."""
    monkeypatch.setattr(evaluating, "_WORTH_A_THREAD", 256)
    monkeypatch.setattr(evaluating, "threads", lambda: 7)


# Exact sums


@given(st.lists(DOUBLES, min_size=1, max_size=600))
@example([1e300, 1.0, -1e300])
@example([LARGEST] * 300 + [-LARGEST] * 299)
@example([5e-324] * 300 + [1e308, -1e308])
@example([2.0**k for k in range(-1074, 1024, 7)])
@example([1e16, 1.0] * 300)
@example([0.0, -0.0])
@settings(max_examples=60)
def test_sums_are_exact(values):
    found = passed([Mean(y)], values)
    assert exact_sum(found, y) == sum(map(Fraction, values))


@given(st.integers(0, 2**32), st.integers(-1060, 1000), st.integers(0, 60))
@settings(max_examples=40)
def test_sums_are_exact_wherever_the_anchors_lie(seed, exponent, spread):
    """Tiles of one size after tiles of another: what the fast path cannot take it must notice."""
    rng = np.random.default_rng(seed)
    scale = np.repeat(rng.integers(0, spread + 1, 6), 256)
    values = np.ldexp(rng.uniform(-1, 1, scale.size), np.minimum(exponent + scale, 1022))
    assert exact_sum(passed([Mean(y)], values), y) == sum(map(Fraction, values.tolist()))


@given(st.lists(st.tuples(DOUBLES, DOUBLES), min_size=1, max_size=40))
@settings(max_examples=60)
def test_covariances_are_finished_in_exact_arithmetic(pairs):
    """Products that neither over- nor underflow are kept whole."""
    kept = [(a, b) for a, b in pairs if 1e-100 < abs(a) < 1e100 and 1e-100 < abs(b) < 1e100]
    first = np.array([a for a, _ in kept] or [1.0])
    second = np.array([b for _, b in kept] or [1.0])
    found = passed([apply("covariance", y, p)], first, second)
    x, z = [Fraction(v) for v in first.tolist()], [Fraction(v) for v in second.tolist()]
    n = len(x)
    wanted = sum(a * b for a, b in zip(x, z, strict=True)) / n - sum(x) * sum(z) / n**2
    assert aggregate(found, apply("covariance", y, p)).value == float(wanted)


def test_weights_multiply_exactly():
    rng = np.random.default_rng(4)
    truth, weight = rng.normal(size=700), rng.uniform(0.1, 9, 700)
    found = passed([Mean(y)], truth, weight=weight)
    wanted = sum(Fraction(a) * Fraction(b) for a, b in zip(truth, weight, strict=True))
    assert exact_sum(found, y) == wanted
    assert found.sums.weight(found.plan) == sum(map(Fraction, weight))


FORMULAS = (Mean(r**2), Mean(log(y)), Variance(y), Quantile(abs(r), 0.5), TopShare(abs(r), 2, 0.1))


def fingerprint(found):
    """All that values are read from, as bits."""
    sums = found.sums
    return (
        sums.rows,
        [exact_sum(found, term) for term in found.plan.exact],
        [found.sums.exact(places) for places in found.plan.squares.values()],
        [sums.unusual(places)[:3] for places in found.plan.exact.values()],
        sums.sizes.tolist(),
        [(c.level, c.keys.tobytes(), c.counts.tobytes()) for c in sums.counted],
    )


def table(n, seed=5):
    rng = np.random.default_rng(seed)
    truth = np.exp(rng.normal(size=n) * 3)
    return truth, truth + rng.standard_cauchy(n)


@given(st.integers(0, 2**32), st.integers(1, 1500))
@settings(max_examples=25)
def test_no_order_and_no_cuts_change_a_bit(seed, n):
    rng = np.random.default_rng(seed)
    truth, prediction = table(n, seed)
    whole = fingerprint(passed(FORMULAS, truth, prediction))
    shuffled = rng.permutation(n)
    assert fingerprint(passed(FORMULAS, truth[shuffled], prediction[shuffled])) == whole
    plan = plan_for(FORMULAS, False)
    cuts = np.sort(rng.integers(0, n + 1, 4))
    parts = []
    for rows in np.split(shuffled, cuts):
        parts.append(State(plan))
        update(parts[-1], fit_rows(truth[rows], prediction[rows]))
    while len(parts) > 1:  # any tree
        k = int(rng.integers(0, len(parts) - 1))
        parts[k].merge(parts.pop(k + 1))
    assert fingerprint(parts[0]) == whole
    chunked = State(plan)
    for rows in np.split(np.arange(n), cuts):
        update(chunked, fit_rows(truth[rows], prediction[rows]))
    assert fingerprint(chunked) == whole


def test_no_thread_count_changes_a_bit(many_threads, monkeypatch):
    truth, prediction = table(10_000)
    threaded = passed(FORMULAS, truth, prediction)
    monkeypatch.setattr(evaluating, "threads", lambda: 1)
    assert fingerprint(threaded) == fingerprint(passed(FORMULAS, truth, prediction))
    assert threaded.sums.places.tolist() == passed(FORMULAS, truth, prediction).sums.places.tolist()


@pytest.mark.parametrize("chunk", [40_000, 7_000, 999])
def test_rows_that_wait_to_be_counted_change_nothing(chunk):
    truth, prediction = table(150_000)
    prediction[[9, 70_000, 149_999]] = truth[[9, 70_000, 149_999]] - 1e9  # of equal size
    whole, parts = passed(FORMULAS, truth, prediction), State(plan_for(FORMULAS, False))
    for start in range(0, truth.size, chunk):
        rows = slice(start, start + chunk)
        update(parts, fit_rows(truth[rows], prediction[rows]))
        seen = np.abs(prediction - truth)[: rows.stop]
        assert parts.worst_places() == np.argsort(-seen, kind="stable")[:10].tolist()
        if start == 4 * chunk:
            assert parts.sums.rows == 5 * chunk  # reading counts what waits, and they go on
    assert fingerprint(parts) == fingerprint(whole)
    assert parts.worst_places() == whole.worst_places()


def test_a_row_that_cannot_be_counted_is_refused_before_it_waits():
    state = State(plan_for(FORMULAS, False))
    for rows in (5_000, 5_000):
        update(state, fit_rows(*table(rows)))
    truth, prediction = table(10)
    before, prediction[7] = state.span, np.nan
    with pytest.raises(offby.errors.DataError, match="row 10008"):
        update(state, fit_rows(truth, prediction), careful=False)
    assert (state.span, state.sums.rows) == (before, before)


def test_order_statistics_need_no_means():
    assert aggregate(passed([Quantile(y, 0.5)], [3.0, 1.0, 2.0]), Quantile(y, 0.5)).value == 2.0


def test_a_pass_with_order_statistics_over_many_rows_ends():
    """Threads that wait for threads of the same pool would wait for ever."""
    truth, prediction = table(700_000)
    assert passed(FORMULAS, truth, prediction).sums.rows == 700_000


def test_terms_without_a_value_are_counted_and_the_first_row_is_named(many_threads):
    truth = np.ones(3000)
    truth[[1700, 2100]], truth[[40, 2999, 900]] = 0.0, -1.0
    found = passed([Mean(log(y)), Mean(1 / y), Mean(y)], truth)
    assert found.sums.unusual(found.plan.exact[log(y)]) == (0, 2, 3, 40)
    assert found.sums.unusual(found.plan.exact[1 / y]) == (2, 0, 0, 1700)
    assert found.sums.unusual(found.plan.exact[y]) == (0, 0, 0, -1)
    later = passed([Mean(log(y)), Mean(1 / y), Mean(y)], np.ones(10))
    later.merge(found)
    assert later.sums.unusual(later.plan.exact[1 / y]) == (2, 0, 0, 1710)
    assert exact_sum(later, y) == 3010 - 8


def test_the_worst_rows_are_the_first_of_equal_ones(many_threads):
    truth = np.zeros(5000)
    truth[[4000, 77, 1234]] = 5.0, 5.0, -6.0
    truth[2000:] += 1e-9
    found = passed([Mean(r)], truth)
    assert found.sums.places[0, :3].tolist() == [1234, 77, 4000] or found.sums.places[
        0, :3
    ].tolist() == [1234, 4000, 77]
    assert found.sums.places[0, 3:].tolist() == list(range(2000, 2007))


# Weights


@given(st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=25)
def test_a_whole_weight_is_as_many_copies(seed, n):
    rng = np.random.default_rng(seed)
    truth, prediction = table(n, seed)
    weight = rng.integers(0, 4, n)
    weight[0] = 1
    copied = np.repeat(np.arange(n), weight)
    measures = resolve("mse,mae,r2,explained_variance,wape,median_absolute_error,max_error,"
                       "d2_absolute,squared_error_share:0.1,error_quantile:0.3")  # fmt: skip
    parts = [part for m in measures for part in [m.formula]]
    weighted = passed(parts, truth, prediction, weight.astype(float))
    plain = passed(parts, truth[copied], prediction[copied])
    for part in (Mean(r**2), Variance(y), Quantile(abs(r), 0.5), Quantile(abs(r), 0.3),
                 TopShare(abs(r), 2, 0.1)):  # fmt: skip
        assert aggregate(weighted, part) == aggregate(plain, part)


# Counted keys


SMALL = 4096


def keys_of(values, pieces, budget):
    """KeyCounts of values, cut into pieces and merged one after the other."""
    whole = KeyCounts.empty(0, budget)
    for piece in np.array_split(values, pieces):
        bits, counts = np.unique(ordered_bits(piece), return_counts=True)
        whole = whole.merge(KeyCounts(0, bits, counts, np.zeros((bits.size, 0)), budget))
    return whole


@contextmanager
def keeping(budget):
    """So many different keys are kept, and twice as many rows looked at beforehand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "BUDGET", budget)
        patch.setattr(lane, "_LOOKED_AT", 2 * budget)
        plan_for.cache_clear()
        yield
    plan_for.cache_clear()


def test_keys_sort_as_floats_do():
    values = np.array([-math.inf, -1e300, -1.0, -5e-324, 0.0, 5e-324, 1e-310, 1.0, math.inf])
    assert np.all(np.diff(ordered_bits(values).astype(object)) > 0)
    assert np.array_equal(ordered_bits(-values), ~ordered_bits(values))


@given(st.integers(0, 2**32), st.integers(1, 9))
@settings(max_examples=25)
def test_no_more_bits_are_dropped_than_the_set_of_rows_asks_for(seed, pieces):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(size=900), rng.integers(0, 5, 300).astype(float)])
    once, merged = keys_of(values, 1, 300), keys_of(rng.permutation(values), pieces, 300)
    assert merged.level == once.level
    assert np.array_equal(merged.keys, once.keys)
    assert np.array_equal(merged.counts, once.counts)
    assert once.keys.size <= 300
    bits = np.unique(ordered_bits(values))
    assert once.level == finest_drop(bits, 300)
    assert np.unique(bits >> (once.level - 1)).size > 300
    low, high = once.low(), once.high()
    assert once.counts.sum() == values.size
    place = np.searchsorted(low, values, side="right") - 1
    assert np.all((low[place] <= values) & (values <= high[place]))


@pytest.mark.parametrize("term", [abs(r), r])
def test_the_loop_counts_as_the_reference_does(many_threads, term):
    truth, prediction = table(150_000)
    error = prediction - truth
    reference = keys_of(np.abs(error) if term is abs(r) else error, 1, SMALL)
    for batches in (1, 3, 17):
        with keeping(SMALL):
            found = State(plan_for((Quantile(term, 0.5),), False))
        for rows in np.array_split(np.random.default_rng(1).permutation(truth.size), batches):
            update(found, fit_rows(truth[rows], prediction[rows]))
        (counted,) = found.sums.counted
        assert counted.level == reference.level > 0
        assert np.array_equal(counted.keys, reference.keys)
        assert np.array_equal(counted.counts, reference.counts)


BRACKETED = "median_absolute_error,error_quantile:0.9,squared_error_share:0.01,d2_absolute,"


@pytest.mark.parametrize("weighted", [False, True])
def test_brackets_hold_the_exact_value(weighted):
    names = BRACKETED + "absolute_error_share:0.1,d2_pinball:0.9"
    formulas = [measure.formula for measure in resolve(names)]
    parts = [part for formula in formulas for part in aggregates_of(formula)
             if part.op in ORDERED]  # fmt: skip
    for seed in range(3):
        truth, prediction = table(20_000, seed)
        weight = np.random.default_rng(seed).uniform(0.5, 3, truth.size) if weighted else None
        with keeping(SMALL):
            rough = passed(formulas, truth, prediction, weight)
        with keeping(1 << 16):
            fine = passed(formulas, truth, prediction, weight)
            exact = [aggregate(fine, part) for part in parts]
        assert all(counted.level == 0 for counted in fine.sums.counted)
        for part, wanted in zip(parts, exact, strict=True):
            found = aggregate(rough, part)
            assert found.low <= found.value <= found.high
            assert found.low <= wanted.value <= found.high, part
            assert found.low < found.high < found.low * 1.05


# Products for standard errors


@pytest.mark.parametrize("weighted", [False, True])
def test_merged_standard_errors_are_the_direct_ones(weighted):
    """Each half is summed about its own pilot, and the second moved to that of the first."""
    rng = np.random.default_rng(8)
    truth = rng.normal(size=4000) + np.repeat([30.0, -3.0], 2000)
    prediction = truth + rng.normal(size=4000)
    weight = rng.uniform(0.5, 2, 4000) if weighted else None
    measures = resolve("mse,bias,r2,explained_variance,squared_correlation,wape")
    formulas = [measure.formula for measure in measures]
    halves = [
        passed(formulas, truth[rows], prediction[rows], None if weight is None else weight[rows])
        for rows in (slice(2000), slice(2000, None))
    ]
    halves[0].merge(halves[1])
    direct = passed(formulas, truth, prediction, weight)
    for measure in measures:
        merged, whole = (measurement(s, measure, 0.95) for s in (halves[0], direct))
        assert merged.value == whole.value
        assert merged.standard_error == pytest.approx(whole.standard_error, rel=1e-9)


@pytest.mark.parametrize("chunk", [300_000, 70_000, 9_000])
def test_few_values_in_many_rows_stay_exact_however_they_come(chunk):
    """Looking ahead at rows with few different values must not make the keys coarser."""
    generator = np.random.default_rng(5)
    y_true = np.round(generator.normal(size=300_000) * 10, 2)
    y_pred = y_true + np.round(generator.normal(size=300_000), 1)
    totals = offby.Totals(["median_absolute_error", "error_quantile:0.9"])
    for start in range(0, y_true.size, chunk):
        totals.update(y_true[start : start + chunk], y_pred[start : start + chunk])
    report = totals.report()
    size = np.abs(y_pred - y_true)
    assert report["median_absolute_error"].value == np.median(size)
    assert report["median_absolute_error"].bracket is None
    assert report["error_quantile:0.9"].value == np.quantile(
        size, 0.9, method="averaged_inverted_cdf"
    )


SPREADS = {
    "even": lambda rng, n: rng.uniform(size=n),
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal": lambda rng, n: np.exp(3 * rng.normal(size=n)),
    "two scales": lambda rng, n: (
        np.where(rng.uniform(size=n) < 0.5, 1.0, 1e-6) * rng.normal(size=n)
    ),
    "far from zero": lambda rng, n: 1e8 + rng.normal(size=n),
    "rounded": lambda rng, n: np.round(rng.normal(size=n), 4),
    "single precision": lambda rng, n: rng.normal(size=n).astype(np.float32).astype(float),
}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("rows", [1 << 18, 1 << 20])
def test_a_look_ahead_drops_no_more_bits_than_all_rows_ask_for(spread, rows):
    """Where the budget exceeds what is looked at, and the number of keys must be guessed."""
    budget = 1 << 17
    keys = np.sort(ordered_bits(SPREADS[spread](np.random.default_rng(4), rows)))
    some = np.sort(np.random.default_rng(5).choice(keys, 1 << 16, replace=False))
    needed = finest_drop(keys, budget)
    assert needed - 4 <= lane._expected_drop(some, budget, rows) <= needed or needed == 0


@pytest.mark.parametrize("chunk", [50_000, 9_000, 777])
def test_more_rows_than_keys_but_few_give_the_same_bits_however_they_come(chunk):
    """Between one and two budgets of rows, looking ahead must not guess."""
    generator = np.random.default_rng(7)
    y_true, chance = generator.integers(0, 2, 50_000) * 1.0, generator.uniform(size=50_000)
    totals = offby.Totals("median_absolute_error,error_quantile:0.9")
    for start in range(0, y_true.size, chunk):
        totals.update(y_true[start : start + chunk], chance[start : start + chunk])
    once = offby.Totals("median_absolute_error,error_quantile:0.9").update(y_true, chance)
    for name, found in totals.report().measures.items():
        assert found.value == once.report()[name].value
        assert found.bracket == once.report()[name].bracket is not None


@pytest.mark.parametrize("finer", [0, 1, 3, 6])
def test_a_window_that_is_too_fine_folds_to_what_the_reference_keeps(finer, monkeypatch):
    """Negative keys, positive ones, and a few below the window."""
    rng = np.random.default_rng(9)
    values = rng.permutation(np.append(rng.normal(size=60_000), 1e-9 * rng.normal(size=2_000)))
    reference = keys_of(values, 1, SMALL)
    monkeypatch.setattr(lane, "_expected_drop", lambda *_: reference.level - finer)
    with keeping(SMALL):
        state = State(plan_for((Quantile(r, 0.5),), False))
    update(state, fit_rows(np.zeros_like(values), values))
    (counted,) = state.sums.counted
    assert counted.level == reference.level > 6
    assert np.array_equal(counted.keys, reference.keys)
    assert np.array_equal(counted.counts, reference.counts)
