"""What would move the needle: found where it is there, and not claimed where it is not."""

import json
from functools import partial

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit
from statsmodels.regression.quantile_regression import QuantReg

import offby
from offby import Totals
from offby.classification.catalogue import resolve
from offby.classification.task import REGRESSION, Task
from offby.engine.sample import KEEP, Sample
from offby.interventions import Intervention, Trials, chances, numeric, steps
from offby.interventions.gain import holm
from offby.interventions.intervention import ordered
from offby.interventions.judged import ABSOLUTE, SQUARED, Judged, means
from offby.interventions.seen import Seen
from offby.losses import Pinball
from offby.report import needle
from offby.scores import ScoreCounts, calibration_line
from offby.verbs.classified import ClassTotals

SIMS = 150
BINARY = Task("binary", scores=True, positive="1")


def numbers(rng, rows=200, noise=None, slope=1.0, bias=0.0):
    """Truth and prediction of a model that is right but for what is told."""
    signal = 2 * rng.normal(size=rows)
    errors = rng.normal(size=rows) if noise is None else noise(rng, rows)
    return signal + errors, signal / slope + bias


def yes_and_no(rng, rows=400, sharper=1.0, shift=0.0):
    odds = 1.5 * rng.normal(size=rows) - 1
    truth = (rng.random(rows) < expit(odds)) * 1.0
    return truth, expit(sharper * odds + shift)


def student(rng, rows):
    return rng.standard_t(3, size=rows)


def skewed(rng, rows):
    """Lognormal errors with mean 0; their median is -1.05."""
    return np.exp(rng.normal(size=rows) * 1.2) - np.exp(0.72)


def tried(columns, measures="mae", task=REGRESSION):
    trials = Trials(tuple(columns), resolve(measures, task), task)
    return {one.name: one for one in trials.interventions}


def survivors(columns, measures="mae", **options):
    return {name for name, one in tried(columns, measures, **options).items() if one.survives}


# --- honest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (numbers, {}),
        (partial(numbers, rows=60), {}),
        (partial(numbers, noise=student), {"measures": "rmse"}),
        (partial(numbers, noise=skewed), {"measures": "mse"}),
        (yes_and_no, {"measures": "brier", "task": BINARY}),
    ],
    ids=["normal", "few", "heavy tail", "skewed", "binary"],
)
def test_of_a_model_with_nothing_wrong_next_to_nothing_is_claimed(make, options):
    claims = sum(bool(survivors(make(np.random.default_rng(k)), **options)) for k in range(SIMS))
    assert claims <= 0.05 * SIMS


@pytest.mark.parametrize("measure", ["mae", "rmse"])
def test_a_bias_is_found_and_its_gain_lies_in_its_interval(measure):
    many = np.random.default_rng(99).normal(size=2_000_000)
    size = {"mae": lambda e: np.mean(np.abs(e)), "rmse": lambda e: np.sqrt(np.mean(e**2))}[measure]
    truth = size(many + 0.3) - size(many)
    found = [tried(numbers(np.random.default_rng(k), 1000, bias=0.3), measure)["remove the bias"]
             for k in range(SIMS)]  # fmt: skip
    assert np.mean([one.survives for one in found]) > 0.95
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.9
    assert np.mean([one.fitted["shift"] for one in found if one.survives]) == pytest.approx(
        -0.3, abs=0.01
    )
    assert np.mean([one.gain for one in found]) == pytest.approx(truth, rel=0.05)


@pytest.mark.parametrize("measure", ["mae", "mse", "huber:1.345", "pinball:0.5"])
def test_a_slope_is_found(measure):
    found = tried(numbers(np.random.default_rng(5), 2000, slope=0.8), measure)
    assert found["rescale"].survives
    assert found["rescale"].fitted["slope"] == pytest.approx(0.8, abs=0.04)
    assert found["rescale"].gain > found["remove the bias"].gain
    assert found["recalibrate"].survives
    assert not found["train under the loss that counts"].survives


