"""Programs: any formulas side by side, in few registers, computing what arrays compute."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offby.engine import evaluate as evaluating
from offby.engine.evaluate import compute
from offby.engine.loop import OPERATIONS
from offby.formula import p, r, sqrt, where, y
from offby.formula.arrays import evaluate
from offby.formula.expression import apply, constant

EXACT = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "negative": 1, "abs": 1, "sqrt": 1,
         "maximum": 2, "minimum": 2, "where": 3, "less": 2, "equal": 2, "sign": 1}  # fmt: skip
GROWN = st.recursive(
    st.sampled_from([y, p, r]) | st.floats(-4, 4).map(constant),
    lambda inner: st.sampled_from(list(EXACT)).flatmap(
        lambda op: st.tuples(*[inner] * EXACT[op]).map(lambda args: apply(op, *args))
    ),
    max_leaves=30,
)


@given(st.lists(GROWN, min_size=1, max_size=5), st.integers(1, 700))
@settings(max_examples=150)
def test_programs_compute_what_arrays_do(roots, n):
    """Registers are used again only once nothing needs them: any formulas, side by side."""
    rng = np.random.default_rng(n)
    values = {y: rng.normal(size=n), p: rng.integers(-2, 3, n).astype(float)}
    with np.errstate(all="ignore"):
        wanted = [np.broadcast_to(evaluate(root, values), (n,)) for root in roots]
    for found, right in zip(compute(roots, values), wanted, strict=True):
        assert np.array_equal(found, right, equal_nan=True)


@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 5_000])
@pytest.mark.parametrize("step", [1, 3, -2])
def test_single_precision_is_read_as_it_lies_and_rounded_once(n, step):
    rng = np.random.default_rng(n)
    single = rng.normal(size=n * abs(step)).astype(np.float32)[::step][:n]
    double = rng.normal(size=n)
    roots = [y * p + 1, p * 1e30]
    wanted = single.astype(float) * double + 1, single.astype(float) * 1e30
    for values in ({y: double, p: single}, {p: single, y: double}):
        for found, right in zip(compute(roots, values), wanted, strict=True):
            assert np.array_equal(found, right)
        for found, right in zip(compute(roots, values, np.float32), wanted, strict=True):
            assert found.dtype == np.float32
            assert np.array_equal(found, right.astype(np.float32))
    whole = single.reshape(1, n)
    (found,) = compute([p - y], {p: whole, y: np.float32(0.1)}, np.float32)
    assert np.array_equal(found, whole - np.float32(0.1))


@pytest.mark.parametrize("divisor", [0.5, -4.0, 2.0**-1074, 2.0**1023, 3.0, math.inf])
def test_division_by_a_constant_is_division(divisor):
    values = np.array([3.0, 1e-300, 5e-324, 1e300, 0.0, -7e-310])
    with np.errstate(all="ignore"):
        wanted = values / divisor
    assert np.array_equal(compute([y / divisor], {y: values})[0], wanted)


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0])
def test_powers_are_numpys_to_a_few_ulps(exponent):
    values = np.concatenate([np.exp(np.linspace(-60, 60, 999)), [0.0, -2.0, np.inf, np.nan, -0.0]])
    with np.errstate(all="ignore"):
        wanted = values**exponent
    (found,) = compute([y**exponent], {y: values})
    np.testing.assert_allclose(found, wanted, rtol=2e-15)


def test_a_shared_part_is_computed_once():
    shared = sqrt(abs(r))
    roots = (shared + 1, shared * 2, where(shared < 1, shared, 1))
    program = evaluating._program(evaluating._Task(roots, (y, p)))
    operations = [int(row[0]) for row in program.code]
    assert operations.count(OPERATIONS["sqrt"]) == 1
    assert operations.count(OPERATIONS["subtract"]) == 1


def test_registers_are_few():
    formula = r
    for k in range(200):
        formula = abs(formula - k)
    program = evaluating._program(evaluating._Task((formula,), (y, p)))
    assert program.registers - len(program.constants) <= 6
