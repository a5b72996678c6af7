"""A file that grows while it is read: each look gives what was added since the last one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, final

BLOCK = 1 << 26  # bytes read at a time
LINES = 1 << 22  # the same of text, which becomes many small objects
_MARK = 256  # bytes at both ends of what was read that must still stand there


@final
@dataclass(frozen=True)
class Added:
    """Bytes that were not seen before; `again` where the file was written anew.

    `more` bytes may stand behind them. A file may have `changed` and have nothing new to read.
    """

    data: bytes
    again: bool = False
    more: bool = False
    changed: bool = False


class AppendedFile:
    """A file, and how far it has been read.

    A file that became shorter, or in which the bytes read before are no longer the same (loggers
    that learn of a new column write the whole file again), is read from its start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self._head = self._tail = b""
        self._seen: tuple[int, int, int] | None = None

    def added(self, most: int = BLOCK) -> Added:
        """What stands beyond the offset, up to `most` bytes; nothing of a file that is gone."""
        try:
            state = os.stat(self.path)
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
            if stamp == self._seen:
                return Added(b"")
            with self.path.open("rb") as file:
                again = self.offset > 0 and not self._unchanged(file)
                if again:
                    self.offset, self._head, self._tail = 0, b"", b""
                file.seek(self.offset)
                data = file.read(most)
        except OSError:
            return Added(b"")
        more = self.offset + len(data) < state.st_size
        self._seen = None if more else stamp
        return Added(data, again, more, True)

    def advance(self, data: bytes) -> None:
        """Go beyond these bytes, which were the first of those added."""
        self._head = (self._head + data[:_MARK])[:_MARK]
        self._tail = (self._tail + data[-_MARK:])[-_MARK:]
        self.offset += len(data)

    def lines(self) -> Added:
        """The whole lines that were added; a line without its end is left for the next time."""
        most, again, changed = LINES, False, False
        while True:
            added = self.added(most)
            again, changed = again or added.again, changed or added.changed
            whole = added.data[: added.data.rfind(b"\n") + 1]
            if whole or not added.more:
                self.advance(whole)
                return Added(whole, again, added.more, changed)
            most *= 2  # a line longer than a block

    def left(self) -> int:
        """How many bytes stand beyond the offset."""
        try:
            return os.stat(self.path).st_size - self.offset
        except OSError:
            return 0

    def _unchanged(self, file: BinaryIO) -> bool:
        file.seek(0)
        if file.read(len(self._head)) != self._head:
            return False
        file.seek(self.offset - len(self._tail))
        return file.read(len(self._tail)) == self._tail
