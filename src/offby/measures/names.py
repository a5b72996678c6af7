"""Measures by name: ``rmse``, ``huber:1.345``, ``d2_pinball:0.9``, or a formula in text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from offby.errors import FormulaError, MeasureError
from offby.formula.aggregates import MOMENTS, Mean, aggregates_of
from offby.formula.expression import Expression
from offby.formula.parse import parse
from offby.losses import ALIASES, NAMES, Loss, from_text
from offby.measures.measure import Measure
from offby.measures.regression import (
    MEASURES,
    d2,
    error_quantile,
    loss_measure,
    root_mean_squared_log,
    worst_share,
)

FIXED = {measure.name: measure for measure in MEASURES}
DEFAULT = ("mae", "rmse", "mse", "bias", "r2", "median_absolute_error", "max_error")
"""What is measured where nothing is asked for."""
_WITH_NUMBER = ("error_quantile", "squared_error_share", "absolute_error_share")
_FUNCTIONS = {"Mean": "mean", "Variance": "variance", "Covariance": "covariance"}


def known_names() -> list[str]:
    """Every name a measure can be asked for by; those with a number after a colon show one."""
    losses = [str(kind()) for kind in NAMES.values()]
    skills = ["d2_absolute", "d2_pinball:0.9", "d2_poisson", "d2_gamma", "d2_tweedie:1.5"]
    numbered = ["error_quantile:0.9", "squared_error_share:0.01", "absolute_error_share:0.01"]
    return [*FIXED, "msle", "rmsle", *skills, *numbered, *losses]


def resolve(asked: str | Measure | Loss | Iterable[Any] | None) -> tuple[Measure, ...]:
    """The measures asked for, by name, as objects, or None for the usual report."""
    found = [_resolve_one(item) for item in items(asked, DEFAULT)]
    return distinct(found)


def items(asked: Any, usual: Iterable[str]) -> list[Any]:
    """What is asked for, one by one; None, also in a list, stands for the usual ones."""
    if asked is None or isinstance(asked, str) or not isinstance(asked, Iterable):
        asked = split(asked) if isinstance(asked, str) else [asked]
    return [one for item in asked for one in (usual if item is None else (item,))]


def distinct(found: Iterable[Measure]) -> tuple[Measure, ...]:
    """Each once; raises `MeasureError` where there is none, or two share a name."""
    found = tuple(found)
    if not found:
        raise MeasureError("no measure was asked for; leave `measures` out for the usual report")
    named: dict[str, Measure] = {}
    for measure in found:
        if named.setdefault(measure.name, measure).formula is not measure.formula:
            raise MeasureError(
                f"{measure.name!r} names {named[measure.name].formula!r} and "
                f"{measure.formula!r}; give each measure a name of its own"
            )
    return tuple(named.values())


def split(text: str) -> list[str]:
    """Names at the commas outside brackets, so that a formula may stand among them."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _resolve_one(item: Any) -> Measure:
    if isinstance(item, Measure):
        return item
    if isinstance(item, Loss):
        return loss_measure(item, str(item))
    if not isinstance(item, str):
        raise MeasureError(f"{item!r} is not a measure; give a name, an offby.Measure or a loss")
    return by_name(item.strip())


def by_name(text: str, words: Mapping[str, Expression] | None = None) -> Measure:
    """The measure that a text names; raises `MeasureError` with near names.

    `words` are columns that a formula may speak of beside the usual ones.
    """
    name, _, number = text.partition(":")
    if text in FIXED:
        return FIXED[text]
    if text in ("msle", "rmsle"):
        msle = loss_measure(from_text("msle"), "msle")
        return msle if text == "msle" else root_mean_squared_log(msle)
    if name in _WITH_NUMBER:
        return _numbered(name, number)
    if name.startswith("d2_") and (name[3:] in NAMES or name[3:] in ALIASES):
        return d2(from_text(text[3:]), text)
    if name in NAMES:
        return loss_measure(from_text(text), text)
    if text.isidentifier() or (number and name.isidentifier()):
        raise MeasureError(f"unknown measure {text!r}; {_hint(text)}")
    return _from_formula(text, words)


def _hint(text: str) -> str:
    names = [name.partition(":")[0] for name in known_names()]
    near = difflib.get_close_matches(text.partition(":")[0], names, 3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known are {', '.join(dict.fromkeys(names))}"


def _numbered(name: str, number: str) -> Measure:
    value = number_after(name, number)
    if name == "error_quantile":
        return error_quantile(value)
    return worst_share(2 if name.startswith("squared") else 1, value)


def number_after(name: str, number: str) -> float:
    """The number after the colon of a name; raises `MeasureError` where there is none."""
    try:
        return float(number)
    except ValueError:
        name = name.partition(":")[0]
        raise MeasureError(f"{name} needs a number after a colon, such as {name}:0.01") from None


def _from_formula(text: str, words: Mapping[str, Expression] | None) -> Measure:
    """``name = formula``, where a formula without Mean(...) is averaged."""
    name, equals, formula = text.partition("=")
    if not equals or not name.strip().isidentifier():
        name, formula = text, text
    for shown, op in _FUNCTIONS.items():
        formula = formula.replace(f"{shown}(", f"{op}(")
    try:
        found = parse(formula, words, MOMENTS)
        return Measure(name.strip(), found if aggregates_of(found) else Mean(found))
    except FormulaError as error:
        raise MeasureError(str(error)) from error
