"""TensorBoard event files: what torch, Lightning, Keras and many others write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from offby.runs.appended import BLOCK, AppendedFile
from offby.runs.curves import Curves, Series, counted, joined
from offby.runs.part import Part

if TYPE_CHECKING:
    from offby.runs.events import Found

MARK = "tfevents"
"""What stands in the name of every event file."""


@final
class EventsPart(Part):
    """One event file."""

    def __init__(self, path: Path) -> None:
        self.file = AppendedFile(path)
        self._start()

    def _start(self) -> None:
        self.series: dict[str, list[Series]] = {}
        self.bad_records = self.lost_bytes = self.unread = 0

    def poll(self) -> bool:
        """Read the whole records that were added; one that is being written waits."""
        most, changed = BLOCK, False
        while True:
            added = self.file.added(most)
            if added.again:
                self._start()
            consumed = self._take(added.data) if added.data else 0
            changed = changed or added.changed
            if not added.more:
                return changed
            most = BLOCK if consumed else 2 * most  # a record longer than a block

    def _take(self, data: bytes) -> int:
        from offby.runs import events

        found = events.scan(data)
        counts = found.counts
        self.bad_records += int(counts[events.BAD_RECORDS])
        self.lost_bytes += int(counts[events.LOST_BYTES])
        self.unread += int(counts[events.UNREAD])
        for name, series in _by_tag(found).items():
            self.series.setdefault(name, []).append(series)
        consumed = int(counts[events.CONSUMED])
        self.file.advance(data[:consumed])
        return consumed

    def curves(self) -> Curves:
        """All scalars so far by tag, and what could not be read."""
        self.series = {name: [joined(parts)] for name, parts in self.series.items()}
        series = {name: parts[0] for name, parts in self.series.items()}
        return Curves("step", series, tuple(self._notes()))

    def _notes(self) -> list[str]:
        name, left = self.file.path.name, self.file.left()
        where, why = ("end are", "cut off") if self.file.offset else ("start hold", "damaged")
        told = [
            (self.bad_records, "record", "skipped: the checksum does not match"),
            (self.lost_bytes, "byte", "skipped: damaged, up to the next good record"),
            (self.unread, "event", "skipped: not to be decoded"),
            (left, "byte", f"at its {where} no whole record: {why}, or being written"),
        ]
        return [f"{name}: {counted(count, noun)} {what}" for count, noun, what in told if count]


def _by_tag(found: Found) -> dict[str, Series]:
    order = np.argsort(found.tag, kind="stable")
    ends = np.cumsum(np.bincount(found.tag, minlength=len(found.tags)))
    places = np.split(order, ends[:-1]) if found.tags else []
    return {
        name: Series(found.steps[at], found.values[at], found.times[at])
        for name, at in zip(found.tags, places, strict=True)
    }
