"""Rows held out of a walk: the same in memory and in batches, of each class its share."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from offby.errors import DataError
from offby.fit import Descent, LinearClassifier, LinearRegressor
from offby.fit.data.held_out import split
from offby.fit.data.rows import Batches, Rows, in_random_order

FEATURES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    classes = rng.choice(4, size=1000, p=[0.6, 0.3, 0.099, 0.001]).astype(float)
    classes[:3] = 3
    return Rows(np.arange(2000.0).reshape(1000, 2), classes, rng.integers(0, 3, 1000).astype(float))


def in_batches(rows, *sizes):
    """The same rows in parts of these sizes, over and over."""
    ends = np.cumsum(np.resize(sizes, rows.count))
    starts = [0, *ends[ends < rows.count]]
    parts = [slice(*ends) for ends in zip(starts, [*starts[1:], rows.count], strict=True)]
    return Batches(lambda: (rows.taken(part) for part in parts), rows.count)


def first_columns(source):
    return np.concatenate([part.X[:, 0] for part in source.parts()])


@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("seed", [0, 5])
def test_the_same_rows_whatever_the_batches(rows, classes, seed):
    whole = [first_columns(part) for part in split(rows, 0.2, seed, classes)]
    for sizes in [(1000,), (1,), (7, 300), (512, 1, 3)]:
        parts = split(in_batches(rows, *sizes), 0.2, seed, classes)
        for part, wanted in zip(parts, whole, strict=True):
            for _ in range(2):  # any pass
                np.testing.assert_array_equal(first_columns(part), wanted)
            assert part.count == wanted.size == sum(one.count for one in part.targets())
    np.testing.assert_array_equal(np.sort(np.concatenate(whole)), rows.X[:, 0])


def test_of_each_class_its_share_among_rows_with_a_weight(rows):
    _, out = split(rows, 0.2, classes=4)
    counted = rows.chosen(rows.weight > 0)
    have, are_out = (np.bincount(some.y.astype(int), minlength=4) for some in (counted, out))
    assert out.weight.min() > 0
    np.testing.assert_array_equal(are_out[:3], np.round(have[:3] * 0.2))
    assert 0 < are_out[3] < have[3]


def test_seeds_hold_out_different_rows_evenly_over_the_table(rows):
    found = [first_columns(split(rows, 0.2, seed)[1]) for seed in range(40)]
    assert len({tuple(one) for one in found}) == 40
    times = np.bincount((np.concatenate(found) / 2).astype(int), minlength=1000)
    often = times[rows.weight > 0]
    assert often.mean() == pytest.approx(8.0, rel=0.01)
    assert often.std() == pytest.approx(np.sqrt(8 * 0.8), rel=0.1)  # as of a binomial
    for one in found:  # of every fifth of the table as much
        np.testing.assert_allclose(np.histogram(one, 5, (0, 2000))[0] / one.size, 0.2, atol=0.03)


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([1.0], 1, "validation 0.5 of 1 rows leaves no two parts .* takes two rows with a weight"),
        ([0.0, 0.0, 0.0, 1.0], 2, "two rows with a weight of each of two classes"),
    ],
)
def test_too_few_rows(y, classes, message):
    with pytest.raises(DataError, match=message):
        split(Rows(np.zeros((len(y), 1)), np.array(y)), 0.5, classes=classes)


def test_random_order_takes_each_row_once_and_does_not_depend_on_the_parts(rows, monkeypatch):
    monkeypatch.setattr("offby.fit.data.rows._BUFFER", 600)  # 300 rows
    found = []
    for source in (in_batches(rows, 1000), in_batches(rows, 7, 300), in_batches(rows, 1)):
        batches = list(in_random_order(source, 32, np.random.default_rng(3)))
        assert [part.count for part in batches] == [32] * 31 + [8]
        found.append(np.concatenate([part.X[:, 0] for part in batches]))
        np.testing.assert_array_equal(np.sort(found[-1]), rows.X[:, 0])
        np.testing.assert_array_equal(found[-1], found[0])
    buffer = found[0][:288] / 2  # nine batches of 32
    assert buffer.max() == 287
    assert 80 < np.mean(np.abs(np.diff(buffer))) < 112  # a third of it, where all is random


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(3000, 3)), columns=FEATURES)
    scores = table.to_numpy() @ rng.normal(size=(3, 3))
    table["price"] = scores[:, 0] + rng.standard_t(3, 3000)
    table["late"] = np.where(scores[:, 0] + rng.logistic(size=3000) > 1, "yes", "no")
    table["kind"] = np.array(["x", "y", "z"])[(scores + rng.gumbel(size=scores.shape)).argmax(1)]
    return table


@pytest.mark.parametrize("method", ["gd", "sgd", "adam"])
@pytest.mark.parametrize("target", ["price", "late", "kind"])
def test_a_table_out_of_core_is_walked_as_in_memory(frame, target, method, monkeypatch):
    kind = LinearRegressor if target == "price" else LinearClassifier
    loss = "huber:1" if target == "price" else "logistic"
    how = Descent(method, batch=100, validation=0.2, patience=3)
    # a constant to start from is that of some rows, which are others in batches
    more = {"fit_intercept": target == "kind", "standard_errors": None}
    model = kind(loss, solver=how, max_iter=25, tol=1e-3, **more)
    model.fit(frame[FEATURES], frame[target])
    at_once = model.history_, model.coef_

    def refused(parts):
        raise AssertionError("all rows were taken into memory")

    monkeypatch.setattr("offby.fit.data.tabular._KEPT", 0)
    monkeypatch.setattr("offby.fit.data.tabular._AT_ONCE", 700)  # many parts
    monkeypatch.setattr("offby.fit.data.tabular.joined", refused)
    model.fit_table(frame[[*FEATURES, target]], target)
    assert model.converged_
    for fact in ("objective", "validation", "gradient", "step"):
        np.testing.assert_allclose(model.history_[fact], at_once[0][fact], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.coef_, at_once[1], rtol=1e-6)


def test_sparse_features_are_walked_with_rows_held_out(frame):
    X = frame[FEATURES].to_numpy() * (frame[FEATURES].to_numpy() > 0)
    how = {"solver": Descent("gd", validation=0.2), "max_iter": 300, "tol": 1e-6}
    dense = LinearClassifier(**how).fit(X, frame["kind"])
    thin = LinearClassifier(**how).fit(csr_array(X), frame["kind"])
    np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-6)
