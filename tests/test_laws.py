"""The laws that every measure keeps, whatever it measures; a new measure is tested by its name."""

import math

import numpy as np
import pytest
from passes import measured, passed

from offby.losses import NAMES, BinaryLoss, from_text
from offby.measures.finish import measurement
from offby.measures.names import known_names, resolve

EVERY = known_names()
each = pytest.mark.parametrize("name", EVERY)
MOVABLE = [
    "mse", "rmse", "mae", "bias", "r2", "explained_variance", "squared_correlation", "max_error",
    "median_absolute_error", "d2_absolute", "d2_pinball:0.9", "error_quantile:0.9",
    "squared_error_share:0.01", "absolute_error_share:0.01", "squared", "absolute", "huber:1",
    "pseudo_huber:1", "log_cosh", "pinball:0.5", "expectile:0.5", "epsilon_insensitive:0.1",
    "cauchy:2.3849", "welsch:2.9846", "tukey:4.6851",
]  # fmt: skip
"""Those that depend on differences only."""


def kind(name):
    """What the measure is of: amounts, or the chances or scores of a yes or no."""
    loss = NAMES.get(name.partition(":")[0])
    if loss is None or not issubclass(loss, BinaryLoss):
        return "amounts"
    return "chances" if loss.scale == "identity" else "scores"


KINDS = {wanted: [name for name in EVERY if kind(name) == wanted]
         for wanted in ("amounts", "chances", "scores")}  # fmt: skip
of_each_kind = pytest.mark.parametrize("wanted", KINDS)


def table(n=1200, seed=0, wanted="amounts"):
    """Positive, with ties and a long tail, so that every measure exists; or labels and guesses."""
    rng = np.random.default_rng(seed)
    if wanted != "amounts":
        score = rng.normal(size=n) * 2
        chance = 1 / (1 + np.exp(-score))
        truth = (rng.random(n) < chance).astype(float)
        return truth, chance if wanted == "chances" else score
    truth = np.exp(rng.normal(size=n)) * 3 + 0.1
    truth[::7] = np.round(truth[::7]) + 1
    return truth, truth * np.exp(0.4 * rng.normal(size=n)) + 0.01


def values(found):
    return {name: m.value for name, m in found.items()}


def close(a, b, within):
    """Whether two numbers are near, or both are none."""
    return a is b is None or a == pytest.approx(b, rel=within)


WHOLE = {name: found for wanted, names in KINDS.items()
         for name, found in measured(names, *table(wanted=wanted)).items()}  # fmt: skip


# Bits


@each
def test_every_measure_has_a_value_an_error_and_an_interval_here(name):
    found = WHOLE[name]
    assert math.isfinite(found.value)
    if name == "max_error" or "share" in name:
        assert found.standard_error is None or found.standard_error > 0
        assert found.standard_error or found.unsure
    else:
        assert found.standard_error > 0
        assert found.low < found.value < found.high


