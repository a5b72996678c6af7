"""Every loss of the catalogue runs every law; adding one adds its tests."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from offby.errors import DataError, FormulaError
from offby.formula import p, where, y
from offby.formula.arrays import evaluate
from offby.losses import CATALOGUE, NAMES, BinaryLoss, Huber, Loss, Squared, from_text, loss

VALUES = {
    "huber": [0.3, 1.345], "pseudo_huber": [0.5, 3.0], "pinball": [0.1, 0.5, 0.9],
    "expectile": [0.2, 0.5, 0.9], "epsilon_insensitive": [0.05, 1.0],
    "tweedie": [1.1, 1.5, 1.9, 2.5, 3.0], "cauchy": [0.7, 2.3849], "welsch": [0.7, 2.9846],
    "tukey": [1.0, 4.6851], "focal": [0.5, 1.0, 2.0, 5.0], "focal_logit": [0.5, 2.0, 5.0],
    "cost_weighted": [(1.0, 5.0), (0.3, 0.2)], "cost_logistic": [(1.0, 5.0), (0.3, 0.2)],
    "smoothed_logistic": [0.01, 0.1],
}  # fmt: skip
LOSSES = [
    kind(*(values if isinstance(values, tuple) else (values,)))
    for kind in CATALOGUE
    for values in (VALUES[kind.name] if kind.parameter_specs else [()])
]
DEVIANCES = ("poisson", "gamma", "tweedie", "inverse_gaussian")
BOUNDED = ("cauchy", "welsch", "tukey")
each = pytest.mark.parametrize("one", LOSSES, ids=str)


def points(one, n=400, seed=0):
    """Pairs in the loss's domain; positive ones serve all that take amounts."""
    rng = np.random.default_rng(seed)
    if isinstance(one, BinaryLoss):
        chances = one.scale == "identity"
        prediction = rng.uniform(0.02, 0.98, n) if chances else rng.normal(size=n) * 3
        return rng.integers(0, 2, n).astype(float), prediction
    truth = rng.gamma(2, 1.5, n) + 0.05
    prediction = truth * rng.uniform(0.3, 2.5, n)
    return truth, prediction


def into_domain(one, truth, prediction):
    """The nearest thing to the pair that the loss is defined on."""
    if isinstance(one, BinaryLoss):
        share = abs(prediction) / (1 + abs(prediction))
        return float(truth > 1), share if one.scale == "identity" else prediction
    if one.domain is not None:
        return abs(truth) % 1e50 + 1e-50, abs(prediction) % 1e50 + 1e-50
    return truth, prediction


def slope(function, prediction, step=1e-5):
    return (function(prediction + step) - function(prediction - step)) / (2 * step)


def kinks(one, truth, prediction, near=1e-3):
    """Where the derivative jumps, or the one after it."""
    if isinstance(one, BinaryLoss):
        return np.abs(np.abs(prediction) - 1) < (near if "hinge" in one.name else -1)
    r = np.abs(prediction - truth)
    edge = next((x for s, x in one.parameters.items() if s in ("delta", "epsilon", "c")), 0.0)
    return (r < near) | (np.abs(r - edge) < near)


def test_the_catalogue_is_all_tested():
    assert {one.name for one in LOSSES} == set(NAMES)


@each
def test_the_gradient_is_the_finite_difference(one):
    truth, prediction = points(one)
    away = ~kinks(one, truth, prediction)
    found = one.gradient(truth, prediction)[away]
    wanted = slope(lambda at: one.value(truth, at), prediction)[away]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@each
def test_the_hessian_is_the_gradients_finite_difference(one):
    truth, prediction = points(one)
    away = ~kinks(one, truth, prediction)
    found = one.hessian(truth, prediction)[away]
    wanted = slope(lambda at: one.gradient(truth, at), prediction)[away]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@each
def test_torchs_own_autograd_agrees(one):
    truth, prediction = points(one)
    away = torch.tensor(~kinks(one, truth, prediction))
    at = torch.tensor(prediction, requires_grad=True)
    evaluate(one.expression, {y: torch.tensor(truth), p: at}, torch).sum().backward()
    found = one.gradient(truth, prediction)
    torch.testing.assert_close(at.grad[away], torch.tensor(found)[away], rtol=1e-9, atol=1e-12)


@each
@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_the_curvature_is_positive(one, truth, prediction):
    assert one.curvature(*into_domain(one, truth, prediction)) > 0


@pytest.mark.parametrize("one", [x for x in LOSSES if x.domain is None], ids=str)
def test_a_newton_step_with_the_curvature_never_goes_uphill(one):
    truth, prediction = points(one)
    for scale in (1e-3, 1.0, 30.0):
        start = truth + (prediction - truth) * scale
        step = one.gradient(truth, start) / one.curvature(truth, start)
        before, after = one.value(truth, start), one.value(truth, start - step)
        assert np.all(after <= before * (1 + 1e-12) + 1e-15)


