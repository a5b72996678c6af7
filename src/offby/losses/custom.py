"""One's own loss, from a Python function or a text, with everything a built-in one has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, overload

from offby.errors import FormulaError
from offby.formula.expression import Expression, expression, walk
from offby.formula.parse import SYMBOLS, parse
from offby.losses.loss import Loss, Parameter

_HOW = (
    "a loss is a function of the words y, p, r (= p - y) or z, and of numbers with defaults, that "
    "returns a formula; e.g. @offby.loss\ndef late(r, cost=5.0):\n"
    "    return offby.where(r < 0, cost * abs(r), abs(r))"
)


@overload
def loss(function: Callable[..., Any] | str, /) -> Loss: ...
@overload
def loss(
    *, name: str | None = None, units: str = "1"
) -> Callable[[Callable[..., Any] | str], Loss]: ...
def loss(
    function: Callable[..., Any] | str | None = None,
    /,
    *,
    name: str | None = None,
    units: str = "1",
) -> Any:
    """Make a loss of a function over the formula's words, or of a text formula.

    The function is called once, with symbols; arguments that are not words are parameters and need
    a default. Raises `FormulaError` on what cannot be traced, showing how to write it.

    >>> from offby.formula import where
    >>> @loss
    ... def late(r, cost=5.0):
    ...     return where(r < 0, cost * abs(r), abs(r))
    >>> late.value([10.0, 10.0], [8.0, 12.0])
    array([10.,  2.])
    >>> late.with_parameters(cost=2.0).gradient(10.0, 8.0)
    -2.0
    >>> loss("abs(r) ** 1.5").value(0.0, 4.0)
    8.0
    """
    if function is None:
        return lambda made_of: _make(made_of, name, units)
    return _make(function, name, units)


def _make(made_of: Callable[..., Any] | str, name: str | None, units: str) -> Loss:
    if isinstance(made_of, str):
        return _build(name or made_of, parse(made_of), {}, units, None)
    words, parameters = _arguments(made_of)
    return _build(
        name or made_of.__name__,
        _trace(made_of, {**words, **parameters}),
        parameters,
        units,
        made_of.__doc__,
    )


def _arguments(function: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    words: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for name, argument in inspect.signature(function).parameters.items():
        if isinstance(argument.default, int | float):
            parameters[name] = Parameter(float(argument.default))
        elif name in SYMBOLS and argument.default is argument.empty:
            words[name] = SYMBOLS[name]
        else:
            raise FormulaError(
                f"{function.__name__}: the argument {name!r} is neither a word nor a number with a "
                f"default; {_HOW}"
            )
    return words, parameters


def _trace(function: Callable[..., Any], arguments: dict[str, Any]) -> Expression:
    try:
        return expression(function(**arguments))
    except FormulaError as error:
        raise FormulaError(f"{function.__name__}: {error}") from error
    except Exception as error:
        raise FormulaError(
            f"{function.__name__} cannot be read as a formula ({type(error).__name__}: {error}); "
            f"{_HOW}"
        ) from error


def _build(
    name: str, formula: Expression, parameters: dict[str, Any], units: str, doc: str | None
) -> Loss:
    if formula.op == "constant" or not any(leaf.op == "symbol" for leaf in walk(formula)):
        raise FormulaError(f"{name}: the formula {formula!r} does not depend on y and p; {_HOW}")
    body = {"name": name, "formula": formula, "units": units, "__doc__": doc, **parameters}
    made_of = (name, formula, parameters, units, doc)
    made: Loss = type("CustomLoss", (_Custom,), {**body, "made_of": made_of})()
    return made


class _Custom(Loss):
    """A loss whose class was made while running, so that pickles hold what it was made of."""

    made_of: ClassVar[tuple[Any, ...]]

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (self.made_of, dict(self.parameters))


def _revived(made_of: tuple[Any, ...], parameters: dict[str, float]) -> Loss:
    return _build(*made_of).with_parameters(**parameters)
