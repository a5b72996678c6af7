"""Verdicts on training curves: known answers, traps, error rates, bad input."""

import json
import math

import numpy as np
import pytest
from scipy import optimize

from offby.errors import DataError
from offby.watch.curve import MOST, Curve
from offby.watch.diagnose import diagnose
from offby.watch.forecast import gains
from offby.watch.isotonic import falling_fit, lowest_errors
from offby.watch.judge import Label
from offby.watch.level import local_quadratic
from offby.watch.noise import GRID, Noise, noise_of
from offby.watch.recent import recent_change
from offby.watch.rise import (
    _CORRELATIONS,
    _bends,
    _turns,
    guarded,
    level_of_look,
    rise_chance,
)
from offby.watch.scale import scale_of
from offby.watch.words import _SENTENCES

T = np.arange(1, 61)
TRAIN = [0.8, 0.6, 0.5, 0.4, 0.35, 0.32, 0.30, 0.29, 0.28, 0.27]
VAL = [0.85, 0.65, 0.55, 0.48, 0.45, 0.44, 0.45, 0.46, 0.48, 0.50]
LEARNS = 0.05 + 2 * np.exp(-T / 10)
SEEDS = range(3)


def noisy(curve, seed, size=0.02):
    return curve * np.exp(size * np.random.default_rng(seed).normal(size=len(curve)))


def falls(life, floor=0.5, t=T):
    return floor + 1.5 * np.exp(-t / life)


def label(*curves, **options):
    return diagnose(*curves, **options).verdict


# --- the pieces against trusted peers ----------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_falling_fit_is_scipys(seed):
    z = np.random.default_rng(seed).normal(size=50).cumsum()
    expected = optimize.isotonic_regression(z, increasing=False).x
    np.testing.assert_allclose(falling_fit(z), expected, atol=1e-12)


def test_the_errors_of_each_lowest_point_are_those_of_fits_with_scipy():
    z = np.random.default_rng(4).normal(size=12)

    def error(lowest):
        fits = [
            np.append(optimize.isotonic_regression(z[:k], increasing=False).x if k else [],
                      optimize.isotonic_regression(z[k:]).x if k < z.size else [])
            for k in (lowest, lowest + 1)
        ]  # fmt: skip
        return min(np.sum((z - fit) ** 2) for fit in fits)

    np.testing.assert_allclose(lowest_errors(z), [error(k) for k in range(z.size)], atol=1e-12)


def restricted(z, lines, correlation):
    """log |Σ| + log |X'Σ⁻¹X| of all lines but the last; what they leave, with it and without.

    Slopes of falls and rises are not negative, so scipy's `lsq_linear` fits what is whitened.
    """
    covariance = correlation ** np.abs(np.subtract.outer(T[: z.size], T[: z.size]))
    free = np.linalg.inv(np.linalg.cholesky(covariance))
    inner = np.linalg.slogdet((free @ lines[:, :2]).T @ free @ lines[:, :2])[1]
    left = [
        2 * optimize.lsq_linear(free @ lines[:, :k], free @ z, bounds=([-np.inf, 0, 0][:k], np.inf),
                                tol=1e-14).cost
        for k in (2, 3)
    ]  # fmt: skip
    return np.linalg.slogdet(covariance)[1] + inner, *left


@pytest.mark.parametrize("slope", [0.2, -0.2, 0.0])
def test_the_evidence_is_that_of_generalised_least_squares(slope):
    at = np.arange(18)
    z, rising, staying = np.random.default_rng(5).normal(size=18) + slope * at, 0.0, 0.0
    for turn in _turns(24, 18):
        lines = np.stack([at**0, np.maximum(turn - at, 0), np.maximum(at - turn, 0)], axis=1)
        for r in _CORRELATIONS:
            size, stays, rises = restricted(z, lines, r)
            weight = (1 - r) ** 0.8 * math.exp(-size / 2)
            rising, staying = rising + weight * rises**-7.5, staying + weight * stays**-7.5
    found = _bends(24, 18).evidence(z[None], known=False)
    assert found == pytest.approx(math.log(rising / staying), abs=1e-6)


