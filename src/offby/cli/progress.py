"""How far the work is, on a terminal: a bar on standard error that goes when the work is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

Read = Callable[[Any], None] | None
"""Told of every batch of a table; None where nobody sees it."""
Done = Callable[[int, int], None] | None
"""Told how many things are done, and of how many."""


def terminal() -> Console | None:
    """Standard error, if it is a terminal that can be drawn on anew."""
    from rich.console import Console

    console = Console(stderr=True)
    return console if console.is_terminal and not console.is_dumb_terminal else None


@contextmanager
def progress(doing: str) -> Iterator[Read]:
    """A bar for the reading of a table."""
    with stages(doing, doing) as (read, _):
        yield read


@contextmanager
def counted(doing: str) -> Iterator[Done]:
    """A bar for things that are done one by one."""
    with stages(doing, doing) as (_, done):
        yield done


@contextmanager
def stages(reading: str, doing: str) -> Iterator[tuple[Read, Done]]:
    """A bar for the reading of a table, then for things that are done one by one."""
    console = terminal()
    if console is None:
        yield None, None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(reading, total=None, told="")

        def read(batch: Any) -> None:
            share = {} if batch.progress is None else {"total": 1.0, "completed": batch.progress}
            bar.update(task, told=f"{batch.first_row + batch.rows:,} rows", **share)

        def done(count: int, total: int) -> None:
            told = f"{count}/{total}"
            bar.update(task, description=doing, told=told, completed=count, total=total)

        yield read, done
