"""The one table of primitives: everything that reads, derives, runs or prints a formula reads it.

A row holds the derivative towards each argument, the form that NumPy, torch and JAX share (they
agree on the names used here, so one function of their namespace `xp` serves all three), the form
in the compiled loop, and the LaTeX form. To add a primitive, add a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offby.errors import FormulaError
from offby.formula import words as f
from offby.formula.expression import Expression, constant

Derivative = Callable[..., Expression]

LOG_2 = math.log(2.0)


@dataclass(frozen=True)
class Primitive:
    """One operation: how many arguments, its derivatives and its forms."""

    name: str
    derivatives: tuple[Derivative, ...]
    arrays: Callable[..., Any]  # (xp, *arguments): NumPy, torch or JAX
    loop: str  # one element in the compiled loop; {0}, {1}, {2} are the arguments
    latex: str
    strength: int = 9  # how tightly the LaTeX form binds

    @property
    def arity(self) -> int:
        """How many arguments it takes."""
        return len(self.derivatives)


def _one(*_: Expression) -> Expression:
    return constant(1)


def _zero(*_: Expression) -> Expression:
    return constant(0)


def _no_rule(*_: Expression) -> Expression:
    raise FormulaError("tweedie_divergence has no derivative towards its power")


def _tweedie_towards_truth(x: Expression, m: Expression, power: Expression) -> Expression:
    return (x ** (1 - power) - m ** (1 - power)) / (1 - power)


def _tweedie(xp: Any, x: Any, m: Any, power: Any) -> Any:
    """Half the Tweedie deviance, as y^q (expm1(qL)/q - expm1((q-1)L)/(q-1)) with L = log(m/x)."""
    q = 2 - power
    inside = (x > 0) & (m > 0)
    safe, other = xp.where(inside, x, 1.0), xp.where(inside, m, 1.0)
    gap = xp.where(xp.abs(other - safe) < 0.5 * safe, other - safe, 0.0)
    log_ratio = xp.where(gap == 0, xp.log(other / safe), xp.log1p(gap / safe))
    near = log_ratio * log_ratio * tweedie_series(log_ratio, q)
    far = xp.expm1(q * log_ratio) / q - xp.expm1((q - 1) * log_ratio) / (q - 1)
    positive = safe**q * xp.where(xp.abs(log_ratio) * (1 + xp.abs(q)) < 0.1, near, far)
    at_zero = xp.where((x == 0) & (q > 0), xp.where(m > 0, m, 1.0) ** q / q, math.nan)
    return xp.where(m > 0, xp.where(x > 0, positive, at_zero), math.nan)


def tweedie_series(log_ratio: Any, q: Any) -> Any:
    """1/2 + (2q-1) L/6 + ..., the bracket over L^2; ten terms are exact for |qL| < 0.1."""
    total, high, low, scale = 0.0 * log_ratio, 1.0, 1.0, 1.0
    for k in range(2, 12):
        high, low, scale = high * q, low * (q - 1), scale / (k - 1)
        total = total + (high - low) * log_ratio ** (k - 2) * scale / k
    return total


def _logcosh(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    near = xp.expm1(xp.where(size < 1, size, 0.0))
    far = size + xp.log1p(xp.exp(-2 * size)) - LOG_2
    return xp.where(size < 1, xp.log1p(near * near / (2 * (1 + near))), far)


def _softplus(xp: Any, x: Any) -> Any:
    return xp.where(x > 0, x, 0.0 * x) + xp.log1p(xp.exp(-xp.abs(x)))


def _sigmoid(xp: Any, x: Any) -> Any:
    tail = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0, tail) / (1 + tail)


def _xlogy(xp: Any, x: Any, t: Any) -> Any:
    return x * xp.log(xp.where((x == 0) & (t == t), 1.0, t))  # x = 0 wins over log(0), not over NaN


def _bd0(xp: Any, x: Any, m: Any) -> Any:
    total = x + m
    v = (x - m) / xp.where(total == 0, 1.0, total)
    near = (x - m) * v + x * v * bd0_series(v * v)
    ratio = xp.where((x > 0) & (m > 0), x / xp.where(m == 0, 1.0, m), 1.0)
    far = xp.where((m == 0) & (x > 0), math.inf, x * xp.log(ratio) + (m - x))
    inside = (x >= 0) & (m >= 0)
    return xp.where(inside, xp.where(xp.abs(v) < 0.1, near, far), math.nan)


def bd0_series(square: Any) -> Any:
    """2 (v^2/3 + v^4/5 + ...): for |v| < 0.1 the first term left out is below 1e-20."""
    series = square * 0.0
    for odd in (19, 17, 15, 13, 11, 9, 7, 5, 3):
        series = (series + 2.0 / odd) * square
    return series


def _rows() -> list[Primitive]:
    def compare(name: str, sign: str, latex: str, array: Callable[..., Any]) -> Primitive:
        return Primitive(
            name, (_zero, _zero), array, f"1.0 if {{0}} {sign} {{1}} else 0.0", latex, 3
        )

    return [
        Primitive("add", (_one, _one), lambda xp, a, b: a + b, "{0} + {1}", "{0} + {1}", 4),
        Primitive(
            "subtract",
            (_one, lambda a, b: constant(-1)),
            lambda xp, a, b: a - b,
            "{0} - {1}",
            "{0} - {1}",
            4,
        ),
        Primitive(
            "multiply",
            (lambda a, b: b, lambda a, b: a),
            lambda xp, a, b: a * b,
            "{0} * {1}",
            r"{0} \, {1}",
            5,
        ),
        Primitive(
            "divide",
            (lambda a, b: 1 / b, lambda a, b: -a / b**2),
            lambda xp, a, b: a / b,
            "{0} / {1}",
            r"\frac{{{0}}}{{{1}}}",
            8,
        ),
        Primitive(
            "power",
            (lambda a, b: b * a ** (b - 1), lambda a, b: f.log(a) * a**b),
            lambda xp, a, b: a**b,
            "power({0}, {1})",
            "{0}^{{{1}}}",
            7,
        ),
        Primitive("negative", (lambda a: constant(-1),), lambda xp, a: -a, "-{0}", "-{0}", 4),
        Primitive("abs", (f.sign,), lambda xp, a: xp.abs(a), "abs({0})", r"\left|{0}\right|"),
        Primitive(
            "sign",
            (_zero,),
            lambda xp, a: xp.where(a == a, xp.sign(a), a),  # torch takes the sign of NaN for 0
            "{0} if {0} == 0.0 or {0} != {0} else copysign(1.0, {0})",
            r"\operatorname{{sign}}\left({0}\right)",
        ),
        Primitive(
            "sqrt",
            (lambda a: 1 / (2 * f.sqrt(a)),),
            lambda xp, a: xp.sqrt(a),
            "sqrt({0})",
            r"\sqrt{{{0}}}",
        ),
        Primitive("exp", (f.exp,), lambda xp, a: xp.exp(a), "exp({0})", r"e^{{{0}}}", 7),
        Primitive(
            "expm1",
            (f.exp,),
            lambda xp, a: xp.expm1(a),
            "expm1({0})",
            r"\left(e^{{{0}}} - 1\right)",
        ),
        Primitive(
            "log",
            (lambda a: 1 / a,),
            lambda xp, a: xp.log(a),
            "log({0})",
            r"\log\left({0}\right)",
        ),
        Primitive(
            "log1p",
            (lambda a: 1 / (1 + a),),
            lambda xp, a: xp.log1p(a),
            "log1p({0})",
            r"\log\left(1 + {0}\right)",
        ),
        Primitive(
            "sigmoid",
            (lambda a: f.sigmoid(a) * f.sigmoid(-a),),
            _sigmoid,
            "sigmoid({0})",
            r"\sigma\left({0}\right)",
        ),
        Primitive(
            "softplus",
            (f.sigmoid,),
            _softplus,
            "softplus({0})",
            r"\log\left(1 + e^{{{0}}}\right)",
        ),
        # 4 s(2x) s(-2x) is 1 - tanh(x)^2 without the cancellation in the tails
        Primitive(
            "tanh",
            (lambda a: 4 * f.sigmoid(2 * a) * f.sigmoid(-2 * a),),
            lambda xp, a: xp.tanh(a),
            "tanh({0})",
            r"\tanh\left({0}\right)",
        ),
        Primitive(
            "logcosh",
            (f.tanh,),
            _logcosh,
            "logcosh({0})",
            r"\log\cosh\left({0}\right)",
        ),
        Primitive(
            "xlogy",
            (lambda x, t: f.log(t), lambda x, t: x / t),
            _xlogy,
            "xlogy({0}, {1})",
            r"{0} \log\left({1}\right)",
            5,
        ),
        Primitive(
            "bd0",
            (lambda x, m: f.log(x / m), lambda x, m: (m - x) / m),
            _bd0,
            "bd0({0}, {1})",
            r"\left({0} \log\frac{{{0}}}{{{1}}} + {1} - {0}\right)",
        ),
        Primitive(
            "itakura_saito",
            (lambda x, m: (x - m) / (x * m), lambda x, m: (m - x) / m**2),
            lambda xp, x, m: _bd0(xp, m, x) / m,
            "bd0({1}, {0}) / {1}",
            r"\left(\frac{{{0}}}{{{1}}} - \log\frac{{{0}}}{{{1}}} - 1\right)",
        ),
        Primitive(
            "tweedie_divergence",
            (_tweedie_towards_truth, lambda x, m, power: (m - x) / m**power, _no_rule),
            _tweedie,
            "tweedie_divergence({0}, {1}, {2})",
            r"d_{{{2}}}\left({0}, {1}\right)",
        ),
        Primitive(
            "maximum",
            (lambda a, b: f.where(a >= b, 1, 0), lambda a, b: f.where(a >= b, 0, 1)),
            lambda xp, a, b: xp.where((a >= b) | (a != a), a, b),
            "select(({0} >= {1}) | ({0} != {0}), {0}, {1})",
            r"\max\left({0}, {1}\right)",
        ),
        Primitive(
            "minimum",
            (lambda a, b: f.where(a <= b, 1, 0), lambda a, b: f.where(a <= b, 0, 1)),
            lambda xp, a, b: xp.where((a <= b) | (a != a), a, b),
            "select(({0} <= {1}) | ({0} != {0}), {0}, {1})",
            r"\min\left({0}, {1}\right)",
        ),
        Primitive(
            "where",
            (_zero, lambda c, a, b: f.where(c, 1, 0), lambda c, a, b: f.where(c, 0, 1)),
            lambda xp, c, a, b: xp.where(c != 0, a, b),
            "select({0} != 0.0, {1}, {2})",
            r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
        ),
        compare("less", "<", "{0} < {1}", lambda xp, a, b: (a < b) * 1.0),
        compare("less_equal", "<=", r"{0} \le {1}", lambda xp, a, b: (a <= b) * 1.0),
        compare("greater", ">", "{0} > {1}", lambda xp, a, b: (a > b) * 1.0),
        compare("greater_equal", ">=", r"{0} \ge {1}", lambda xp, a, b: (a >= b) * 1.0),
        compare("equal", "==", "{0} = {1}", lambda xp, a, b: (a == b) * 1.0),
        compare("not_equal", "!=", r"{0} \ne {1}", lambda xp, a, b: (a != b) * 1.0),
        Primitive(
            "logical_and",
            (_zero, _zero),
            lambda xp, a, b: ((a != 0) & (b != 0)) * 1.0,
            "1.0 if ({0} != 0.0) & ({1} != 0.0) else 0.0",
            r"{0} \wedge {1}",
            2,
        ),
        Primitive(
            "logical_or",
            (_zero, _zero),
            lambda xp, a, b: ((a != 0) | (b != 0)) * 1.0,
            "1.0 if ({0} != 0.0) | ({1} != 0.0) else 0.0",
            r"{0} \vee {1}",
            1,
        ),
        Primitive(
            "logical_not",
            (_zero,),
            lambda xp, a: (a == 0) * 1.0,
            "1.0 if {0} == 0.0 else 0.0",
            r"\neg {0}",
            6,
        ),
    ]


PRIMITIVES = {row.name: row for row in _rows()}