INDEPENDENT = Noise(np.eye(GRID.size)[0], np.ones(GRID.size), 9, 0.0)


def chances(curve, correlation, count=300):
    noise = [simulated_noise(correlation, seed, curve.size) for seed in range(count)]
    return np.array([rise_chance(curve + one, 0, INDEPENDENT, 0.05) for one in noise])


@pytest.mark.parametrize("points", [20, 40])
def test_a_flat_curve_seldom_seems_to_rise_and_a_falling_one_less_often(points):
    guard, flat = guarded(points), np.zeros(points)
    alarms = np.mean(chances(flat, guard) <= 0.05)
    assert 0.02 < alarms < 0.08
    assert np.mean(chances(flat, 0.0) <= 0.05) < alarms
    assert np.mean(chances(flat - 0.1 * np.arange(points), guard) <= 0.05) < alarms
    assert np.mean(chances(flat + 0.3 * np.arange(points), 0.0) <= 0.05) > 0.9


def test_smoothing_leaves_quadratics_alone():
    quadratic = 3 - T + 0.1 * T**2
    np.testing.assert_allclose(local_quadratic(60, 0.3) @ quadratic, quadratic)


def simulated_noise(correlation, seed, points=400):
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=points)
    for i in range(1, points):
        noise[i] = correlation * noise[i - 1] + math.sqrt(1 - correlation**2) * noise[i]
    return noise


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_noise_is_found_under_a_trend(correlation):
    trend = np.linspace(3, -3, 400) ** 2
    found = [noise_of(trend + simulated_noise(correlation, seed)) for seed in range(5)]
    assert np.mean([noise.spread for noise in found]) == pytest.approx(1, abs=0.15)
    assert np.mean([noise.correlation for noise in found]) == pytest.approx(correlation, abs=0.08)


def test_the_variance_of_a_sum_is_that_of_simulated_sums():
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    noise = noise_of(simulated_noise(0.5, 1, 4000))
    sums = np.convolve(simulated_noise(0.5, 2, 200_000), weights[::-1], "valid")
    assert noise.variance_of(weights) == pytest.approx(sums.var(), rel=0.1)


def test_a_line_changes_as_it_does():
    z = -0.1 * np.arange(30.0) + 0.001 * simulated_noise(0, 3, 30)
    found = recent_change(z, 30, noise_of(z), 0.95)
    assert found.change == pytest.approx(-0.9, abs=0.01)
    assert found.falls
    assert found.within(1.0)
    assert not found.within(0.9)


def test_later_looks_spend_less_and_all_together_a_finite_part():
    doublings = [level_of_look(2**k, 0.05) for k in range(4, 60)]
    assert all(np.diff(doublings) < 0)
    assert sum(doublings) < 0.05


def test_the_scale_is_where_noise_is_of_one_size():
    generator = np.random.default_rng(6)
    level, noise = np.geomspace(10, 0.1, 200), generator.normal(size=200)
    assert scale_of(level * np.exp(0.05 * noise), "lower").logarithmic
    assert not scale_of(20 + level + noise, "higher").logarithmic
    assert not scale_of(level + 0.02 * np.abs(noise), "lower").logarithmic


@pytest.mark.parametrize("law", [lambda t: 0.4 + 1.9 * t**-0.7, lambda t: falls(30, t=t)])
def test_forecasts_reach_what_the_law_becomes(law):
    t = np.arange(1.0, 61)
    losses = noisy(law(t), 1, 0.01)
    draws, until = gains(t, losses, 0.01 * losses, 1.0, 0.0, np.random.default_rng(0))
    low, high = np.quantile(draws, [0.05, 0.95])
    assert until == 120
    assert low < law(t[-1]) - law(120.0) < high


# --- known answers -----------------------------------------------------------------------------


