"""The map of the loss: its heights, the path on it, and the ways to show it."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import RectBivariateSpline, RegularGridInterpolator
from scipy.special import log_softmax

from offby.drawing.contours import rings
from offby.errors import DataError
from offby.fit import Descent, LinearClassifier, LinearRegressor, load
from offby.fit.data.rows import Batches, Rows
from offby.fit.landscape import spread_sample
from offby.fit.objective.mean_loss import mean_loss


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(900, 3)) * [1.0, 10.0, 0.1] + [0, 0, 50]
    return X, X @ [1.0, -0.2, 5.0] - 248 + rng.standard_t(4, 900)


def huber(errors):
    return np.where(np.abs(errors) <= 1.345, errors**2 / 2, 1.345 * (np.abs(errors) - 1.345 / 2))


@pytest.mark.parametrize("solver", ["auto", "gd", Descent("adam", rate=0.1)], ids=str)
def test_the_path_is_where_the_search_was(drawn, solver):
    X, y = drawn
    model = LinearRegressor("huber:1.345", solver=solver, max_iter=200, tol=1e-3).fit(X, y)
    path = model.path_
    heights = [
        huber(X @ b[0] + a[0] - y).mean()
        for b, a in zip(path.coefficients, path.intercepts, strict=True)
    ]
    np.testing.assert_allclose(heights, model.history_["objective"], rtol=1e-9)
    again = [
        mean_loss(model.loss_, b, a, Rows(X, y))
        for b, a in zip(path.coefficients, path.intercepts, strict=True)
    ]
    np.testing.assert_allclose(again, heights, rtol=1e-9)


def test_the_path_of_several_classes_and_of_weighted_ones(drawn):
    X, y = drawn
    codes = np.digitize(y, [0.0, 4.0])
    model = LinearClassifier().fit(X, codes)
    path = model.path_
    scores = np.einsum("skp,np->snk", path.coefficients, X) + path.intercepts[:, None]
    heights = -log_softmax(scores, axis=-1)[:, np.arange(len(y)), codes].mean(axis=1)
    np.testing.assert_allclose(heights, model.history_["objective"], rtol=1e-9)
    balanced = LinearClassifier(class_weight="balanced").fit(X, y > 3)
    seen = balanced.plot_landscape(X, y > 3)
    assert len(seen.walk) == len(balanced.history_["objective"]) + 1
    assert "cross_entropy" in repr(model.plot_landscape(X, codes))


def test_what_was_not_searched_has_no_path(drawn):
    X, y = drawn
    for model in (LinearRegressor("absolute"), LinearRegressor()):
        seen = model.fit(X, y).plot_landscape(X, y)
        assert seen.walk.shape == (0, 2)
        assert "No walk is drawn" in seen.charts[0].caption


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_heights_are_the_objective(drawn, alpha):
    """With one column the plane holds the walk: its heights are those of the history."""
    X, y = drawn[0][:, 1:2], drawn[1]
    penalty = "l2" if alpha else None
    model = LinearRegressor("log_cosh", penalty, alpha, solver="gd", max_iter=500).fit(X, y)
    seen = model.plot_landscape(X, y)
    grid = RegularGridInterpolator((seen.upward, seen.across), seen.loss, method="cubic")
    found = grid(seen.walk[:-1, ::-1])
    np.testing.assert_allclose(found, model.history_["objective"], rtol=1e-4)
    assert grid([[0.0, 0.0]])[0] == pytest.approx(model.objective_, rel=1e-4)
    assert np.array_equal(seen.walk[-1], [0, 0])


def test_accuracy_stands_beside_the_loss(drawn):
    X, y = drawn
    model = LinearClassifier(penalty="l2", alpha=0.01).fit(X, np.where(y > 0, "yes", "no"))
    seen = model.plot_landscape(X, np.where(y > 0, "yes", "no"))
    loss, accuracy = seen.charts
    at = np.abs(seen.upward).argmin(), np.abs(seen.across).argmin()
    assert seen.accuracy[at] == pytest.approx(
        model.score(X, np.where(y > 0, "yes", "no")), abs=0.03
    )
    assert seen.loss.min() == pytest.approx(model.objective_, rel=0.01)
    assert "Accuracy counts rows, so it moves in jumps" in accuracy.caption
    assert "0 % the same loss" in accuracy.caption
    assert loss.title == "The loss, and the walk: logistic"


def test_units_of_the_columns_do_not_change_the_map(drawn):
    X, y = drawn
    maps = [
        LinearRegressor("huber:1", solver="newton").fit(Z, y).plot_landscape(Z, y)
        for Z in (X, X * [1e3, 1e-3, 7.0])
    ]
    np.testing.assert_allclose(*(np.sort(one.loss.ravel()) for one in maps), rtol=1e-6)


def test_names_of_the_directions(drawn):
    X, y = drawn
    frame = pd.DataFrame(X, columns=["rooms", "size", "age"])
    seen = LinearRegressor("huber:1").fit(frame, y).plot_landscape(frame, y)
    assert "size" in seen.directions[0]


@pytest.mark.parametrize("labels", [None, "two", "three"])
def test_some_rows_show_what_all_do(drawn, labels, monkeypatch):
    """Heights of a few rows, levelled and tilted, are lowest where the model of all rows is."""
    X, y = drawn
    truths = {None: y, "two": y > 1, "three": np.digitize(y, [0.0, 4.0])}[labels]
    kind = LinearRegressor("log_cosh") if labels is None else LinearClassifier()
    weights = np.random.default_rng(3).integers(0, 3, len(y))
    model = kind.fit(X, truths, weights)
    whole = model.plot_landscape(X, truths, weights)
    monkeypatch.setattr("offby.fit.landscape._LOSSES", 300 * 49**2 * max(len(np.unique(truths)), 1)
                        if labels == "three" else 300 * 49**2)  # fmt: skip
    some = model.plot_landscape(X, truths, weights)
    assert (whole.rows, some.rows, some.all_rows) == (900, 300, 900)
    for seen in (whole, some):
        grid = RectBivariateSpline(seen.upward, seen.across, seen.loss)
        assert grid(0, 0)[0, 0] == pytest.approx(model.objective_, rel=1e-6)
        slopes = [grid(0, 0, dx=1)[0, 0], grid(0, 0, dy=1)[0, 0]]
        np.testing.assert_allclose(slopes, 0, atol=1e-4 * np.ptp(seen.loss) / np.ptp(seen.across))
    assert "drawn from 300 rows evenly spread over the 900" in some.charts[0].caption
    assert "drawn from" not in whole.charts[0].caption


def test_what_lies_beside_a_short_walk_is_seen(drawn):
    X, y = drawn
    model = LinearRegressor("huber:1", max_iter=50).fit(np.tile(X, (60, 1)), np.tile(y, 60))
    seen = model.plot_landscape(X, y)
    assert seen.loss.max() > 1.005 * seen.loss.min()
    shorter = replace(seen, walk=seen.walk / 100)
    assert "3 steps, and the map shows the plane" in seen.charts[0].caption
    assert "3 steps, so short that the dot all but hides it" in shorter.charts[0].caption


def test_a_model_from_a_file_has_a_map_without_a_walk(drawn, tmp_path):
    X, y = drawn
    LinearRegressor("huber:1").fit(X, y).save(tmp_path / "model.json")
    seen = load(tmp_path / "model.json").plot_landscape(X, y)
    assert not len(seen.walk)
    assert "the model came from a file" in seen.charts[0].caption


# --- rings -------------------------------------------------------------------------------------


def area(ring):
    """The area on the left of a ring (Gauss's shoelace)."""
    x, y = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


@pytest.mark.parametrize("level", [-0.8, -0.3, 0.0, 0.4, 0.9])
def test_rings_hold_what_is_high(level):
    """The shares of a picture that are high, with holes taken off, by counting many points."""
    across, upward = np.linspace(-3, 3, 60), np.linspace(-2, 2, 41)
    heights = np.cos(2 * across)[None] * np.sin(3 * upward + 0.3)[:, None]
    found = rings(across, upward, heights, level)
    assert all(np.array_equal(ring[0], ring[-1]) for ring in found)
    grid = RegularGridInterpolator((upward, across), heights)
    points = np.stack(np.meshgrid(np.linspace(-2, 2, 800), np.linspace(-3, 3, 800)), axis=-1)
    share = np.mean(grid(points.reshape(-1, 2)) >= level)
    assert sum(map(area, found)) / 24 == pytest.approx(share, abs=0.004)


def test_rings_of_all_and_of_nothing():
    across, upward = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0])
    (whole,) = rings(across, upward, np.ones((2, 3)), 0.5)
    assert area(whole) == 6.0
    assert rings(across, upward, np.ones((2, 3)), 1.5) == []


