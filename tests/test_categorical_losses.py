"""Losses of K columns: derivatives, tails, libraries, the same as their peers, bad input."""

import copy
import math
import pickle
from fractions import Fraction

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
import torch
from sklearn import metrics

from offby.errors import DataError, FormulaError, OffbyError
from offby.losses import (
    Brier,
    CategoricalBrier,
    CategoricalCrossEntropy,
    CategoricalFocal,
    CostMatrix,
    Focal,
    Logistic,
    LogLoss,
    SoftmaxCrossEntropy,
)

COSTS = [[0, 1, 5], [2, 0, 1], [9, 3, 0]]
OF_CHANCES = [
    CategoricalCrossEntropy(), CategoricalCrossEntropy(0.1), CategoricalBrier(),
    CategoricalFocal(), CategoricalFocal(0.5), CostMatrix(COSTS),
]  # fmt: skip
OF_LOGITS = [SoftmaxCrossEntropy(), SoftmaxCrossEntropy(0.1)]
LOSSES = [*OF_CHANCES, *OF_LOGITS]
each = pytest.mark.parametrize("one", LOSSES, ids=repr)


def softmax(xp, z):
    parts = xp.exp(z)
    return parts / parts.sum(-1)[..., None]


def points(one, n=60, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 3)) * 2
    given = logits if one in OF_LOGITS else softmax(np, logits)
    return rng.integers(0, 3, n), given


# Derivatives


@each
def test_derivatives_are_finite_differences(one):
    """Along directions that keep the sum, as rows of probabilities must."""
    labels, given = points(one)
    rng, step = np.random.default_rng(1), 1e-6
    for _ in range(4):
        along = rng.normal(size=3)
        along -= along.mean()
        ends = [one.value(labels, given + side * along * step) for side in (1, -1)]
        slope = (one.gradient(labels, given) * along).sum(1)
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), slope, rtol=1e-5, atol=1e-7)


@each
def test_torch_and_jax_say_the_same(one):
    labels, given = points(one)
    at = torch.tensor(given, requires_grad=True)
    value = one.value(torch.tensor(labels), at)
    (slope,) = torch.autograd.grad(value.sum(), at)
    near = {"rtol": 1e-11, "atol": 1e-14}
    np.testing.assert_allclose(value.detach(), one.value(labels, given), **near)
    np.testing.assert_allclose(slope, one.gradient(labels, given), **near)
    with jax.enable_x64(True):
        columns = jnp.asarray(labels), jnp.asarray(given)
        compiled = jax.jit(one.value)(*columns)
        slopes = jax.grad(lambda z: one.value(columns[0], z).sum())(columns[1])
        rows = jax.vmap(jax.grad(one.value, argnums=1))(*columns)
        bends = np.asarray(jax.vmap(jax.hessian(one.value, argnums=1))(*columns))
    np.testing.assert_allclose(compiled, one.value(labels, given), **near)
    np.testing.assert_allclose(slopes, one.gradient(labels, given), **near)
    np.testing.assert_allclose(rows, slopes, **near)
    diagonals = np.diagonal(bends, axis1=1, axis2=2)
    np.testing.assert_allclose(diagonals, one.hessian(labels, given), rtol=1e-9, atol=1e-12)
    if one in OF_LOGITS:  # the curvature bounds the whole matrix
        whole = np.einsum("nk,kl->nkl", one.curvature(labels, given), np.eye(3))
        assert np.linalg.eigvalsh(whole - bends).min() > -1e-12
    else:
        assert np.abs(bends - np.einsum("nk,kl->nkl", diagonals, np.eye(3))).max() < 1e-12


