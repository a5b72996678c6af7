"""`choose` by training: folds, fits and measures against peers; known answers; what it refuses."""

import json
import signal

import numpy as np
import pytest
from scipy import stats
from sklearn import linear_model, metrics

import offby
from offby.choice.judge import judge
from offby.choice.trained import candidate as candidates
from offby.choice.trained import choosing
from offby.choice.trained.choosing import Asked, weigh
from offby.choice.trained.folds import Split, splits
from offby.choice.trained.judged import Classes, Held, Numbers, auc, best_cut
from offby.choice.trained.linear import Data, Shared
from offby.choice.trained.paired import corrected
from offby.choice.trained.reading import Wanted, read
from offby.choice.trained.scored import Scored
from offby.choice.trained.trial import Task, refitted
from offby.errors import DataError, MeasureError, OffbyError, TableError
from offby.fit import LinearRegressor
from offby.losses import Absolute, Squared
from offby.verbs.choose import choose

ROWS = 400


def features(random, n=ROWS, columns=4):
    X = random.normal(size=(n, columns))
    return X, X @ random.normal(size=columns) / 2


def table(X, y):
    return {f"x{k}": column for k, column in enumerate(X.T)} | {"y": y}


def drawn(noise, n=ROWS, seed=0):
    """A table whose truths are a linear signal with noise of some kind."""
    random = np.random.default_rng(seed)
    X, mean = features(random, n)
    return table(X, noise(random, mean))


def gaussian(random, mean):
    return mean + random.normal(size=mean.size)


def gross(random, mean):
    return mean + random.normal(size=mean.size) * np.where(random.random(mean.size) < 0.05, 10, 1)


def skewed(random, mean):
    return mean + 2 * random.exponential(size=mean.size)


def counts(random, mean):
    return random.poisson(np.exp(1 + 2 * mean)).astype(float)


def classes(random, mean):
    return (random.random(mean.size) < 1 / (1 + np.exp(2 - 3 * mean))).astype(int)


# --- folds -------------------------------------------------------------------------------------


def test_every_row_is_held_out_once_a_repeat():
    dealt = splits(103, folds=4, repeats=3)
    assert len(dealt) == 3
    for split in dealt:
        tests = np.stack([split.test(fold) for fold in range(split.folds)])
        trains = np.stack([split.train(fold) for fold in range(split.folds)])
        assert np.all(tests.sum(axis=0) == 1)
        assert np.all(trains != tests)
        assert np.ptp(tests.sum(axis=1)) <= 1
    assert np.any(dealt[0].block != dealt[1].block)


def test_groups_are_never_split():
    groups = np.random.default_rng(0).integers(0, 17, 300)
    for split in splits(300, groups=groups):
        for fold in range(split.folds):
            assert not set(groups[split.train(fold)]) & set(groups[split.test(fold)])


def test_classes_are_alike_in_every_fold():
    yes = np.arange(200) < 25
    for split in splits(200, classes=yes.astype(np.int64)):
        assert [yes[split.test(fold)].sum() for fold in range(5)] == [5] * 5


def test_time_goes_forward_and_ties_stay_together():
    time = np.random.default_rng(0).integers(0, 12, 200).astype(float)
    (split,) = splits(200, time=time)
    for fold in range(split.folds):
        assert time[split.train(fold)].max() < time[split.test(fold)].min()


@pytest.mark.parametrize(
    "wrong",
    [{"folds": 1}, {"groups": np.zeros(50, int)}, {"time": np.zeros(50)},
     {"time": np.arange(50.0), "groups": np.arange(50)}],
)  # fmt: skip
def test_folds_that_cannot_be(wrong):
    with pytest.raises(DataError):
        splits(50, **wrong)


def test_the_corrected_interval_is_nadeau_and_bengios():
    each = np.random.default_rng(0).normal(1, 2, 25)
    found = corrected(each, 0.25, 0.9)
    error = np.sqrt((1 / 25 + 0.25) * each.var(ddof=1))
    low, high = stats.t.interval(0.9, 24, each.mean(), error)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert corrected(np.array([1.0, np.inf]), 0.25, 0.9).value is None


# --- fits --------------------------------------------------------------------------------------

