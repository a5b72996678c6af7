"""Losses for other libraries' trainers, held against what these libraries have built in."""

import pickle

import jax
import jax.numpy as jnp
import lightgbm as lgb
import numpy as np
import pytest
import torch
import xgboost as xgb
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score

from offby.errors import DataError, FormulaError
from offby.losses import (
    CATALOGUE,
    Absolute,
    Brier,
    CategoricalBrier,
    CategoricalCrossEntropy,
    CostWeighted,
    Expectile,
    Focal,
    Gamma,
    Hinge,
    Huber,
    InverseGaussian,
    Logistic,
    LogLoss,
    Pinball,
    Poisson,
    PseudoHuber,
    SoftmaxCrossEntropy,
    Squared,
    SquaredHinge,
    SquaredLog,
    Tweedie,
    loss,
)
from offby.losses.trainers.score import score_of

ROWS, ROUNDS = 2_000, 25
RNG = np.random.default_rng(5)
X = RNG.uniform(size=(ROWS, 5))
SIGNAL = 2 * X[:, 0] + np.sin(5 * X[:, 1]) - X[:, 2]
WEIGHT = RNG.uniform(0.5, 2, ROWS)
TARGETS = {
    "squared": 100 + 30 * SIGNAL + 5 * RNG.normal(size=ROWS),
    "logistic": (RNG.uniform(size=ROWS) < 1 / (1 + np.exp(1 - 1.5 * SIGNAL))).astype(float),
    "poisson": RNG.poisson(np.exp(0.7 * SIGNAL)).astype(float),
    "gamma": RNG.gamma(2, np.exp(SIGNAL) / 2, ROWS),
    "tweedie": np.where(RNG.uniform(size=ROWS) < 0.4, 0, RNG.gamma(2, np.exp(SIGNAL) / 2, ROWS)),
}
TARGETS["absolute"] = TARGETS["pinball"] = TARGETS["squared"]
LOSSES = {
    "squared": Squared(), "logistic": Logistic(), "poisson": Poisson(), "gamma": Gamma(),
    "tweedie": Tweedie(1.5), "absolute": Absolute(), "pinball": Pinball(0.9),
}  # fmt: skip
CLASSES = np.digitize(SIGNAL, [0, 1.2])
XGB = {"eta": 0.3, "max_depth": 4, "nthread": 1, "verbosity": 0}
LGB = {"eta": 0.3, "num_threads": 1, "verbose": -1, "deterministic": True}
CAT = {
    "iterations": ROUNDS, "learning_rate": 0.3, "thread_count": 1, "verbose": 0,
    "allow_writing_files": False, "leaf_estimation_method": "Newton",
    "leaf_estimation_iterations": 1, "bootstrap_type": "No", "boosting_type": "Plain",
}  # fmt: skip
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


@pytest.fixture
def cb():
    return pytest.importorskip("catboost")


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


def close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


LGB_SPLITS = ["node_index", "split_feature", "threshold", "left_child", "right_child", "count"]


def same_splits(model, other, columns):
    return model.trees_to_dataframe()[columns].equals(other.trees_to_dataframe()[columns])


# The built-in objectives


@weighted
@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("squared", "reg:squarederror"), ("logistic", "binary:logistic"),
        ("poisson", "count:poisson"), ("gamma", "reg:gamma"), ("tweedie", "reg:tweedie"),
    ],
)  # fmt: skip
def test_xgboost_grows_the_trees_of_its_own_objectives(name, builtin, weight):
    y = TARGETS[name]
    data = xgb.DMatrix(X, y, weight=weight)
    ours = LOSSES[name].xgboost(y, weight)
    told = {"objective": builtin, "base_score": ours.params["base_score"]}
    own = xgb.train({**XGB, **told}, data, ROUNDS)
    model = xgb.train({**XGB, **told}, data, ROUNDS, obj=in_python(ours))
    own_trees, trees = own.trees_to_dataframe(), model.trees_to_dataframe()
    columns = ["Tree", "Node", "Feature", "Split", "Yes", "No"]
    assert trees[columns].equals(own_trees[columns])
    close(trees["Gain"], own_trees["Gain"], 2e-4)  # of leaves, their values
    close(ours.predict(model, data), own.predict(data))
    close(model.predict(data), own.predict(data))  # as the saved model would


def in_python(ours):
    """The slopes that are offby's, also where XGBoost has its own."""

    def objective(raw, data):
        weight = data.get_weight()
        return ours.slopes(data.get_label(), raw, weight if weight.size else None)

    return objective


@weighted
@pytest.mark.parametrize("name", LOSSES)
def test_xgboost_trains_losses_that_it_has_by_itself(name, weight):
    """From the mean or the quantile of all rows: a model of 0 rounds predicts it."""
    y, one = TARGETS[name], LOSSES[name]
    data = xgb.DMatrix(X, y, weight=weight)
    ours = one.xgboost(y, weight)
    assert ours.objective is None
    start = xgb.train({**XGB, **ours.params}, data, 0)
    model = xgb.train({**XGB, **ours.params}, data, ROUNDS)
    close(model.predict(data), ours.predict(model, data))
    costs = [one.mean(y, each.predict(data, output_margin=one.scale == "logit"), weight)
             for each in (start, model)]  # fmt: skip
    assert costs[0] == pytest.approx(one.mean(y, one.best_constant(y, weight), weight), rel=1e-6)
    assert costs[1] < 0.9 * costs[0]
    kind = xgb.XGBClassifier if name == "logistic" else xgb.XGBRegressor
    told = {**ours.estimator_params, **XGB, "n_estimators": ROUNDS}
    estimator = kind(**told).fit(X, y, sample_weight=weight)
    close(ours.predict(estimator, X), ours.predict(model, data))