@each
def test_every_library_keeps_its_arrays_and_types(one):
    labels, given = points(one)
    kinds = [
        (torch.tensor(labels), torch.tensor(given, dtype=torch.float32), torch.Tensor),
        (jnp.asarray(labels), jnp.asarray(given, jnp.float32), jax.Array),
        (labels, given, np.ndarray),
    ]
    for y_true, y_pred, kind in kinds:
        value = one.value(y_true, y_pred)
        assert isinstance(value, kind)
        assert value.shape == (60,)
        assert value.dtype == y_pred.dtype
        for method in (one.gradient, one.hessian, one.curvature):
            assert method(y_true, y_pred).shape == (60, 3)
            assert method(y_true, y_pred).dtype == y_pred.dtype
        assert (one.curvature(y_true, y_pred) > 0).all()
        assert float(one.mean(y_true, y_pred)) == pytest.approx(one.mean(labels, given), rel=1e-5)


@each
def test_gradients_reach_what_made_the_probabilities(one):
    labels, _ = points(one, 5)
    logits = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    made = (lambda z: z) if one in OF_LOGITS else (lambda z: softmax(torch, z))
    assert torch.autograd.gradcheck(lambda z: one.value(labels, made(z)), [logits])
    assert torch.autograd.gradgradcheck(lambda z: one.value(labels, made(z)), [logits])


# Corners and tails


def test_certainties_cost_nothing_or_everything():
    sure = np.eye(3)
    for one, worst in ((CategoricalCrossEntropy(), math.inf), (CategoricalFocal(0.5), math.inf),
                       (CategoricalBrier(), 2), (CostMatrix(1 - np.eye(3)), 1)):  # fmt: skip
        found = one.value([0, 1, 2], sure)
        assert found.tolist() == [0, 0, 0]
        assert not np.signbit(found).any()
        assert one.value([1, 2, 0], sure).tolist() == [worst] * 3
        assert np.isfinite(one.gradient([0, 1, 2], sure)).all()
        assert one.mean([0, 2], sure[:2], sample_weight=[1, 0]) == 0
        assert one.mean([0, 2], sure[:2], sample_weight=[1, 1]) == worst / 2


def test_sure_logits_keep_every_digit():
    logits = np.array([[0.0, -37.0, -40.0], [0.0, -700.0, -1e20], [1e20, -1e20, 0.0]])
    one = SoftmaxCrossEntropy()
    with mp.workdps(60):
        wanted = float(mp.log1p(mp.exp(-37) + mp.exp(-40)))
        rest = float(-(mp.exp(-37) + mp.exp(-40)) / (1 + mp.exp(-37) + mp.exp(-40)))
    assert one.value([0, 0, 0], logits).tolist() == pytest.approx([wanted, math.exp(-700), 0],
                                                                  rel=1e-15)  # fmt: skip
    assert one.gradient([0], logits[:1])[0, 0] == pytest.approx(rest, rel=1e-15)
    assert one.value([1, 1, 1], logits).tolist() == [37, 700, 2e20]
    assert one.gradient([1], logits[:1])[0, 1] == pytest.approx(-1, rel=2e-16)
    np.testing.assert_allclose(one.gradient([1, 2, 0], logits).sum(1), 0, atol=1e-15)


def test_a_class_may_be_masked():
    at = torch.tensor([[0.5, -math.inf, 1.0]], requires_grad=True)
    value = SoftmaxCrossEntropy().value([0], at)
    (slope,) = torch.autograd.grad(value.sum(), at)
    assert value.item() == pytest.approx(math.log1p(math.exp(0.5)))
    assert slope.isfinite().all()
    assert slope[0, 1] == 0
    assert SoftmaxCrossEntropy().value([1], at.detach()).item() == math.inf


def test_ties_are_shared():
    for z in (np.zeros((1, 4)), np.full((1, 4), 1e300)):
        assert SoftmaxCrossEntropy().value([2], z)[0] == pytest.approx(math.log(4))
        assert SoftmaxCrossEntropy().gradient([2], z).tolist() == [[0.25, 0.25, -0.75, 0.25]]


# The same as with one column, and as its peers


