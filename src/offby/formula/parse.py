"""Text to formula, safely: Python's own grammar reads it, and nothing is ever evaluated."""

from __future__ import annotations

import ast
import difflib
import math
import warnings
from collections.abc import Mapping

from offby.errors import FormulaError
from offby.formula.expression import Expression, apply, constant, parameter
from offby.formula.primitives import PRIMITIVES
from offby.formula.words import p, r, w, y, z

SYMBOLS = {"y": y, "p": p, "r": r, "z": z, "w": w, "y_true": y, "y_pred": p}
_NUMBERS = {"nan": constant(float("nan")), "inf": constant(float("inf"))}
_NUMBERS = {"inf": constant(math.inf), "nan": constant(math.nan)}
_LONGEST, _DEEPEST, _SHOWN = 10_000, 200, 100
_INFIX: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.BitAnd: "logical_and",
    ast.BitOr: "logical_or",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.USub: "negative",
    ast.Invert: "logical_not",
}
_INSTEAD: dict[type[ast.AST], str] = {
    ast.BitXor: "a power is written **",
    ast.BoolOp: "write & for and, | for or, each side in brackets",
    ast.Not: "write ~ for not",
    ast.IfExp: "write where(condition, yes, no)",
    ast.FloorDiv: "only + - * / ** are known",
    ast.Mod: "only + - * / ** are known",
}
_FUNCTIONS = frozenset(PRIMITIVES) - frozenset(_INFIX.values())


def parse(
    text: str,
    names: Mapping[str, Expression] | None = None,
    functions: frozenset[str] = frozenset(),
) -> Expression:
    """The formula that `text` writes down.

    `names` are words allowed beside the columns; `functions` are operations allowed beside the
    primitives. Raises `FormulaError`, naming the piece, on anything outside the language.

    >>> parse("where(r < 0, 5*abs(r), abs(r))")
    where(r < 0, 5*abs(r), abs(r))
    """
    if len(text) > _LONGEST:
        raise FormulaError(f"a formula of {len(text)} characters is too long ({_LONGEST} at most)")
    text = text.strip()
    reader = _Reader(text, {**SYMBOLS, **_NUMBERS, **(names or {})}, _FUNCTIONS | functions)
    return reader.read(_syntax(text), 0)


def _syntax(text: str) -> ast.expr:
    """What Python's grammar makes of the text, unevaluated."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on writing Python
            return ast.parse(text, mode="eval").body
    except (RecursionError, MemoryError) as error:
        raise FormulaError(f"the formula {_short(text)} is nested too deep") from error
    except (SyntaxError, ValueError) as error:
        where = getattr(error, "offset", None)
        place = f" near {text[max(where - 1, 0) :][:20]!r}" if where else ""
        raise FormulaError(
            f"cannot read the formula {_short(text)}{place}: it is not complete or not an "
            "expression such as 'where(r < 0, 5*abs(r), abs(r))'"
        ) from error


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


class _Reader:
    """Walks Python's syntax tree and knows the little language only."""

    def __init__(
        self, text: str, names: Mapping[str, Expression], functions: frozenset[str]
    ) -> None:
        self.text, self.names, self.functions = text, names, functions

    def read(self, tree: ast.expr, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise FormulaError(f"the formula is nested more than {_DEEPEST} deep")
        match tree:
            case ast.Constant(value=bool()):
                raise self.error(tree, "True and False are not part of a formula; write 1 or 0")
            case ast.Constant(value=int() | float()):
                return self.number(tree)
            case ast.Name():
                return self.name(tree)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(tree.operand, depth + 1)
            case ast.UnaryOp():
                return self.operation(tree, tree.op, [tree.operand], depth)
            case ast.BinOp():
                return self.operation(tree, tree.op, [tree.left, tree.right], depth)
            case ast.Compare(ops=[op], comparators=[right]):
                return self.operation(tree, op, [tree.left, right], depth)
            case ast.Compare():
                raise self.error(tree, "write (a < b) & (b < c) for a chain of comparisons")
            case ast.Call():
                return self.call(tree, depth)
        raise self.error(tree, _INSTEAD.get(type(tree), "it is not part of the formula language"))

    def number(self, tree: ast.Constant) -> Expression:
        try:
            return constant(float(tree.value))  # type: ignore[arg-type]
        except OverflowError:
            raise self.error(tree, "the number is too large for float64") from None

    def name(self, tree: ast.Name) -> Expression:
        if tree.id in self.names:
            return self.names[tree.id]
        known = ", ".join(sorted(self.names))
        raise self.error(tree, f"unknown word; known are {known}")

    def operation(
        self, tree: ast.expr, op: ast.AST, args: list[ast.expr], depth: int
    ) -> Expression:
        if type(op) not in _INFIX:
            raise self.error(tree, _INSTEAD.get(type(op), "it is not part of the formula language"))
        parts = [self.read(arg, depth + 1) for arg in args]
        if isinstance(op, ast.USub) and parts[0].op == "constant":
            return constant(-parts[0].data)
        return apply(_INFIX[type(op)], *parts)

    def call(self, tree: ast.Call, depth: int) -> Expression:
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name not in self.functions:
            near = difflib.get_close_matches(name, self.functions, 1)
            hint = (
                f"; did you mean {near[0]}?"
                if near
                else f"; known are {', '.join(sorted(self.functions))}"
            )
            raise self.error(tree.func, "unknown function" + hint)
        if tree.keywords or any(isinstance(arg, ast.Starred) for arg in tree.args):
            raise self.error(tree, "arguments are given by place, not by name")
        if name in PRIMITIVES and len(tree.args) != PRIMITIVES[name].arity:
            raise self.error(
                tree, f"{name} takes {PRIMITIVES[name].arity} arguments, not {len(tree.args)}"
            )
        return apply(name, *(self.read(arg, depth + 1) for arg in tree.args))

    def error(self, tree: ast.AST, why: str) -> FormulaError:
        piece = ast.get_source_segment(self.text, tree) or self.text
        return FormulaError(f"{_short(piece)} in the formula {_short(self.text)}: {why}")


def parameters(**defaults: float) -> dict[str, Expression]:
    """Names for a formula's parameters."""
    return {name: parameter(name) for name in defaults}
