"""Runs that were looked at once: as text, as JSON, as a page, and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, overload

from offby.report.answer import Answer
from offby.report.watch_page import page
from offby.report.watch_text import picture
from offby.report.watched import WatchedRun

if TYPE_CHECKING:
    from rich.console import Console

_HEIGHT = 700  # of the page in a notebook, in pixels


@dataclass(frozen=True, repr=False)
class WatchedRuns(Answer, Sequence[WatchedRun]):
    """Runs and their verdicts, the best first, and why others could not be read.

    >>> len(WatchedRuns(()))
    0
    """

    runs: tuple[WatchedRun, ...]
    unread: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[WatchedRun]:
        return iter(self.runs)

    @overload
    def __getitem__(self, place: int) -> WatchedRun: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[WatchedRun, ...]: ...
    def __getitem__(self, place: int | slice) -> WatchedRun | tuple[WatchedRun, ...]:
        return self.runs[place]

    def _values(self) -> dict[str, Any]:
        return {"runs": [run.to_dict() for run in self.runs], "unread": dict(self.unread)}

    def _show(self, console: Console) -> None:
        console.print(picture(self.runs, self.unread, console))

    def _page(self, *, whole: bool) -> str:
        """A notebook gets it in a frame of its own, since it brings scripts and fills a window."""
        text = page(self.runs, self.unread)
        if whole:
            return text
        return (
            f'<iframe srcdoc="{escape(text)}" '
            f'style="width: 100%; height: {_HEIGHT}px; border: 0"></iframe>'
        )
