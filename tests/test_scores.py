"""Binary scores: parity with scikit-learn, laws of counted rows, and honest intervals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from statsmodels.api import GLM, add_constant
from statsmodels.genmod.families import Binomial

from offby import scores
from offby.errors import DataError, MeasureError
from offby.measures.aggregate import Undefined
from offby.scores import Costs, ScoreCounts
from offby.scores.average import cancelled
from offby.scores.curves import thin

RNG = np.random.default_rng(20)
TIGHT = {"rel": 1e-12, "abs": 1e-13}


def drawn(rows, *, ties=False, base=-1.0, rng=RNG):
    """Labels and probabilities that are calibrated (rounded, if there shall be ties)."""
    z = base + 1.5 * rng.normal(size=rows)
    chance = 1 / (1 + np.exp(-z))
    y = (rng.random(rows) < chance).astype(float)
    return y, np.round(chance, 2) if ties else chance


Y, TIED = drawn(1500, ties=True)
FINE = np.clip(TIED + RNG.uniform(-0.01, 0.01, TIED.size), 0.001, 0.999)
WEIGHT = RNG.gamma(2.0, 1.0, TIED.size)
TABLES = {
    "fine": (Y, FINE, None),
    "ties": (Y, TIED, None),
    "weights": (Y, FINE, WEIGHT),
    "ties and weights": (Y, TIED, WEIGHT),
}
EVERY = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def coarse(counts, width=0.07):
    """The same rows in cells of several scores, whose ends are all that is known of them."""
    starts = np.unique(np.floor(counts.low / width), return_index=True)[1]
    return counts.grouped(starts)


# every statistic that comes back as one estimate
STATISTICS = {
    "roc_auc": scores.roc_auc,
    "average_precision": scores.average_precision,
    "kolmogorov_smirnov": lambda c: scores.kolmogorov_smirnov(c).estimate,
    "gain": lambda c: scores.gain(c, 0.2),
    "lift": lambda c: scores.lift(c, 0.1),
    "in the large": scores.calibration_in_the_large,
    "slope": lambda c: scores.calibration_line(c).slope,
    "intercept": lambda c: scores.calibration_line(c).intercept,
    "calibration_error": lambda c: scores.calibration_error(c).estimate,
    "brier": lambda c: scores.score_decomposition(c).mean,
    "log": lambda c: scores.score_decomposition(c, "log").mean,
    "miscalibration": lambda c: scores.score_decomposition(c).miscalibration,
    "discrimination": lambda c: scores.score_decomposition(c).discrimination,
    "uncertainty": lambda c: scores.score_decomposition(c).uncertainty,
    "precision": lambda c: scores.precision(c, 0.4),
    "recall": lambda c: scores.recall(c, 0.4),
    "f1": lambda c: scores.f1(c, 0.4),
    "best_f1": lambda c: scores.best_f1(c).estimate,
    "cost": lambda c: scores.cost(c, Costs(1, 4), 0.5),
    "best_cost": lambda c: scores.best_cost(c, Costs(1, 4)).estimate,
    "saving": lambda c: scores.saving(c, Costs(1, 4), to=0.2).estimate,
}
ALL = pytest.mark.parametrize("statistic", STATISTICS.values(), ids=STATISTICS)


# --- parity ------------------------------------------------------------------------------------


@EVERY
def test_ranking_is_scikit_learns(table):
    y, score, weight = table
    counts = ScoreCounts.of(*table)
    auc = metrics.roc_auc_score(y, score, sample_weight=weight)
    assert scores.roc_auc(counts).value == pytest.approx(auc, **TIGHT)
    ap = metrics.average_precision_score(y, score, sample_weight=weight)
    assert scores.average_precision(counts).value == pytest.approx(ap, **TIGHT)
    false, true, _ = metrics.roc_curve(y, score, sample_weight=weight)
    best = scores.kolmogorov_smirnov(counts)
    assert best.estimate.value == pytest.approx(np.max(true - false), **TIGHT)


@EVERY
def test_curves_are_scikit_learns(table):
    y, score, weight = table
    counts = ScoreCounts.of(*table)
    roc = scores.roc_curve(counts, points=5000)
    false, true, at = metrics.roc_curve(y, score, sample_weight=weight, drop_intermediate=False)
    for ours, theirs in ((roc.x, false), (roc.y, true), (roc.threshold, at)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    curve = scores.precision_recall_curve(counts, points=5000)
    precision, recall, at = metrics.precision_recall_curve(y, score, sample_weight=weight)
    for ours, theirs in ((curve.y, precision[:-1]), (curve.x, recall[:-1]), (curve.threshold, at)):
        np.testing.assert_allclose(ours[::-1], theirs, rtol=1e-12, atol=1e-13)


@EVERY
@pytest.mark.parametrize("threshold", [0.11, 0.5, 0.83])
def test_decisions_are_scikit_learns(table, threshold):
    y, score, weight = table
    counts, yes = ScoreCounts.of(*table), score >= threshold
    for ours, theirs in (
        (scores.precision, metrics.precision_score),
        (scores.recall, metrics.recall_score),
        (scores.f1, metrics.f1_score),
    ):
        expected = theirs(y, yes, sample_weight=weight)
        assert ours(counts, threshold).value == pytest.approx(expected, **TIGHT)
    true_no, alarms, missed, _ = metrics.confusion_matrix(y, yes, sample_weight=weight).ravel()
    expected = (alarms + 4 * missed) / (counts.total)
    assert scores.cost(counts, Costs(1, 4), threshold).value == pytest.approx(expected, **TIGHT)
    assert true_no > 0


@EVERY
def test_scores_and_recalibration_are_scikit_learns(table):
    y, score, weight = table
    counts = ScoreCounts.of(*table)
    for name, theirs in (("brier", metrics.brier_score_loss), ("log", metrics.log_loss)):
        inside = np.clip(score, 0.01, 0.99)  # they clip what we do not
        found = scores.score_decomposition(ScoreCounts.of(y, inside, weight), name).mean.value
        assert found == pytest.approx(theirs(y, inside, sample_weight=weight), **TIGHT)
    fit = IsotonicRegression().fit(score, y, sample_weight=weight)
    np.testing.assert_allclose(
        scores.isotonic(counts).rate, fit.predict(counts.middle), rtol=1e-10, atol=1e-12
    )


def test_reliability_is_scikit_learns_where_no_score_is_tied():
    bins = scores.reliability(ScoreCounts.of(Y, FINE), 10)
    rate, score = calibration_curve(Y, FINE, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(bins.rate, rate, rtol=1e-12)
    np.testing.assert_allclose(bins.score, score, rtol=1e-12)
    np.testing.assert_allclose(bins.weight, 0.1, rtol=1e-12)


@EVERY
def test_calibration_line_is_the_logistic_regression(table):
    y, score, weight = table
    kept = (score > 0) & (score < 1)
    y, score = y[kept], score[kept]
    weight = np.ones(y.size) if weight is None else weight[kept]
    x = add_constant(np.log(score / (1 - score)))
    fit = GLM(y, x, family=Binomial(), freq_weights=weight).fit(tol=1e-14)
    line = scores.calibration_line(ScoreCounts.of(*table))
    assert [line.intercept.value, line.slope.value] == pytest.approx(list(fit.params), rel=1e-9)
    missed = (weight * (y - fit.predict(x)))[:, None] * x  # the sandwich, row by row
    bread = np.linalg.inv((x * (weight * fit.predict(x) * (1 - fit.predict(x)))[:, None]).T @ x)
    n = weight.sum() ** 2 / np.sum(weight**2)
    errors = np.sqrt(np.diag(bread @ missed.T @ missed @ bread) * n / (n - 2))
    found = [line.intercept.standard_error, line.slope.standard_error]
    assert found == pytest.approx(list(errors), rel=1e-8)


# --- laws --------------------------------------------------------------------------------------


@ALL
def test_weights_count_as_copies_in_values(statistic):
    copies = RNG.integers(0, 4, Y.size)
    weighted = statistic(ScoreCounts.of(Y, FINE, copies)).value
    copied = statistic(ScoreCounts.of(np.repeat(Y, copies), np.repeat(FINE, copies))).value
    if statistic is STATISTICS["calibration_error"]:  # whose noise copies make smaller
        weighted, copied = (
            scores.calibration_error(ScoreCounts.of(*rows)).seen
            for rows in ((Y, FINE, copies), (np.repeat(Y, copies), np.repeat(FINE, copies)))
        )
    assert weighted == pytest.approx(copied, rel=1e-11)


@ALL
def test_scaling_the_weights_changes_nothing(statistic):
    one = statistic(ScoreCounts.of(Y, TIED, WEIGHT))
    other = statistic(ScoreCounts.of(Y, TIED, 1000 * WEIGHT))
    for field in ("value", "standard_error", "low", "high"):
        expected = getattr(one, field)
        close = expected if expected is None else pytest.approx(expected, rel=1e-9)
        assert getattr(other, field) == close


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["counts", "weights"])
@pytest.mark.parametrize(
    "name", [name for name, f in STATISTICS.items()
             if f(coarse(ScoreCounts.of(Y, FINE))).bracket is not None]
)  # fmt: skip
def test_brackets_hold_what_the_order_inside_cells_hides(name, weight):
    exact = ScoreCounts.of(Y, FINE, weight)
    truth, found = STATISTICS[name](exact), STATISTICS[name](coarse(exact))
    assert truth.bracket is None
    low, high = found.bracket
    assert low - 1e-12 <= truth.value <= high + 1e-12
    assert low - 1e-12 <= found.value <= high + 1e-12
    assert 0 < high - low < 0.6


def test_which_statistics_have_brackets():
    without = {"slope", "intercept", "miscalibration", "discrimination", "uncertainty"}
    cells = coarse(ScoreCounts.of(Y, FINE))
    assert {name for name, f in STATISTICS.items() if f(cells).bracket is None} == without


@pytest.mark.parametrize("worst", [True, False], ids=["worst", "best"])
def test_brackets_of_ranking_are_reached(worst):
    """Put the positive rows of each cell last, or first and tied: no order is further out."""
    cells = coarse(ScoreCounts.of(Y, FINE), 0.1)
    y, score = [], []
    for place, (p, n) in enumerate(zip(cells.positive, cells.negative, strict=True)):
        for label, rows in ((1.0, int(p)), (0.0, int(n))):
            up = (label == 1.0) != worst
            y += [label] * rows
            apart = np.arange(rows) / 10_000 if worst else 0.0
            score += list(place + 0.5 * up + apart + np.zeros(rows))
    order = ScoreCounts.of(y, score)
    end = 0 if worst else 1
    assert scores.roc_auc(order).value == pytest.approx(scores.roc_auc(cells).bracket[end])
    ap = scores.average_precision(order).value
    assert ap == pytest.approx(scores.average_precision(cells).bracket[end], abs=2e-3)
    if not worst:
        ks = scores.kolmogorov_smirnov(order).estimate.value
        assert ks == pytest.approx(scores.kolmogorov_smirnov(cells).estimate.bracket[1])
        f1 = scores.best_f1(order).estimate.value
        assert f1 == pytest.approx(scores.best_f1(cells).estimate.bracket[1])


@EVERY
@pytest.mark.parametrize("score", ["brier", "log"])
@pytest.mark.parametrize("make", [lambda c: c, coarse], ids=["exact", "coarse"])
def test_the_parts_of_a_score_add_up(table, score, make):
    y, p, weight = table
    counts = make(ScoreCounts.of(y, np.clip(p, 0.01, 0.99), weight))
    parts = scores.score_decomposition(counts, score)
    total = parts.miscalibration.value - parts.discrimination.value + parts.uncertainty.value
    assert parts.mean.value == pytest.approx(total, rel=1e-14)
    assert parts.miscalibration.value > 0 < parts.discrimination.value
    pi = counts.base_rate
    expected = {"brier": pi * (1 - pi), "log": -pi * math.log(pi) - (1 - pi) * math.log(1 - pi)}
    assert parts.uncertainty.value == pytest.approx(expected[score], rel=1e-12)


def test_recalibrated_scores_have_no_miscalibration():
    counts = ScoreCounts.of(Y, FINE)
    rate = scores.isotonic(counts).rate
    again = ScoreCounts.of(Y, rate[np.searchsorted(counts.low, FINE)])
    parts, first = scores.score_decomposition(again), scores.score_decomposition(counts)
    assert parts.miscalibration.value == pytest.approx(0, abs=1e-15)
    assert parts.discrimination.value == pytest.approx(first.discrimination.value, rel=1e-12)


# --- standard errors ---------------------------------------------------------------------------


def test_delong_is_the_variance_of_placements():
    """DeLong, DeLong & Clarke-Pearson (1988), pair by pair."""
    for score in (FINE, TIED):
        pairs = score[Y == 1][:, None] - score[Y == 0]
        won = (pairs > 0) + (pairs == 0) / 2
        variance = sum(np.var(won.mean(axis), ddof=1) / won.shape[1 - axis] for axis in (0, 1))
        found = scores.roc_auc(ScoreCounts.of(Y, score))
        assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)


def replicates(counts, statistic, times):
    """Poisson bootstrap of exact, unweighted, untied cells."""
    rng = np.random.default_rng(5)
    for _ in range(times):
        copies = rng.poisson(1.0, counts.low.size)
        p, n = counts.positive * copies, counts.negative * copies
        weights = p * counts.positive2 / np.maximum(counts.positive, 1e-300), (
            n * counts.negative2 / np.maximum(counts.negative, 1e-300))  # fmt: skip
        yield statistic(ScoreCounts(counts.low, counts.high, p, n, *weights))


NO_BOOTSTRAP = {
    "miscalibration": "has no standard error",
    "discrimination": "is fitted to the rows: doubled ones look like skill",
}


@pytest.mark.parametrize("name", [name for name in STATISTICS if name not in NO_BOOTSTRAP])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["counts", "weights"])
def test_standard_errors_are_the_bootstraps(name, weight):
    counts, statistic = ScoreCounts.of(Y, FINE, weight), STATISTICS[name]
    if name == "calibration_error":  # its error is that of the value as seen, far above the noise
        counts = replace(counts, low=counts.low**3, high=counts.low**3)
        spread = np.std([f.seen for f in replicates(counts, scores.calibration_error, 250)])
    else:
        spread = np.std([found.value for found in replicates(counts, statistic, 250)])
    loose = 0.25 if name in ("kolmogorov_smirnov", "best_f1") else 0.16
    assert statistic(counts).standard_error == pytest.approx(spread, rel=loose)


def coverage(statistic, truth, rows, times, base):
    rng, held = np.random.default_rng(11), 0
    for _ in range(times):
        found = statistic(ScoreCounts.of(*drawn(rows, base=base, rng=rng)))
        held += found.low <= truth <= found.high
    return held / times


@pytest.mark.parametrize(
    "name", ["roc_auc", "average_precision", "gain", "f1", "slope", "cost", "in the large"]
)
@pytest.mark.parametrize(("rows", "base"), [(400, -1.0), (1500, -2.5)])
def test_intervals_cover(name, rows, base):
    statistic = STATISTICS[name]
    whole = ScoreCounts.of(*drawn(400_000, base=base, rng=np.random.default_rng(1)))
    truth = statistic(whole).value
    assert 0.92 <= coverage(statistic, truth, rows, 300, base) <= 0.985


def test_a_perfect_model_has_no_calibration_error_beyond_noise():
    """What is seen is the noise floor on average, and the interval reaches zero."""
    rng, seen, floors, lows = np.random.default_rng(3), [], [], []
    for _ in range(60):
        found = scores.calibration_error(ScoreCounts.of(*drawn(1000, rng=rng)))
        seen.append(found.seen)
        floors.append(found.noise_floor)
        lows.append(found.estimate.low)
    assert np.mean(seen) == pytest.approx(np.mean(floors), rel=0.06)
    assert max(lows) == 0.0


def test_calibration_error_far_above_its_noise_is_what_it_is():
    y, chance = drawn(50_000, rng=np.random.default_rng(8))
    found = scores.calibration_error(ScoreCounts.of(y, chance / 2))
    assert found.seen == pytest.approx(np.mean(chance / 2), rel=0.03)
    assert found.estimate.value == pytest.approx(found.seen, rel=0.01)
    assert found.estimate.low < found.estimate.value < found.estimate.high


def test_the_saving_of_a_chosen_threshold_is_without_its_optimism():
    """At equal costs 0.5 is best already for calibrated scores: no threshold saves anything."""
    rng, costs = np.random.default_rng(4), Costs(1, 1)
    whole = ScoreCounts.of(*drawn(200_000, rng=rng))
    seen, kept, real, held = [], [], [], []
    for _ in range(100):
        found = scores.saving(ScoreCounts.of(*drawn(600, rng=rng)), costs)
        truth = scores.saving(whole, costs, to=found.to).seen
        seen.append(found.seen)
        kept.append(found.estimate.value)
        real.append(truth)
        held.append(found.estimate.low <= truth <= found.estimate.high)
    assert np.mean(seen) - np.mean(real) > 0.008  # as seen it flatters
    assert abs(np.mean(kept) - np.mean(real)) < 0.5 * (np.mean(seen) - np.mean(real))
    assert np.mean(held) >= 0.92


# --- decisions ---------------------------------------------------------------------------------


def test_elkans_threshold_is_the_cheapest_for_calibrated_scores():
    costs = Costs(false_positive=1, false_negative=4)
    counts = ScoreCounts.of(*drawn(200_000, rng=np.random.default_rng(2)))
    best = scores.best_cost(counts, costs)
    assert costs.threshold == 0.2
    assert best.threshold == pytest.approx(0.2, abs=0.03)
    assert best.estimate.value <= scores.cost(counts, costs, 0.2).value


@EVERY
def test_the_best_is_the_best_of_all_thresholds(table):
    counts, costs = ScoreCounts.of(*table), Costs(3, 2)
    at = [*counts.low[:: max(counts.low.size // 60, 1)], math.inf]
    best = scores.best_cost(counts, costs)
    least = min(scores.cost(counts, costs, t).value for t in at)
    assert best.estimate.value <= least + 1e-12
    assert best.estimate == scores.cost(counts, costs, best.threshold)
    top = scores.best_f1(counts)
    assert top.estimate.value >= max(scores.f1(counts, t).value for t in at[:-1]) - 1e-12
    assert top.estimate == scores.f1(counts, top.threshold)


@EVERY
@pytest.mark.parametrize("to", [0.2, 0.8, 0.5])
def test_a_saving_is_a_mean_over_rows(table, to):
    y, score, weight = table
    weight = np.ones(y.size) if weight is None else weight
    costs, found = Costs(2, 5), scores.saving(ScoreCounts.of(*table), Costs(2, 5), to=to)
    each = [np.where(score >= t, (1 - y) * 2, y * 5) for t in (0.5, to)]
    saved = each[0] - each[1]
    value = np.average(saved, weights=weight)
    assert found.seen == pytest.approx(value, rel=1e-12, abs=1e-15)
    assert found.seen == pytest.approx(
        scores.cost(ScoreCounts.of(*table), costs, 0.5).value
        - scores.cost(ScoreCounts.of(*table), costs, to).value
    )
    if to == 0.5:
        assert found.estimate.unsure == "its standard error is 0"
        return
    n = weight.sum() ** 2 / np.sum(weight**2)
    squares = np.sum(weight**2 * (saved - value) ** 2) * n / (n - 1)
    assert found.estimate.standard_error == pytest.approx(math.sqrt(squares) / weight.sum())


def test_lift_is_the_rate_at_the_top_over_the_base_rate():
    order = np.argsort(-FINE)
    for share in (0.1, 0.5):
        top = Y[order[: int(share * Y.size)]]
        found = scores.lift(ScoreCounts.of(Y, FINE), share)
        assert found.value == pytest.approx(top.mean() / Y.mean(), rel=1e-12)
        assert found.low < found.value < found.high <= 1 / share
    whole = scores.lift(ScoreCounts.of(Y, FINE), 1.0)
    assert whole.value == 1.0
    assert whole.unsure is not None


# --- curves ------------------------------------------------------------------------------------


CURVES = {
    "roc": scores.roc_curve,
    "precision and recall": scores.precision_recall_curve,
    "gains": scores.gains_curve,
    "cost": lambda c, **points: scores.cost_curve(c, Costs(1, 4), **points),
    "f1": lambda c, **points: scores.along_thresholds(c, **points).f1,
    "precision": lambda c, **points: scores.along_thresholds(c, **points).precision,
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_thin_curves_look_like_whole_ones(curve):
    counts = ScoreCounts.of(*drawn(20_000, rng=np.random.default_rng(6)))
    whole, few = curve(counts, points=10**6), curve(counts)
    assert few.x.size <= 500 < whole.x.size
    size = np.ptp(whole.x), np.ptp(whole.y)
    gap = np.abs(whole.x[:, None] - few.x) / size[0] + np.abs(whole.y[:, None] - few.y) / size[1]
    assert gap.min(axis=1).max() < 0.02
    for part in (whole, few):
        assert (part.low <= part.y + 1e-12).all()
        assert (part.y <= part.high + 1e-12).all()
        assert (part.high > part.low).all()


def test_thinning_keeps_both_ends_of_a_line_that_does_not_move():
    assert thin(np.zeros(1000), np.zeros(1000), points=10).tolist()[-1] == 999


# --- edges -------------------------------------------------------------------------------------


def test_one_class_is_undefined_where_two_are_compared():
    for label, said in ((0.0, "negative"), (1.0, "positive")):
        counts = ScoreCounts.of([label] * 3, [0.1, 0.2, 0.9])
        needy = [f for name, f in STATISTICS.items() if name in (
            "roc_auc", "average_precision", "kolmogorov_smirnov", "gain", "lift", "slope", "recall",
            "f1", "best_f1")]  # fmt: skip
        for statistic in (*needy, *(CURVES[name] for name in CURVES if name != "cost")):
            with pytest.raises(Undefined, match=f"all rows are {said}"):
                statistic(counts)
        assert scores.score_decomposition(counts).uncertainty.value == 0.0
        assert scores.calibration_in_the_large(counts).value == pytest.approx(0.4 - label)


def test_a_constant_score_ranks_nothing():
    counts = ScoreCounts.of([0, 1, 1, 0, 0], [0.3] * 5)
    assert scores.roc_auc(counts).value == 0.5
    assert scores.roc_auc(counts).unsure == "every row has the same score"
    assert scores.average_precision(counts).value == 0.4
    assert scores.kolmogorov_smirnov(counts).estimate.value == 0.0
    assert scores.kolmogorov_smirnov(counts).threshold == math.inf
    assert scores.lift(counts, 0.1).value == pytest.approx(1.0)
    assert scores.score_decomposition(counts).discrimination.value == pytest.approx(0.0, abs=1e-16)
    with pytest.raises(Undefined, match="all scores are equal"):
        scores.calibration_line(counts)


def test_perfect_separation_has_no_interval_and_says_why():
    counts = ScoreCounts.of([0, 0, 1, 1, 1], [0.1, 0.2, 0.7, 0.8, 0.9], [0.1, 0.3, 0.7, 0.9, 1.1])
    for statistic in (scores.roc_auc, scores.average_precision, STATISTICS["kolmogorov_smirnov"]):
        found = statistic(counts)
        assert found.value == 1.0
        assert (found.standard_error, found.low, found.high) == (None, None, None)
        assert found.unsure == "the value stands at the edge of its range, 1"
    with pytest.raises(Undefined, match="separates the classes"):
        scores.calibration_line(counts)
    upside_down = replace(counts, positive=counts.negative, negative=counts.positive)
    assert scores.roc_auc(upside_down).value == 0.0
    assert scores.best_cost(counts, Costs(1, 1)).threshold == 0.7


def test_scores_of_exactly_0_and_1():
    y, score = [0, 0, 1, 0, 1, 1, 1, 0], [0.0, 0.2, 0.2, 0.6, 0.6, 0.9, 1.0, 0.3]
    counts = ScoreCounts.of(y, score)
    line = scores.calibration_line(counts)
    inner = scores.calibration_line(ScoreCounts.of(y[1:-2] + y[-1:], score[1:-2] + score[-1:]))
    assert line.left_out == 0.25
    assert line.slope == inner.slope
    assert math.isfinite(scores.score_decomposition(counts, "log").mean.value)
    wrong = scores.score_decomposition(ScoreCounts.of([1, *y], [0.0, *score]), "log")
    assert wrong.mean.value == wrong.miscalibration.value == math.inf
    assert wrong.mean.unsure == "a row's score was certain and wrong"
    assert math.isfinite(wrong.discrimination.value)
    with pytest.raises(Undefined, match="exactly 0 or 1"):
        scores.calibration_line(ScoreCounts.of([0, 1, 1], [0.0, 1.0, 0.0]))


def test_scores_that_are_no_probabilities_rank_but_are_not_calibrated():
    counts = ScoreCounts.of(Y, 10 * FINE - 5)
    assert scores.roc_auc(counts) == scores.roc_auc(ScoreCounts.of(Y, FINE))
    for statistic in (scores.reliability, scores.calibration_error, scores.score_decomposition,
                      scores.calibration_in_the_large, scores.calibration_line):  # fmt: skip
        with pytest.raises(Undefined, match="no probabilities"):
            statistic(counts)


def test_a_known_mean_score_is_used():
    cells = coarse(ScoreCounts.of(Y, FINE))
    found = scores.calibration_in_the_large(cells, float(np.mean(FINE)))
    exact = scores.calibration_in_the_large(ScoreCounts.of(Y, FINE))
    assert found.value == pytest.approx(exact.value, rel=1e-12)
    assert found.standard_error == pytest.approx(exact.standard_error, rel=0.01)
    assert found.bracket is None


def test_few_rows():
    with pytest.raises(Undefined, match="no rows"):
        ScoreCounts.of([], [])
    with pytest.raises(Undefined, match="no rows"):
        ScoreCounts.of([1], [0.5], [0.0])
    counts = ScoreCounts.of([0, 1, 0], [0.1, 0.2, 0.3])
    assert scores.roc_auc(counts).unsure == "one row of a class is too few for an interval"
    with pytest.raises(Undefined, match=r"no row scores 0\.9 or more"):
        scores.precision(counts, 0.9)
    assert scores.recall(counts, 0.9).value == 0.0


def test_cells_without_weight_are_dropped():
    empty = ScoreCounts(*np.array([[0.1, 0.2, 0.9], [0.1, 0.2, 0.9], [0, 1, 0], [1, 1, 0],
                                   [0, 1, 0], [1, 1, 0]], float))  # fmt: skip
    assert empty.low.tolist() == [0.1, 0.2]
    assert empty.weight.tolist() == [1.0, 2.0]
    assert scores.average_precision(empty).value == 0.5


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (([0, 2], [0.1, 0.2]), "neither 0 nor 1"),
        (([0, 1], [0.1, math.nan]), "not a finite"),
        (([0, 1], [0.1, 0.2, 0.3]), "one length"),
        (([0, 1], [0.1, 0.2], [1, -1]), "negative or not finite"),
    ],
)
def test_rows_that_cannot_be_counted(rows, said):
    with pytest.raises(DataError, match=said):
        ScoreCounts.of(*rows)


def test_wrong_requests():
    with pytest.raises(MeasureError, match="more than 0"):
        Costs(0, 1)
    for share in (0.0, 1.5):
        with pytest.raises(MeasureError, match="share of rows"):
            scores.gain(ScoreCounts.of(Y, FINE), share)


# --- several classes ---------------------------------------------------------------------------


def test_classes_that_err_as_one_cancel_nothing_and_others_do():
    rng = np.random.default_rng(8)
    truth, score = rng.integers(0, 2, 400).astype(float), rng.random(400)
    area, ones = scores.RANKED["roc_auc"], np.ones(400)
    mirrored = scores.SampledRows(truth, ones, (1 - score, score))  # one ranking, told twice
    assert cancelled(area, mirrored, by_frequency=False) == pytest.approx(1)
    three = rng.integers(0, 3, 400).astype(float)
    apart = scores.SampledRows(three, ones, tuple(rng.random((3, 400))))
    assert 0.4 < cancelled(area, apart, by_frequency=False) < 0.8  # about 3^-1/2
    lacking = replace(apart, truth=np.minimum(three, 1))
    assert cancelled(area, lacking, by_frequency=False) == 1


@pytest.mark.parametrize("name", scores.RANKED)
def test_an_average_has_the_bracket_and_at_most_the_error_of_its_classes(name):
    ranked = scores.RANKED[name]
    each = [coarse(ScoreCounts.of(Y, column)) for column in (FINE, TIED, FINE**2)]
    alone = [ranked.of(counts, 0.95) for counts in each]
    found = scores.averaged(ranked, each, list("abc"))
    assert found.value == pytest.approx(np.mean([one.value for one in alone]), rel=1e-12)
    assert found.standard_error == pytest.approx(np.mean([one.standard_error for one in alone]))
    assert found.bracket == pytest.approx(np.mean([one.bracket for one in alone], axis=0))
    assert found.bracket[0] < found.value < found.bracket[1]


def test_a_class_without_rows_or_with_one_is_named():
    area, fine = scores.RANKED["roc_auc"], ScoreCounts.of(Y, FINE)
    with pytest.raises(Undefined, match="no row is 'b'"):
        scores.averaged(area, [fine, ScoreCounts.of(0 * Y, FINE)], ["a", "b"])
    single = scores.averaged(area, [fine, ScoreCounts.of([1, 0, 0], [0.2, 0.1, 0.4])], ["a", "b"])
    assert single.unsure == "one row of 'b' is too few for an interval"
