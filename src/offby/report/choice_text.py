"""The answer on a terminal: three sentences, tables, evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from offby.drawing.numbers import rows
from offby.report.printed import LEAST_WIDTH, bullets, narrow

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from offby.report.choice import Choice, Evidence, Table


_TAKEN = {"keep", "recommended", "to try"}  # what the line that one would take is called


def show(choice: Choice, console: Console) -> None:
    """Print the answer."""
    from rich.text import Text

    first, *others = choice.sentences
    console.print(Text(first, style="bold"))
    if others:
        console.print(Text(" ".join(others)))
    console.print(Text(read(choice), style="dim"))
    for table in (choice.table, choice.noises):
        if table is not None:
            console.print(Text(f"\n{table.title}", style="bold"))
            for place, part in enumerate(_parts(table, console.width)):
                if place:
                    console.print()
                wide = console.width >= LEAST_WIDTH
                console.print(_table(part) if wide else narrow(part.heads, part.lines))
    if choice.evidence:
        console.print()
        console.print(bullets(map(_told, choice.evidence)))


def read(choice: Choice) -> str:
    """What was read, and by what it is judged.

    >>> from offby.verbs.choose import choose
    >>> read(choose([1.0, 2.0], [1.5, 2.0], judge="mae"))
    'Judged by mae; 2 rows read, 2 used.'
    """
    left = f", {choice.dropped:,} dropped" if choice.dropped else ""
    counted = f"Judged by {choice.judge}; {rows(choice.rows)} read, {choice.used:,} used{left}."
    return f"{choice.columns} {counted}".strip()


def _parts(table: Table, width: int) -> list[Table]:
    """The table, or where a matrix is too wide, as many columns at a time as there is room for."""
    if not table.heat or width < LEAST_WIDTH:
        return [table]
    columns = zip(table.heads, *table.lines, strict=True)
    needed = [max(map(len, column)) + 2 for column in columns]
    parts, room = [[0]], width - needed[0]
    for place, more in enumerate(needed[1:], 1):
        if more > room and len(parts[-1]) > 1:
            parts, room = [*parts, [0]], width - needed[0]
        parts[-1].append(place)
        room -= more
    return [_taken(table, part) for part in parts]


def _taken(table: Table, places: list[int]) -> Table:
    heads = tuple(table.heads[k] for k in places)
    return replace(table, heads=heads, lines=tuple(tuple(x[k] for k in places)
                                                   for x in table.lines))  # fmt: skip


def _table(table: Table) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold",
                collapse_padding=True)  # fmt: skip
    longest = max(len(line[0]) for line in table.lines)
    for place, head in enumerate(table.heads):
        least = min(longest, 24) if place == 0 else min(len(head), 10)
        grid.add_column(Text(head), overflow="fold", min_width=least)
    for line in table.lines:
        style = "bold" if _TAKEN & set(line) else None
        grid.add_row(*map(Text, line), style=style)
    return grid


def _told(one: Evidence) -> Text:
    from rich.text import Text

    method = f" [{one.estimate['method']}]" if one.estimate["method"] else ""
    return Text.assemble(one.text, (method, "dim"))