def test_the_known_answer():
    found = diagnose(TRAIN, VAL)
    assert (found.verdict, found.best_epoch) == ("overfitting", 6)
    assert isinstance(found.best_epoch, int)
    low, high = found.best_interval
    assert low <= 6 <= high
    assert found.onset.low <= found.onset.value <= found.onset.high
    assert 0 < found.cost.low < found.cost.value < found.cost.high
    assert 0 < found.gap_then < found.gap_now
    assert found.gain is None
    as_json = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (as_json["verdict"], as_json["best_epoch"]) == ("overfitting", 6)
    assert as_json["advice"] in str(found)


def test_the_same_curves_get_the_same_verdict():
    assert diagnose(TRAIN, VAL) == diagnose(np.array(TRAIN), tuple(VAL))


def test_units_change_nothing():
    found, scaled = diagnose(TRAIN, VAL), diagnose(np.multiply(TRAIN, 1e6), np.multiply(VAL, 1e6))
    assert (scaled.verdict, scaled.best_epoch) == (found.verdict, found.best_epoch)
    assert scaled.cost.value == pytest.approx(1e6 * found.cost.value)
    assert scaled.p_value == found.p_value


def test_what_falls_still_improves_and_says_what_more_would_gain():
    truly, held = falls(40, t=60) - falls(40, t=120), 0
    for seed in range(20):
        found = diagnose(None, noisy(falls(40), seed, 0.01))
        assert (found.verdict, found.gain_until) == ("still improving", 120)
        assert found.gain.value == pytest.approx(truly, rel=0.25)
        held += found.gain.low < truly < found.gain.high
    assert held >= 12  # of 20, at 80 %


@pytest.mark.parametrize("seed", SEEDS)
def test_what_has_stopped_is_a_plateau_by_evidence(seed):
    curve = falls(4)
    assert label(None, noisy(curve, seed, 0.003)) == "plateau"
    assert label(None, noisy(curve[:12], seed, 0.1)) != "plateau"  # not seen is not shown


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("curve", [2.3 * 0.997**T, 2.3 * 0.9997**T, 0.3 + 1 / T])
def test_what_is_slow_is_no_plateau(curve, seed):
    """Of a rate far too low the last third gains less than 1 %, but as long again gains as much."""
    found = diagnose(None, noisy(curve, seed, 0.0005))
    assert found.verdict == "still improving"
    assert found.gain.low > 0.0005 * curve[-1]


@pytest.mark.parametrize("size", [0.03, 0.15])
def test_flat_noise_is_not_unstable(size):
    found = [label(None, noisy(np.full(60, 0.5), seed, size)) for seed in range(20)]
    assert found.count("undetermined") >= 17
    accuracy = 0.5 + size * np.random.default_rng(1).normal(size=60)
    assert label(None, accuracy, better="higher") == "undetermined"


def test_what_learns_and_then_jumps_is_unstable():
    assert label(None, noisy(falls(4), 1, 0.5)) == "unstable"


def test_what_is_expected_of_the_best_checkpoint_is_not_its_luck():
    curve = falls(3)
    off = {"logged": [], "expected": [], "cost": []}
    for seed in range(30):
        val = noisy(curve, seed, 0.05)
        found = diagnose(None, val)
        at = int(found.best_epoch) - 1
        off["logged"].append(val[at] - curve[at])
        off["expected"].append(found.best_expected.value - curve[at])
        off["cost"].append(found.cost.low <= curve[-1] - curve[at] <= found.cost.high)
        assert found.best_expected.low < found.best_expected.value < found.best_expected.high
    assert np.mean(off["logged"]) < 2 * np.mean(off["expected"]) < 0
    assert np.mean(off["cost"]) >= 0.7  # at 80 %


def test_a_loss_that_only_training_lowers_never_generalised():
    for seed in SEEDS:
        found = diagnose(noisy(LEARNS, seed), noisy(np.full(60, 2.3), seed + 9))
        assert found.verdict == "never generalised"
        assert "so far" in found.advice