LOSSES = ("mse", "huber:1", "pseudo_huber:1", "log_cosh", "expectile:0.8")


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("forward", [False, True])
def test_shared_fits_are_those_of_each_fold_alone(name, forward):
    random = np.random.default_rng(1)
    X, mean = features(random)
    y = mean + random.standard_t(3, ROWS)
    (split,) = splits(ROWS, repeats=1, time=random.random(ROWS) if forward else None)
    one = candidates.candidate(name)
    found = Shared(Data.of(X, y), one).scores(split)
    for fold in range(split.folds):
        train = split.train(fold)
        alone = LinearRegressor(one.family, standard_errors=None).fit(X[train], y[train])
        assert np.abs(found[:, fold] - alone.predict(X)).max() < 1e-3


def test_deviances_have_a_log_link():
    data = drawn(counts)
    X = np.stack([data[f"x{k}"] for k in range(4)]).T
    (split,) = splits(ROWS, repeats=1)
    found = Shared(Data.of(X, data["y"]), candidates.candidate("poisson")).scores(split)
    train = split.train(0)
    peer = linear_model.PoissonRegressor(alpha=0, tol=1e-9, max_iter=1000)
    np.testing.assert_allclose(
        found[:, 0], peer.fit(X[train], data["y"][train]).predict(X), rtol=1e-3
    )


@pytest.mark.parametrize("tau", [0.5, 0.9])
def test_quantiles_are_near_the_exact_ones(tau):
    random = np.random.default_rng(2)
    X, mean = features(random, 2000)
    y = mean + random.normal(size=2000)
    (split,) = splits(2000, repeats=1)
    one = candidates.candidate(f"pinball:{tau}")
    found = Shared(Data.of(X, y), one).scores(split)[:, 0]
    train = split.train(0)
    exact = linear_model.QuantileRegressor(quantile=tau, alpha=0).fit(X[train], y[train])
    losses = [one.family.mean(y[train], told[train]) for told in (found, exact.predict(X))]
    assert losses[1] <= losses[0] < losses[1] * 1.002


def test_cross_entropy_is_that_of_scikit_learn():
    data = drawn(classes, 1000)
    X = np.stack([data[f"x{k}"] for k in range(4)]).T
    y = data["y"].astype(float)
    (split,) = splits(1000, repeats=1, classes=data["y"])
    found = Shared(Data.of(X, y), candidates.of_classes("cross_entropy")).scores(split)
    train = split.train(2)
    peer = linear_model.LogisticRegression(C=1e12, tol=1e-10, max_iter=1000)
    told = peer.fit(X[train], y[train]).decision_function(X)
    np.testing.assert_allclose(found[:, 2], told, atol=2e-3)


@pytest.mark.parametrize("name", ["mse", "mae", "huber:auto", "tukey:auto"])
def test_nothing_is_learnt_from_held_out_rows(name):
    random = np.random.default_rng(3)
    X, mean = features(random)
    y = mean + random.standard_t(3, ROWS)
    (split,) = splits(ROWS, repeats=1)
    other = y.copy()
    other[split.test(0)] += random.normal(0, 5, split.test(0).sum())
    one = candidates.candidate(name)
    first, second = (Shared(Data.of(X, truths), one).scores(split)[:, 0] for truths in (y, other))
    assert np.abs(first - second).max() < 0.02


def test_columns_that_others_make_up_change_no_prediction():
    random = np.random.default_rng(4)
    X, mean = features(random)
    y = gaussian(random, mean)
    (split,) = splits(ROWS, repeats=1)
    one = candidates.candidate("huber:1")
    more = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(ROWS)])
    plain, wide = (Shared(Data.of(x, y), one).scores(split) for x in (X, more))
    np.testing.assert_allclose(plain, wide, atol=1e-3)


def test_refitting_is_a_line_through_the_predictions():
    random = np.random.default_rng(5)
    seen, new = random.normal(size=200), np.array([-1.0, 4.0])
    y = 3 * seen + 1 + random.normal(size=200)
    slope, intercept = np.polyfit(seen, y, 1)
    np.testing.assert_allclose(refitted(Squared(), seen, y, new), slope * new + intercept)
    flat = refitted(Squared(), np.ones(200), y, new)
    np.testing.assert_allclose(flat, y.mean())


# --- measures ----------------------------------------------------------------------------------


