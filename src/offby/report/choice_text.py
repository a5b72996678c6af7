"""The answer on a terminal: three sentences, tables, evidence."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from offby.report.numbers import rows

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from offby.report.choice import Choice, Table

_LEAST_WIDTH = 66


def to_text(choice: Choice, width: int | None = None, *, color: bool = False) -> str:
    """The answer as text, for a terminal so wide; 80 columns if not told."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=width or 80, force_terminal=color, highlight=False,
                      color_system="standard" if color else None)  # fmt: skip
    show(choice, console)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


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
            for part in _parts(table, console.width):
                console.print((_table if console.width >= _LEAST_WIDTH else _narrow)(part))
    if choice.evidence:
        console.print()
        console.print(_bullets(choice))


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
    """The table, or where a matrix is too wide, its verdicts first and then its other columns."""
    columns = zip(table.heads, *table.lines, strict=True)
    needed = sum(max(map(len, column)) + 2 for column in columns)
    if not table.heat or needed <= width or width < _LEAST_WIDTH:
        return [table]
    last = len(table.heads)
    return [_taken(table, (0, 1, last - 2, last - 1)), _taken(table, (0, *range(2, last - 2)))]


def _taken(table: Table, places: tuple[int, ...]) -> Table:
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
        style = "bold" if line[-1] in ("keep", "recommended") else None
        grid.add_row(*map(Text, line), style=style)
    return grid


def _narrow(table: Table) -> RenderableType:
    """Two columns: every line's first cell, and below it what the others hold."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for line in table.lines:
        grid.add_row(Text(line[0], style="bold"), "")
        for head, cell in zip(table.heads[1:], line[1:], strict=True):
            if cell:
                grid.add_row(Text(f"  {head}"), Text(cell))
    return grid


def _bullets(choice: Choice) -> RenderableType:
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for one in choice.evidence:
        method = f" [{one.estimate['method']}]" if one.estimate["method"] else ""
        grid.add_row("•", Text.assemble(one.text, (method, "dim")))
    return grid
