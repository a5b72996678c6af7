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
def stages(reading: str, doing: str) -> Iterator[tuple[Callable[..., None] | None, ...]]:
    """A bar that tells of the reading of a table, then of things done one by one; if it is seen."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
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