@weighted
@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("squared", "regression"), ("logistic", "binary"), ("poisson", "poisson"),
        ("gamma", "gamma"), ("tweedie", "tweedie"),
    ],
)  # fmt: skip
def test_lightgbm_grows_the_trees_of_its_own_objectives(name, builtin, weight):
    y = TARGETS[name]
    data = lgb.Dataset(X, y, weight=weight, free_raw_data=False)
    own = lgb.train({**LGB, "objective": builtin}, data, ROUNDS)
    ours = LOSSES[name].lightgbm(y, weight)
    data = lgb.Dataset(X, y, weight=weight)
    model = lgb.train({**LGB, **ours.params}, data, ROUNDS)
    assert same_splits(model, own, LGB_SPLITS)
    close(ours.predict(model, X), own.predict(X), 1e-7)


@weighted
@pytest.mark.parametrize(
    ("name", "told"),
    [("absolute", {"objective": "l1"}), ("pinball", {"objective": "quantile", "alpha": 0.9})],
)
def test_lightgbm_renews_leaves_under_its_own_objectives(name, told, weight):
    y, one = TARGETS[name], LOSSES[name]
    own = lgb.train({**LGB, **told}, lgb.Dataset(X, y, weight=weight), ROUNDS)
    ours = one.lightgbm(y, weight)
    data = lgb.Dataset(X, y, weight=weight)
    model = lgb.train({**LGB, **ours.params}, data, ROUNDS, valid_sets=[data], feval=ours.metric,
                      callbacks=[lgb.record_evaluation(seen := {})])  # fmt: skip
    assert same_splits(model, own, LGB_SPLITS)
    assert np.array_equal(ours.predict(model, X), own.predict(X))
    (history,) = seen["training"].values()
    assert history[-1] == pytest.approx(one.mean(y, ours.predict(model, X), weight))


@weighted
@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("squared", "RMSE"), ("logistic", "Logloss"), ("poisson", "Poisson"),
        ("tweedie", "Tweedie:variance_power=1.5"),
    ],
)  # fmt: skip
def test_catboost_predicts_as_with_its_own_objectives(cb, name, builtin, weight):
    y = TARGETS[name]
    ours = LOSSES[name].catboost(y, weight)
    pool = cb.Pool(X, y, weight=weight, baseline=np.full(ROWS, ours.start))
    own = cb.CatBoost({**CAT, "loss_function": builtin}).fit(pool)
    raw = own.predict(X, prediction_type="RawFormulaVal") + ours.start
    model = cb.CatBoost({**CAT, **ours.params}).fit(cb.Pool(X, y, weight=weight))
    close(ours.predict(model, X), ours.response(raw), 3e-5)


@weighted
def test_trees_of_several_classes(weight):
    data = xgb.DMatrix(X, CLASSES, weight=weight)
    told = {**XGB, "objective": "multi:softprob", "num_class": 3}
    ours = SoftmaxCrossEntropy().xgboost(CLASSES, weight)
    own = xgb.train({**told, "base_score": ours.params["base_score"]}, data, ROUNDS)
    assert ours.objective is None
    model = xgb.train({**XGB, **ours.params}, data, ROUNDS, obj=in_python(ours))
    assert same_splits(model, own, ["Tree", "Node", "Feature", "Split", "Yes", "No"])
    close(ours.predict(model, data), own.predict(data))

    told = {**LGB, "objective": "multiclass", "num_class": 3}
    own = lgb.train(told, lgb.Dataset(X, CLASSES, weight=weight), ROUNDS)
    ours = CategoricalCrossEntropy().lightgbm(CLASSES, weight)
    model = lgb.train({**LGB, **ours.params}, lgb.Dataset(X, CLASSES, weight=weight), ROUNDS)
    assert same_splits(model, own, LGB_SPLITS)
    close(ours.predict(model, X), own.predict(X), 1e-7)


@weighted
@pytest.mark.parametrize("name", ["logistic", "poisson", "gamma", "tweedie", None])
def test_metrics_are_of_raw_scores_though_xgboost_shows_predictions(name, weight):
    """Which it does where the objective is its own."""
    y, one = (TARGETS[name], LOSSES[name]) if name else (CLASSES, SoftmaxCrossEntropy())
    data, ours = xgb.DMatrix(X, y, weight=weight), one.xgboost(y, weight)
    booster = xgb.train(
        {**XGB, **ours.params}, data, 10, obj=ours.objective, custom_metric=ours.metric,
        evals=[(data, "seen")], evals_result=(trained := {}), verbose_eval=False,
    )  # fmt: skip
    wanted = ours.score.mean(y, booster.predict(data, output_margin=True), weight)
    assert trained["seen"][ours.name][-1] == pytest.approx(wanted, rel=1e-5)
    kind = xgb.XGBClassifier if name in ("logistic", None) else xgb.XGBRegressor
    told = {**ours.estimator_params, **XGB, "n_estimators": 10, "eval_metric": ours.metric}
    model = kind(**told).fit(
        X, y, sample_weight=weight, eval_set=[(X, y)], verbose=False,
        sample_weight_eval_set=None if weight is None else [weight],
    )  # fmt: skip
    close(model.evals_result()["validation_0"][ours.name], trained["seen"][ours.name])