def test_outliers_among_predictions_are_capped():
    rng = np.random.default_rng(6)
    truth, prediction = numbers(rng, 2000)
    prediction[rng.integers(0, 2000, 60)] *= 50
    found = tried((truth, prediction), "rmse")
    assert found["cap"].survives
    assert found["cap"].relative > 0.8
    assert found["cap"].fitted["high"] <= truth.max()
    assert found["cap"].also.keys() == {"mae"}


def test_a_model_of_means_judged_by_absolute_errors_should_be_trained_under_them():
    columns = numbers(np.random.default_rng(7), 3000, noise=skewed)
    found = tried(columns, "mae")
    assert found["train under the loss that counts"].survives
    assert found["remove the bias"].fitted["shift"] == pytest.approx(-1.05, abs=0.15)
    assert found["remove the bias"].also["rmse"] < 0  # the mean is what squared errors want
    assert not survivors(columns, "rmse")


def test_a_model_of_medians_is_not_told_to_be_trained_as_it_was():
    rng = np.random.default_rng(8)
    truth, prediction = numbers(rng, 3000, noise=skewed, bias=-1.05)
    name = "train under the loss that counts"
    assert not tried((truth, prediction), "mae")[name].survives
    assert not tried((truth, prediction + 0.2), "mae")[name].survives  # a bias, and no more
    assert tried((truth, prediction), "rmse")[name].survives


def test_overconfidence_is_found_with_its_gain():
    odds = np.linspace(-6, 4, 20_001)
    density = np.exp(-(((odds + 1) / 1.5) ** 2) / 2)
    gap = np.logaddexp(0, 2 * odds) - 2 * odds * expit(odds)
    gap -= np.logaddexp(0, odds) - odds * expit(odds)
    truth = np.sum(density * gap) / np.sum(density)
    found = tried(yes_and_no(np.random.default_rng(9), 4000, sharper=2), "log_loss", task=BINARY)
    for name in ("rescale", "recalibrate"):
        assert found[name].survives
        assert found[name].low <= truth <= found[name].high
    assert found["rescale"].fitted["slope"] == pytest.approx(0.5, abs=0.05)
    shifted = tried(yes_and_no(np.random.default_rng(9), 4000, shift=1), "log_loss", task=BINARY)
    assert shifted["remove the bias"].fitted["shift"] == pytest.approx(-1, abs=0.1)


def test_costs_move_the_threshold_and_calm_ones_do_not():
    columns = yes_and_no(np.random.default_rng(10), 4000)
    costly = Task("binary", scores=True, positive="1", costs=(1.0, 5.0))
    found = tried(columns, "log_loss", task=costly)["move the threshold"]
    assert found.survives
    assert found.loss == "expected_cost"
    assert found.fitted["threshold"] == pytest.approx(1 / 6, abs=0.06)
    calm = Task("binary", scores=True, positive="1", threshold=1 / 6, costs=(1.0, 5.0))
    assert not tried(columns, "log_loss", task=calm)["move the threshold"].survives
    assert not tried(columns, "log_loss", task=BINARY)["move the threshold"].survives


def test_infinite_log_loss_is_mended_by_a_cap_alone():
    truth, given = yes_and_no(np.random.default_rng(11), 500)
    given[np.flatnonzero(truth)[0]] = 0.0
    found = tried((truth, given), "log_loss", task=BINARY)
    assert found.keys() == {"cap", "move the threshold"}
    assert found["cap"].survives
    assert found["cap"].gain == np.inf
    assert found["cap"].low is None
    report = offby.measure(truth, given)
    assert "all that is infinite of log_loss" in " ".join(report.to_text(200).split())
    assert json.loads(report.to_json())["interventions"][0]["gain"] == "Infinity"


