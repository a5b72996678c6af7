"""What the terminal shows of a classifier beside its measures: the matrix and the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offby.confusion import Confusion, Estimate, report_rows
from offby.drawing.numbers import number, percent
from offby.report.class_view import ClassView

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = 6  # classes: more are for the page
_LISTED = 20


def tables(view: ClassView) -> list[Table]:
    """A confusion matrix of few classes, and a line a class where there are more than two."""
    confusion = view.confusion
    if confusion is None or len(confusion.labels) < 2:
        return []
    found = [_matrix(confusion)] if len(confusion.labels) <= _SHOWN else []
    if 2 < len(confusion.labels) <= _LISTED:
        found.append(_classes(confusion, view.confidence))
    return found


def _matrix(confusion: Confusion) -> Table:
    table = _plain("what came", *(f"taken for {label}" for label in confusion.labels), "found")
    for label, row in zip(confusion.labels, confusion.weights, strict=True):
        right = row[confusion.labels.index(label)]
        whole = float(row.sum())
        found = percent(right / whole, 3) if whole else ""
        table.add_row(label, *(_count(cell) for cell in row), found)
    return table


def _classes(confusion: Confusion, confidence: float) -> Table:
    table = _plain("class", "precision", "recall", "f1", "rows")
    for row in report_rows(confusion, confidence):
        if not row.is_average:
            cells = (_share(found) for found in (row.precision, row.recall, row.f1))
            table.add_row(row.name, *cells, _count(row.support))
    return table


def _share(found: object) -> str:
    return number(found.value, 3) if isinstance(found, Estimate) else "undefined"


def _count(weight: float) -> str:
    return f"{weight:,.0f}" if float(weight).is_integer() else number(weight, 4)


def _plain(first: str, *names: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for name in names:
        table.add_column(Text(name), justify="right", overflow="fold")
    return table


def to_dict(view: ClassView) -> dict[str, object]:
    """The confusion matrix for JSON: a row a true class, a column a predicted one."""
    if view.confusion is None:
        return {}
    cells = np.asarray(view.confusion.weights).tolist()
    return {"labels": list(view.confusion.labels), "confusion_matrix": cells}