PERFECTIBLE = [x for x in LOSSES if not isinstance(x, BinaryLoss)]


@pytest.mark.parametrize("one", PERFECTIBLE, ids=str)
def test_a_perfect_prediction_costs_exactly_nothing(one):
    rng = np.random.default_rng(1)
    truth = np.exp2(rng.uniform(-100, 100, 500))
    assert np.all(one.value(truth, truth) == 0)
    if one.name != "pinball":  # whose slopes at the kink are any from -tau to 1 - tau
        assert np.all(one.gradient(truth, truth) == 0)


def test_small_errors_keep_their_digits():
    small = np.exp2(np.arange(-100.0, -30))
    for one in (x for x in LOSSES if x.domain is None and x.units == "y²"):
        ratio = one.value(0.0, small) / small**2
        assert np.allclose(ratio, ratio[0], rtol=1e-8, atol=0), one


@each
@given(st.floats(1e-100, 1e100), st.floats(1e-100, 1e100))
def test_no_prediction_costs_less_than_nothing(one, truth, prediction):
    assert one.value(*into_domain(one, truth, prediction)) >= 0


@each
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_beats_the_best(one, weighted):
    rng = np.random.default_rng(7)
    truth = rng.gamma(2, 1.5, 101) + 0.1
    low, high = truth.min(), truth.max()
    if isinstance(one, BinaryLoss):
        truth = (rng.random(101) < 0.2).astype(float)
        low, high = (0, 1) if one.scale == "identity" else (-8, 8)
    weight = rng.integers(1, 4, truth.size).astype(float) if weighted else None
    best = one.best_constant(truth, weight)
    grid = np.concatenate([np.linspace(low, high, 4001), truth])
    costs = np.average(one.value(truth[:, None], grid[None]), axis=0, weights=weight)
    least = np.average(one.value(truth, best), weights=weight)
    assert least <= costs.min() * (1 + 1e-12)
    assert low <= best <= high


def test_the_best_constant_is_the_functional_that_is_named():
    truth = np.random.default_rng(2).lognormal(size=501)
    for one in PERFECTIBLE:
        best = one.best_constant(truth)
        if one.functional == "mean":
            assert best == pytest.approx(truth.mean(), rel=1e-13)
        elif one.functional == "median":
            assert best == np.median(truth)
        elif one.functional == "quantile":
            assert best == np.quantile(truth, one.tau, method="inverted_cdf")
        elif one.functional == "expectile":
            side = np.where(truth < best, 1 - one.tau, one.tau)
            assert np.average(truth, weights=side) == pytest.approx(best, rel=1e-6)
        elif one.functional == "log_mean":
            assert best == pytest.approx(np.expm1(np.log1p(truth).mean()), rel=1e-6)
        elif one.functional == "inverse_weighted_median":
            order = np.argsort(truth)
            share = np.cumsum(1 / truth[order]) / np.sum(1 / truth)
            assert best == truth[order][np.searchsorted(share, 0.5)]
        else:
            assert one.functional == one.name


def test_flat_stretches_give_their_middle():
    assert from_text("mae").best_constant([1.0, 2.0, 4.0, 9.0]) == 3.0
    assert from_text("pinball:0.25").best_constant([1.0, 2.0, 3.0, 4.0]) == 1.5
    assert from_text("mae").best_constant([5.0]) == 5.0
    with pytest.raises(DataError, match="no rows"):
        Squared().best_constant([])


HAS_NOISE = [x for x in LOSSES if x.noise and not (x.name == "cauchy" and x.c <= 1)]


@pytest.mark.parametrize("one", HAS_NOISE, ids=str)
def test_the_noise_is_a_density(one):
    total = one.noise.log_normaliser
    if one.noise.name == "Bernoulli":
        assert np.exp(-one.value([0.0, 1.0], 0.3) - total()).sum() == pytest.approx(1, rel=1e-14)
        return
    if one.name == "poisson":
        counts = np.arange(400.0)
        mass = np.exp(-one.value(counts, 7.3) / 2 - total(counts))
        assert mass.sum() == pytest.approx(1, rel=1e-12)
        return
    half = 0.5 if one.name in DEVIANCES else 1.0
    at, (low, high) = (3.0, (0, np.inf)) if one.domain is not None else (0.0, (-np.inf, np.inf))
    if one.name == "squared_log":
        low = -1
    needs_y = one.domain is not None

    def density(truth):
        normaliser = total(truth) if needs_y else total(**one.parameters)
        return math.exp(-half * one.value(truth, at) - normaliser)

    bend = max([3.0, *one.parameters.values()]) if needs_y else one.parameters.get("delta", 3.0)
    edges = sorted({low, at, at + bend, high} | (set() if needs_y else {at - bend}))
    whole = sum(integrate.quad(density, a, b, limit=200)[0] for a, b in itertools.pairwise(edges))
    assert whole == pytest.approx(1, rel=1e-7)


