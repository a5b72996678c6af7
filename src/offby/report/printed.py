"""What texts for a terminal share: their width, a narrow form of tables, and lists."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

LEAST_WIDTH: Final = 66
"""A terminal with fewer columns is shown tables in their narrow form."""


def printed(show: Callable[[Console], None], width: int | None, color: bool) -> str:
    """What `show` prints on a terminal so wide; 80 columns if not told."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(  # which in a notebook would show what it prints rather than write it
        file=out,
        width=width or 80,
        force_terminal=color,
        force_jupyter=False,
        highlight=False,
        color_system="standard" if color else None,
    )
    show(console)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def narrow(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> RenderableType:
    """Two columns: every line's first cell, and below it what the others hold."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(Text(line[0], style="bold"), "")
        for head, cell in zip(heads[1:], line[1:], strict=True):
            if cell:
                grid.add_row(Text(f"  {head}"), Text(cell))
    return grid


def bullets(texts: Iterable[Text]) -> RenderableType:
    """A list; of texts rather than strings, since names may hold [brackets]."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for text in texts:
        grid.add_row("•", text)
    return grid