def test_measures_of_classes_are_those_of_scikit_learn():
    random = np.random.default_rng(6)
    y = (random.random(300) < 0.3).astype(float)
    scores = np.round(y + random.normal(size=300), 1)
    split = Split(np.zeros(300, np.int64), np.ones((1, 1), bool), np.zeros(1, np.int64))
    judges = Classes("f1", (1.0, 5.0))
    held = Held(scores, np.zeros(300))
    found = dict(zip(judges.names, judges.folds(y, held, split, np.ones(300))[:, 0],
                     strict=True))  # fmt: skip
    told = scores > 0
    peers = {"accuracy": metrics.accuracy_score, "precision": metrics.precision_score,
             "recall": metrics.recall_score, "f1": metrics.f1_score}  # fmt: skip
    for name, peer in peers.items():
        assert 1 - found[name] == pytest.approx(peer(y, told), rel=1e-12)
    assert 1 - found["auc"] == pytest.approx(metrics.roc_auc_score(y, scores), rel=1e-12)
    chances = 1 / (1 + np.exp(-scores))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y, chances), rel=1e-12)
    alarms, missed = np.sum(told & (y == 0)), np.sum(~told & (y == 1))
    assert found["cost"] == pytest.approx((alarms + 5 * missed) / 300, rel=1e-12)
    assert np.isnan(auc(np.ones(3), np.arange(3.0), np.ones(3)))


@pytest.mark.parametrize("name", ["accuracy", "f1", "cost"])
def test_the_best_threshold_is_the_best_of_all(name):
    random = np.random.default_rng(7)
    y = (random.random(80) < 0.3).astype(float)
    scores = np.round(y + random.normal(size=80), 1)
    judges = Classes(name, (1.0, 5.0))
    split = Split(np.zeros(80, np.int64), np.ones((1, 1), bool), np.zeros(1, np.int64))

    def cost(cut):
        held = Held(scores, np.full(80, cut))
        return judges.folds(y, held, split, np.ones(80))[0, 0]

    everywhere = np.unique(scores) + 0.05
    assert cost(best_cut(name, y, scores, (1.0, 5.0))) == min(cost(cut) for cut in everywhere)


def test_fold_means_leave_out_rows():
    split = splits(20, repeats=1)[0]
    y, kept = np.arange(20.0), np.arange(20) != 7
    found = Numbers({"mae": Absolute()}).folds(
        y, Held(np.zeros(20), np.zeros(20)), split, kept.astype(float)
    )
    for fold in range(5):
        assert found[0, fold] == pytest.approx(y[split.test(fold) & kept].mean())


def test_a_gain_is_a_share_of_what_one_has():
    costs = np.array([[[2.0, 4.0, 8.0]], [[1.0, 2.0, 4.0]]])
    found = Scored(("a", "b"), ("mse",), costs, 0.25, 0.95, True).gain(1)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["mse", "mae", "rmse"])
def test_gaussian_noise_talks_no_one_out_of_mse(asked):
    told = choose(drawn(gaussian), target="y", judge=asked, repeats=2)
    assert told.recommendation.startswith("Keep mse: on ")


def test_gross_errors_call_for_huber_even_when_judged_by_mse():
    told = choose(drawn(gross, 1000, seed=1), target="y", judge="mse", repeats=2)
    assert told.recommendation.startswith("Train with huber:auto")


@pytest.mark.parametrize("seed", range(4))
def test_skewed_noise_never_leads_from_the_mean_to_the_median(seed):
    told = choose(drawn(skewed, seed=seed), target="y", judge="mse", repeats=2)
    verdicts = {line["loss"]: line["verdict"] for line in told.table.values}
    assert verdicts["mae"] in ("worse", "aims elsewhere")
    assert verdicts["huber:auto"] in ("worse", "aims elsewhere")
    assert "recommended" not in (verdicts["mae"], verdicts["huber:auto"])


def test_quantile_judges_call_for_their_pinball():
    told = choose(drawn(gaussian), target="y", judge="pinball:0.9", repeats=2)
    assert told.recommendation.startswith("Train with pinball:0.9")


def test_counts_call_for_poisson():
    told = choose(drawn(counts, 1000, seed=3), target="y", judge="mae", task="regression",
                  candidates="mse,mae,poisson", repeats=2)  # fmt: skip
    assert told.recommendation.startswith("Train with poisson")