def test_several_classes_are_softened():
    rng = np.random.default_rng(12)
    scores = rng.normal(size=(2000, 4))
    chance = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    truth = (chance.cumsum(1) < rng.random((2000, 1))).sum(1)
    sure = chance**6 / (chance**6).sum(1, keepdims=True)
    found = offby.measure(truth, sure).interventions
    assert [(one.name, one.survives) for one in found[:1]] == [("soften", True)]
    assert not any(one.survives for one in offby.measure(truth, chance).interventions)
    assert offby.measure(truth, sure.argmax(1), task="multiclass").interventions == ()


# --- weights, scales, chunks -------------------------------------------------------------------


def test_weights_are_respected():
    rng = np.random.default_rng(13)
    truth, prediction = numbers(rng, 1000)
    wrong = np.arange(1000) % 10 == 0
    prediction[wrong] += 10
    assert survivors((truth, prediction))
    assert not survivors((truth, prediction, np.where(wrong, 1e-6, 1.0)))
    weight = rng.random(1000) + 0.5
    one, other = (tried((truth, prediction, scale * weight)) for scale in (1, 7))
    for name, found in one.items():
        assert found.gain == pytest.approx(other[name].gain, rel=1e-3, abs=1e-9)
        assert found.survives == other[name].survives
    absent = tried((truth, prediction, 1.0 * ~wrong))
    assert absent == tried((truth[~wrong], prediction[~wrong], np.ones(900)))


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units_change_no_verdict(scale):
    truth, prediction = numbers(np.random.default_rng(14), 800, slope=0.8, noise=student)
    plain, scaled = tried((truth, prediction)), tried((scale * truth, scale * prediction))
    assert plain.keys() == scaled.keys()
    for name, found in plain.items():
        assert found.survives == scaled[name].survives
        assert found.gain * scale == pytest.approx(scaled[name].gain, rel=1e-3)


def test_any_chunks_give_the_same_and_so_do_stored_totals():
    rng = np.random.default_rng(15)
    truth, prediction = numbers(rng, 40_000, bias=0.2)
    weight = rng.random(40_000) + 0.1
    whole = Totals().update(truth, prediction, weight).report().interventions
    chunked = Totals()
    for rows in np.split(np.arange(40_000), [1, 700, 701, 33_333]):
        chunked.update(truth[rows], prediction[rows], weight[rows])
    assert chunked.report().interventions == whole
    assert Totals.from_bytes(chunked.to_bytes()).report().interventions == whole
    assert whole[0].name == "remove the bias" or whole[0].survives


def test_chunks_and_parts_of_classes():
    truth, given = yes_and_no(np.random.default_rng(16), 30_000, sharper=2)
    whole = ClassTotals().update(truth, given).report()
    chunked, parts = ClassTotals(), [ClassTotals(), ClassTotals()]
    for rows in np.split(np.arange(30_000), [5, 12_345]):
        chunked.update(truth[rows], given[rows])
    assert chunked.report().interventions == whole.interventions
    for part, rows in zip(parts, np.split(np.arange(30_000), [12_345]), strict=True):
        part.update(truth[rows], given[rows])
    merged = ClassTotals().merge(parts[0]).merge(parts[1]).report()
    named = [{one.name for one in found.interventions if one.survives} for found in (whole, merged)]
    assert named[0] == named[1] >= {"rescale", "recalibrate"}


def test_a_merge_leaves_the_other_totals_alone():
    truth, given = yes_and_no(np.random.default_rng(17), 300)
    parts = [ClassTotals().update(truth, given) for _ in range(2)]
    merged = ClassTotals().merge(parts[0]).merge(parts[1])
    assert merged.report().trials.rows == 600
    assert parts[0].report().trials.rows == 300


def test_a_sample_of_any_columns_is_one_of_rows():
    rows = np.arange(100_000, dtype=float)
    whole, chunked, parts = Sample(3), Sample(3), [Sample(3), Sample(3)]
    whole.update(rows, 2 * rows, 3 * rows)
    for part in np.split(rows, [3, 50_000]):
        chunked.update(part, 2 * part, 3 * part)
    for part, half in zip(parts, np.split(rows, 2), strict=True):
        part.update(half, 2 * half, 3 * half)
    parts[0].merge(parts[1])
    for sample in (whole, chunked, parts[0]):
        first, second, third = sample.columns()
        assert KEEP / 2 <= first.size <= 2 * KEEP + 1
        assert np.array_equal(second, 2 * first)
        assert np.array_equal(third, 3 * first)
    assert np.array_equal(whole.columns()[0], chunked.columns()[0])
    assert len(Sample(4).columns()) == 4


