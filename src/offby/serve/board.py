"""What a page of runs has yet to hear: every change has a number, and a page names the last."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from offby.errors import RunError
from offby.report.watch_page import page, told
from offby.report.watched import WatchedRun
from offby.verbs.watch import Watcher


class Board:
    """The runs as they were last seen; threads wait here for what is new."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self._changed = threading.Condition()
        self._seen: dict[str, WatchedRun] = {}
        self._news: dict[str, tuple[int, dict[str, Any]]] = {}
        self._number = 0
        self._closed = False

    def look(self) -> None:
        """Look at the runs, and wake those that wait if anything is new."""
        with suppress(RunError):  # a folder that is gone for a moment is no reason to stop
            self._take(self.watcher.look())

    def _take(self, runs: list[WatchedRun]) -> None:
        fresh = [run for run in runs if self._seen.get(run.name) is not run]
        with self._changed:
            for run in fresh:
                self._number += 1
                self._seen[run.name] = run
                self._news[run.name] = self._number, told(run)
            self._changed.notify_all()

    def page(self) -> str:
        """The page without runs: they come as its first event."""
        return page([], self.watcher.unread, live=True)

    def since(self, number: int, patience: float) -> tuple[int, list[dict[str, Any]]]:
        """The runs that changed after that number, and the number of the last change.

        Waits so many seconds for one, if there is none yet. A number from before the server's
        start, or from another one, is that of a page that knows nothing.
        """
        with self._changed:
            if number > self._number:
                number = 0
            self._changed.wait_for(lambda: self._number > number or self._closed, patience)
            return self._number, [run for at, run in self._news.values() if at > number]

    @property
    def closed(self) -> bool:
        """Whether nothing will change any more."""
        return self._closed

    def close(self) -> None:
        """Let go of all that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
