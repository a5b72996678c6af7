"""Losses on arrays of every kind: shapes, means, torch and JAX."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from offby.errors import DataError
from offby.losses import CATALOGUE, Absolute, BinaryLoss, Huber, Poisson, Squared

LOSSES = [kind() for kind in CATALOGUE]
each = pytest.mark.parametrize("one", LOSSES, ids=str)
KINKED = ("absolute", "pinball", "absolute_percentage", "hinge")
SMOOTH = [x for x in LOSSES if x.name not in KINKED]


def points(n=6, seed=0, one=None):
    """Pairs that the loss is defined on; without one, those that serve all that take amounts."""
    rng = np.random.default_rng(seed)
    if isinstance(one, BinaryLoss):  # shares of yes, so that slopes towards the truth exist
        truth, chance = rng.uniform(0.1, 0.9, (2, n))
        return truth, chance if one.scale == "identity" else np.log(chance / (1 - chance))
    truth = rng.gamma(2, 1.5, n) + 0.3
    return truth, truth * rng.uniform(0.4, 2.2, n)


# Shapes


@pytest.mark.parametrize(
    ("first", "second", "shape"),
    [
        ((5,), (5,), (5,)), ((5,), (), (5,)), ((), (5,), (5,)), ((5, 1), (5,), (5,)),
        ((5,), (5, 1), (5,)), ((5, 1), (5, 1), (5, 1)), ((3, 1), (4,), (3, 4)), ((0,), (0,), (0,)),
        ((2, 3), (2, 3), (2, 3)), ((1,), (5,), (5,)), ((1, 1), (1,), (1,)),
    ],
)  # fmt: skip
def test_shapes(first, second, shape):
    truth, prediction = np.full(first, 2.0), np.full(second, 3.5)
    for found in (
        Squared().value(truth, prediction),
        Squared().value(torch.tensor(truth), torch.tensor(prediction)),
        Squared().value(jnp.asarray(truth), jnp.asarray(prediction)),
    ):
        assert tuple(found.shape) == shape
        assert np.all(np.asarray(found) == 2.25)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)|3.*4"):
        Squared().value(np.ones(3), np.ones(4))


def test_numbers_lists_and_integers():
    assert Squared().value(3, 5) == 4.0
    assert isinstance(Squared().value(3, 5), float)
    assert Squared().value([0, 0], [1, 2]).tolist() == [1.0, 4.0]
    assert Squared().value(np.uint8([0]), np.uint8([1])).tolist() == [1.0]
    assert Squared().gradient(np.uint8([1]), np.uint8([0])).tolist() == [-2.0]
    assert Squared().value(np.float32(0.1), 0.1) == (float(np.float32(0.1)) - 0.1) ** 2


def test_strided_and_reversed_arrays():
    truth, prediction = np.arange(20.0)[::2], np.arange(10.0)[::-1]
    found = Squared().value(truth, prediction)
    assert found.tolist() == [(b - a) ** 2 for a, b in zip(truth, prediction, strict=True)]


def test_long_arrays_are_the_same_as_short_ones():
    truth, prediction = points(200_001)
    whole = Huber().value(truth, prediction)
    parts = [Huber().value(truth[k:k + 999], prediction[k:k + 999])
             for k in range(0, truth.size, 999)]  # fmt: skip
    assert np.array_equal(whole, np.concatenate(parts))


# Means


@each
def test_the_mean_is_correctly_rounded_whatever_the_order(one):
    truth, prediction = points(5_000, one=one)
    exact = sum(map(Fraction, one.value(truth, prediction).tolist())) / truth.size
    order = np.random.default_rng(3).permutation(truth.size)
    assert one.mean(truth, prediction) == float(exact)
    assert one.mean(truth[order], prediction[order]) == float(exact)


def test_means_are_weighted():
    truth, prediction, weight = [1.0, 2.0, 4.0], [2.0, 4.0, 4.0], [3.0, 0.0, 1.0]
    assert Squared().mean(truth, prediction, sample_weight=weight) == 0.75
    assert Squared().mean(truth, 2.0) == (1 + 0 + 4) / 3
    with pytest.raises(DataError, match="undefined"):
        Squared().mean(truth, prediction, [0, 0, 0])
    with pytest.raises(DataError, match="undefined"):
        Squared().mean([], [])
    assert Poisson().mean([1.0, 2.0], [0.0, 2.0]) == math.inf


# torch


@pytest.mark.parametrize("one", SMOOTH, ids=str)
def test_gradients_of_both_orders_flow_to_both_arguments(one):
    columns = [torch.tensor(x, requires_grad=True) for x in points(one=one)]
    assert torch.autograd.gradcheck(one.value, columns)
    if one.name not in ("huber", "expectile", "epsilon_insensitive"):
        assert torch.autograd.gradgradcheck(one.value, columns)


@each
def test_torch_says_the_same(one):
    truth, prediction = points(300, one=one)
    at = torch.tensor(prediction, requires_grad=True)
    value = one.value(torch.tensor(truth), at)
    np.testing.assert_allclose(value.detach(), one.value(truth, prediction), rtol=1e-12)
    (slope,) = torch.autograd.grad(value.sum(), at, create_graph=True)
    np.testing.assert_allclose(slope.detach(), one.gradient(truth, prediction), rtol=1e-12)
    if slope.requires_grad:
        (bend,) = torch.autograd.grad(slope.sum(), at)
        np.testing.assert_allclose(bend, one.hessian(truth, prediction), rtol=1e-10, atol=1e-14)
    assert one.mean(torch.tensor(truth), at).item() == pytest.approx(one.mean(truth, prediction))


@each
def test_float32_stays_float32(one):
    columns = [torch.tensor(x, dtype=torch.float32) for x in points(one=one)]
    for method in (one.value, one.gradient, one.hessian, one.curvature):
        assert method(*columns).dtype == torch.float32
    arrays = [jnp.asarray(x, dtype=jnp.float32) for x in points(one=one)]
    assert one.value(*arrays).dtype == jnp.float32


def test_no_nan_comes_out_of_a_branch_not_taken():
    at = torch.tensor([0.0, 1e-200, 1e100, -3.0], dtype=torch.float64, requires_grad=True)
    for one in (x for x in LOSSES if x.domain is None and x.name != "squared"):
        (slope,) = torch.autograd.grad(one.value(torch.zeros(4, dtype=torch.float64), at).sum(), at)
        assert torch.isfinite(slope).all(), one


def test_integer_tensors_become_numbers():
    found = Squared().value(torch.tensor([1, 2]), torch.tensor([2, 4]))
    assert found.tolist() == [1.0, 4.0]
    assert Absolute().value([1.0, 2.0], torch.tensor([2.0, 4.0])).tolist() == [1.0, 2.0]


# JAX


@each
def test_jax_transforms(one):
    truth, prediction = points(40, one=one)
    with jax.enable_x64(True):
        y_true, y_pred = jnp.asarray(truth), jnp.asarray(prediction)
        slope = jax.grad(lambda at: one.value(y_true, at).sum())(y_pred)
        each_row = jax.vmap(jax.grad(one.value, argnums=1))(y_true, y_pred)
        compiled = jax.jit(one.value)(y_true, y_pred)
        bend = jnp.diag(jax.hessian(lambda at: one.value(y_true, at).sum())(y_pred))
    np.testing.assert_allclose(compiled, one.value(truth, prediction), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(slope, one.gradient(truth, prediction), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(each_row, slope, rtol=1e-12)
    np.testing.assert_allclose(bend, one.hessian(truth, prediction), rtol=1e-9, atol=1e-12)
