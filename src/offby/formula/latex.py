"""A formula as LaTeX, from the same table."""

from __future__ import annotations

from offby.formula.expression import LEAVES, Expression, apply
from offby.formula.primitives import PRIMITIVES

_SYMBOLS = {"p": r"\hat{y}"}
_OF_ONE_PLUS = {"log1p": "log", "xlog1py": "xlogy"}
_GREEK = frozenset({"alpha", "beta", "gamma", "delta", "epsilon", "theta", "kappa", "tau", "rho"})


def latex(root: Expression) -> str:
    r"""The formula as LaTeX.

    >>> from offby.formula import r
    >>> print(latex(abs(r)))
    \left|r\right|
    """
    return _latex(root)[0]


def _latex(root: Expression) -> tuple[str, int]:
    if root.op == "constant":
        text = str(int(root.data)) if root.data.is_integer() else repr(root.data)
        return text, 9 if root.data >= 0 else 4
    if root.op in LEAVES:
        return _leaf(str(root.data)), 9
    if root.op in _OF_ONE_PLUS and root.args[-1].op == "negative":  # log1p(-p) is log(1 - p)
        less = 1 - root.args[-1].args[0]
        return _latex(apply(_OF_ONE_PLUS[root.op], *root.args[:-1], less))
    row = PRIMITIVES[root.op]
    parts = [_latex(arg) for arg in root.args]
    return row.latex.format(*_bracketed(root.op, row.strength, parts)), row.strength


def _bracketed(op: str, strength: int, parts: list[tuple[str, int]]) -> list[str]:
    """The arguments, in brackets where they bind less tightly than what surrounds them."""
    if strength >= 8:  # a function or a fraction brackets its arguments by its form
        return [text for text, _ in parts]
    need = [strength] * len(parts)
    if op in ("subtract", "negative"):
        need[-1] = strength + 1
    if op == "power":
        need = [9, 0]
    if op in ("exp", "xlogy"):  # which bracket their last argument themselves
        need[-1] = 0
    return [
        text if own >= least else rf"\left({text}\right)"
        for (text, own), least in zip(parts, need, strict=True)
    ]


def _leaf(name: str) -> str:
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    if name in _GREEK:
        return rf"\{name}"
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"
