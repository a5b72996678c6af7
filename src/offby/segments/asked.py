"""What was asked for, made plain: which columns, alone or crossed, and by which loss."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offby.errors import MeasureError
from offby.formula.expression import Expression
from offby.measures.measure import Measure


def crossed(by: str | Iterable[Any] | None, columns: Collection[str]) -> list[tuple[str, ...]]:
    """The columns of each list of segments: `a,b` are two lists, `a*b` and `("a", "b")` one.

    >>> crossed("a,b*c", ["a", "b", "c"]), crossed(["a", ("b", "c")], [])
    ([('a',), ('b', 'c')], [('a',), ('b', 'c')])
    """
    if by is None:
        return []
    items = _split(by, ",", columns) if isinstance(by, str) else list(by)
    found = [tuple(_split(item, "*", columns)) if isinstance(item, str) else tuple(item)
             for item in items]  # fmt: skip
    for group in found:
        if not group or not all(group) or len(set(group)) < len(group):
            raise MeasureError(
                f"segments by {'*'.join(group)!r} cannot be read; name columns, such as region,age "
                "(each by itself) or region*age (crossed)"
            )
    return list(dict.fromkeys(found))


def named(told: Any, asked: str, rows: int) -> Mapping[str, Any] | None:
    """Columns by name; one that comes by itself has its own name, if it has one."""
    if told is None or isinstance(told, Mapping):
        return told
    if isinstance(told, str) or not hasattr(told, "__len__") or len(told) != rows:
        raise MeasureError(
            f"beside arrays give {asked}={{name: column}}, or one column of {rows:,} values, not "
            "names of columns"
        )
    return {str(getattr(told, "name", None) or "segment"): told}


def _split(text: str, at: str, columns: Collection[str]) -> list[str]:
    """The parts of a list; a column that is called so is one part."""
    return [text] if text in columns else [part.strip() for part in text.split(at)]


@dataclass(frozen=True, eq=False)
class RowLoss:
    """What segments are judged by: a measure's name, and the formula of a row that it averages.

    It is the mean, or the `root` of it.
    """

    name: str
    term: Expression
    root: bool = False

    @property
    def averaged(self) -> str:
        """What the mean itself is called."""
        return f"{self.name}²" if self.root else self.name


def loss_of(measures: Sequence[Measure], usual: tuple[str, Expression]) -> RowLoss:
    """That of the first measure that is a mean loss or the root of one, or the usual one."""
    for measure in measures:
        root = measure.formula.op == "sqrt"
        formula = measure.formula.args[0] if root else measure.formula
        if formula.op == "mean" and measure.better == "lower":
            return RowLoss(measure.name, formula.args[0], root)
    return RowLoss(*usual)