def test_two_columns_are_one():
    rng = np.random.default_rng(4)
    labels, logit = rng.integers(0, 2, 200), rng.normal(size=200) * 5
    chance = 1 / (1 + np.exp(-logit))
    both = np.column_stack([1 - chance, chance])
    pairs = [
        (CategoricalCrossEntropy(), LogLoss(), 1), (CategoricalFocal(3), Focal(3), 1),
        (CategoricalBrier(), Brier(), 2),
    ]  # fmt: skip
    for many, single, factor in pairs:
        wanted = factor * single.value(labels, chance)
        np.testing.assert_allclose(many.value(labels, both), wanted, rtol=1e-12, atol=1e-15)
    scores = np.column_stack([np.zeros(200), logit])
    wanted = Logistic().value(labels, logit)
    np.testing.assert_allclose(SoftmaxCrossEntropy().value(labels, scores), wanted, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_peers_say_the_same(weighted):
    labels, logits = points(SoftmaxCrossEntropy(), 400)
    chances = softmax(np, logits)
    weight = np.random.default_rng(2).gamma(2, 1, 400) if weighted else None
    wanted = metrics.log_loss(labels, chances, sample_weight=weight, labels=[0, 1, 2])
    assert CategoricalCrossEntropy().mean(labels, chances, weight) == pytest.approx(wanted)
    wanted = metrics.brier_score_loss(labels, chances, sample_weight=weight, labels=[0, 1, 2])
    assert CategoricalBrier().mean(labels, chances, weight) == pytest.approx(wanted, rel=1e-13)
    for smoothing in (0.0, 0.1, 0.5):
        peer = torch.nn.functional.cross_entropy(
            torch.tensor(logits), torch.tensor(labels), label_smoothing=smoothing, reduction="none"
        )
        wanted = np.average(peer.numpy(), weights=weight)
        for one, given in ((SoftmaxCrossEntropy(smoothing), logits),
                           (CategoricalCrossEntropy(smoothing), chances)):  # fmt: skip
            assert one.mean(labels, given, weight) == pytest.approx(wanted, rel=1e-12)
    wanted = np.average((np.array(COSTS)[labels] * chances).sum(1), weights=weight)
    assert CostMatrix(COSTS).mean(labels, chances, weight) == pytest.approx(wanted, rel=1e-13)


@each
def test_the_mean_is_correctly_rounded_whatever_the_order(one):
    labels, given = points(one, 3000)
    exact = float(sum(map(Fraction, one.value(labels, given).tolist())) / 3000)
    order = np.random.default_rng(3).permutation(3000)
    assert one.mean(labels, given) == one.mean(labels[order], given[order]) == exact


# Values among values, names of classes


@each
def test_losses_are_values(one):
    for twin in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one), eval(repr(one))):
        assert twin == one
        assert hash(twin) == hash(one)
    assert {one, copy.copy(one)} == {one}
    with pytest.raises(AttributeError):
        one.classes = (1, 2)


def test_classes_name_the_columns():
    given = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]
    plain = CategoricalCrossEntropy().value([2, 0], given)
    for classes in (["no", "maybe", "yes"], [10, 20, 30], [True, None, "yes"]):
        labels = np.array([classes[2], classes[0]], dtype=object)
        found = CategoricalCrossEntropy(classes=classes).value(labels, given)
        assert found.tolist() == plain.tolist()
    found = CategoricalBrier(classes=[5, 7]).value(torch.tensor([7]), torch.tensor([[0.0, 1.0]]))
    assert found.tolist() == [0]


def test_labels_of_every_kind():
    given = np.array([[0.75, 0.25], [0.5, 0.5]])
    wanted = CategoricalBrier().value([1, 0], given).tolist()
    for labels in (np.uint8([1, 0]), [1.0, 0.0], [True, False], np.array([[1], [0]])):
        assert CategoricalBrier().value(labels, given).tolist() == wanted


# Bad input


