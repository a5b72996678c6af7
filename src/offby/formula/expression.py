"""The expression tree: what is written is what is executed, in that order.

Nodes are frozen and hash-consed: two equal subtrees are one object, so whatever walks the tree by
identity computes a shared subtree once. Nothing is ever reassociated or distributed. The only
simplification is constant folding and ``x*1``, ``x+0``, ``x*0``, which derivatives need to stay
readable.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator
from typing import Any
from weakref import WeakValueDictionary

from offby.errors import FormulaError

LEAVES = frozenset({"symbol", "parameter", "constant"})

# operation -> (how Python writes it, how tightly it binds there: & and | before comparisons)
INFIX = {
    "less": ("<", 1),
    "less_equal": ("<=", 1),
    "greater": (">", 1),
    "greater_equal": (">=", 1),
    "equal": ("==", 1),
    "not_equal": ("!=", 1),
    "logical_or": ("|", 2),
    "logical_and": ("&", 3),
    "add": ("+", 4),
    "subtract": ("-", 4),
    "multiply": ("*", 5),
    "divide": ("/", 5),
    "power": ("**", 7),
}
PREFIX = {"negative": ("-", 6), "logical_not": ("~", 6)}
_ATOM = 9


class Expression:
    """One node: an operation of the primitive table over its arguments, or a leaf.

    Build it with Python's operators and offby's functions; the words ``y``, ``p``, ``r`` and ``z``
    are the leaves one starts from.

    >>> from offby.formula import r, where
    >>> where(r < 0, 5 * abs(r), abs(r))
    where(r < 0, 5*abs(r), abs(r))
    """

    __slots__ = ("__weakref__", "args", "data", "op")
    op: str
    args: tuple[Expression, ...]
    data: Any

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("expressions are frozen")

    def __reduce__(self) -> tuple[Any, ...]:
        return node, (self.op, self.args, self.data)

    def __copy__(self) -> Expression:
        return self

    def __deepcopy__(self, memo: object) -> Expression:
        return self

    # `==` builds an equation, so hashing is by identity; hash-consing makes that equality.
    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Expression:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Expression:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Expression:
        return apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return apply("subtract", other, self)

    def __mul__(self, other: Any) -> Expression:
        return apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return apply("divide", other, self)

    def __pow__(self, other: Any) -> Expression:
        return apply("power", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return apply("power", other, self)

    def __neg__(self) -> Expression:
        return constant(-self.data) if self.op == "constant" else apply("negative", self)

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return apply("abs", self)

    def __lt__(self, other: Any) -> Expression:
        return apply("less", self, other)

    def __le__(self, other: Any) -> Expression:
        return apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Expression:
        return apply("greater", self, other)

    def __ge__(self, other: Any) -> Expression:
        return apply("greater_equal", self, other)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return apply("equal", self, other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return apply("not_equal", self, other)

    def __and__(self, other: Any) -> Expression:
        return apply("logical_and", self, other)

    def __or__(self, other: Any) -> Expression:
        return apply("logical_or", self, other)

    def __invert__(self) -> Expression:
        return apply("logical_not", self)

    def __bool__(self) -> bool:
        raise FormulaError(
            f"{self!r} has no truth value while a formula is being written; instead of "
            f"`a if {self!r} else b` (or max, min, and, or) write where({self!r}, a, b), "
            "maximum, minimum, & or |"
        )

    def __float__(self) -> float:
        raise FormulaError(
            f"{self!r} is part of a formula, not a number; functions of the math module do not "
            "work on it: use offby's own (offby.exp, offby.log, offby.sqrt, ...)"
        )

    __int__ = __index__ = __float__

    def __iter__(self) -> Iterator[Any]:
        raise FormulaError(f"{self!r} is one row's value; a formula cannot loop over it")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and ufunc.__name__ in INFIX:  # np.float64(2) * r
            return apply(ufunc.__name__, *inputs)
        raise foreign_call(f"np.{ufunc.__name__}", ufunc.__name__)

    def __array_function__(self, function: Any, *rest: Any) -> Any:
        raise foreign_call(f"np.{function.__name__}", function.__name__)

    def __repr__(self) -> str:
        return _text(self)[0]


def foreign_call(written: str, name: str) -> FormulaError:
    """The error for another library's function called on a formula."""
    return FormulaError(
        f"{written}(...) works on numbers, not on a formula; write offby.{name}(...) if offby has "
        "it (abs, exp, expm1, log, log1p, sqrt, where, maximum, minimum, ...), so that its "
        "derivative is known"
    )


