"""Derivatives, by the chain rule over the table of primitives.

The prediction is `p` (or `z`, where it is on the log or logit scale), and r = p - y moves with it.
Derivatives are those of ordinary calculus with sign(0) = 0: no distributions, no jumps counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from offby.formula.expression import LEAVES, Expression, constant, node, walk
from offby.formula.primitives import PRIMITIVES
from offby.formula.words import p, r, y, z

_ZERO, _ONE, _MINUS_ONE = constant(0), constant(1), constant(-1)
PREDICTION = {p: _ONE, z: _ONE, r: _ONE}
TRUTH = {y: _ONE, r: _MINUS_ONE}


def derivative(root: Expression, towards: Mapping[Expression, Expression]) -> Expression:
    """d root, where `towards` holds the derivative of each node that moves.

    >>> from offby.formula import derive, r, logcosh
    >>> derive.derivative(logcosh(r), derive.PREDICTION)
    tanh(r)
    """
    moves: dict[Expression, Expression] = {}
    for current in walk(root):
        if current in towards:
            moves[current] = towards[current]
        elif current.op in LEAVES or all(_is(moves[arg], 0) for arg in current.args):
            moves[current] = _ZERO
        else:
            moves[current] = _chain(current, moves)
    return moves[root]


def gradient(root: Expression) -> Expression:
    """The derivative towards the prediction."""
    return derivative(root, PREDICTION)


def hessian(root: Expression) -> Expression:
    """The true second derivative towards the prediction."""
    return gradient(gradient(root))


def _chain(current: Expression, moves: Mapping[Expression, Expression]) -> Expression:
    total = _ZERO
    if current.op == "where":  # one branch moves at a time
        condition, yes, no = current.args
        return _where(condition, moves[yes], moves[no])
    if current.op == "divide" and _is(moves[current.args[1]], 0):
        return _over(moves[current.args[0]], current.args[1])
    for arg, rule in zip(current.args, PRIMITIVES[current.op].derivatives, strict=True):
        if not _is(moves[arg], 0):
            total = _plus(total, _times(simplify(rule(*current.args), current.args), moves[arg]))
    return total


def simplify(root: Expression, keep: Iterable[Expression] = ()) -> Expression:
    """Constants folded, and x*1, x+0, x*0, x**1 gone; nothing else, nor inside `keep`."""
    done = {kept: kept for kept in keep}
    for current in walk(root, done.copy()):
        args = [done[arg] for arg in current.args]
        done[current] = current if not args else _rebuild(current, args)
    return done[root]


def _rebuild(current: Expression, args: list[Expression]) -> Expression:
    build: dict[str, Callable[..., Expression]] = {
        "add": _plus, "multiply": _times, "power": _power, "negative": _negative
    }  # fmt: skip
    if all(arg.op == "constant" for arg in args) and current.op != "divide":
        with np.errstate(all="ignore"):
            value = PRIMITIVES[current.op].arrays(np, *(np.float64(arg.data) for arg in args))
        return constant(float(value))
    if current.op == "where":
        return _where(*args)
    if current.op in build:
        return build[current.op](*args)
    return node(current.op, tuple(args), current.data)


def _is(current: Expression, value: float) -> bool:
    return current.op == "constant" and current.data == value


def _plus(a: Expression, b: Expression) -> Expression:
    if _is(a, 0) or _is(b, 0):
        return b if _is(a, 0) else a
    if b.op == "negative":
        return a - b.args[0]
    return a + b


def _times(a: Expression, b: Expression) -> Expression:
    if a.op == b.op == "constant":
        return constant(a.data * b.data)
    if a.op == "constant" and b.op == "multiply" and b.args[0].op == "constant":
        return _times(constant(a.data * b.args[0].data), b.args[1])
    if _is(a, 0) or _is(b, 0):
        return _ZERO
    if _is(a, 1) or _is(b, 1):
        return b if _is(a, 1) else a
    if _is(a, -1) or _is(b, -1):
        return _negative(b if _is(a, -1) else a)
    return a * b


def _over(a: Expression, b: Expression) -> Expression:
    if _is(a, 0):
        return _ZERO
    if b.op == "constant" and a.op == "constant":
        return constant(a.data / b.data)
    if b.op == "constant" and a.op == "multiply" and a.args[0].op == "constant":
        return _times(constant(a.args[0].data / b.data), a.args[1])
    return a / b


def _power(a: Expression, b: Expression) -> Expression:
    if _is(b, 1) or _is(b, 0):
        return a if _is(b, 1) else _ONE
    return a**b


def _negative(a: Expression) -> Expression:
    if a.op == "constant":
        return constant(-a.data)
    return a.args[0] if a.op == "negative" else -a


def _where(condition: Expression, yes: Expression, no: Expression) -> Expression:
    if yes is no:
        return yes
    return node("where", (condition, yes, no))