def test_one_point_two_and_seven():
    found = diagnose(None, [0.7])
    assert (found.verdict, found.best_epoch, found.needed) == ("cannot tell", 1, 10)
    assert "1 evaluation is too few; about 10 are needed" in found.advice
    assert label(None, [0.7, 0.6]) == "cannot tell"
    assert label(None, []) == "cannot tell"
    assert label(None, [1.0, 0.9, 1.0, 0.8, 1.0, 0.9, 0.7]) == "cannot tell"


# --- traps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_double_descent(seed):
    hump = falls(5) + 0.4 * np.exp(-(((T - 25) / 6) ** 2))
    top = diagnose(noisy(LEARNS[:25], seed), noisy(hump[:25], seed + 9))
    assert top.verdict == "overfitting"
    assert "so far" in top.advice
    down = diagnose(noisy(LEARNS[:32], seed), noisy(hump[:32], seed + 9))
    assert down.verdict == "still improving"
    assert down.fell_again
    assert "again" in down.advice
    over = noisy(hump - 0.002 * T, seed + 9)
    assert label(noisy(LEARNS, seed), over) == "still improving"


@pytest.mark.parametrize("seed", SEEDS)
def test_grokking(seed):
    late = np.where(T < 40, 2.3, 0.3 + 2 * np.exp(-(T - 40) / 4))
    train, val = noisy(LEARNS, seed), noisy(late, seed + 9)
    assert label(train[:39], val[:39]) == "never generalised"
    assert label(train[:45], val[:45]) == "still improving"
    assert label(train, val) in ("still improving", "plateau")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drop_of_the_learning_rate(seed):
    drop = np.where(T < 30, 0.3 + falls(5), 0.5 + 0.3 * np.exp(-(T - 29) / 2))
    for end in (30, 32, 40, 60):
        assert label(None, noisy(drop, seed)[:end]) not in ("overfitting", "unstable", "diverged")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("heights", [[4.0], [4.0, 3.0, 2.0, 1.3]])
def test_a_spike_that_recovers(seed, heights):
    val = noisy(falls(8), seed)
    val[30 : 30 + len(heights)] *= heights
    assert label(noisy(LEARNS, seed), val) in ("plateau", "still improving", "undetermined")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_jump_is_no_memorising(seed):
    val = noisy(falls(8), seed)
    val[-5:] *= 3
    assert label(None, val) == "unstable"


@pytest.mark.parametrize("seed", SEEDS)
def test_training_above_validation(seed):
    found = diagnose(noisy(0.2 + 1.2 * falls(10), seed), noisy(falls(10), seed + 9))
    assert found.verdict in ("plateau", "still improving", "undetermined")
    assert found.gap_now < 0


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_up_while_accuracy_goes_up(seed):
    val = noisy(falls(5) * (1 + 0.01 * np.clip(T - 15, 0, None)), seed)
    generator = np.random.default_rng(seed)
    better = 0.8 - 0.5 * np.exp(-T / 20) + 0.002 * generator.normal(size=60)
    found = diagnose(LEARNS, val, accuracy=better)
    assert (found.verdict, found.overconfident) == ("overfitting", True)
    assert "overconfident, not useless" in found.advice
    assert not diagnose(LEARNS, val, accuracy=1 - val).overconfident


def test_resumed_runs_repeat_steps_and_the_later_count():
    steps = np.concatenate([T[:40], T[30:]])
    curve = noisy(falls(40), 1, 0.01)
    val = np.concatenate([curve[:30], curve[30:40] + 1, curve[30:]])
    found, plain = diagnose(None, val, steps), diagnose(None, curve)
    assert "10 val values were logged again" in found.notes[0]
    assert (found.verdict, found.best_epoch, found.cost) == (
        plain.verdict, plain.best_epoch, plain.cost)  # fmt: skip


@pytest.mark.parametrize("end", [math.nan, math.inf])
def test_logs_that_end_with_no_number_diverged(end):
    for curves in ((TRAIN, [*VAL[:9], end]), ([*TRAIN[:9], end], VAL), ([*TRAIN[:9], end], None)):
        found = diagnose(*curves)
        assert found.verdict == "diverged"
        assert found.best_epoch in (6, 9)
    assert label(None, [end] * 8) == "diverged"


