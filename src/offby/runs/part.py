"""One file of a run, in one format: what every reader has in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import final

from offby.runs.appended import AppendedFile
from offby.runs.curves import Curves, counted
from offby.runs.rows import Rows


class Part(ABC):
    """A file that can be looked at again and again."""

    @abstractmethod
    def poll(self) -> bool:
        """Read what is new; say whether the file changed."""

    @abstractmethod
    def curves(self) -> Curves:
        """All that was read so far."""


@final
class RefusedPart(Part):
    """A file or a folder that may not be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def poll(self) -> bool:
        """Nothing is new."""
        return False

    def curves(self) -> Curves:
        """No curve, and why."""
        return Curves("step", {}, (f"{self.path.name} may not be read: permission denied",))


def refused(path: Path) -> bool:
    """Whether something is there that may not be read."""
    ways = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
    return path.exists() and not os.access(path, ways)


class LinesPart(Part):
    """A file of lines."""

    def __init__(self, path: Path) -> None:
        self.file = AppendedFile(path)
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Forget what was read: the file begins (again)."""

    @abstractmethod
    def take(self, text: str) -> None:
        """Read whole lines."""

    def poll(self) -> bool:
        """Read the lines that were added."""
        changed, more = False, True
        while more:
            added = self.file.lines()
            more, changed = added.more, changed or added.changed
            if added.again:
                self.start()
            if added.data:
                self.take(added.data.decode("utf-8-sig", errors="replace"))
        return changed


class RowsPart(LinesPart):
    """A file of lines that tell of rows: JSONL and CSV."""

    def start(self) -> None:
        """Begin without rows."""
        self.rows = Rows()
        self.skipped: dict[str, int] = {}

    def skip(self, why: str, count: int = 1) -> None:
        """Note that lines could not be read."""
        self.skipped[why] = self.skipped.get(why, 0) + count

    def curves(self) -> Curves:
        """The curves of all rows so far, and what was skipped."""
        found = self.rows.curves()
        notes = [f"{counted(count, 'line')} skipped: {why}" for why, count in self.skipped.items()]
        if left := self.file.left():
            notes.append(f"the last line ({left} bytes) has no end: left for the next look")
        return Curves(found.axis, found.series, (*found.notes, *notes))