def test_rare_classes_call_for_a_threshold():
    told = choose(drawn(classes, 2000), target="y", judge="cost", costs=(1.0, 5.0), repeats=2)
    assert told.recommendation.startswith("Train with cross_entropy+threshold")
    assert told.sentences[1].startswith("Moving the threshold of a plain model is tied")
    assert {line["loss"] for line in told.table.values} >= {"focal:2", "hinge", "class_weighted"}


def test_log_loss_keeps_cross_entropy():
    told = choose(drawn(classes, 1000), target="y", repeats=2)
    assert told.recommendation.startswith("Keep cross_entropy")
    assert any("threshold was not tried" in one.text for one in told.evidence)


def test_impossible_losses_are_skipped_with_the_reason():
    told = choose(drawn(gaussian), target="y", candidates="mse,poisson,huber:auto", repeats=1)
    (why,) = (one.text for one in told.evidence if one.name == "skipped poisson")
    assert why.startswith("poisson was not tried: not defined for ")
    assert len(told.table.values) == 2


def test_the_worst_rows_are_named_and_left_out():
    data = drawn(gaussian)
    data["y"][41] += 1000
    told = choose(data, target="y", candidates="mse,huber:auto", repeats=1)
    assert "(rows 42, " in told.sentences[-1]
    assert told.trimmed.values[0]["judged"]["mse"] < told.table.values[0]["judged"]["mse"] / 10


def test_what_is_shown_is_what_was_measured():
    data = drawn(gaussian)
    told = choose(data, target="y", candidates="mse,mae", judge="mae", repeats=1)
    X = np.stack([data[f"x{k}"] for k in range(4)]).T
    split = splits(ROWS, repeats=1)[0]
    costs = [
        np.abs(
            data["y"][split.test(fold)]
            - linear_model.LinearRegression()
            .fit(X[split.train(fold)], data["y"][split.train(fold)])
            .predict(X[split.test(fold)])
        ).mean()
        for fold in range(5)
    ]
    assert told.table.values[0]["judged"]["mae"] == pytest.approx(np.mean(costs), rel=1e-9)


# --- other models ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "losses"),
    [("xgboost", "mse,huber:auto"), ("lightgbm", "mse,pinball:0.5"),
     ("catboost", "mse,huber:auto"),
     ("sklearn:sklearn.ensemble.GradientBoostingRegressor", "mse,mae")],
)  # fmt: skip
def test_other_models_are_trained_under_the_same_losses(model, losses):
    pytest.importorskip(model.partition(":")[2].partition(".")[0] or model)
    told = choose(drawn(gaussian, 200), target="y", model=model, candidates=losses, folds=2,
                  repeats=1)  # fmt: skip
    values = [line["judged"]["mse"] for line in told.table.values]
    assert len(values) == 2
    assert all(0.8 < value < 3 for value in values)


@pytest.mark.parametrize("model", ["xgboost", "lightgbm", "catboost"])
def test_trees_of_yes_and_no_are_judged_by_their_logits(model):
    """Chances taken for logits would stand between 0 and 1, and all rows above 1/2."""
    pytest.importorskip(model)
    told = {"target": "y", "folds": 2, "repeats": 1, "candidates": "cross_entropy,class_weighted"}
    data = drawn(classes, 400)
    data["y"] = np.where(data["y"] == 1, "yes", "no")
    trees, linear = (
        choose(data, **told, model=name, judge="accuracy").table.values[0]["judged"]
        for name in (model, "linear")
    )
    assert trees["accuracy"] > linear["accuracy"] - 0.08
    assert trees["log_loss"] < linear["log_loss"] + 0.25


def test_a_model_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    with pytest.raises(MeasureError, match="not installed; pip install catboost"):
        choose(drawn(gaussian, 200), target="y", model="catboost")


def test_trees_are_not_refitted():
    told = choose(drawn(gaussian, 200), target="y", model="lightgbm", folds=2, repeats=1,
                  candidates="mse,mae,mae+refit")  # fmt: skip
    assert any("too small to refit on" in one.text for one in told.evidence)


# --- parameters chosen by inner folds -----------------------------------------------------------


def task(X, y, names, aim, repeats=1, time=None, **more):
    known = [candidates.candidate(name) for name in names]
    return Task(
        X, y, splits(y.size, 5, repeats, time=time), known, Numbers({"j": aim}), aim, **more
    )