def test_chances_that_float32_rounds_away_cost_what_a_score_can():
    y, chances = np.array([0.0, 1.0]), np.array([1, 0], np.float32)
    assert Logistic().xgboost(y).metric(y, chances) == pytest.approx((17.3 + 104) / 2, rel=1e-2)
    assert np.isfinite(Poisson().xgboost(y).metric(y, np.array([np.inf, 0], np.float32)))


def test_losses_made_of_others_train_by_their_own_slopes():
    from offby.formula import r

    class Late(Squared):
        formula = r**4

    y = TARGETS["squared"]
    assert Late().xgboost(y).objective is not None
    assert callable(Late().lightgbm(y).params["objective"])


def test_xgboost_smooths_labels():
    """Which its own objective would not do: it trains towards chances of 1."""
    data, one = xgb.DMatrix(X, CLASSES), SoftmaxCrossEntropy(smoothing=0.1)
    models = {}
    for kind in (one, SoftmaxCrossEntropy()):
        ours = kind.xgboost(CLASSES)
        model = xgb.train({**XGB, **ours.params}, data, 100, obj=ours.objective)
        models[kind] = one.mean(CLASSES, model.predict(data, output_margin=True))
    assert models[one] < 0.9 * models[SoftmaxCrossEntropy()]


def test_several_classes_in_catboost(cb):
    ours = SoftmaxCrossEntropy().catboost(CLASSES)
    few = {**CAT, "iterations": 5}
    model = cb.CatBoostClassifier(**few, **ours.params).fit(X, CLASSES, sample_weight=WEIGHT)
    pool = cb.Pool(X, CLASSES, weight=WEIGHT, baseline=np.tile(ours.start, (ROWS, 1)))
    own = cb.CatBoostClassifier(**few, loss_function="MultiClass").fit(pool)
    raw = own.predict(X, prediction_type="RawFormulaVal") + ours.start
    close(ours.predict(model, X), ours.response(raw))
    (measured,) = model.get_evals_result()["learn"].values()
    loss = SoftmaxCrossEntropy()
    assert measured[-1] == pytest.approx(loss.mean(CLASSES, np.log(ours.predict(model, X)), WEIGHT))


# Losses of straight lines


def with_errors(draw, seed=0, rows=8_000):
    """Friedman's function with errors that are larger in some places, in two halves."""
    rng = np.random.default_rng(seed)
    given = rng.uniform(size=(rows, 6))
    mean = 10 * np.sin(np.pi * given[:, 0] * given[:, 1]) + 20 * (given[:, 2] - 0.5) ** 2
    y = mean + 10 * given[:, 3] + draw(rng, rows) * np.exp(2 * given[:, 5] - 1)
    return (given[::2], y[::2]), (given[1::2], y[1::2])


def heavy_tailed(seed, rows=4_000):
    return with_errors(lambda rng, rows: rng.standard_t(3, rows), seed, rows)


WRITTEN = {
    Absolute(): "abs(r)",
    Pinball(0.8): "where(r < 0, 0.8*abs(r), 0.2*abs(r))",
    Pinball(0.1): "where(r < 0, 0.1*abs(r), 0.9*abs(r))",
}
"""As losses of one's own, for which trainers have no objective."""


def in_lightgbm(one, given, y, held_out):
    told = {**LGB, "eta": 0.1, "alpha": 0.8}
    builtin = "quantile" if isinstance(one, Pinball) else "l1"
    own = lgb.train({**told, "objective": builtin}, lgb.Dataset(given, y), 100)
    ours = loss(WRITTEN[one]).lightgbm(y)
    model = lgb.train({**told, **ours.params}, lgb.Dataset(given, y), 100)
    return ours.predict(model, held_out), own.predict(held_out)


def in_catboost(one, given, y, held_out):
    cb = pytest.importorskip("catboost")
    told = {"iterations": 100, "learning_rate": 0.1, "verbose": 0, "thread_count": 1,
            "allow_writing_files": False}  # fmt: skip
    builtin = "Quantile:alpha=0.8" if isinstance(one, Pinball) else "MAE"
    own = cb.CatBoost({**told, "loss_function": builtin}).fit(given, y)
    ours = loss(WRITTEN[one]).catboost(y)
    model = cb.CatBoost({**told, **ours.params}).fit(given, y)
    return ours.predict(model, held_out), own.predict(held_out)


ERRORS = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "heavy": lambda rng, rows: rng.standard_t(2, rows),
    "skewed": lambda rng, rows: rng.exponential(2, rows) ** 1.5,
}