def test_values_missing_on_the_way_are_left_out_and_said():
    val = noisy(falls(40), 1, 0.01)
    val[20] = math.nan
    found = diagnose(None, val)
    assert found.verdict == "still improving"
    assert found.notes == ("1 of 60 val values are not finite and were left out",)
    sparse = np.full(120, math.nan)
    sparse[::2] = noisy(falls(40), 1, 0.01)  # as where training has rows of its own
    assert label(None, sparse) == "still improving"


@pytest.mark.parametrize("seed", SEEDS)
def test_training_that_blows_up_diverged_and_both_up_is_unstable(seed):
    blown = np.exp(0.25 * np.clip(T - 40, 0, None))
    assert label(noisy(LEARNS * blown, seed), noisy(falls(5) * blown, seed + 9)) == "diverged"
    lifted = 0.3 * np.clip((T - 40) / 20, 0, None)
    found = diagnose(noisy(LEARNS + lifted, seed), noisy(falls(5) + lifted, seed + 9))
    assert (found.verdict, found.train_rose) == ("unstable", True)


@pytest.mark.parametrize("seed", range(5))
def test_rewards_of_reinforcement_learning(seed):
    generator = np.random.default_rng(seed)
    rewards = np.minimum(5 * T, 200) + 80 * generator.normal(size=60)
    for curves in ((rewards, None), (None, rewards)):
        found = label(*curves, better="higher")
        assert found in ("unstable", "undetermined", "still improving")
    walk = 30 * generator.normal(size=60) + generator.normal(size=60).cumsum()
    assert label(None, walk, better="higher") in ("unstable", "undetermined")


def test_steps_on_a_log_scale():
    steps = 2.0 ** np.arange(20)
    found = diagnose(None, noisy(0.5 + 2 * steps**-0.3, 1), steps)
    assert found.verdict == "still improving"
    assert found.best_epoch in steps
    assert found.gain_until == 2**20


def test_a_million_points_are_thinned_and_said():
    t = np.linspace(0, 1, 1_000_000)
    val = noisy(0.5 + np.exp(-10 * t) + 0.2 * t, 1)
    found = diagnose(None, val)
    assert found.verdict == "overfitting"
    assert found.evaluations == 1_000_000
    assert "1,000,000 val values were averaged in blocks of 6,250" in found.notes
    truly = 1e6 * math.log(50) / 10
    low, high = found.best_interval
    assert low < truly < high


def test_training_alone_never_overfits():
    found = diagnose(noisy(falls(40), 1, 0.01))
    assert (found.watched, found.verdict) == ("train", "still improving")
    assert diagnose(VAL * 2).verdict != "overfitting"
    assert diagnose(noisy(falls(5) * (1 + 0.02 * T), 1)).verdict == "unstable"


@pytest.mark.parametrize("seed", SEEDS)
def test_higher_is_better(seed):
    noise = 0.01 * np.random.default_rng(seed).normal(size=60)
    accuracy = 0.9 - 0.5 * np.exp(-T / 6) - 0.003 * np.clip(T - 25, 0, None) + noise
    found = diagnose(None, accuracy, better="higher")
    assert found.verdict == "overfitting"
    assert found.cost.low > 0
    assert 15 <= found.best_epoch <= 35
    assert label(None, 0.9 - 0.5 * np.exp(-T / 40) + noise, better="higher") == "still improving"


def test_constant_curves_and_zeros_are_plateaus():
    assert label(None, np.ones(20)) == "plateau"
    assert label(None, np.zeros(20)) == "plateau"


def test_train_of_other_steps():
    train_steps = np.arange(1, 61, 0.5)
    train = 0.05 + 2 * np.exp(-train_steps / 10)
    found = diagnose(train, noisy(falls(5), 1), train_steps=train_steps)
    plain = diagnose(LEARNS, noisy(falls(5), 1))
    assert found.gap_now == pytest.approx(plain.gap_now, abs=0.01)