@pytest.mark.parametrize("name", ["huber:auto", "tweedie:auto"])
@pytest.mark.parametrize("forward", [False, True])
def test_inner_folds_see_no_row_that_the_outer_one_holds_out(name, forward):
    random = np.random.default_rng(8)
    X, mean = features(random)
    y = np.exp(mean) * random.gamma(2, size=ROWS) + 0.01
    time = np.arange(ROWS, dtype=float) if forward else None
    asked = task(X, y, [name], Squared(), time=time)
    (split,), last = asked.splits, asked.splits[0].folds - 1
    other = y.copy()
    other[split.test(last)] *= random.uniform(0.2, 5, split.test(last).sum())
    changed = task(X, other, [name], Squared(), time=time)
    fold = split.of(np.array([last]))
    first, second = (one.nested(one.candidates[0]) for one in (asked, changed))
    told = [one.scores(fold) for one in (first, second)]
    assert first.usual == second.usual
    np.testing.assert_allclose(*told, rtol=0.02, atol=0.02)


def test_skewed_noise_calls_for_a_threshold_near_the_mean():
    random = np.random.default_rng(9)
    X, mean = features(random, 1000)
    asked = task(X, skewed(random, mean), ["huber:auto"], Squared())
    nested = asked.nested(asked.candidates[0])
    nested.scores(asked.splits[0])
    options = asked.candidates[0].options
    errors = random.normal(size=1000)
    assert options[nested.usual].tuned(errors, errors).delta > 2
    plain = task(X, gaussian(random, mean), ["huber:auto"], Absolute())
    usual = plain.nested(plain.candidates[0])
    usual.scores(plain.splits[0])
    assert usual.usual == 0


def test_inner_folds_are_of_the_outer_training_rows_alone():
    for split in (*splits(60, repeats=1), *splits(60, time=np.arange(60.0))):
        for fold in range(split.folds):
            for trained, held in split.inner(fold):
                assert not trained[held]
                assert split.trains[fold][held]
                assert not np.any(trained & ~split.trains[fold])
                assert not split.forward or np.flatnonzero(trained).max() < held


def test_a_study_holds_out_its_own_errors():
    told = weigh_numbers(drawn(gross, 1000, seed=1))
    first, second = told.held_out
    assert (first.name, second.name) == ("mse", "huber:auto")
    assert first.study.errors.size == 1000
    costs = told.trial.scored.costs[0, 0, :5]
    sizes = np.array([np.sum(splits(1000, repeats=1)[0].test(k)) for k in range(5)])
    assert np.mean(first.study.errors**2) == pytest.approx(costs @ sizes / 1000)
    assert second.loss.name == "huber"


def weigh_numbers(data, **asked):
    return weigh(read(data, Wanted("y")), Asked("mse", "mse,huber:auto", repeats=2, **asked))


# --- stopping ----------------------------------------------------------------------------------


def stopping(after):
    def hear(done, _):
        if done == after:
            raise KeyboardInterrupt

    return hear


def test_a_stopped_study_keeps_the_repeats_that_are_done():
    asked = {"target": "y", "candidates": "mse,mae,huber:auto"}
    told = choose(drawn(gaussian), repeats=5, trained=stopping(7), **asked)
    whole = choose(drawn(gaussian), repeats=2, **asked)
    assert not told.finished
    assert "stopped early" in told.sentences[0]
    assert told.table.values == whole.table.values


def test_a_signal_stops_a_study_between_its_candidates():
    def heard(done, _):
        if done == 4:
            signal.raise_signal(signal.SIGINT)

    asked = {"candidates": "mse,mae,huber:auto", "repeats": 3, "trained": heard}
    told = choose(drawn(gaussian), target="y", **asked)
    assert not told.finished
    assert len(told.table.values) == 3


def test_a_study_stopped_in_the_first_repeat_keeps_the_candidates_that_are_done():
    told = choose(drawn(gaussian), target="y", trained=stopping(2))
    assert [line["loss"] for line in told.table.values] == ["mse", "mae"]
    with pytest.raises(KeyboardInterrupt):
        choose(drawn(gaussian), target="y", trained=stopping(1))


# --- tables ------------------------------------------------------------------------------------


def test_text_becomes_columns_and_names_are_left_out():
    colour, name = np.array(["red", "blue"] * 20), np.array([f"row {k}" for k in range(40)])
    found = read({"c": colour, "n": name, "x": np.arange(40.0), "y": np.arange(40.0)}, Wanted("y"))
    assert found.features == ("x", "c = red")
    assert found.left_out == ("n",)
    assert found.positive == ""