@pytest.mark.parametrize("train", [in_lightgbm, in_catboost])
@pytest.mark.parametrize("one", [Absolute(), Pinball(0.8)], ids=str)
def test_straight_lines_train_as_well_as_built_in(one, train):
    """After 100 rounds, over three kinds of errors; docs/trainers.md tells of 200."""
    ratios = []
    for errors in ERRORS.values():
        (given, y), (held_out, truth) = with_errors(errors)
        ours, own = train(one, given, y, held_out)
        ratios.append(one.mean(truth, ours) / one.mean(truth, own))
    assert np.mean(ratios) <= 1.01


@pytest.mark.parametrize("train", [in_lightgbm, in_catboost])
def test_many_rows_on_the_kink_hold_their_leaves(train):
    """Counts of which most are 0: so is the quantile, and steps must not swing around it."""
    rng = np.random.default_rng(0)
    given = rng.uniform(size=(4_000, 4))
    y = rng.poisson(4 * given[:, 0]) * (rng.uniform(size=4_000) < 0.4) * 1.0
    one = Pinball(0.1)
    ours, _ = train(one, given[::2], y[::2], given[1::2])
    assert one.mean(y[1::2], ours) <= 1.02 * one.mean(y[1::2], np.zeros(2_000))


def test_half_of_a_skewed_sample_lies_below_its_median():
    (given, y), _ = with_errors(ERRORS["skewed"])
    data, ours = xgb.DMatrix(given, y), Absolute().xgboost(y)
    model = xgb.train({**XGB, "eta": 0.1, **ours.params}, data, 60, obj=ours.objective)
    assert np.mean(y <= ours.predict(model, data)) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("one", [Absolute(), Pinball(0.9), Huber(2.0), Expectile(0.8)], ids=str)
@pytest.mark.parametrize("unit", [1e-2, 1e6])  # XGBoost takes no split that gains below 1e-6
def test_training_knows_no_units(one, unit):
    (given, y), _ = heavy_tailed(0, 1_000)
    same = one.with_parameters(delta=2.0 * unit) if isinstance(one, Huber) else one
    found = []
    for loss_, truth in ((one, y), (same, y * unit)):
        data = xgb.DMatrix(given, truth)
        ours = loss_.xgboost(truth)
        model = xgb.train({**XGB, **ours.params}, data, 10, obj=ours.objective)
        found.append(ours.predict(model, data))
    assert np.quantile(np.abs(found[1] / unit - found[0]), 0.95) < 0.02 * np.std(y)


def test_one_row_that_is_hit_does_not_hold_the_others():
    y = np.r_[np.zeros(10), np.arange(1.0, 91.0)]
    ours = Absolute().xgboost(y)
    _, bend = ours.slopes(y, np.zeros(100))
    assert bend.max() < 8 * bend.mean()
    assert bend.mean() == pytest.approx(1)


# What follows from a loss of raw scores


def rows_for(one):
    """Targets and raw scores that the loss is defined for."""
    rng = np.random.default_rng(1)
    raw = rng.normal(size=400)
    chances = one.scale in ("logit", "margin") or score_of(one).link.name == "logit"
    return (rng.integers(0, 2, 400) * 1.0 if chances else np.exp(rng.normal(size=400))), raw


EVERY = [kind() for kind in CATALOGUE]


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_slopes_are_those_of_the_mean(one):
    y, raw = rows_for(one)
    score = score_of(one)
    step = 1e-6
    slope, bend = score.slopes(y, raw, np.full(400, 2.0))
    ahead, behind = (
        [score.mean([a], [b + move]) for a, b in zip(y[:40], raw[:40], strict=True)]
        for move in (step, -step)
    )
    close(slope[:40] / 2, np.subtract(ahead, behind) / (2 * step), 1e-4)
    assert (bend > 0).all()
    assert np.isfinite(bend).all()


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_the_start_is_the_best_raw_score(one):
    y, _ = rows_for(one)
    score = score_of(one)
    best = score.start(y)
    least = score.mean(y, np.full(y.size, best))
    for other in np.linspace(best - 0.5, best + 0.5, 11):
        assert least <= score.mean(y, np.full(y.size, other)) + 1e-9


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_no_score_is_too_large(one):
    y, _ = rows_for(one)
    for raw in (-80.0, 80.0):
        for found in score_of(one).slopes(y, np.full(y.size, raw)):
            assert np.isfinite(found).all()


def test_the_mean_is_that_of_the_predictions():
    y, raw = rows_for(Poisson())
    for one in (Poisson(), Gamma(), Tweedie(1.2), InverseGaussian(), SquaredLog()):
        score = score_of(one)
        assert score.mean(y, raw, y) == pytest.approx(one.mean(y, score.response(raw), y))
    y, raw = rows_for(LogLoss())
    for one in (LogLoss(), CostWeighted(1, 5), Focal(2), Brier()):
        score = score_of(one)
        assert score.mean(y, raw) == pytest.approx(one.mean(y, score.response(raw)))


