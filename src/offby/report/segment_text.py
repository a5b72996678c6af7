"""Segments on a terminal: a compact table of the worst, and how many more there are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from offby.drawing.numbers import between, number, percent
from offby.report.segment_findings import worse
from offby.segments.segment import Segment

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from offby.segments.search import Search

SEARCHED = "found on one half of the rows, confirmed on the other"
_LINES = 20
_LEAST = 5  # of each list


def families(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments of each list: those by the same columns."""
    return [list(group) for _, group in groupby(segments, key=lambda one: one.columns)]


def show(segments: Sequence[Segment], console: Console) -> None:
    """Print the worst segments of each list, by the first measure."""
    lists = families(segments)
    most = max(_LINES // max(len(lists), 1), _LEAST)
    for family in lists:
        from rich.text import Text

        console.print(Text(f"\n{_title(family)}", style="bold"))
        console.print(_table(family[:most]))
        for line in _below(family, most):
            console.print(Text(line, style="dim"))


def _title(family: Sequence[Segment]) -> str:
    name = next(iter(family[0].measures))
    return f"{name} by {' × '.join(family[0].columns)}, the most surely bad first"


def _table(family: Sequence[Segment]) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    name = next(iter(family[0].measures))
    confidence = percent(family[0].measures[name].confidence, 3)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(" × ".join(family[0].columns), overflow="fold", min_width=8)
    for head in ("rows", name):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(f"{confidence} interval", no_wrap=True, style="dim")
    table.add_column("gap to the rest", no_wrap=True)
    for one in family:
        table.add_row(*_cells(one, name, _decimals(one[name].value for one in family)))
    return table


def _decimals(values: Iterable[float | None]) -> int:
    """The decimals that show four digits of the largest value."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    return min(max(3 - math.floor(math.log10(max(sizes))), 0), 9) if sizes else 1


def _cells(one: Segment, name: str, decimals: int) -> Iterator[RenderableType]:
    from rich.text import Text

    measured, gap = one.measures[name], one.gaps[name]
    yield Text(f"{one.others:,} others" if one.others else " × ".join(one.values))
    yield f"{one.rows:,}"
    yield "undefined" if measured.value is None else f"{measured.value:,.{decimals}f}"
    yield between(measured.low, measured.high)
    if gap is None:
        yield ""
        return
    sign = "+" if gap.value > 0 else ""
    side = {True: "worse", False: "better", None: "differs" if gap.sure else ""}[
        worse(gap, measured.better)
    ]
    yield Text(f"{sign}{number(gap.value, 3)} {side}".rstrip(), style="bold" if side else "")


def _below(family: Sequence[Segment], most: int) -> Iterator[str]:
    if len(family) > most:
        yield f"… and {len(family) - most:,} more segments (--json has all)"
    if any(gap.sure for one in family if (gap := one.gaps[next(iter(one.measures))])):
        yield "worse, better: beyond chance, with Holm's correction for all of them together"


def show_search(found: Search | None, console: Console) -> None:
    """Print the confirmed segments that own most excess loss."""
    if found is None or not found.found:
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"\n{found.loss} is high here: {SEARCHED}", style="bold"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("segment", overflow="fold", min_width=10)
    for head in ("rows", "of loss", found.loss, "gap"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("its interval", no_wrap=True, style="dim")
    for one in found.found:
        shares = f"{one.rows:,}", percent(one.loss_share)
        gap = number(one.gap, 3), between(one.low, one.high)
        table.add_row(Text(one.label), *shares, number(one.loss), *gap)
    console.print(table)
    if len(found.found) > 1:
        console.print(Text("each without the rows of those above it", style="dim"))