def test_missing_values_are_refused_or_dropped():
    data = drawn(gaussian)
    data["x1"][4] = np.nan
    with pytest.raises(DataError, match=r"1 of 400 rows lack a finite number \(in x1\), first row"):
        choose(data, target="y")
    told = choose(data, target="y", nan="drop", repeats=1, candidates="mse,mae")
    assert (told.dropped, told.rows, told.used) == (1, 400, 399)


def test_rows_are_named_by_their_places_in_the_table():
    data = drawn(gaussian)
    data["x1"][4], data["y"][41] = np.nan, 1000
    told = choose(data, target="y", nan="drop", repeats=1, candidates="mse,mae")
    assert "(rows 42, " in told.sentences[-1]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"candidates": "mse"}, "name two or more"),
        ({"candidates": "mse,nonsense"}, "unknown loss"),
        ({"candidates": "mse,hinge"}, "yes and no"),
        ({"candidates": "mse,mae+moved"}, r"known is \+refit"),
        ({"candidates": "mse,mae:auto"}, "no threshold"),
        ({"candidates": "mse,poisson"}, "two are needed"),
        ({"model": "forest"}, "known are linear"),
        ({"model": "sklearn:sklearn.nothing.Here"}, "cannot be loaded"),
        ({"judge": "f1"}, "classes"),
        ({"judge": "bias"}, "zero"),
        ({"features": ["x9"]}, "x9"),
        ({"group": "shop"}, "shop"),
    ],
)
def test_what_cannot_be_asked(asked, words):
    with pytest.raises(OffbyError, match=words):
        choose(drawn(gaussian), target="y", **asked)


def test_costs_and_targets_are_asked_for():
    with pytest.raises(MeasureError, match="needs the costs"):
        choose(drawn(classes), target="y", judge="cost")
    with pytest.raises(MeasureError, match="needs a target"):
        choose(drawn(gaussian), candidates="mse,mae")
    with pytest.raises(DataError, match="positive class"):
        read({"x": [1.0, 2.0], "y": ["cat", "dog"]}, Wanted("y"))
    with pytest.raises(TableError, match="no column to train on"):
        read({"y": [1.0, 2.0]}, Wanted("y"))


def test_a_class_judge_of_a_study_without_groups_or_time():
    data = drawn(classes, 600) | {"who": np.repeat(np.arange(60), 10), "when": np.arange(600.0)}
    for roles in ({"group": "who"}, {"time": "when"}):
        rows = read(data, Wanted("y", ("x0", "x1", "x2", "x3"), **roles))
        found = weigh(rows, Asked("auc", "cross_entropy,class_weighted", repeats=1))
        assert found.trial.folds == 5
        assert found.verdict.taken == 0


def test_aims():
    mse, own = judge("mse"), judge("pinball:0.9")
    assert candidates.candidate("poisson").aims_with(mse)
    assert not candidates.candidate("mae").aims_with(mse)
    assert not candidates.candidate("pinball:0.8").aims_with(own)
    assert candidates.candidate("pinball:0.5").aims_with(judge("mae"))


# --- the command -------------------------------------------------------------------------------


def test_the_command_trains(offby_command, tmp_path):
    data = drawn(gaussian, 200)
    path, page = tmp_path / "table.csv", tmp_path / "page.html"
    names = list(data)
    np.savetxt(path, np.stack(list(data.values())).T, delimiter=",", header=",".join(names),
               comments="")  # fmt: skip
    asked = ["choose", str(path), "--target", "y", "--candidates", "mse,mae,huber:auto"]
    shown = offby_command(*asked, "--repeats", "1", "--html", str(page))
    assert shown.out.startswith("Keep mse: on ")
    assert "rgba(" in page.read_text()
    told = json.loads(offby_command(*asked, "--repeats", "1", "--json").out)
    assert [line["loss"] for line in told["table"]] == ["mse", "mae", "huber:auto"]
    assert told["finished"]


def test_costs_are_of_classes():
    table = {"x": np.arange(40.0), "y": np.arange(40.0) % 7}
    with pytest.raises(offby.MeasureError, match="this target is numbers"):
        offby.choose(table, target="y", costs=(1.0, 5.0))
