"""The one table of primitives: everything that reads, derives, runs or prints a formula reads it.

A row holds the derivative towards each argument, the form that NumPy, torch and JAX share (they
agree on the names used here, so one function of their namespace `xp` serves all three), the form
in the compiled loop, and the LaTeX form. To add a primitive, add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offby.errors import FormulaError
from offby.formula import stable
from offby.formula import words as f
from offby.formula.expression import Expression, constant

Derivative = Callable[..., Expression]


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
            stable.sigmoid,
            "sigmoid({0})",
            r"\sigma\left({0}\right)",
        ),
        Primitive(
            "softplus",
            (f.sigmoid,),
            stable.softplus,
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
            stable.logcosh,
            "logcosh({0})",
            r"\log\cosh\left({0}\right)",
        ),
        Primitive(
            "xlogy",
            (lambda x, t: f.log(t), f.ratio),
            stable.xlogy,
            "xlogy({0}, {1})",
            r"{0} \log\left({1}\right)",
            5,
        ),
        Primitive(
            "xlog1py",
            (lambda x, t: f.log1p(t), lambda x, t: f.ratio(x, 1 + t)),
            stable.xlog1py,
            "xlog1py({0}, {1})",
            r"{0} \log\left(1 + {1}\right)",
            5,
        ),
        # divided twice, since t**2 may underflow where x / t / t does not
        Primitive(
            "ratio",
            (lambda x, t: 1 / t, lambda x, t: -f.ratio(f.ratio(x, t), t)),
            lambda xp, x, t: x / xp.where((x == 0) & (t == 0), 1.0, t),
            "{0} / select(({0} == 0.0) & ({1} == 0.0), 1.0, {1})",
            r"\frac{{{0}}}{{{1}}}",
            8,
        ),
        Primitive(
            "bd0",
            (lambda x, m: f.log(x / m), lambda x, m: (m - x) / m),
            stable.bd0,
            "bd0({0}, {1})",
            r"\left({0} \log\frac{{{0}}}{{{1}}} + {1} - {0}\right)",
        ),
        Primitive(
            "itakura_saito",
            (lambda x, m: (x - m) / (x * m), lambda x, m: (m - x) / m**2),
            lambda xp, x, m: stable.bd0(xp, m, x) / m,
            "bd0({1}, {0}) / {1}",
            r"\left(\frac{{{0}}}{{{1}}} - \log\frac{{{0}}}{{{1}}} - 1\right)",
        ),
        Primitive(
            "tweedie_divergence",
            (_tweedie_towards_truth, lambda x, m, power: (m - x) / m**power, _no_rule),
            stable.tweedie,
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