# --- what is shown -----------------------------------------------------------------------------


def test_nothing_is_tried_before_it_is_asked_for():
    truth, prediction = numbers(np.random.default_rng(18))
    report = offby.measure(truth, prediction)
    assert "interventions" not in vars(report.trials)
    assert report.interventions is report.interventions


def test_few_rows_say_nothing():
    truth, prediction = numbers(np.random.default_rng(19), 49, bias=3)
    report = offby.measure(truth, prediction)
    assert report.interventions == ()
    assert report.to_dict()["interventions"] == []
    for text in (report.to_text(), report.to_html()):
        assert needle.TITLE not in text
    rare, given = np.zeros(1000), np.full(1000, 0.4)
    rare[:19] = 1
    assert tried((rare, given), "log_loss", task=BINARY) == {}


def test_every_form_of_the_report_ends_in_it():
    truth, prediction = numbers(np.random.default_rng(20), 2000, bias=1)
    report = offby.measure(truth, prediction)
    text = report.to_text()
    assert text.index(needle.TITLE) > text.index("•")
    assert "remove the bias" in text
    assert "add -1.0" in text or "add -0.9" in text
    assert needle.NOTHING not in text
    assert max(map(len, report.to_text(40).splitlines())) <= 40
    assert needle.TITLE in report.to_html()
    assert needle.TITLE in report._repr_html_()
    assert report.to_dict()["interventions"][0]["survives"]


def test_nothing_would_help_is_an_answer():
    truth, prediction = numbers(np.random.default_rng(21), 500)
    report = offby.measure(truth, prediction)
    assert needle.NOTHING in " ".join(report.to_text().split())
    assert "Nothing here would help" in report.to_html()
    assert offby.measure(truth, truth).interventions == ()  # nothing is left to take off


def test_each_output_has_its_own():
    rng = np.random.default_rng(22)
    pairs = [numbers(rng, 300, bias=bias) for bias in (0, 1)]
    truth, prediction = (np.column_stack(columns) for columns in zip(*pairs, strict=True))
    report = offby.measure(truth, prediction)
    assert report.interventions == ()
    held = [any(one.survives for one in part.interventions) for part in report.outputs.values()]
    assert held == [False, True]


def test_what_was_tried_elsewhere_finds_its_place():
    truth, prediction = numbers(np.random.default_rng(23), 1000, bias=1)
    extra = Intervention("fix the worst segment", "carrier AA", "mae", 9, 8, 10, 0.99, True)
    found = Trials((truth, prediction), (), extra=(extra,)).interventions
    assert found[0] is extra
    assert found == ordered(found)
    assert "carrier AA" in needle.sentence(extra)


@pytest.mark.parametrize("asked", ["mape", "poisson", "gamma", "r2", "max_error", "rmsle", "tukey",
                                   "own = where(r < 0, 5*abs(r), abs(r))", "log_cosh"])  # fmt: skip
def test_any_measure_may_be_asked_for(asked):
    rng = np.random.default_rng(24)
    truth = rng.gamma(3, size=500)
    found = tried((truth, truth * rng.gamma(9, size=500) / 9), asked)
    assert found
    assert all(np.isfinite(one.gain) for one in found.values())


def test_a_cost_of_ones_own_moves_predictions_to_its_quantile():
    rng = np.random.default_rng(25)
    truth, prediction = numbers(rng, 3000)
    asked = "own = where(r < 0, 5*abs(r), abs(r))"
    shift = tried((truth, prediction), asked)["remove the bias"].fitted["shift"]
    assert shift == pytest.approx(0.967, abs=0.1)  # the 5/6 quantile of the normal