@each
@pytest.mark.parametrize("factor", [2.0**-20, 1000.0])
def test_units_say_how_the_value_scales(one, factor):
    truth, prediction = points(one)
    power = {"y": 1, "y²": 2}.get(one.units)
    if one.name in ("gamma", "absolute_percentage"):
        power = 0
    if power is None:
        assert isinstance(one, BinaryLoss) or one.name in ("log_cosh", "squared_log", *DEVIANCES)
        return
    moved = {spec.name: one.parameters[spec.name] * (factor if spec.units == "y" else 1)
             for spec in one.parameter_specs}  # fmt: skip
    found = one.with_parameters(**moved).value(truth * factor, prediction * factor)
    np.testing.assert_allclose(found, one.value(truth, prediction) * factor**power, rtol=1e-11)


# Values among values


@each
def test_losses_are_values(one):
    same = type(one)(**one.parameters)
    assert one == same
    assert hash(one) == hash(same)
    assert from_text(str(one)) == one
    assert eval(repr(one), {type(one).__name__: type(one)}) == one
    for twin in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert twin == one
        assert twin.value(1.0, 0.5) == one.value(1.0, 0.5)
    assert len({other for other in LOSSES if other == one}) == 1


@given(st.floats(1e-300, 1e300))
def test_text_names_keep_every_digit(delta):
    assert from_text(str(Huber(delta))) == Huber(delta)


def test_losses_cannot_be_changed():
    one = Huber(2.0)
    with pytest.raises(AttributeError, match="immutable"):
        one.delta = 3.0
    assert one.with_parameters(delta=3.0).delta == 3.0
    assert one.delta == 2.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("huber:-1", "above 0"), ("huber:nan", "above 0"), ("huber:x", "'x' is not a number"),
        ("huber:1,2", "delta"), ("pinball:1", "below 1"), ("squared:2", "parameters: none"),
        ("hubber", "did you mean huber"), ("tweedie:1", "above 1"), ("abs(q)", "'q'"),
        ("3", "does not depend"), ("focal:0", "above 0"), ("cost_weighted:1:-5", "false_negative"),
        ("cost_weighted:1:5:2", "parameters: false_positive, false_negative"),
        ("smoothed_logistic:1", "below 1"), ("log_lost", "did you mean log_loss"),
    ],
)  # fmt: skip
def test_a_wrong_text_says_what_is_wrong(text, says):
    with pytest.raises(FormulaError, match=says.replace("(", r"\(")):
        from_text(text)


# One's own


@loss
def late(r, cost=5.0):
    """Being late costs more."""
    return where(r < 0, cost * abs(r), abs(r))


@pytest.mark.parametrize("own", [late, late.with_parameters(cost=2.0), from_text("abs(r)**1.5")])
def test_ones_own_loss_has_everything(own):
    truth, prediction = points(own)
    assert isinstance(own, Loss)
    found = slope(lambda at: own.value(truth, at), prediction)
    away = ~kinks(own, truth, prediction)
    np.testing.assert_allclose(own.gradient(truth, prediction)[away], found[away], rtol=1e-5)
    assert np.all(own.curvature(truth, prediction) > 0)
    assert own.mean(truth, prediction) == pytest.approx(own.value(truth, prediction).mean())
    for twin in (pickle.loads(pickle.dumps(own)), copy.deepcopy(own)):
        assert twin == own
        assert hash(twin) == hash(own)
    assert own != Squared()


def test_ones_own_parameters_are_arguments():
    assert late.parameters == {"cost": 5.0}
    assert late.with_parameters(cost=2.0).value(10.0, 8.0) == 4.0
    assert late != late.with_parameters(cost=2.0)
    assert late.name == "late"
    assert late.__doc__ == "Being late costs more."


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda r: 2 * math.exp(r), "offby.exp"),
        (lambda r: np.where(r < 0, 1, 2), "offby.where"),
        (lambda r: r if r > 0 else -r, "where"),
        (lambda r: r.mean(), "cannot be read as a formula"),
        (lambda a: a, "'a' is neither a word nor a number"),
        (lambda r: None, "None"),
        (lambda cost=1.0: cost, "does not depend"),
    ],
)
def test_what_cannot_be_traced_is_shown_how(function, says):
    with pytest.raises(FormulaError, match=says):
        loss(function)
