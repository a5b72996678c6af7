"""What is seen of a fit while it goes on: how far the table is read, and how the losses fall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from offby.cli.progress import terminal

if TYPE_CHECKING:
    from rich.console import RenderableType


class Fitting:
    """How often and how far a table was read, and the facts of each iteration so far."""

    def __init__(self) -> None:
        self.passes = self.rows = 0
        self.walk: dict[str, list[float]] = {}

    def read(self, batch: Any) -> None:
        """Count a batch, and the pass over the table that it belongs to."""
        self.passes += batch.first_row == 0
        self.rows = batch.first_row + batch.rows

    def walked(self, facts: Mapping[str, float]) -> None:
        """Take in an iteration."""
        for name, value in facts.items():
            self.walk.setdefault(name, []).append(value)

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        from offby.report.fitted_text import walk_table

        told = f"fitting, pass {self.passes:,}: {self.rows:,} rows" if self.passes else "reading"
        said = Text(told, style="dim")
        return Group(said, walk_table(self.walk)) if self.walk else said


@contextmanager
def fitting() -> Iterator[Fitting | None]:
    """A table on standard error that grows while a model is fitted, where that is a terminal.

    It goes when the fit is done, since the result has it too.
    """
    console = terminal()
    if console is None:
        yield None
        return
    from rich.live import Live

    found = Fitting()
    with Live(found, console=console, transient=True, refresh_per_second=10):
        yield found