def test_links_can_be_chosen():
    y = TARGETS["gamma"]
    ours = Squared().lightgbm(y, link="log")
    model = lgb.train({**LGB, **ours.params}, lgb.Dataset(X, y), ROUNDS)
    assert (ours.predict(model, X) > 0).all()
    assert np.exp(ours.start) == pytest.approx(y.mean())
    with pytest.raises(FormulaError, match="known are identity, log"):
        Squared().lightgbm(y, link="cube")
    with pytest.raises(FormulaError, match="its link is softmax"):
        SoftmaxCrossEntropy().lightgbm(CLASSES, link="log")
    with pytest.raises(FormulaError, match="takes a logit as it is"):
        Logistic().lightgbm(y, link="logit")


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(DataError, match="no finite log to start from"):
        Poisson().xgboost(np.zeros(5))
    with pytest.raises(DataError, match=r"y_true is 2 in row 2 .* numbered 0 to 1"):
        SoftmaxCrossEntropy().xgboost([0, 2])
    with pytest.raises(FormulaError, match="SoftmaxCrossEntropy"):
        CategoricalBrier().torch()


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_targets_that_the_loss_is_not_defined_for_are_named(name):
    bad = [
        (Poisson(), [1.0, -2.0], r"y_true is -2 in row 2 \(counted from 1\), and poisson is"),
        (Gamma(), [1.0, 3.0, 0.0], "y_true is 0 in row 3"),
        (Logistic(), [0.0, 1.0, -1.0], "y_true is -1 in row 3"),
        (LogLoss(), [0.0, 1.0, 2.0], "y_true is 2 in row 3"),
        (Squared(), [1.0, np.nan], "y_true is nan in row 2"),
        (SoftmaxCrossEntropy(), [0, 1, -1], "y_true is -1 in row 3"),
        (SoftmaxCrossEntropy(), [0.0, 1.0, 1.5], "y_true is 1.5 in row 3"),
        (SoftmaxCrossEntropy(), ["no", "yes"], "y_true is 'no' in row 1"),
        (SoftmaxCrossEntropy(), [0, 0], "1 classes"),
    ]
    for one, y, said in bad:
        with pytest.raises(DataError, match=said):
            getattr(one, name)(y)
    for one, y in ((Squared(), [0.0, 1.0]), (SoftmaxCrossEntropy(), [0, 1])):
        with pytest.raises(DataError, match=r"sample_weight is -1\.0 in row 2"):
            getattr(one, name)(y, [1.0, -1.0])
        with pytest.raises(DataError, match="sample_weight has 3 rows"):
            getattr(one, name)(y, np.ones(3))


def test_columns_of_different_lengths_are_refused():
    y = np.ones(3, np.float32)
    with pytest.raises(DataError, match="y_true has 3 rows and y_pred has 1"):
        Poisson().xgboost(y).slopes(y, y[:1])


def test_rows_that_the_objective_was_not_made_for_are_named():
    """Without a word, all predictions of such a model would be NaN."""
    y = np.array([0.0, 1.0, 1.0], np.float32)
    for one, other in ((CostWeighted(1, 4), 2.0), (Poisson(), -1.0), (Tweedie(1.5), -1.0)):
        ours = one.xgboost(y)
        with pytest.raises(DataError, match=f"y_true is {other:g} in row 2"):
            ours.slopes(np.array([0, other, 1], np.float32), np.zeros(3, np.float32))


def test_predictions_of_a_link_that_the_loss_is_not_defined_for_are_named():
    for one, link, raw, usual in (
        (LogLoss(), "log", [-0.25, 0.5], "logit"), (Poisson(), "identity", [1, -1], "log"),
    ):  # fmt: skip
        ours = one.lightgbm([0.0, 1.0], link=link)
        with pytest.raises(DataError, match=f"in row 2 .* the link {link} .* link='{usual}'"):
            ours.slopes([0.0, 1.0], raw)


def test_ones_own_loss():
    from offby.formula import where

    @loss
    def late(r, cost=4.0):
        return where(r < 0, cost * abs(r), abs(r))

    (given, y), (held_out, truth) = heavy_tailed(3, 2_000)
    assert late.xgboost(y).name == "mean_late_4"
    found = []
    for one in (late, loss("where(r < 0, 8*abs(r), 2*abs(r))")):
        ours = one.lightgbm(y)
        model = lgb.train({**LGB, **ours.params}, lgb.Dataset(given, y), 20)
        found.append(ours.predict(model, given))
    assert np.array_equal(*found)

    costs = []  # XGBoost renews leaves of its own quantile loss only: so curvatures count
    for one in (late, Pinball(0.8)):
        ours = one.xgboost(y)
        model = xgb.train(
            {**XGB, "eta": 0.1, **ours.params}, xgb.DMatrix(given, y), 100, obj=ours.objective
        )
        costs.append(late.mean(truth, ours.predict(model, held_out)))
    assert costs[0] <= 1.01 * costs[1]


# The libraries' own ways in


