"""`choose` for several classes: fits and measures against scikit-learn, and what it refuses."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import linear_model, metrics
from test_choose_study import features, table

from offby.choice.trained import candidate as candidates
from offby.choice.trained.folds import Split, splits
from offby.choice.trained.judged import Held
from offby.choice.trained.linear import Data
from offby.choice.trained.reading import Wanted, read
from offby.choice.trained.several import Kinds, Softmax
from offby.errors import DataError, OffbyError
from offby.losses import CategoricalFocal
from offby.verbs.choose import choose


def kinds(random, X):
    """Classes of unlike size, by the softmax of scores."""
    scores = X @ random.normal(size=(X.shape[1], 3)) + np.array([1.5, 0.0, -1.0])
    return np.argmax(scores + random.gumbel(size=scores.shape), axis=1)


def kinds_table(n=900, seed=13):
    random = np.random.default_rng(seed)
    X, _ = features(random, n)
    return table(X, np.array(["low", "mid", "top"])[kinds(random, X)])


@pytest.mark.parametrize("name", ["cross_entropy", "class_weighted"])
@pytest.mark.parametrize("weighted", [False, True])
def test_softmax_is_that_of_scikit_learn(name, weighted):
    random = np.random.default_rng(14)
    X, _ = features(random, 600)
    y = kinds(random, X)
    weight = random.uniform(0.5, 2, 600) if weighted else None
    (split,) = splits(600, repeats=1, classes=y)
    one = candidates.of_classes(name)
    found = Softmax(Data.of(X, y.astype(float), weight), 3, one).scores(split)[:, 3]
    train = split.train(3)
    given = np.ones(600) if weight is None else weight
    if name == "class_weighted":
        given = given / np.bincount(y[train], given[train])[y]
    peer = linear_model.LogisticRegression(C=1e12, tol=1e-10, max_iter=1000)
    told = peer.fit(X[train], y[train], sample_weight=given[train] / given[train].mean())
    chances = np.exp(found) / np.exp(found).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(chances, told.predict_proba(X), atol=2e-3)


def test_the_focal_loss_of_several_classes_is_at_its_least():
    random = np.random.default_rng(15)
    X, _ = features(random, 400)
    y = kinds(random, X)
    whole = Split(np.zeros(400, np.int64), np.ones((1, 1), bool), np.zeros(1, np.int64))
    told = [Softmax(Data.of(X, y.astype(float)), 3, candidates.of_classes(name)).scores(whole)[:, 0]
            for name in ("focal:2", "cross_entropy")]  # fmt: skip
    design = np.column_stack([X, np.ones(400)])
    loss, chances = CategoricalFocal(2.0), [softmax(scores, axis=1) for scores in told]
    costs = [loss.mean(y, one) for one in chances]
    assert costs[0] < costs[1]
    slopes = loss.gradient(y, chances[0])
    pulls = chances[0] * (slopes - np.sum(slopes * chances[0], axis=1, keepdims=True))
    assert np.abs(design.T @ pulls / 400).max() < 1e-4


@pytest.mark.parametrize("weighted", [False, True])
def test_measures_of_several_classes_are_those_of_scikit_learn(weighted):
    random = np.random.default_rng(16)
    y, scores = random.integers(0, 3, 300), random.normal(size=(300, 3))
    weight = random.uniform(0.5, 2, 300) if weighted else np.ones(300)
    costs = [[0, 1, 2], [3, 0, 1], [9, 5, 0]]
    split = Split(np.zeros(300, np.int64), np.ones((1, 1), bool), np.zeros(1, np.int64))
    judges = Kinds("cost", 3, costs)

    def measured(*, moved):
        held = Held(scores, np.zeros(300), moved=moved)
        return dict(zip(judges.names, judges.folds(y + 0.0, held, split, weight)[:, 0],
                        strict=True))  # fmt: skip

    found, chances = measured(moved=False), softmax(scores, axis=1)
    told, given = chances.argmax(axis=1), {"sample_weight": weight}
    assert 1 - found["accuracy"] == pytest.approx(metrics.accuracy_score(y, told, **given))
    peer = metrics.f1_score(y, told, average="macro", **given)
    assert 1 - found["f1:macro"] == pytest.approx(peer)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y, chances, **given))
    ranked = [metrics.roc_auc_score(y == k, chances[:, k], **given) for k in range(3)]
    assert 1 - found["auc"] == pytest.approx(np.mean(ranked))
    assert found["cost"] == pytest.approx(
        np.average(np.array(costs)[y, told], **{"weights": weight})
    )
    acts = (chances @ np.array(costs)).argmin(axis=1)
    assert measured(moved=True)["cost"] == pytest.approx(
        np.average(np.array(costs)[y, acts], weights=weight)
    )


def test_several_classes_are_weighed():
    told = choose(kinds_table(), target="y", repeats=1)
    assert told.recommendation.startswith("Keep cross_entropy")
    assert [line["loss"] for line in told.table.values] == [
        "cross_entropy", "class_weighted", "focal:2"
    ]  # fmt: skip


def test_costs_of_several_classes_call_for_deciding_by_them():
    costs = [[0, 1, 1], [1, 0, 1], [10, 5, 0]]
    told = choose(kinds_table(), target="y", judge="cost", costs=costs, repeats=2)
    assert told.recommendation.startswith("Train with cross_entropy+threshold")


def test_one_of_several_classes_against_the_rest():
    found = read(kinds_table(), Wanted("y", positive="top"))
    assert (found.positive, found.labels, set(found.y)) == ("top", (), {0.0, 1.0})
    assert read(kinds_table(), Wanted("y")).labels == ("low", "mid", "top")
    codes = {"x": np.arange(9.0), "y": np.array([10, 2, 1] * 3)}
    assert read(codes, Wanted("y", classes=True)).labels == ("1", "2", "10")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"judge": "cost", "costs": (1.0, 5.0)}, "3 rows of 3"),
        ({"judge": "recall"}, "known are accuracy, f1:macro"),
        ({"candidates": "cross_entropy,hinge"}, "of two classes"),
        ({"candidates": "cross_entropy,focal:2", "model": "xgboost"}, "no focal loss"),
    ],
)
def test_what_several_classes_cannot_be_asked(asked, words):
    with pytest.raises(OffbyError, match=words):
        choose(kinds_table(300), target="y", **asked)


def test_a_class_that_no_fold_can_train_on():
    data = kinds_table(300)
    data["y"] = np.where(np.arange(300) == 7, "one", data["y"])
    with pytest.raises(DataError, match="no row of the class 'one'"):
        choose(data, target="y")


@pytest.mark.parametrize(
    "model", ["lightgbm", "xgboost", "sklearn:sklearn.ensemble.HistGradientBoostingClassifier"]
)
def test_trees_of_several_classes(model):
    told = choose(kinds_table(200), target="y", model=model, folds=2, repeats=1, judge="accuracy",
                  candidates="cross_entropy,class_weighted")  # fmt: skip
    assert all(0.5 < line["judged"]["accuracy"] < 0.9 for line in told.table.values)
