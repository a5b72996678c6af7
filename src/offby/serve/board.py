"""What a page of runs has yet to hear: every change has a number, and a page names the last."""

from __future__ import annotations

import threading
import time
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
        self._unread: dict[str, str] = {}
        self._number = self._first = time.time_ns()  # beyond the numbers of servers before
        self._closed = False

    def look(self) -> None:
        """Look at the runs, and wake those that wait if anything is new."""
        with suppress(RunError):  # a folder that is gone for a moment is no reason to stop
            self._take({run.name: run for run in self.watcher.look()})

    def _take(self, runs: dict[str, WatchedRun]) -> None:
        with self._changed:
            if runs.keys() != self._seen.keys() or self.watcher.unread != self._unread:
                self._number += 1
            fresh = [run for name, run in runs.items() if self._seen.get(name) is not run]
            self._news = {name: news for name, news in self._news.items() if name in runs}
            for run in fresh:
                self._number += 1
                self._news[run.name] = self._number, told(run)
            self._seen, self._unread = runs, self.watcher.unread
            self._changed.notify_all()

    def page(self) -> str:
        """The page without runs: they come as its first event."""
        return page([], {}, live=True)

    def since(self, number: int, patience: float) -> tuple[int, dict[str, Any] | None]:
        """What is new after that number, and the number of the last change.

        The runs that changed, the names of all that there are, and what cannot be read; None where
        nothing changed within so many seconds. A number from before the server's start, or from
        another one, is that of a page that knows nothing.
        """
        with self._changed:
            if not self._first <= number <= self._number:
                number = self._first
            self._changed.wait_for(lambda: self._number > number or self._closed, patience)
            if self._number <= number:
                return self._number, None
            runs = [run for at, run in self._news.values() if at > number]
            return self._number, {"runs": runs, "names": list(self._seen), "unread": self._unread}

    @property
    def closed(self) -> bool:
        """Whether nothing will change any more."""
        return self._closed

    def close(self) -> None:
        """Let go of all that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