def test_metrics_stop_early_where_the_loss_is_least():
    (given, y), (held_out, truth) = heavy_tailed(0, 1_000)
    ours, one = Huber(1.345).xgboost(y), Huber(1.345)
    sets = [(xgb.DMatrix(held_out, truth), "held_out")]
    model = xgb.train({**XGB, **ours.params}, xgb.DMatrix(given, y), 200, evals=sets,
                      obj=ours.objective, custom_metric=ours.metric, verbose_eval=False,
                      early_stopping_rounds=5, evals_result=(seen := {}))  # fmt: skip
    history = seen["held_out"]["mean_huber_1.345"]
    assert model.best_iteration == np.argmin(history) < 199
    assert list(seen["held_out"]) == ["mean_huber_1.345"]
    assert history[-1] == pytest.approx(one.mean(truth, ours.predict(model, sets[0][0])), rel=1e-6)

    ours = one.lightgbm(y)
    stop = [lgb.early_stopping(5, verbose=False), lgb.record_evaluation(seen := {})]
    sets = [lgb.Dataset(held_out, truth)]
    model = lgb.train({**LGB, **ours.params}, lgb.Dataset(given, y), 200, valid_sets=sets,
                      feval=ours.metric, callbacks=stop)  # fmt: skip
    (history,) = seen["valid_0"].values()
    assert model.best_iteration - 1 == np.argmin(history) < 199
    assert min(history) == pytest.approx(one.mean(truth, ours.predict(model, held_out)))


def test_catboost_stops_early_too(cb):
    (given, y), (held_out, truth) = heavy_tailed(0, 1_000)
    one = Huber(1.345)
    ours = one.catboost(y)
    model = cb.CatBoostRegressor(**{**CAT, "iterations": 100}, **ours.params)
    model.fit(given, y, eval_set=(held_out, truth), early_stopping_rounds=5)
    best = model.get_best_score()["validation"]["MeanLoss"]
    assert best == pytest.approx(one.mean(truth, ours.predict(model, held_out)), rel=1e-6)


def test_xgboost_estimators():
    y = TARGETS["squared"]
    ours = Squared().xgboost(y, WEIGHT)
    told = {"n_estimators": 10, "max_depth": 4}
    own = xgb.XGBRegressor(**told, base_score=ours.start).fit(X, y, sample_weight=WEIGHT)
    model = xgb.XGBRegressor(**ours.estimator_params, eval_metric=ours.metric, **told)
    model.fit(X, y, sample_weight=WEIGHT, eval_set=[(X, y)], verbose=False)
    close(model.predict(X), own.predict(X))
    close(ours.predict(model, X), own.predict(X))
    history = model.evals_result()["validation_0"]["mean_squared"]
    assert history[-1] == pytest.approx(Squared().mean(y, model.predict(X)), rel=1e-5)

    ours = SoftmaxCrossEntropy().xgboost(CLASSES)
    told = {"n_estimators": 10}
    own = xgb.XGBClassifier(**told, base_score=ours.params["base_score"]).fit(X, CLASSES)
    model = xgb.XGBClassifier(**ours.estimator_params, **told).fit(X, CLASSES)
    close(ours.predict(model, X), own.predict_proba(X))


@pytest.mark.parametrize(
    ("one", "y", "kind"),
    [
        (Huber(10), "squared", xgb.XGBRegressor), (Tweedie(2.5), "gamma", xgb.XGBRegressor),
        (CostWeighted(1, 4), "logistic", xgb.XGBClassifier),
        (SquaredHinge(), "logistic", xgb.XGBClassifier),
        (SoftmaxCrossEntropy(smoothing=0.1), None, xgb.XGBClassifier),
    ],
    ids=str,
)  # fmt: skip
def test_estimators_of_losses_that_xgboost_lacks_train_as_boosters(one, y, kind):
    truth = TARGETS[y] if y else CLASSES
    ours = one.xgboost(truth)
    model = kind(**ours.estimator_params, **XGB, n_estimators=10).fit(X, truth)
    data = xgb.DMatrix(X, truth)
    booster = xgb.train({**XGB, **ours.params}, data, 10, obj=ours.objective)
    close(ours.predict(model, X), ours.predict(booster, data))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_softmax_of_two_classes(smoothing):
    y, one = TARGETS["logistic"], SoftmaxCrossEntropy(smoothing=smoothing)
    ours = one.xgboost(y)
    data = xgb.DMatrix(X, y)
    booster = xgb.train({**XGB, **ours.params}, data, 10, obj=ours.objective)
    model = xgb.XGBClassifier(**ours.estimator_params, **XGB, n_estimators=10).fit(X, y)
    close(ours.predict(model, X), ours.predict(booster, data))
    with pytest.raises(DataError, match="CatBoost keeps one score"):
        one.catboost(y)


def test_estimators_of_python_objectives_start_where_boosters_do_and_show_one_metric():
    """Also shares: the link is of chances, and the estimator one of numbers."""
    share = 1 / (1 + np.exp(-SIGNAL))
    ours = Squared().xgboost(share, link="logit")
    model = xgb.XGBRegressor(**ours.estimator_params, **XGB, n_estimators=5,
                             eval_metric=ours.metric)  # fmt: skip
    model.fit(X, share, eval_set=[(X, share)], verbose=False)
    booster = xgb.train({**XGB, **ours.params}, xgb.DMatrix(X, share), 5, obj=ours.objective)
    close(ours.predict(model, X), ours.predict(booster, X))
    assert list(model.evals_result()["validation_0"]) == [ours.name]


def test_frames_with_categories_are_predicted():
    pandas = pytest.importorskip("pandas")
    y = TARGETS["squared"]
    frame = pandas.DataFrame({"size": X[:, 0], "kind": pandas.Categorical(CLASSES.astype(str))})
    data, ours = xgb.DMatrix(frame, y, enable_categorical=True), Huber(10).xgboost(y)
    model = xgb.train({**XGB, **ours.params}, data, 5, obj=ours.objective)
    close(ours.predict(model, frame), ours.predict(model, data), 0)


