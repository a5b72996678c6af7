"""Losses of a yes or no: known answers, corners and tails, links, and the same as their peers."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from passes import measured
from sklearn import metrics

from offby.engine.evaluate import compute
from offby.errors import DataError
from offby.formula import p, ratio, softplus, xlog1py, y, z
from offby.losses import (
    CATALOGUE,
    BinaryLoss,
    Brier,
    CostLogistic,
    CostWeighted,
    Exponential,
    Focal,
    FocalLogit,
    Hinge,
    Logistic,
    LogLoss,
    SmoothedLogistic,
    SquaredHinge,
    from_text,
    loss,
)
from offby.measures.names import resolve

BINARY = [kind() for kind in CATALOGUE if issubclass(kind, BinaryLoss)]
CHANCES = [one for one in BINARY if one.scale == "identity"]
SCORES = [one for one in BINARY if one.scale != "identity"]
TWINS = [
    (LogLoss(), Logistic()), (Focal(2), FocalLogit(2)), (Focal(0.5), FocalLogit(0.5)),
    (CostWeighted(1, 5), CostLogistic(1, 5)),
]  # fmt: skip
RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 2, 500).astype(float)
CHANCE = RNG.uniform(1e-3, 1 - 1e-3, 500)
SCORE = RNG.normal(size=500) * 4
WEIGHT = RNG.gamma(2, 1, 500)
mp.mp.prec = 200


# Known answers


def test_known_means():
    truth, prediction = [1, 1, 0], [0.9, 0.3, 0.1]
    assert LogLoss().mean(truth, prediction) == pytest.approx(0.4716, abs=5e-5)
    assert Brier().mean(truth, prediction) == pytest.approx((0.01 + 0.49 + 0.01) / 3)
    assert CostWeighted(1, 5).mean(truth, prediction) == pytest.approx(
        -(5 * math.log(0.9) + 5 * math.log(0.3) + math.log(0.9)) / 3
    )
    assert LogLoss().mean([1, 0], [0.5, 0.5], sample_weight=[3, 0]) == math.log(2)


def test_certainties_cost_nothing_or_everything():
    truth, certain = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    for one in CHANCES:
        found = one.value(truth, certain)
        assert found[:2].tolist() == [0, 0]
        assert not np.signbit(found[:2]).any()
        assert found[2:].tolist() == ([1, 1] if one.name == "brier" else [math.inf, math.inf])
        assert np.isfinite(one.gradient(truth[:2], certain[:2])).all()
        assert np.isfinite(one.hessian(truth[:2], certain[:2])).all()
    assert LogLoss().gradient(truth, certain).tolist() == [1, -1, math.inf, -math.inf]
    assert LogLoss().hessian(truth, certain).tolist() == [1, 1, math.inf, math.inf]
    assert LogLoss().mean([1, 1], [0.5, 0.0]) == math.inf


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 3.0])
def test_a_focal_loss_is_flat_at_certainty(gamma):
    assert Focal(gamma).gradient([0, 1], [0, 1]).tolist() == [0, 0]
    assert np.abs(Focal(gamma).gradient([0, 1], [1e-9, 1 - 1e-9])).max() < 1e-4


@given(st.sampled_from([0.0, 1.0]), st.floats(-700, 700))
def test_both_tails_keep_every_digit(truth, score):
    bad = mp.mpf(score) if truth == 0 else -mp.mpf(score)
    chance, rest = 1 / (1 + mp.exp(-bad)), 1 / (1 + mp.exp(bad))
    exact = {"value": mp.log1p(mp.exp(bad)), "hessian": chance * rest}
    for name, wanted in exact.items():
        found = getattr(Logistic(), name)(truth, score)
        assert found == pytest.approx(float(wanted), rel=2e-15, abs=1e-300), name
    assert abs(Logistic().gradient(truth, score)) == pytest.approx(float(chance), rel=2e-15)


def test_the_tail_that_textbook_formulas_lose():
    for method in (Logistic().value, Logistic().gradient, Logistic().hessian):
        assert method(0, -37.0) == pytest.approx(8.533047625744065e-17, rel=2e-16)
    assert LogLoss().value(0, 1e-20) == 1e-20
    assert LogLoss().value(1, 1 - 2**-53) == pytest.approx(2**-53, rel=1e-15)
    assert LogLoss().gradient(0, 1e-20) == 1.0


@pytest.mark.parametrize("one", SCORES, ids=str)
def test_nothing_overflows_that_need_not(one):
    far = np.array([-1e20, 1e20])
    for truth, right in ((0.0, 0), (1.0, 1)):
        value = one.value(truth, far)
        assert np.isfinite(value[right])
        if one.name != "smoothed_logistic":
            assert value[right] == 0
            assert one.gradient(truth, far)[right] == 0
        if one.name == "exponential":
            assert value[1 - right] == math.inf
        else:
            assert np.isfinite(value).all()
            assert np.isfinite(one.gradient(truth, far)).all()
            assert np.isfinite(one.hessian(truth, far)).all()


@pytest.mark.parametrize("one", SCORES, ids=str)
def test_torch_makes_no_nan_of_sure_scores(one):
    at = torch.tensor([-300.0, -90.0, 0.0, 90.0, 300.0], requires_grad=True)
    for truth in (0.0, 1.0):
        (slope,) = torch.autograd.grad(one.value(torch.full((5,), truth), at).sum(), at)
        assert not slope.isnan().any()


def test_new_primitives_are_within_an_ulp_or_two():
    x, t = RNG.normal(size=400), np.exp(RNG.uniform(-80, 3, 400)) * RNG.choice([-0.04, 1], 400)
    (found,) = compute([xlog1py(y, p)], {y: x, p: t})
    wanted = [float(mp.mpf(a) * mp.log1p(mp.mpf(b))) for a, b in zip(x, t, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=4e-16)
    (found,) = compute([ratio(y, p)], {y: [0, 1, 6, -0.0], p: [0, 0, 3, -0.0]})
    assert found.tolist() == [0, math.inf, 2, 0]


# What the losses say of each other


@given(st.integers(0, 1), st.floats(-30, 30))
def test_a_loss_of_logits_is_that_of_their_probabilities(truth, score):
    chance = 1 / (1 + math.exp(-score))
    for chances, scores in TWINS:
        wanted = chances.value(truth, chance)
        assert scores.value(truth, score) == pytest.approx(wanted, rel=1e-3, abs=1e-13)


@pytest.mark.parametrize("one", BINARY, ids=str)
def test_yes_and_no_are_alike(one):
    at = CHANCE if one.scale == "identity" else SCORE
    other = 1 - CHANCE if one.scale == "identity" else -SCORE
    np.testing.assert_allclose(one.value(LABELS, at), one.value(1 - LABELS, other), rtol=1e-12)
    np.testing.assert_allclose(one.gradient(LABELS, at), -one.gradient(1 - LABELS, other),
                               rtol=1e-10, atol=1e-13)  # fmt: skip


@pytest.mark.parametrize("one", BINARY, ids=str)
@given(a=st.floats(0.01, 0.99), b=st.floats(0.01, 0.99), truth=st.integers(0, 1))
def test_all_but_one_are_convex(one, a, b, truth):
    if one.scale != "identity":
        a, b = 20 * a - 10, 20 * b - 10
    low, middle, high = one.value(truth, np.array([a, (a + b) / 2, b]))
    assert one.name == "focal_logit" or middle <= (low + high) / 2 * (1 + 1e-12) + 1e-15


def test_the_focal_loss_is_convex_in_the_probability_and_not_in_the_logit():
    assert Focal(0.5).hessian(1, CHANCE).min() > 0
    assert FocalLogit(0.5).hessian(1, -6.0) < 0


@pytest.mark.parametrize("one", [Brier(), Hinge(), SquaredHinge(), Exponential()], ids=str)
def test_a_newton_step_with_the_curvature_never_goes_uphill(one):
    start = CHANCE if one.scale == "identity" else SCORE
    after = start - one.gradient(LABELS, start) / one.curvature(LABELS, start)
    assert np.all(one.value(LABELS, after) <= one.value(LABELS, start) * (1 + 1e-12) + 1e-15)


def test_shares_of_yes_are_mixtures():
    for one in BINARY:
        at = 0.3 if one.scale == "identity" else 0.7
        mixed = 0.25 * one.value(1, at) + 0.75 * one.value(0, at)
        less = 0.25 * 0.75 if one.name == "brier" else 0  # the spread of y itself
        assert one.value(0.25, at) == pytest.approx(mixed - less), one


# Links: what is best for a chance


@pytest.mark.parametrize(("false_positive", "false_negative"), [(1, 5), (3, 1), (0.2, 0.2)])
def test_acting_above_a_half_is_elkans_threshold(false_positive, false_negative):
    costs = (false_positive, false_negative)
    threshold = false_positive / (false_positive + false_negative)
    assert CostWeighted(*costs).best_constant([threshold]) == pytest.approx(0.5)
    assert CostLogistic(*costs).best_constant([threshold]) == pytest.approx(0, abs=1e-12)
    for chance in (threshold - 0.01, threshold + 0.01):
        assert (CostWeighted(*costs).best_constant([chance]) > 0.5) == (chance > threshold)
        assert (CostLogistic(*costs).best_constant([chance]) > 0) == (chance > threshold)


def test_what_is_best_for_a_quarter():
    labels = [0, 0, 0, 1]
    odds = math.log(1 / 3)
    assert LogLoss().best_constant(labels) == Brier().best_constant(labels) == 0.25
    assert Logistic().best_constant(labels) == pytest.approx(odds)
    assert Exponential().best_constant(labels) == pytest.approx(odds / 2)
    assert SquaredHinge().best_constant(labels) == -0.5
    assert Hinge().best_constant(labels) == -1
    assert Hinge().best_constant([0, 1]) == 0  # anything from -1 to 1 is as good
    assert SmoothedLogistic(0.2).best_constant(labels) == pytest.approx(math.log(0.3 / 0.7))
    assert Logistic().best_constant([0, 1], [3, 1]) == pytest.approx(odds)
    flatter = Focal(2).best_constant(labels)
    assert 0.25 < flatter < 0.5
    assert FocalLogit(2).best_constant(labels) == pytest.approx(math.log(flatter / (1 - flatter)))


def test_one_class_has_a_best_probability_and_no_best_score():
    for one in CHANCES:
        assert one.best_constant([1, 1]) == 1
        assert one.best_constant([0, 0]) == 0
    assert SmoothedLogistic(0.1).best_constant([1, 1]) == pytest.approx(math.log(19))
    for one in (Logistic(), CostLogistic(), FocalLogit(), Exponential()):
        for label, side in ((0, "-inf"), (1, "inf")):
            with pytest.raises(DataError, match=f"all labels are {label}.* {side};"):
                one.best_constant([label, label])


# Labels are not guessed


@pytest.mark.parametrize("one", BINARY, ids=str)
def test_other_labels_have_no_value(one):
    for method in (one.value, one.gradient, one.hessian, one.curvature):
        assert np.isnan(method([-1.0, 2.0], 0.5)).all()
    with pytest.raises(DataError, match="y_true holds -1; labels are 0 and 1"):
        one.best_constant([1, -1])
    found = measured(str(one), [0.0, 1.0, -1.0], [0.5, 0.5, 0.5])[str(one)]
    assert found.value is None
    assert "row 3" in found.undefined


@pytest.mark.parametrize("one", CHANCES, ids=str)
def test_what_is_no_probability_has_no_value(one):
    for truth in (0, 1):
        assert np.isnan(one.value(truth, [-0.5, 1.5])).all()
        assert one.gradient(truth, torch.tensor([-0.5, 1.5])).isnan().all()


# Names


def test_names_live_in_a_list_between_commas():
    found = resolve("log_loss,cost_weighted:1:5,cost_logistic:2:0.5,brier,focal:2")
    assert [m.name for m in found] == [
        "log_loss", "cost_weighted:1:5", "cost_logistic:2:0.5", "brier", "focal:2"
    ]  # fmt: skip
    assert from_text("cost_weighted:1,5") == CostWeighted(1, 5) == from_text("cost_weighted:1:5")
    assert str(CostWeighted(1, 5)) == "cost_weighted:1:5"


@pytest.mark.parametrize("alias", ["binary_cross_entropy", "bce", "cross_entropy"])
def test_cross_entropy_is_log_loss(alias):
    assert from_text(alias) == LogLoss()
    assert from_text("brier_score") == Brier()


def test_formulas_are_those_of_textbooks():
    assert LogLoss().latex() == (
        r"\left(y - 1\right) \log\left(1 - \hat{y}\right) - y \log\left(\hat{y}\right)"
    )
    assert r"\mathrm{false\_negative}" in CostWeighted().latex()


def test_ones_own_loss_of_logits_has_a_mean():
    own = loss(lambda y, z: y * softplus(-z) + (1 - y) * softplus(z))
    assert own.mean(LABELS, SCORE) == Logistic().mean(LABELS, SCORE)
    assert loss(str(Logistic.formula)).mean([1], [2.0]) == Logistic().value(1, 2.0)
    assert own.expression is (y * softplus(-p) + (1 - y) * softplus(p))
    assert z is not p


# Peers


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_scikit_learn_says_the_same(weight):
    for one, peer in ((LogLoss(), metrics.log_loss), (Brier(), metrics.brier_score_loss)):
        found, wanted = (f(LABELS, CHANCE, sample_weight=weight) for f in (one.mean, peer))
        assert found == pytest.approx(wanted, rel=1e-13)
    wanted = metrics.hinge_loss(2 * LABELS - 1, SCORE, sample_weight=weight)
    assert Hinge().mean(LABELS, SCORE, weight) == pytest.approx(wanted, rel=1e-13)


def test_torch_says_the_same():
    truth, score = torch.tensor(LABELS), torch.tensor(SCORE)
    peers = [
        (Logistic(), torch.nn.BCEWithLogitsLoss(), score),
        (CostLogistic(1, 5), torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(5.0)), score),
        (LogLoss(), torch.nn.BCELoss(), torch.tensor(CHANCE)),
        (Brier(), torch.nn.MSELoss(), torch.tensor(CHANCE)),
    ]
    for one, peer, at in peers:
        wanted = peer(at, truth).item()
        assert one.mean(truth, at).item() == pytest.approx(wanted, rel=1e-12)
        assert one.mean(LABELS, at.numpy()) == pytest.approx(wanted, rel=1e-12)
    smooth = torch.nn.BCEWithLogitsLoss()(score, truth * 0.9 + 0.05).item()
    assert SmoothedLogistic(0.1).mean(LABELS, SCORE) == pytest.approx(smooth, rel=1e-12)
