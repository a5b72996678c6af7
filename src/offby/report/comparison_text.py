"""The comparison on a terminal: a sentence, tables, findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offby.drawing.numbers import between, number, percent
from offby.pairs.difference import Difference
from offby.report.comparison_segments import ComparedSegment, families
from offby.report.comparison_words import headline, label, listed
from offby.report.printed import LEAST_WIDTH, bullets, narrow

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from offby.report.comparison import Comparison

_SEGMENTS, _LEAST_SEGMENTS = 20, 5
Cells = Sequence[str]
Lines = tuple[Cells, Sequence[Cells]]


def show(comparison: Comparison, console: Console) -> None:
    """Print the comparison."""
    from rich.text import Text

    console.print(Text(headline(comparison), style="bold"))
    if comparison.columns:
        console.print(Text(comparison.columns, style="dim"))
    for heads, lines in tables(comparison):
        wide = console.width >= LEAST_WIDTH
        console.print()
        console.print(_table(heads, lines) if wide else narrow(heads, lines))
    for listing in segment_tables(comparison):
        console.print(Text(f"\n{listing.title}", style="bold"))
        wide = console.width >= LEAST_WIDTH
        console.print((_table if wide else narrow)(listing.heads, listing.lines))
        if listing.below:
            console.print(Text(listing.below, style="dim"))
    if comparison.findings:
        console.print()
        console.print(bullets(Text(finding.text) for finding in comparison.findings))


def tables(comparison: Comparison) -> Iterator[Lines]:
    """The heads and the lines of each table."""
    if len(comparison.models) == 2:
        yield _of_two(comparison)
        return
    yield _ranking(comparison)
    yield _measures(comparison)


def _of_two(comparison: Comparison) -> Lines:
    sure = f"{percent(comparison.confidence, 3)} interval"
    heads = ("measure", *comparison.models, "difference", sure, "verdict")
    lines = []
    for name, models in comparison.measures.items():
        values = [number(models[model].value, 5) for model in comparison.models]
        lines.append((name, *values, *_compared(comparison.difference(name))))
    return heads, lines


def _ranking(comparison: Comparison) -> Lines:
    sure = f"{percent(comparison.confidence, 3)} interval"
    heads = ("model", label(comparison.deciding), "behind the best", sure, "verdict")
    lines = []
    for rank in comparison.ranking:
        behind = ("", "", "first") if rank.behind is None else _compared(rank.behind)
        lines.append((rank.model, number(rank.measured.value, 5), *behind))
    return heads, lines


def _measures(comparison: Comparison) -> Lines:
    heads = ("model", *comparison.measures)
    lines = [
        (model, *(number(found[model].value, 5) for found in comparison.measures.values()))
        for model in comparison.models
    ]
    return heads, lines


@dataclass(frozen=True)
class Listing:
    """The segments of one list, with what stands above and below them."""

    title: str
    heads: Cells
    lines: Sequence[Cells]
    below: str


def segment_tables(comparison: Comparison, most: int = _SEGMENTS) -> Iterator[Listing]:
    """The differences within segments by the deciding measure, `most` of all lists together."""
    lists = families(comparison.segments)
    for family in lists:
        by, (first, *others) = " × ".join(family[0].columns), comparison.models
        shown = family[: max(most // len(lists) // len(others), _LEAST_SEGMENTS)]
        more = len(family) - len(shown)
        yield Listing(
            f"{label(comparison.deciding)} by {by}: {listed(others)} less {first}",
            (by, *(["model"] if len(others) > 1 else []), "rows", "difference",
             f"{percent(comparison.confidence, 3)} interval", "verdict"),
            [line for one in shown for line in _of_segment(one, comparison.deciding)],
            f"… and {more:,} more segments (--json has all)" if more else "",
        )  # fmt: skip


def _of_segment(one: ComparedSegment, deciding: str) -> Iterator[Cells]:
    several = len(one.differences[deciding]) > 1
    for (model, _), found in one.differences[deciding].items():
        yield (one.name, *([model] if several else []), f"{one.rows:,}", *_compared(found))


def _compared(found: Difference) -> tuple[str, str, str]:
    """Difference, interval and verdict."""
    if found.value is None:
        return "undefined", "", found.verdict
    return number(found.value), between(found.low, found.high), found.verdict


def _table(heads: Cells, lines: Sequence[Cells]) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold",
                  collapse_padding=True)  # fmt: skip
    for place, head in enumerate(heads):
        text = place == 0 or head in ("model", "verdict") or head.endswith("interval")
        table.add_column(
            Text(head), justify="left" if text else "right", overflow="fold",
            no_wrap=place > 1 and text, min_width=min(len(head), 12),
        )  # fmt: skip
    for line in lines:
        table.add_row(*map(Text, line))
    return table
