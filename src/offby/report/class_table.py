"""Precision, recall and F1 of every class with their intervals, the weakest class first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from offby.confusion import Confusion, Estimate, ReportRow, report_rows
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import between, number, percent
from offby.drawing.plot import BLUE, MUTED
from offby.measures.aggregate import Undefined
from offby.report.labels import quoted, short
from offby.report.templates import template

_OPEN = 30  # classes that are shown at once
_LISTED = 200  # classes that a page holds
_NAMES = ("precision", "recall", "F1")
_AVERAGES = {"micro": "all rows (accuracy)", "macro": "mean of the classes",
             "weighted": "mean by rows"}  # fmt: skip


@dataclass(frozen=True)
class Dot:
    """A number with its place in the picture, in per cent of the width."""

    text: str
    interval: str = ""
    at: float | None = None
    low: float = 0.0
    high: float = 0.0
    hint: str = ""


@dataclass(frozen=True)
class Line:
    """A class, or an average over the classes."""

    name: str
    support: str
    dots: tuple[Dot, ...]
    is_average: bool


def by_class(confusion: Confusion, confidence: float) -> Chart:
    """The table, on one scale for all that it shows."""
    rows = report_rows(confusion, confidence)
    classes = sorted((row for row in rows if not row.is_average), key=_weakness)
    averages = [row for row in rows if row.is_average]
    floor = _floor([*classes[:_LISTED], *averages])
    macro = next(row for row in averages if row.name == "macro")
    lines = [_line(row, floor) for row in classes[:_LISTED]]
    body = template(
        "classes.html.j2"
    ).module.by_class(  # type: ignore[attr-defined]
        lines[:_OPEN],
        lines[_OPEN:],
        [_line(row, floor) for row in averages],
        names=_NAMES,
        middles=[_middle(value, floor) for value in _three(macro)],
        scale=(percent(floor), percent((1 + floor) / 2), percent(1.0)),
        confidence=percent(confidence, 3),
    )
    keys = (
        Key("dot", BLUE, f"a class, with its {percent(confidence, 3)} interval"),
        Key("line", MUTED, "mean of the classes"),
    )
    return Chart("Class by class", _words(classes), keys, body, broad=True)


def _three(row: ReportRow) -> tuple[Estimate | Undefined, ...]:
    return row.precision, row.recall, row.f1


def _weakness(row: ReportRow) -> tuple[float, float]:
    """By F1; those without come last, and of equal ones the larger class first."""
    return (row.f1.value if isinstance(row.f1, Estimate) else math.inf), -row.support


def _floor(rows: list[ReportRow]) -> float:
    """Where the scale begins: a tenth below the least end of an interval."""
    ends = [
        found.value if found.low is None else found.low
        for row in rows
        for found in _three(row)
        if isinstance(found, Estimate)
    ]
    return math.floor(10 * min([*ends, 0.9])) / 10


def _line(row: ReportRow, floor: float) -> Line:
    name = _AVERAGES[row.name] if row.is_average else short(row.name)
    dots = tuple(_dot(found, floor) for found in _three(row))
    return Line(name, number(row.support), dots, row.is_average)


def _dot(found: Estimate | Undefined, floor: float) -> Dot:
    if isinstance(found, Undefined):
        return Dot("–", hint=str(found))
    at, low, high = (
        _place(found.value if end is None else end, floor)
        for end in (found.value, found.low, found.high)
    )
    reach = between(found.low, found.high)
    return Dot(f"{found.value:.3f}", reach, at, low, high, reach or found.unsure or "")


def _place(value: float, floor: float) -> float:
    """Within the picture: an interval may be open to a rounding beyond 1."""
    return round(100 * (min(max(value, floor), 1.0) - floor) / (1 - floor), 1)


def _middle(found: Estimate | Undefined, floor: float) -> float | None:
    return _place(found.value, floor) if isinstance(found, Estimate) else None


def _words(classes: list[ReportRow]) -> str:
    """The weakest class in words, and what is left out."""
    known = [row for row in classes if isinstance(row.f1, Estimate)]
    left = len(classes) - _LISTED
    rest = f" {left:,} classes are left out." if left > 0 else ""
    if not known:
        return f"No class has an F1.{rest}"
    first = known[0]
    assert isinstance(first.f1, Estimate)
    if first.f1.value == 1:
        return f"Every class was found in full, and never taken for another.{rest}"
    return f"The weakest comes first: {quoted(first.name)}. {_sides(first)}{rest}"


def _sides(row: ReportRow) -> str:
    said = []
    if isinstance(row.recall, Estimate):
        said.append(f"of its {number(row.support)} rows {percent(row.recall.value)} were found")
    if isinstance(row.precision, Estimate):
        said.append(f"of the rows predicted as it {percent(row.precision.value)} were right")
    else:
        said.append("no row was predicted as it")
    whole = ", and ".join(said)
    return f"{whole[:1].upper()}{whole[1:]}."
