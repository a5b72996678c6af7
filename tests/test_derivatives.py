"""Derivatives against SymPy and finite differences, in the tails and at the kinks."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from offby.formula import (
    bd0,
    constant,
    exp,
    itakura_saito,
    log,
    log1p,
    logcosh,
    maximum,
    p,
    r,
    ratio,
    sigmoid,
    softplus,
    sqrt,
    tanh,
    tweedie_divergence,
    where,
    xlog1py,
    xlogy,
    y,
)
from offby.formula.arrays import evaluate
from offby.formula.derive import PREDICTION, TRUTH, derivative, gradient, hessian, simplify
from offby.formula.expression import walk

_SYMPY = {
    "sign": sympy.sign, "sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log,
    "expm1": lambda a: sympy.exp(a) - 1, "log1p": lambda a: sympy.log(1 + a),
    "sigmoid": lambda a: 1 / (1 + sympy.exp(-a)), "softplus": lambda a: sympy.log(1 + sympy.exp(a)),
    "tanh": sympy.tanh, "logcosh": lambda a: sympy.log(sympy.cosh(a)),
    "xlogy": lambda a, b: a * sympy.log(b), "xlog1py": lambda a, b: a * sympy.log(1 + b),
    "ratio": lambda a, b: a / b, "bd0": lambda a, b: a * sympy.log(a / b) + b - a,
    "itakura_saito": lambda a, b: a / b - sympy.log(a / b) - 1,
    "tweedie_divergence": lambda a, b, q: (
        a ** (2 - q) / ((1 - q) * (2 - q)) - a * b ** (1 - q) / (1 - q) + b ** (2 - q) / (2 - q)
    ),
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "power": lambda a, b: a**b, "negative": lambda a: -a,
}  # fmt: skip
Y, P = sympy.symbols("y p", positive=True)


def as_sympy(formula):
    done = {y: Y, p: P, r: P - Y}
    for current in walk(formula, done.copy()):
        if current.op == "constant":
            done[current] = sympy.Rational(current.data)
        else:
            done[current] = _SYMPY[current.op](*(done[arg] for arg in current.args))
    return done[formula]


SMOOTH = [
    r**2, r**3 / (1 + p**2), sqrt(1 + r**2), exp(-(r**2)), log(p) * y, log1p(p / y),
    softplus(3 * r), sigmoid(r) * p, tanh(r / 2), logcosh(r), xlogy(y, p), bd0(y, p), bd0(p, y),
    xlog1py(y, p), xlog1py(p, y), ratio(y, p), ratio(p, y),
    itakura_saito(y, p), itakura_saito(p, y), tweedie_divergence(y, p, 1.5),
    tweedie_divergence(y, p, 3), p**y, 2**p,
    -(y - p) / p, (p - 1) * (p + 1) / (p * p + 0.5), 1 / (1 + exp(-p)) ** 2,
]  # fmt: skip
POINTS = [(1.0, 1.5), (0.3, 0.1), (12.0, 9.0), (2.0, 2.0000001), (1e-3, 30.0), (25.0, 2e-3)]


@pytest.mark.parametrize("formula", SMOOTH, ids=repr)
@pytest.mark.parametrize(("towards", "symbol"), [(PREDICTION, P), (TRUTH, Y)], ids=["p", "y"])
def test_derivatives_are_sympys(formula, towards, symbol):
    once, exact = derivative(formula, towards), sympy.diff(as_sympy(formula), symbol)
    for order in (1, 2):
        for at in POINTS:
            found = evaluate(once, {y: np.float64(at[0]), p: np.float64(at[1])})
            truth = exact.evalf(40, subs={Y: sympy.Rational(at[0]), P: sympy.Rational(at[1])})
            assert found == pytest.approx(float(truth), rel=1e-9, abs=1e-14), (order, at)
        once, exact = derivative(once, towards), sympy.diff(exact, symbol)


@pytest.mark.parametrize(
    ("formula", "at", "slope"),
    [
        (softplus(r), (0.0, 800.0), 1.0),
        (softplus(r), (0.0, -800.0), 0.0),
        (logcosh(r), (0.0, -1e300), -1.0),
        (tanh(r), (0.0, 300.0), 4 * math.exp(-600)),
        (sigmoid(r), (0.0, -700.0), math.exp(-700)),
        (abs(r), (0.0, 0.0), 0.0),
        (maximum(abs(r) - 1, 0), (0.0, 1e200), 1.0),
        (bd0(y, p), (1e10, 1e10 + 1), 1 / (1e10 + 1)),
        (where(abs(r) <= 1, r**2 / 2, abs(r)), (0.0, 5.0), 1.0),
        (xlogy(y, p), (0.0, 0.0), 0.0),
        (xlog1py(y, -p), (0.0, 1.0), 0.0),
        (xlog1py(y, -p), (1.0, 1e-20), -1.0),
        (ratio(y, p), (0.0, 0.0), 0.0),
        (ratio(y, p), (1e-200, 1e-200), -1e200),
    ],
    ids=repr,
)
def test_slopes_hold_in_the_tails(formula, at, slope):
    found = evaluate(gradient(formula), {y: np.float64(at[0]), p: np.float64(at[1])})
    assert found == pytest.approx(slope, rel=1e-13)


@given(st.sampled_from(SMOOTH), st.floats(0.2, 8), st.floats(0.2, 8))
def test_gradients_are_finite_differences(formula, truth, prediction):
    step = 1e-5 * prediction
    ends = [
        evaluate(formula, {y: np.float64(truth), p: np.float64(prediction + side)})
        for side in (step, -step)
    ]
    slope = evaluate(gradient(formula), {y: np.float64(truth), p: np.float64(prediction)})
    error = 1e-10 * max(map(abs, ends)) / step
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=error + 1e-7)


def test_there_are_no_distributions_at_a_kink():
    assert repr(hessian(abs(r))) == "0"
    assert repr(gradient(where(r < 0, 1, 2))) == "0"
    assert repr(gradient(y * 3)) == "0"


def test_derivatives_stay_readable():
    assert repr(gradient(r**2)) == "2*r"
    assert repr(hessian(r**2)) == "2"
    assert repr(gradient(abs(r))) == "sign(r)"
    assert repr(gradient(softplus(r))) == "sigmoid(r)"
    assert repr(gradient(2 * bd0(y, p))) == "2*((p - y)/p)"


def test_constants_without_a_value_fold_in_silence():
    assert repr(simplify(sqrt(constant(-1)) * r)) == "nan*r"
    assert repr(simplify(log(constant(0)) + r)) == "-inf + r"
