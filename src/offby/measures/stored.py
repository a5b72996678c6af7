"""Measures as plain values, to be stored and read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offby.formula.aggregates import AGGREGATES
from offby.formula.expression import Expression
from offby.formula.parse import parse
from offby.measures.measure import Measure


def to_tree(measure: Measure) -> dict[str, Any]:
    """The measure as texts, its formula among them.

    >>> from offby.measures.names import resolve
    >>> to_tree(resolve("mae")[0])["formula"]
    'mean(abs(r))'
    """
    ends = [repr(end) for end in measure.range]  # JSON has no infinity
    return {**vars(measure), "formula": repr(measure.formula), "range": ends}


def from_tree(tree: dict[str, Any], words: Mapping[str, Expression] | None = None) -> Measure:
    """The measure that `to_tree` wrote down; `words` are columns beside the usual ones."""
    low, high = tree["range"]
    formula = parse(tree["formula"], words, AGGREGATES)
    return Measure(**{**tree, "formula": formula, "range": (float(low), float(high))})
