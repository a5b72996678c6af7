"""`choose` of weighted rows: as many copies, as the sandwich, as scikit-learn and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn import linear_model, metrics
from test_choose import counts, heavy, rows
from test_choose import gross as gross_errors
from test_choose_study import ROWS, drawn, features, gaussian, gross

from offby.choice import Study, growth, noise
from offby.choice.heldout import paired
from offby.choice.judge import judge
from offby.choice.ordered import Ordered
from offby.choice.trained import candidate as candidates
from offby.choice.trained.folds import Split, splits
from offby.choice.trained.judged import Classes, Held
from offby.choice.trained.linear import Data, Shared
from offby.errors import DataError, MeasureError
from offby.losses import Absolute, Huber, Squared
from offby.verbs.choose import choose

# --- from predictions --------------------------------------------------------------------------


def test_weights_count_as_copies_do():
    random = np.random.default_rng(4)
    values, copies = random.standard_t(3, 400), random.integers(1, 5, 400)
    weighted = Ordered(values, copies + 0.0)
    repeated = Ordered(np.repeat(values, copies))
    assert weighted.centre(Squared()) == pytest.approx(repeated.centre(Squared()))
    assert weighted.centre(Huber(1.2)) == pytest.approx(repeated.centre(Huber(1.2)))
    assert weighted.median == pytest.approx(repeated.median, abs=0.02)
    kinds = [noise.fitted(noise.KINDS[4], *told) for told in
             ((values, copies + 0.0), (np.repeat(values, copies),))]  # fmt: skip
    assert kinds[0].scale == pytest.approx(kinds[1].scale, rel=0.02)


def test_weights_that_are_all_alike_change_nothing():
    random = np.random.default_rng(5)
    values = random.standard_t(3, 300)
    plain, alike = Ordered(values), Ordered(values, np.full(300, 7.0))
    for loss in (Squared(), Absolute(), Huber(0.9)):
        assert alike.centre(loss) == pytest.approx(plain.centre(loss))
        assert alike.variance(loss) == pytest.approx(plain.variance(loss))
    assert alike.efficient() == plain.efficient()
    y, p = rows(heavy)
    one, other = Study(judge("mse"), y, p), Study(judge("mse"), y, p, weights=np.full(1000, 0.5))
    assert one.advised.name == other.advised.name
    for name, found in one.evidence.items():
        close = pytest.approx(found.value, rel=0.02, abs=1e-3)  # medians between two rows differ
        assert other.evidence[name].value == close, name
        assert other.evidence[name].low == pytest.approx(found.low, rel=0.02, abs=1e-3), name


def test_the_variance_of_a_weighted_mean_is_the_sandwich():
    random = np.random.default_rng(6)
    values, weights = random.normal(size=500), random.uniform(0.1, 4, 500)
    peer = sm.WLS(values, np.ones(500), weights=weights).fit(cov_type="HC0")
    found = Ordered(values, weights).variance(Squared()) / 500
    assert found == pytest.approx(peer.bse[0] ** 2)
    gap = paired(values, 0.95, weights)
    peer = sm.WLS(values, np.ones(500), weights=weights).fit(cov_type="HC1", use_t=True)
    assert (gap.low, gap.high) == pytest.approx(tuple(peer.conf_int()[0]))


def test_huber_variance_under_weights_is_that_of_its_estimating_equation():
    random = np.random.default_rng(7)
    values, weights = random.standard_t(3, 500), random.uniform(0.1, 4, 500)
    some = Ordered(values, weights)
    away = some.values - some.centre(Huber(1.0))
    psi, inside = np.clip(away, -1, 1), np.abs(away) <= 1
    assert np.sum(some.weights * psi) == pytest.approx(0, abs=1e-6)
    peer = 500 * np.sum((some.weights * psi) ** 2) / np.sum(some.weights * inside) ** 2
    assert some.variance(Huber(1.0)) == pytest.approx(peer)


def test_growth_under_weights_is_a_weighted_regression():
    y, p = rows(counts, 3000)
    weights = np.random.default_rng(8).uniform(0.2, 3, 3000)
    found = growth.power(y, p, 0.95, weights)
    family = sm.families.Gamma(link=sm.families.links.Log())
    design = sm.add_constant(np.log(p))
    peer = sm.GLM((y - p) ** 2, design, family=family, var_weights=weights)
    assert found.value == pytest.approx(peer.fit(tol=1e-12).params[1], rel=1e-4)


def test_weights_are_read_beside_arrays_and_from_tables():
    y, p = rows(gross_errors)
    weights = np.random.default_rng(9).uniform(0.5, 2, 1000) * (np.arange(1000) % 4 > 0)
    one = choose(y, p, sample_weight=weights)
    other = choose({"y": y, "p": p, "w": 4 * weights}, true="y", pred="p", weight="w")
    assert one.evidence[0].estimate["value"] == pytest.approx(other.evidence[0].estimate["value"])
    assert one.used == 750
    assert one.study.weights.min() > 0
    kept = weights > 0
    fewer = choose(y[kept], p[kept], sample_weight=weights[kept])
    assert fewer.recommendation == one.recommendation


def test_weights_that_down_weigh_gross_errors_leave_mse():
    y, p = rows(gross_errors)
    weights = np.where(np.abs(y - p) > 3, 1e-6, 1.0)
    assert choose(y, p).recommendation.startswith("Train with huber")
    assert choose(y, p, sample_weight=weights).recommendation.startswith("Keep mse")


@pytest.mark.parametrize("asked", [{"weight": "w"}, {"true": "y"}])
def test_columns_are_not_named_beside_arrays(asked):
    with pytest.raises(MeasureError, match="sample_weight"):
        choose([1.0, 2.0], [1.0, 2.0], **asked)


# --- by training -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "peer"),
    [("mse", linear_model.LinearRegression()),
     ("poisson", linear_model.PoissonRegressor(alpha=0, tol=1e-9, max_iter=1000)),
     ("pinball:0.7", linear_model.QuantileRegressor(quantile=0.7, alpha=0))],
)  # fmt: skip
def test_weighted_fits_are_those_of_scikit_learn(name, peer):
    random = np.random.default_rng(10)
    X, mean = features(random, 1000)
    y, weight = random.poisson(np.exp(mean)) + 0.0, random.uniform(0.2, 5, 1000)
    (split,) = splits(1000, repeats=1)
    one = candidates.candidate(name)
    found = Shared(Data.of(X, y, 7 * weight), one).scores(split)[:, 1]
    train = split.train(1)
    told = peer.fit(X[train], y[train], sample_weight=weight[train]).predict(X)
    costs = [np.average(one.family.value(y, p)[train], weights=weight[train])
             for p in (found, told)]  # fmt: skip
    assert costs[0] == pytest.approx(costs[1], rel=3e-3)


def test_weighted_measures_of_classes_are_those_of_scikit_learn():
    random = np.random.default_rng(11)
    y = (random.random(300) < 0.3).astype(float)
    scores, weight = np.round(y + random.normal(size=300), 1), random.uniform(0, 3, 300)
    split = Split(np.zeros(300, np.int64), np.ones((1, 1), bool), np.zeros(1, np.int64))
    judges = Classes("f1")
    costs = judges.folds(y, Held(scores, np.zeros(300)), split, weight)[:, 0]
    found = dict(zip(judges.names, costs, strict=True))
    told = {"sample_weight": weight}
    assert 1 - found["f1"] == pytest.approx(metrics.f1_score(y, scores > 0, **told))
    assert 1 - found["auc"] == pytest.approx(metrics.roc_auc_score(y, scores, **told))
    chances = 1 / (1 + np.exp(-scores))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y, chances, **told))


def test_rows_of_no_weight_are_as_if_absent_and_the_scale_of_weights_is_nothing():
    random = np.random.default_rng(12)
    data = drawn(gross)
    weight = random.uniform(0.5, 2, ROWS) * (random.random(ROWS) < 0.8)
    asked = {"target": "y", "candidates": "mse,huber:auto", "repeats": 1}
    whole = choose(data | {"w": weight}, weight="w", **asked)
    scaled = choose(data | {"w": 8 * weight}, weight="w", **asked)
    kept = {name: column[weight > 0] for name, column in data.items()}
    fewer = choose(kept | {"w": weight[weight > 0]}, weight="w", **asked)
    plain = choose(kept, **asked)
    judged = [one.table.values[1]["judged"]["mse"] for one in (whole, scaled, fewer, plain)]
    assert judged[0] == judged[2] == pytest.approx(judged[1], rel=1e-9)
    assert judged[3] != pytest.approx(judged[0], rel=1e-3)


@pytest.mark.parametrize(("weight", "words"), [(-1.0, "in row 4"), (0.0, "no weight is above 0")])
def test_weights_that_cannot_be(weight, words):
    weights = np.zeros(ROWS)
    weights[3] = weight
    with pytest.raises(DataError, match=words):
        choose(drawn(gaussian) | {"w": weights}, target="y", weight="w")
