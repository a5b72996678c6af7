"""A fit of several quantiles as one page that opens offline, and as what a notebook shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from offby.drawing.chart import Chart
from offby.drawing.numbers import number
from offby.drawing.plot import Axis
from offby.formula.expression import number_text
from offby.report.fitted_quantiles_text import HEADS, cells, headline, measured_on
from offby.report.fitted_text import said
from offby.report.forest import Bar, forest, reach
from offby.report.templates import filled

if TYPE_CHECKING:
    from offby.report.fitted_quantiles import FittedQuantiles

_MOST = 20  # levels that one picture holds
_LISTED = 200  # coefficients


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    title: str
    heads: tuple[str, ...]
    lines: list[tuple[str, ...]]


@dataclass(frozen=True)
class Main:
    """What the page says."""

    headline: str
    said: list[str]
    cautions: tuple[str, ...]
    measured: Table
    coefficients: Table
    charts: list[Chart]


def render(fitted: FittedQuantiles, *, whole: bool) -> str:
    """The page, or the same for a notebook."""
    return filled(
        "fitted_quantiles.html.j2", whole=whole, source=fitted.source, main=_main(fitted),
        summary=[], footnote="Lines that cross are sorted in each row's prediction. ",
    )  # fmt: skip


def _main(fitted: FittedQuantiles) -> Main:
    chart = _shares(fitted)
    return Main(
        headline=headline(fitted),
        said=said(fitted),
        cautions=fitted.cautions,
        measured=Table(measured_on(fitted), HEADS, [cells(one) for one in fitted.levels]),
        coefficients=_coefficients(fitted),
        charts=[] if chart is None else [chart],
    )


def _coefficients(fitted: FittedQuantiles) -> Table:
    """A column for each level, an error beside each number where there is one."""
    names, found, errors = fitted.model.coefficient_table()
    found = found.T
    errors = np.full(found.shape, np.nan) if errors is None else errors.T
    lines = [
        (name, *map(_with_error, values, theirs))
        for name, values, theirs in islice(zip(names, found, errors, strict=True), _LISTED)
    ]
    left_out = f": the first {len(lines):,} of {len(found):,}" if len(lines) < len(found) else ""
    return Table(f"Coefficients{left_out}", ("coefficient", *fitted.model.level_names), lines)


def _with_error(value: float, error: float) -> str:
    return number(value, 5) + (f" ± {number(error, 2)}" if np.isfinite(error) else "")


def _shares(fitted: FittedQuantiles) -> Chart | None:
    """How far the share of the rows below each quantile is from its level."""
    bars = []
    for one in fitted.levels[:: -(-len(fitted.levels) // _MOST)]:
        below, level = one.below, one.quantile
        if below.value is not None and below.low is not None and below.high is not None:
            ends = (below.value - level, below.low - level, below.high - level)
            right = "as it should be" if ends[1] <= 0 <= ends[2] else "aims elsewhere"
            bars.append(Bar(number_text(level), *ends, right))
    caption = (
        "The share of the rows that are not above each quantile, less its level: 0 is right. A bar "
        "is a 95 % interval; of many bars, one in twenty misses 0 by chance. "
        f"Of {len(fitted.levels)} levels {len(bars)} are drawn."
    )
    return forest(
        bars, Axis("of the rows", *reach(bars), "~%"), "Rows below each quantile", caption
    )