def test_noise_that_is_given_is_believed():
    sure = diagnose(TRAIN, VAL, val_noise=0.002)
    assert sure.p_value < 0.01
    unsure = diagnose(TRAIN, VAL, val_noise=np.full(10, 0.1))
    assert unsure.verdict != "overfitting"
    assert unsure.noise == pytest.approx(0.2, rel=0.2)  # of values about 0.48, relative
    drowned = diagnose(None, falls(4) / 1e6, val_noise=1.0)
    assert (drowned.scale, drowned.noise) == ("linear", 1.0)


# --- error rates -------------------------------------------------------------------------------


def test_false_alarms_and_power_in_short():
    """`benchmarks/watch.py` measures these with more runs and more curves."""
    t = np.arange(1, 41)
    flat, rises = falls(3, t=t), falls(3, t=t) * (1 + 0.12 * np.clip((t - 20) / 20, 0, None))
    alarms = [label(None, noisy(flat, seed, 0.03)) == "overfitting" for seed in range(60)]
    seen = [label(None, noisy(rises, seed, 0.03)) == "overfitting" for seed in range(60)]
    assert np.mean(alarms) <= 0.05
    assert np.mean(seen) >= 0.9


def test_looks_are_dearer_while_watching():
    said = {False: 0, True: 0}
    for seed in range(20):
        curve = noisy(falls(3) * (1 + 0.0015 * np.clip(T - 20, 0, None)), seed, 0.03)
        for live in said:
            found = diagnose(None, curve, live=live)
            assert found.live == live
            said[live] += found.verdict == "overfitting"
    assert 0 < said[True] < said[False]


# --- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("curves", "options", "says"),
    [
        ((), {}, "neither train nor val was given"),
        (([1, 2], [1, 2, 3]), {}, "train has 2 values and val 3; give train_steps"),
        ((None, [1, 2, 3], [1, 2]), {}, "val has 3 values for 2 steps"),
        ((None, [1, 2, 3], [1, math.nan, 3]), {}, "step 1 of val is nan"),
        ((None, ["a", "b"]), {}, "val cannot be read as numbers"),
        ((None, [[1, 2], [3, 4]]), {}, r"val has the shape \(2, 2\)"),
        ((None, VAL), {"better": "up"}, "better is 'up'"),
        ((None, VAL), {"confidence": 95}, "confidence is 95"),
        ((None, VAL), {"accuracy": [1, 2]}, "accuracy has 2 values and the curve 10"),
        ((None, VAL), {"val_noise": 0}, "not above 0; expected standard errors"),
        ((None, VAL), {"val_noise": [1, 2]}, "val_noise has 2 values and the curve 10"),
    ],
)
def test_bad_input_is_said(curves, options, says):
    with pytest.raises(DataError, match=says):
        diagnose(*curves, **options)


def test_curves_are_thinned_to_whole_blocks_at_the_end():
    curve = Curve.of(np.arange(1000.0), None, "val").thinned("val")
    assert curve.size <= MOST
    assert curve.block == 7
    assert curve.values[-1] == np.mean(np.arange(993, 1000))
    np.testing.assert_allclose(curve.along(np.arange(1000.0), "val"), curve.values)


def test_every_verdict_has_its_sentence():
    assert set(_SENTENCES) == set(Label.__args__)


def test_training_that_stands_still_from_its_start_on_is_not_said_to_improve():
    """A real run with far too high a learning rate: chance level after two evaluations."""
    train = [2.395, 3.170, 2.320, 2.322, 2.316, 2.315, 2.318, 2.320, 2.312, 2.319, 2.313, 2.318]
    val = [2.105, 2.330, 2.327, 2.311, 2.311, 2.316, 2.312, 2.320, 2.315, 2.318, 2.336, 2.336]
    assert diagnose(train, val).verdict != "never generalised"
