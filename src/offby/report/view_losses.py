"""Which loss shapes a report draws: those that the measures asked for are means of."""

from __future__ import annotations

from collections.abc import Iterable

from offby.formula.aggregates import aggregates_of
from offby.formula.expression import Expression, walk
from offby.formula.words import r
from offby.measures.measure import Measure


def shapes(measures: Iterable[Measure]) -> dict[str, Expression]:
    """Losses that depend on the error alone, by the measure's name; squared and absolute always."""
    found = {"squared": r**2, "absolute": abs(r)}
    for measure in measures:
        for part in aggregates_of(measure.formula):
            term = part.args[0]
            if part.op == "mean" and _of_error_alone(term) and not _known(term, found):
                found[measure.name] = term
    return found


def _of_error_alone(term: Expression) -> bool:
    leaves = [leaf for leaf in walk(term) if leaf.op == "symbol"]
    return term is not r and bool(leaves) and all(leaf is r for leaf in leaves)


def _known(term: Expression, found: dict[str, Expression]) -> bool:
    return any(term is known for known in found.values())