def test_lightgbm_estimators():
    y = TARGETS["poisson"]
    ours = Poisson().lightgbm(y, WEIGHT)
    told = {"n_estimators": 10, "verbose": -1}
    own = lgb.LGBMRegressor(objective="poisson", **told).fit(X, y, sample_weight=WEIGHT)
    model = lgb.LGBMRegressor(**ours.params, **told)
    model.fit(X, y, sample_weight=WEIGHT, eval_X=X, eval_y=y, eval_metric=ours.metric,
              eval_sample_weight=[WEIGHT])  # fmt: skip
    close(ours.predict(model, X), own.predict(X), 1e-7)
    (recorded,) = model.evals_result_.values()
    assert recorded["mean_poisson"][-1] == pytest.approx(Poisson().mean(y, own.predict(X), WEIGHT))

    ours = SoftmaxCrossEntropy().lightgbm(CLASSES)
    model = lgb.LGBMClassifier(**ours.params, **told).fit(X, CLASSES)
    own = lgb.LGBMClassifier(**told).fit(X, CLASSES)
    close(ours.predict(model, X), own.predict_proba(X), 1e-7)


def test_they_travel(tmp_path):
    y = TARGETS["poisson"]
    one = Poisson()
    classes = SoftmaxCrossEntropy().lightgbm(CLASSES)
    assert pickle.loads(pickle.dumps(classes)) == classes
    for ours in (one.xgboost(y), one.lightgbm(y), one.catboost(y)):
        again = pickle.loads(pickle.dumps(ours))
        assert again == ours
        assert np.array_equal(again.slopes(y, y / 9), ours.slopes(y, y / 9))
    ours = Poisson().xgboost(y)
    model = xgb.train({**XGB, **ours.params}, xgb.DMatrix(X, y), 5, obj=ours.objective)
    model.save_model(tmp_path / "model.json")
    loaded = xgb.Booster(model_file=tmp_path / "model.json")
    close(loaded.predict(xgb.DMatrix(X)), ours.predict(model, xgb.DMatrix(X)))


def test_estimators_are_cloned_and_searched():
    y = TARGETS["poisson"]
    ours = Poisson().lightgbm(y)
    model = lgb.LGBMRegressor(**ours.params, n_estimators=5, verbose=-1)
    search = GridSearchCV(model, {"num_leaves": [4, 8]}, scoring=Squared().sklearn_scorer(), cv=2)
    found = pickle.loads(pickle.dumps(clone(search).fit(X, y)))
    assert found.best_score_ < 0
    close(
        ours.predict(found.best_estimator_, X),
        ours.predict(clone(found.best_estimator_).fit(X, y), X),
    )


def test_catboost_estimators_are_cloned(cb):
    y = TARGETS["poisson"]
    ours = Poisson().catboost(y)
    model = cb.CatBoostRegressor(**{**CAT, "iterations": 5}, **ours.params)
    close(ours.predict(clone(model).fit(X, y), X), ours.predict(model.fit(X, y), X), 0)


# Networks

TORCH_OWN = [
    (Squared(), torch.nn.MSELoss, 1), (Absolute(), torch.nn.L1Loss, 1),
    (Huber(1.0), torch.nn.HuberLoss, 1), (LogLoss(), torch.nn.BCEWithLogitsLoss, 1),
    (Logistic(), torch.nn.BCEWithLogitsLoss, 1),
    (Poisson(), torch.nn.PoissonNLLLoss, 2),  # a deviance is twice the log-likelihood lacking
]  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("one", "kind", "factor"), TORCH_OWN, ids=str)
def test_gradients_are_those_of_torchs_own(one, kind, factor, reduction):
    y, raw = rows_for(one)
    target, found = torch.tensor(np.round(y)), []
    for module in (one.torch(reduction=reduction), kind(reduction=reduction)):
        at = torch.tensor(raw, requires_grad=True)
        module(at, target).backward()
        found.append(at.grad)
    close(found[0], factor * found[1], 1e-12)


def test_torch_classes_weights_and_reductions():
    logits = torch.tensor(np.random.default_rng(0).normal(size=(50, 3)), requires_grad=True)
    labels, weight = torch.arange(50) % 3, torch.linspace(0, 1, 50)
    each = torch.nn.CrossEntropyLoss(reduction="none")(logits, labels)
    for reduction, expected in (("none", each * weight), ("sum", (each * weight).sum()),
                                ("mean", (each * weight).sum() / weight.sum())):  # fmt: skip
        module = SoftmaxCrossEntropy().torch(reduction=reduction)
        close(module(logits, labels, weight).detach(), expected.detach(), 1e-7)
    with pytest.raises(FormulaError, match="mean, sum or none"):
        Squared().torch(reduction="max")


def test_scores_that_float32_cannot_raise_have_slopes():
    at = torch.tensor([-200.0, -110.0, 3.0], requires_grad=True)
    Poisson().torch()(at, torch.tensor([0.0, 2.0, 0.0])).backward()
    close(at.grad, [0, -4 / 3, 2 * np.exp(3) / 3])