_nodes: WeakValueDictionary[Any, Expression] = WeakValueDictionary()
_lock = threading.Lock()


def node(op: str, args: tuple[Expression, ...], data: Any = None) -> Expression:
    """The one node with this operation, these arguments and this data."""
    # repr tells 0.0 from -0.0 and keeps NaN equal to itself
    key = (op, tuple(map(id, args)), repr(data) if op == "constant" else data)
    with _lock:
        found = _nodes.get(key)
        if found is None:
            found = object.__new__(Expression)
            for name, value in (("op", op), ("args", args), ("data", data)):
                object.__setattr__(found, name, value)
            _nodes[key] = found
        return found


def symbol(name: str) -> Expression:
    """A word that stands for a column: ``y``, ``p``, ``r``, ``z`` or ``w``."""
    return node("symbol", (), name)


def parameter(name: str) -> Expression:
    """A named number that is given when the formula is evaluated, not when it is written."""
    return node("parameter", (), name)


def constant(value: float) -> Expression:
    """A fixed number."""
    return node("constant", (), float(value))


def expression(value: Any) -> Expression:
    """`value` as an expression; numbers become constants, anything else is refused."""
    if isinstance(value, Expression):
        return value
    own = getattr(value, "__expression__", None)
    if own is not None:
        return own()  # type: ignore[no-any-return]
    number = hasattr(value, "__float__") and not isinstance(value, bool)
    if getattr(value, "shape", () if number else None) != ():
        raise FormulaError(
            f"a formula takes numbers and its own words; {value!r} is a {type(value).__name__}"
        )
    return constant(float(value))


def apply(op: str, *args: Any) -> Expression:
    """The node `op(*args)`; numbers among the arguments become constants."""
    return node(op, tuple(map(expression, args)))


def walk(root: Expression, known: Container[Expression] = ()) -> Iterator[Expression]:
    """Every node below and including `root`, once, arguments before what uses them.

    Nodes in `known`, and what only they use, are passed over.
    """
    seen: set[Expression] = set()
    stack = [(root, False)]
    while stack:
        current, expanded = stack.pop()
        if current in seen or (known and current in known):
            continue
        if expanded:
            seen.add(current)
            yield current
        else:
            stack.append((current, True))
            stack.extend((arg, False) for arg in reversed(current.args))


def substitute(root: Expression, replace: dict[Expression, Expression]) -> Expression:
    """`root` with whole subtrees replaced; everything else stays the operation it was."""
    done: dict[Expression, Expression] = dict(replace)
    for current in walk(root):
        if current not in done:
            args = tuple(done[arg] for arg in current.args)
            same = all(new is old for new, old in zip(args, current.args, strict=True))
            done[current] = current if same else node(current.op, args, current.data)
    return done[root]


def _text(root: Expression) -> tuple[str, int]:
    """How Python writes the tree, and how tightly its outermost operation binds."""
    if root.op == "constant":
        text = number_text(root.data)
        return text, 6 if text.startswith("-") else _ATOM
    if root.op in LEAVES:
        return str(root.data), _ATOM
    parts = [_text(arg) for arg in root.args]
    if root.op in PREFIX:
        sign, strength = PREFIX[root.op]
        return sign + _bracket(parts[0], strength), strength
    if root.op in INFIX:
        sign, strength = INFIX[root.op]
        space = "" if strength >= 5 else " "
        left = _bracket(parts[0], strength + (strength in (1, 7)))
        right = _bracket(parts[1], strength + (strength != 7))
        return f"{left}{space}{sign}{space}{right}", strength
    shown = [text for text, _ in parts] + ([] if root.data is None else [str(root.data)])
    return f"{root.op}({', '.join(shown)})", _ATOM


def _bracket(part: tuple[str, int], strength: int) -> str:
    text, own = part
    return text if own >= strength else f"({text})"


def number_text(value: float) -> str:
    """The shortest text that reads back as the same float64."""
    exact = value.is_integer() and abs(value) < 1e16 and repr(value) != "-0.0"
    return str(int(value)) if exact else repr(value)
