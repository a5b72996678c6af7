"""The comparison as one page that opens offline, and as what a notebook shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offby.drawing.numbers import rows
from offby.report import comparison_charts, comparison_segment_charts
from offby.report.comparison_text import Cells, segment_tables, tables
from offby.report.comparison_words import headline
from offby.report.templates import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offby.drawing.chart import Chart
    from offby.report.comparison import Comparison

_SEGMENTS = 60  # that the page lists
_DIFFERENCES = "A difference is the later model's measure less the first one's. "


@dataclass(frozen=True)
class Grid:
    """A table of words."""

    heads: Cells
    lines: Sequence[Cells]
    title: str = ""
    below: str = ""


@dataclass(frozen=True)
class Main:
    """What the page says of a comparison."""

    headline: str
    tables: list[Grid]
    segments: list[Grid]
    findings: list[str]
    charts: list[Chart]


def render(comparison: Comparison, *, whole: bool) -> str:
    """The page, or the same for a notebook."""
    return filled("comparison.html.j2", whole=whole, **_content(comparison))


def _content(comparison: Comparison) -> dict[str, Any]:
    main = Main(
        headline(comparison),
        [Grid(*table) for table in tables(comparison)],
        [Grid(one.heads, one.lines, one.title, one.below)
         for one in segment_tables(comparison, _SEGMENTS)],
        [finding.text for finding in comparison.findings],
        [*comparison_charts.charts(comparison), *comparison_segment_charts.charts(comparison)],
    )  # fmt: skip
    return {
        "source": comparison.source,
        "columns": comparison.columns,
        "main": main,
        "summary": [],
        "sample": _sample(comparison),
        "footnote": _DIFFERENCES,
    }


def _sample(comparison: Comparison) -> str:
    """How many rows the picture by actual value shows, where that is not all of them."""
    shown = 0 if comparison.view is None else comparison.view.y_true.size
    if comparison.task != "regression" or not 0 < shown < comparison.rows:
        return ""
    return (
        f"Where each model is nearer is drawn from {rows(shown)}, evenly spread over the table; "
        "every other number counts all rows."
    )