@each
def test_alone_as_beside_the_others(name):
    alone = measured(name, *table(wanted=kind(name)))[name]
    assert alone.value == WHOLE[name].value
    assert close(alone.standard_error, WHOLE[name].standard_error, 1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
@of_each_kind
def test_no_order_no_cuts_and_no_tree_change_a_bit(weighted, seed, wanted):
    rng = np.random.default_rng(seed)
    truth, prediction = table(wanted=wanted)
    weight = rng.gamma(1, 2, truth.size) if weighted else None
    whole = measured(KINDS[wanted], truth, prediction, weight)
    order = rng.permutation(truth.size)
    rows = [column if column is None else column[order] for column in (truth, prediction, weight)]
    cuts = np.sort(rng.integers(0, truth.size, 5))
    for how in ({}, {"cuts": cuts}, {"cuts": cuts, "trees": rng}):
        found = measured(KINDS[wanted], *rows, **how)
        assert values(found) == values(whole)
        for name, other in found.items():
            assert close(other.standard_error, whole[name].standard_error, 1e-9), name


# Weights


@of_each_kind
def test_a_weight_of_k_is_k_copies_and_a_weight_of_0_is_no_row(wanted):
    names = KINDS[wanted]
    truth, prediction = table(300, wanted=wanted)
    weight = np.random.default_rng(1).integers(0, 4, truth.size)
    copies = np.repeat(np.arange(truth.size), weight)
    weighted = measured(names, truth, prediction, weight)
    assert values(weighted) == values(measured(names, truth[copies], prediction[copies]))
    there = weight > 0
    without = measured(names, truth[there], prediction[there], weight[there])
    for name in names:
        assert without[name].value == weighted[name].value
        assert without[name].standard_error == weighted[name].standard_error, name


@pytest.mark.parametrize("factor", [2.0**-40, 3.0, 1e9])
@of_each_kind
def test_scaling_all_weights_changes_nothing(factor, wanted):
    names = KINDS[wanted]
    truth, prediction = table(400, wanted=wanted)
    weight = np.random.default_rng(2).gamma(2, 1, truth.size)
    before = measured(names, truth, prediction, weight)
    after = measured(names, truth, prediction, weight * factor)
    for name in names:
        assert close(after[name].value, before[name].value, 1e-13), name
        assert close(after[name].standard_error, before[name].standard_error, 1e-9)


@of_each_kind
def test_equal_weights_are_none(wanted):
    names = KINDS[wanted]
    truth, prediction = table(400, wanted=wanted)
    plain, weighted = (measured(names, truth, prediction, w) for w in (None, np.full(400, 0.25)))
    for name in names:
        assert close(weighted[name].value, plain[name].value, 1e-14), name
        assert close(weighted[name].standard_error, plain[name].standard_error, 1e-9)
        assert close(weighted[name].low, plain[name].low, 1e-9)


# Shifts and units


@pytest.mark.parametrize("shift", [1e8, -(2.0**30)])
def test_moving_the_origin_changes_nothing(shift):
    rng = np.random.default_rng(3)
    grid = 2.0**-20  # so that moving is exact
    truth = np.round(rng.normal(size=900) / grid) * grid
    prediction = truth + np.round(rng.normal(size=900) * 0.3 / grid) * grid
    near = measured(MOVABLE, truth, prediction)
    far = measured(MOVABLE, truth + shift, prediction + shift)
    for name in MOVABLE:
        assert far[name].value == near[name].value, name
        assert close(far[name].standard_error, near[name].standard_error, 1e-6), name


def rescaled(name, factor):
    """The measure with the parameters that carry units of y scaled along."""
    if name.partition(":")[0] not in NAMES:
        return name
    loss = from_text(name)
    units = {spec.name: spec.units for spec in loss.parameter_specs}
    return str(loss.with_parameters(
        **{key: x * (factor if units[key] == "y" else 1) for key, x in loss.parameters.items()}
    ))  # fmt: skip


SCALED = [name for name in EVERY if resolve(name)[0].units in ("y", "y²") or name in (
    "r2", "explained_variance", "squared_correlation", "mape", "smape", "wape", "d2_absolute",
    "d2_pinball:0.9", "d2_gamma", "d2_poisson", "d2_tweedie:1.5", "gamma", "absolute_percentage",
    "squared_error_share:0.01", "absolute_error_share:0.01")]  # fmt: skip


@pytest.mark.parametrize("factor", [2.0**-30, 1000.0])
def test_another_unit_rescales_by_the_units_and_changes_no_verdict(factor):
    truth, prediction = table(800)
    before = measured(SCALED, truth, prediction)
    names = [rescaled(name, factor) for name in SCALED]
    after = list(measured(names, truth * factor, prediction * factor).values())
    for (name, old), new in zip(before.items(), after, strict=True):
        scale = factor ** {"y": 1, "y²": 2, "1": 0}[old.units]
        assert new.units == old.units
        for was, now in ((old.value, new.value), (old.standard_error, new.standard_error),
                         (old.low, new.low), (old.high, new.high)):  # fmt: skip
            wanted = None if was is None else was * scale
            assert close(now, wanted, 1e-8), name


def test_rmse_and_mse_have_one_interval():
    for root, square in (("rmse", "mse"), ("rmsle", "msle")):
        assert WHOLE[root].low == pytest.approx(math.sqrt(WHOLE[square].low), rel=1e-12)
        assert WHOLE[root].high == pytest.approx(math.sqrt(WHOLE[square].high), rel=1e-12)


# Edges: undefined with a reason, never NaN, never an exception

EDGES = {
    "one row": ([2.0], [3.0]),
    "perfect": ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]),
    "constant truth": ([2.0, 2.0, 2.0], [1.0, 2.0, 4.0]),
    "constant prediction": ([1.0, 2.0, 4.0], [2.0, 2.0, 2.0]),
    "all constant": ([2.0] * 5, [3.0] * 5),
    "zeros": ([0.0, 0.0], [0.0, 0.0]),
    "negative": ([-1.0, -2.0, -5.0], [-1.5, -1.0, -2.0]),
    "a zero target": ([0.0, 1.0, 3.0], [1.0, 1.0, 2.0]),
    "a zero prediction": ([1.0, 1.0, 3.0], [0.0, 1.0, 2.0]),
    "huge": ([1e300, -1e300, 1e200], [-1e300, 1e300, 1e200]),
    "tiny": ([1e-300, 3e-300, 5e-324], [2e-300, 1e-300, 5e-324]),
    "no rows": ([], []),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("weighted", [False, True])
def test_edges(edge, weighted):
    truth, prediction = (np.array(column) for column in EDGES[edge])
    weight = np.linspace(1, 2, truth.size) if weighted else None
    for name, found in measured(EVERY, truth, prediction, weight).items():
        assert (found.value is None) == bool(found.undefined), name
        assert found.value is None or not math.isnan(found.value)
        parts = (found.standard_error, found.low, found.high)
        assert all(x is None for x in parts) or not any(map(math.isnan, parts)), name
        assert parts[0] is not None or found.unsure or found.undefined, name
        if parts[0] is not None:
            assert parts[1] <= found.value <= parts[2], name
    if edge == "no rows":
        assert found.undefined


def test_all_weights_zero_are_no_rows():
    for found in measured(EVERY, [1.0, 2.0], [2.0, 3.0], [0.0, 0.0]).values():
        assert found.value is None
        assert "no rows" in found.undefined


def test_reasons_name_the_rows():
    found = measured("mape,gamma,msle,r2", [1.0, 0.0, -2.0], [1.0, 1.0, -3.0])
    assert "row 3" in found["msle"].undefined
    assert "2 rows" in found["gamma"].undefined
    assert "row 2" in found["gamma"].undefined
    assert found["mape"].value is None or math.isinf(found["mape"].value)
    assert "row 2" in (found["mape"].undefined or found["mape"].unsure)


def test_a_copy_of_the_state_is_not_needed_to_ask_twice():
    measures, state = passed("mse,median_absolute_error,r2", *table(500))
    first = [measurement(state, m, 0.95) for m in measures]
    assert [measurement(state, m, 0.95) for m in measures] == first
    wide = [measurement(state, m, 0.99) for m in measures]
    assert all(a.low < b.low < b.high < a.high for a, b in zip(wide, first, strict=True))