@pytest.mark.parametrize(
    ("labels", "given", "says"),
    [
        ([0, 3], [[0.5, 0.5]] * 2, "y_true is 3 in row 2 .*classes are 0 to 1"),
        ([0, -1], [[0.5, 0.5]] * 2, "y_true is -1 in row 2"),
        ([0.5], [[0.5, 0.5]], "y_true is 0.5 in row 1"),
        ([math.nan], [[0.5, 0.5]], "y_true is nan in row 1"),
        (["cat"], [[0.5, 0.5]], "y_true holds 'cat'; without classes="),
        ([0, 1], [[0.5, 0.5], [0.5, 0.51]], "row 2 .* add up to 1.01, which is 0.01 too much"),
        ([0, 1, 1], [[0.5, 0.5], [0.5, 0.4], [0.2, 0.2]], "0.1 too little; so do 1 more"),
        ([0, 1], [[0.5, 0.5], [1.5, -0.5]], "y_pred is 1.5 in row 2, column 1"),
        ([0], [[0.5, math.nan]], "y_pred is nan in row 1, column 2"),
        ([0, 1, 1], [[0.5, 0.5]] * 2, r"shape \(3,\) and y_pred \(2, 2\)"),
        ([0, 1], [0.5, 0.5], r"shape \(2,\) and y_pred \(2,\)"),
        ([0, 1], [[1.0], [1.0]], "one column"),
        ([], np.empty((0, 2)), "no rows"),
    ],
)
def test_what_does_not_fit_is_named(labels, given, says):
    for convert in (np.asarray, lambda x: torch.tensor(np.asarray(x))):
        if convert is not np.asarray and (labels == ["cat"] or not labels):
            continue
        with pytest.raises(DataError, match=says):
            CategoricalCrossEntropy().mean(convert(labels), convert(given))


def test_coarser_types_may_add_up_more_coarsely():
    given = torch.softmax(torch.randn(50, 1000), -1)
    for kind in (torch.float32, torch.bfloat16):
        assert CategoricalCrossEntropy().value(torch.zeros(50).long(), given.to(kind)).dtype == kind


def test_while_jax_compiles_a_label_without_a_column_is_nan():
    given = jnp.asarray([[0.5, 0.5], [0.5, 0.5]])
    for one in (CategoricalBrier(), SoftmaxCrossEntropy(), CostMatrix([[0, 1], [1, 0]])):
        found = jax.jit(one.value)(jnp.asarray([0, 2]), given)
        assert np.isnan(found).tolist() == [False, True]
    with pytest.raises(DataError, match="leave out classes="):
        jax.jit(CategoricalBrier(classes=[1, 2]).value)(jnp.asarray([1, 2]), given)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SoftmaxCrossEntropy(1.0), "smoothing is 1.0"),
        (lambda: CategoricalCrossEntropy(-0.1), "smoothing is -0.1"),
        (lambda: CategoricalFocal(0), "gamma is 0"),
        (lambda: CostMatrix([[0, 1]]), r"costs has shape \(1, 2\)"),
        (lambda: CostMatrix([[0, math.inf], [1, 0]]), "finite"),
        (lambda: CategoricalBrier(classes=["a", "a"]), "twice"),
    ],
)
def test_wrong_parameters_are_refused(make, says):
    with pytest.raises(FormulaError, match=says):
        make()


def test_classes_and_costs_are_as_many_as_columns():
    given = [[0.5, 0.5]]
    for one, says in (
        (CategoricalBrier(classes="abc"), "names 3 classes, and y_pred has 2"),
        (CategoricalBrier(classes="ab"), "y_true is 'c' in row 1 .* classes 'a', 'b'"),
    ):
        with pytest.raises(OffbyError, match=says):
            one.value(["c"], given)
    with pytest.raises(DataError, match="costs is 3 x 3, and y_pred has 2 columns"):
        CostMatrix(COSTS).value([0], given)