# --- the parts, against peers ------------------------------------------------------------------


def test_lines_are_those_of_least_squares_and_of_quantile_regression():
    rng = np.random.default_rng(26)
    truth, prediction = numbers(rng, 900, noise=student, slope=0.7)
    seen = Seen(truth, prediction, np.ones(900))
    squares = numeric.line(SQUARED, seen).numbers
    slope, intercept = np.polyfit(prediction, truth, 1)
    assert squares["slope"] == pytest.approx(slope, rel=1e-6)
    assert squares["intercept"] == pytest.approx(intercept, rel=1e-6)
    design = np.column_stack([np.ones(900), prediction])
    for judged, tau in ((ABSOLUTE, 0.5), (Judged("pinball:0.8", Pinball(0.8).expression), 0.8)):
        ours = numeric.line(judged, seen).numbers
        theirs = QuantReg(truth, design).fit(q=tau).params
        lines = ([ours["intercept"], ours["slope"]], theirs)
        costs = [np.mean(judged.losses(truth, design @ np.array(line))) for line in lines]
        assert costs[0] == pytest.approx(costs[1], rel=1e-3)


def test_lines_of_log_odds_are_the_calibration_line():
    truth, given = yes_and_no(np.random.default_rng(27), 1500, sharper=1.7, shift=0.4)
    ours = chances.line(Seen(truth, given, np.ones(1500))).numbers
    theirs = calibration_line(ScoreCounts.of(truth, given))
    assert ours["slope"] == pytest.approx(theirs.slope.value, rel=1e-3)
    assert ours["intercept"] == pytest.approx(theirs.intercept.value, rel=1e-3)


def test_pooled_steps_are_scipys():
    rng = np.random.default_rng(28)
    for rows in (1, 2, 50, 400):
        values, weights = rng.normal(size=rows), rng.random(rows) + 0.1
        theirs = isotonic_regression(values, weights=weights).blocks[:-1]
        assert steps.pooled(values, weights) == theirs.tolist()


def test_the_threshold_is_the_cheapest_of_all():
    rng = np.random.default_rng(29)
    truth, given = yes_and_no(rng, 300)
    given = np.round(given, 1)  # with ties
    weight = rng.random(300)
    cost = chances.cost(1, 3, "cost")
    found = chances.cut(cost, Seen(truth, given, weight))
    costs = [np.sum(weight * cost.losses(truth, (given >= t) * 1.0))
             for t in np.linspace(-0.05, 1.05, 23)]  # fmt: skip
    assert np.sum(weight * cost.losses(truth, found.change(given))) == pytest.approx(min(costs))


def test_probabilities_stay_probabilities():
    truth, given = yes_and_no(np.random.default_rng(30), 500)
    given[:3] = 0.0, 1.0, 0.5
    seen = Seen(truth, given, np.ones(500))
    for fit in (
        chances.shift,
        chances.line,
        chances.rising,
        partial(chances.cap, chances.LOG_LOSS),
    ):
        after = fit(seen).change(given)
        assert np.all((after >= 0) & (after <= 1))
        assert np.all(np.diff(after[np.argsort(given)]) >= 0)
    assert logit(chances.rising(seen).change(given)).max() < np.inf


def test_claims_stand_together():
    assert holm([], 0.05) == []
    assert holm([0.026, 0.5], 0.05) == [False, False]
    assert holm([0.024, 0.049], 0.05) == [True, True]


def test_the_judge_is_the_first_mean_loss_asked_for():
    asked = resolve(["r2", "bias", "max_error", "rmse", "mae"], REGRESSION)
    assert [judged.name for judged in means(asked)] == ["rmse", "mae"]


def test_right_decisions_that_cost_something_leave_the_threshold_alone():
    columns = yes_and_no(np.random.default_rng(31))
    task = Task("binary", scores=True, positive="1", costs=((0.0, 1.0), (5.0, 0.5)))
    assert "move the threshold" not in tried(columns, "log_loss", task)