def test_a_torch_network_learns():
    torch.manual_seed(0)
    given, y = (torch.tensor(one, dtype=torch.float32) for one in (X, TARGETS["poisson"]))
    module = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    steps, criterion = torch.optim.Adam(module.parameters(), lr=0.05), Poisson().torch()
    for _ in range(100):
        steps.zero_grad()
        criterion(module(given), y).backward()  # (n, 1) beside (n,) is n rows, not n by n
        steps.step()
    best = Poisson().mean(TARGETS["poisson"], TARGETS["poisson"].mean())
    assert criterion(module(given), y).item() < 0.75 * best


@pytest.mark.parametrize("one", [Poisson(), LogLoss(), Logistic(), SoftmaxCrossEntropy()], ids=str)
def test_responses_stay_in_their_library(one):
    raw = np.linspace(-3, 3, 12).reshape(4, 3)[:, : 1 + 2 * (one == SoftmaxCrossEntropy())]
    expected = one.xgboost([0, 1, 2] if raw.shape[1] > 1 else [0.0, 1.0]).response(raw)
    in_torch, in_jax = one.torch().response(torch.tensor(raw)), one.jax().response(jnp.asarray(raw))
    assert isinstance(in_torch, torch.Tensor)
    assert isinstance(in_jax, jax.Array)
    close(in_torch, expected, 1e-12)
    close(in_jax, expected, 1e-6)


def test_jax_learns():
    y, objective = jnp.asarray(TARGETS["logistic"]), LogLoss().jax()

    def cost(weights):
        return objective(X @ weights[:-1] + weights[-1], y, WEIGHT)

    step, weights = jax.jit(jax.grad(cost)), jnp.zeros(6)
    for _ in range(300):
        weights -= step(weights)
    own = LogisticRegression(C=np.inf, tol=1e-8).fit(X, y, sample_weight=WEIGHT)
    best = LogLoss().mean(TARGETS["logistic"], own.predict_proba(X)[:, 1], WEIGHT)
    assert cost(weights) == pytest.approx(best, rel=1e-2)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras on torch
def test_keras_learns(keras):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), loss=Pinball(0.9).keras())
    y = SIGNAL + np.random.default_rng(1).normal(size=ROWS)
    history = model.fit(X, y, sample_weight=WEIGHT, epochs=30, batch_size=200, verbose=0).history
    assert history["loss"][-1] < 0.75 * history["loss"][0]
    assert np.mean(y <= model.predict(X, verbose=0)[:, 0]) == pytest.approx(0.9, abs=0.05)
    with pytest.raises(DataError, match="KERAS_BACKEND"):
        Squared().keras()("a tensor", "another")


# scikit-learn


def test_scorers_choose_the_better_model():
    y = SIGNAL + np.exp(np.random.default_rng(2).normal(size=ROWS))
    scorer = Pinball(0.9).sklearn_scorer()
    search = GridSearchCV(
        QuantileRegressor(alpha=0), {"quantile": [0.1, 0.5, 0.9]}, scoring=scorer, cv=3
    ).fit(X[:300], y[:300])
    assert search.best_params_ == {"quantile": 0.9}
    assert search.best_score_ < 0
    found = cross_val_score(LinearRegression(), X, y, cv=3,
                            scoring=Squared().sklearn_scorer())  # fmt: skip
    close(found, cross_val_score(LinearRegression(), X, y, cv=3, scoring="neg_mean_squared_error"))


def test_scorers_of_chances_scores_and_classes():
    y = TARGETS["logistic"]
    named = np.where(y == 1, "yes", "no")
    model, names = LogisticRegression().fit(X, y), LogisticRegression().fit(X, named)
    by_chance = LogLoss().sklearn_scorer()(model, X, y)
    assert by_chance == pytest.approx(-LogLoss().mean(y, model.predict_proba(X)[:, 1]))
    assert Logistic().sklearn_scorer()(model, X, y) == pytest.approx(by_chance)
    assert LogLoss().sklearn_scorer(positive="yes")(names, X, named) == by_chance
    other = LogLoss().sklearn_scorer(positive="no")(names, X, named)
    assert other == pytest.approx(by_chance)
    assert Hinge().sklearn_scorer()(model, X, y) < 0
    with pytest.raises(DataError, match="positive="):
        LogLoss().sklearn_scorer()(names, X, named)
    classes = CategoricalCrossEntropy(classes=["no", "yes"])
    assert classes.sklearn_scorer()(names, X, named) == pytest.approx(by_chance)
    scorer = pickle.loads(pickle.dumps(Brier().sklearn_scorer()))
    flat = DummyClassifier(strategy="prior").fit(X, y)
    assert scorer(flat, X, y, sample_weight=WEIGHT) == pytest.approx(
        -Brier().mean(y, y.mean(), WEIGHT)
    )
    assert "brier" in repr(scorer)


def test_pseudo_huber_has_unit_curvature_near_zero():
    ours = PseudoHuber(1e9).xgboost(TARGETS["squared"])
    _, bend = ours.slopes(TARGETS["squared"], TARGETS["squared"] - 1)
    close(bend, np.ones(ROWS))