def test_rings_at_a_saddle():
    """Two high corners are one area where the middle is high, else two."""
    steps = np.array([0.0, 1.0])
    saddle = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert len(rings(steps, steps, saddle, 0.4)) == len(rings(steps, steps, saddle[::-1], 0.4)) == 1
    assert len(rings(steps, steps, saddle, 0.6)) == len(rings(steps, steps, saddle[::-1], 0.6)) == 2


def test_rows_that_are_looked_at_lie_all_over():
    X = np.arange(100.0)[:, None]
    parts = [Rows(X[a:b], X[a:b, 0], X[a:b, 0]) for a, b in ((0, 33), (33, 34), (34, 100))]
    for most in (100, 40, 7):
        step = -(-100 // most)
        few = spread_sample(Batches(lambda: parts, 100), most)
        assert few.y.tolist() == few.weight.tolist() == list(range(0, 100, step))


def test_pictures(drawn, tmp_path):
    X, y = drawn
    seen = LinearClassifier().fit(X, y > 0).plot_landscape(X, y > 0)
    seen.save(tmp_path / "map.svg")
    seen.save(tmp_path / "map.html")
    whole = ET.parse(tmp_path / "map.svg").getroot()
    assert len(whole) == 2
    assert whole.get("width") == "944"
    assert "the walk to it" in (tmp_path / "map.html").read_text(encoding="utf-8")
    assert seen._repr_html_().startswith('<div class="offby">')
    with pytest.raises(DataError, match=r"end the name in \.svg or \.html"):
        seen.save(tmp_path / "map.gif")


def test_what_has_no_map(drawn):
    X, y = drawn
    single = LinearRegressor(fit_intercept=False).fit(X[:, :1], y)
    with pytest.raises(DataError, match="two directions, and 'x0' alone was fitted"):
        single.plot_landscape(X[:, :1], y)
    model = LinearClassifier().fit(X, y > 0)
    with pytest.raises(DataError, match="classes that the model does not know"):
        model.plot_landscape(X, np.digitize(y, [0, 3]))
