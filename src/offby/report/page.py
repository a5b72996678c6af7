"""The report as one page that opens offline, and as what a notebook shows of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from offby.drawing.numbers import percent, rows
from offby.measures.measurement import Measurement
from offby.report import needle, terminal
from offby.report.class_view import ClassView
from offby.report.templates import filled
from offby.report.view import View
from offby.report.worst import worst

if TYPE_CHECKING:
    from offby.drawing.chart import Chart, Listing
    from offby.report.report import Report

_DRAWN_OUTPUTS = 6  # more would make a page nobody scrolls through
_LISTED_OUTPUTS = 60
_SENTENCES = 300  # so that no number of outputs makes a page of megabytes


@dataclass(frozen=True)
class Line:
    """One measure of the table; `notes` are the numbers of its remarks."""

    name: str
    units: str
    value: str
    error: str
    interval: str
    note: int | None
    spark: tuple[float, float, float] | None  # low, value and high, in per cent of the width


@dataclass(frozen=True)
class Section:
    """What the page says of a report, or of one of its outputs."""

    name: str
    headline: str
    confidence: str
    lines: list[Line]
    notes: list[str]
    width: str
    findings: list[str]
    charts: list[Chart]
    listings: list[Listing]


def render(report: Report, *, whole: bool) -> str:
    """The page, or for a notebook the headline, the table, the findings and two pictures."""
    return filled("page.html.j2", whole=whole, **content(report, None if whole else 2))


def content(report: Report, most: int | None) -> dict[str, Any]:
    """What the page's template is filled with; `most` pictures, None for all."""
    said = tuple(finding.text for finding in report.findings)
    drawn = _DRAWN_OUTPUTS if most is None else 1
    listed = islice(report.outputs.items(), _LISTED_OUTPUTS if most is None else drawn)
    return {
        "source": report.source,
        "columns": report.columns,
        "main": _section("", report, most),
        "summary": [
            (name, terminal.headline(part))
            for name, part in islice(report.outputs.items(), _SENTENCES)
        ],
        "outputs": [
            _section(name, part, most if at < drawn else 0, said)
            for at, (name, part) in enumerate(listed)
        ],
        "left_out": _left_out(len(report.outputs), drawn) if most is None else "",
        "sample": _sample(report),
        "footnote": "" if report.task != "regression" else "Errors are predicted − actual; ",
    }


def _left_out(outputs: int, drawn: int) -> str:
    """What a page of many outputs does not show."""
    told = [
        f"{what} the first {most:,}"
        for most, what in (
            (drawn, "pictures for"),
            (_LISTED_OUTPUTS, "tables for"),
            (_SENTENCES, "sentences on"),
        )
        if outputs > most
    ]
    return f"Of {outputs:,} outputs this page has {', '.join(told)}." if told else ""


def _sample(report: Report) -> str:
    """How many rows the pictures show, where that is not all of them."""
    views = [part.view for part in (report, *report.outputs.values())]
    shown = max((view.y_true.size for view in views if isinstance(view, View)), default=0)
    return rows(shown) if shown < report.rows and shown else ""


def _section(name: str, report: Report, most: int | None, said: tuple[str, ...] = ()) -> Section:
    """A section; findings that were `said` above are not repeated."""
    notes = _notes(report.measures)
    reach = _reach(report.measures)
    return Section(
        name=name,
        headline=terminal.headline(report),
        confidence=percent(next((m.confidence for m in report.measures.values()), 0.95), 3),
        lines=[_line(label, m, notes, reach) for label, m in report.measures.items()],
        notes=notes,
        width=percent(reach) if reach else "",
        findings=[
            f.text
            for f in report.findings[:_SENTENCES]
            if not any(above.endswith(f.text) for above in said)
        ],
        charts=_charts(report, most, name),
        listings=_listings(report, most),
    )


def _charts(report: Report, most: int | None, name: str) -> list[Chart]:
    """The pictures of either kind of report, the most telling first."""
    from offby.report import charts, class_page

    of_segments = _of_segments(report) if most is None else []
    if isinstance(report.view, ClassView):
        return [*class_page.charts(report.view, most), *of_segments]
    return [*charts.charts(report, most, name), *of_segments]


def _of_segments(report: Report) -> list[Chart]:
    from offby.report import segment_charts

    return segment_charts.charts(report.segments, next(iter(report.measures.values()), None))


def _listings(report: Report, most: int | None) -> list[Listing]:
    """The small tables of either kind of report; a part of a page has the last alone."""
    from offby.report import class_page, segment_charts

    last = [*segment_charts.listings(report.segments, report.search),
            *needle.listings(report.trials)]  # fmt: skip
    view = report.view
    if view is None or most is not None:
        return last
    if isinstance(view, ClassView):
        return [*class_page.listings(view, report.rows), *last]
    return [*worst(view, report.rows), *last]


def _notes(measures: Mapping[str, Measurement]) -> list[str]:
    """The remarks, each once: several measures often share one."""
    return list(dict.fromkeys(note for m in measures.values() if (note := terminal.cells(m)[3])))


def _line(label: str, measured: Measurement, notes: list[str], reach: float) -> Line:
    value, error, interval, note = terminal.cells(measured)
    return Line(
        name=label,
        units="" if measured.units in ("1", "y") else measured.units,
        value=value,
        error=error,
        interval=interval,
        note=notes.index(note) + 1 if note else None,
        spark=_spark(measured, reach),
    )


def _relative(measured: Measurement) -> tuple[float, float] | None:
    """The interval's ends as shares of the value, where a share of it means something."""
    value, low, high = measured.value, measured.low, measured.high
    if not value or low is None or high is None or measured.better == "zero":
        return None
    ends = (low - value) / abs(value), (high - value) / abs(value)
    return ends if all(map(math.isfinite, ends)) else None


def _reach(measures: Mapping[str, Measurement]) -> float:
    """How far the widest interval reaches from its value, at most as far as the value is large."""
    ends = [found for m in measures.values() if (found := _relative(m))]
    widest = max((max(-low, high) for low, high in ends), default=0.0)
    return min(widest, 1.0) if len(ends) > 1 else 0.0


def _spark(measured: Measurement, reach: float) -> tuple[float, float, float] | None:
    ends = _relative(measured)
    if ends is None or not reach:
        return None
    low, high = (min(max(50 + 46 * end / reach, 0.0), 100.0) for end in ends)
    return round(low, 1), 50.0, round(high, 1)
