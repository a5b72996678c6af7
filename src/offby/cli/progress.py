"""How far the reading of a table is, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress(doing: str) -> Iterator[Callable[..., None] | None]:
    """A bar on standard error, where that is a terminal; it goes when the work is done."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(),
               TextColumn("{task.fields[rows]:,} rows"),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None, rows=0)

        def advance(batch: Any, description: str = doing) -> None:
            share = {} if batch.progress is None else {"total": 1.0, "completed": batch.progress}
            bar.update(task, description=description, rows=batch.first_row + batch.rows, **share)

        yield advance


@contextmanager
def counted(doing: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error for things that are done one by one, where that is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def passes(doing: str) -> Iterator[Callable[[Any], None] | None]:
    """How often and how far a table was read that is read again and again, where that is seen."""
    with progress(doing) as advance:
        if advance is None:
            yield None
            return
        count = 0

        def heard(batch: Any) -> None:
            nonlocal count
            count += batch.first_row == 0
            advance(batch, f"{doing}, pass {count}")

        yield heard
