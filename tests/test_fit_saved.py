"""Saved models predict what they predicted, and files that are none are refused."""

import json

import numpy as np
import pandas as pd
import pytest

import offby
from offby.errors import DataError
from offby.fit import LinearClassifier, LinearRegressor, load


@offby.loss
def late(z, y, cost=3.0):
    return cost * offby.softplus(z) - y * z


@offby.loss
def uneven(r, cost=4.0):
    return offby.where(r < 0, cost * r**2, r**2)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(80, 3)), columns=["a", "b", "c"])


REGRESSORS = [
    LinearRegressor(),
    LinearRegressor("huber:1.345", scale="mad", fit_intercept=False),
    LinearRegressor("pinball:0.9"),
    LinearRegressor(uneven, penalty="l1", alpha=0.01),
    LinearRegressor("poisson", penalty="l2", alpha=0.1),
]


@pytest.mark.parametrize("model", REGRESSORS, ids=repr)
def test_regressors(model, frame, tmp_path):
    model.fit(frame, np.round(np.exp(frame["a"].to_numpy())))
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert np.array_equal(again.predict(frame), model.predict(frame))
    assert again.summary().partition("Pred")[2] == model.summary().partition("Pred")[2]
    assert again.gap_ == model.gap_
    assert again.loss_.expression is model.loss_.expression
    assert np.array_equal(again.history_["objective"], model.history_["objective"])
    with pytest.raises(DataError, match="must be in the same order"):
        again.predict(frame[["b", "a", "c"]])
    again.fit(frame, np.round(np.exp(frame["a"].to_numpy())))
    assert np.array_equal(again.coef_, model.coef_)


LABELS = [["no", "yes"], [0, 1], [False, True], [1.0, 2.0], ["red", "green", "blue"], [3, 5, 9]]


@pytest.mark.parametrize("labels", LABELS, ids=str)
def test_classifiers(labels, frame, tmp_path):
    y = np.array(labels)[np.arange(80) % len(labels)]
    model = LinearClassifier(class_weight={labels[0]: 2.0}, penalty="l2", alpha=0.1).fit(frame, y)
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.classes_.dtype == model.classes_.dtype
    assert np.array_equal(again.predict(frame), model.predict(frame))
    assert np.array_equal(again.predict_proba(frame), model.predict_proba(frame))
    assert again.class_weight == model.class_weight


def test_a_loss_of_ones_own_for_scores(frame, tmp_path):
    model = LinearClassifier(late, penalty="l2", alpha=0.1).fit(frame, np.arange(80) % 2)
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert np.array_equal(again.fit(frame, np.arange(80) % 2).coef_, model.coef_)


def test_the_file_is_json_of_any_reader(frame, tmp_path):
    collinear = frame.assign(d=frame["a"])
    with pytest.warns(UserWarning, match="not determined"):
        model = LinearRegressor().fit(collinear, frame["a"])  # standard errors are NaN
    model.save(tmp_path / "model.json")

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    json.loads((tmp_path / "model.json").read_text(), parse_constant=refuse)
    assert np.isnan(load(tmp_path / "model.json").standard_errors_).any()


def test_files_that_are_no_models(frame, tmp_path):
    path = tmp_path / "model.json"
    with pytest.raises(DataError, match="there is no file"):
        load(path)
    path.write_text("no json")
    with pytest.raises(DataError, match="is no JSON"):
        load(path)
    path.write_text("[1, 2]")
    with pytest.raises(DataError, match="is no saved model"):
        load(path)
    LinearClassifier().fit(frame, np.arange(80) % 2).save(path)
    whole = json.loads(path.read_text())
    for change, message in (
        ({"version": 99}, "has version 99"),
        ({"estimator": "Forest"}, "holds a 'Forest'"),
        ({"fit": {}}, "is damaged"),
        ({"fit": {**whole["fit"], "coefficients": [[1.0, None], "x"]}}, "is damaged"),
        ({"classes": {}}, "is damaged"),
    ):
        path.write_text(json.dumps({**whole, **change}))
        with pytest.raises(DataError, match=message):
            load(path)


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        LinearRegressor().save(tmp_path / "model.json")
