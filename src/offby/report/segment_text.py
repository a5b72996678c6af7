"""Segments on a terminal: a compact table of the worst, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from offby.report.numbers import between, number, percent
from offby.report.segment_findings import worse
from offby.segments.segment import Segment

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

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
        table.add_row(*_cells(one, name))
    return table


def _cells(one: Segment, name: str) -> Iterator[RenderableType]:
    from rich.text import Text

    measured, gap = one.measures[name], one.gaps[name]
    yield Text(f"{one.others:,} others" if one.others else " × ".join(one.values))
    yield f"{one.rows:,}"
    yield number(measured.value, 4)
    yield between(measured.low, measured.high)
    if gap is None:
        yield ""
        return
    sign = "+" if gap.value > 0 else ""
    side = {True: "worse", False: "better", None: "differs" if gap.sure else ""}[
        worse(measured, gap)
    ]
    yield Text(f"{sign}{number(gap.value, 3)} {side}".rstrip(), style="bold" if side else "")


def _below(family: Sequence[Segment], most: int) -> Iterator[str]:
    if len(family) > most:
        yield f"… and {len(family) - most:,} more segments (--json has all)"
    if any(gap.sure for one in family if (gap := one.gaps[next(iter(one.measures))])):
        yield "worse, better: beyond chance, with Holm's correction for all of them together"
