"""A run that is read as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, final

import numpy as np

from offby.runs.better import watched
from offby.runs.curves import Curves, RunLog, Series, joined, settled
from offby.runs.part import Part, RefusedPart, refused

Files: TypeAlias = Callable[[], Iterable[tuple[Path, str]]]
"""The files of a run as they stand now, each with what its metrics' names begin with."""


@final
@dataclass(eq=False)
class RunReader:
    """A run in one or several files of one format.

    `read` gives the run so far; called again, it reads only what was added (by byte offset, or by
    row), and files that were not there before.
    """

    name: str
    path: Path
    format: str
    files: Files = field(repr=False)
    open: Callable[[Path], Part] = field(repr=False)
    _parts: dict[Path, tuple[str, Part]] = field(default_factory=dict, init=False, repr=False)
    _log: RunLog | None = field(default=None, init=False, repr=False)

    def poll(self) -> bool:
        """Read what was added since the last time; say whether anything was."""
        for path, prefix in self.files():
            if path not in self._parts or isinstance(self._parts[path][1], RefusedPart):
                self._parts[path] = (prefix, (RefusedPart if refused(path) else self.open)(path))
        polled = [part.poll() for _, part in self._parts.values()]
        if any(polled):
            self._log = None
        return any(polled)

    def read(self) -> RunLog:
        """The run so far, what was added since the last time included.

        Every series has each step once, in order; see `RunLog.notes` for what was skipped.
        """
        self.poll()
        if self._log is None:
            parts = [(prefix, part.curves()) for prefix, part in self._parts.values()]
            self._log = _log(self.name, self.path, self.format, parts)
        return self._log


def _log(name: str, path: Path, form: str, parts: list[tuple[str, Curves]]) -> RunLog:
    found: dict[str, list[Series]] = {}
    for prefix, curves in parts:
        for metric, series in curves.series.items():
            if len(series):
                found.setdefault(prefix + metric, []).append(series)
    raw = {metric: joined(several) for metric, several in found.items()}
    placed = {metric: settled(one) for metric, one in raw.items()}
    kept = {metric: one for metric, one in placed.items() if len(one)}
    notes = dict.fromkeys(note for _, curves in parts for note in curves.notes)
    axes = dict.fromkeys(curves.axis for _, curves in parts if curves.series)
    if len(axes) > 1:
        notes[f"its files count differently: {', '.join(axes)}"] = None
    notes.update(dict.fromkeys(_repeated(raw, kept)))
    return RunLog(name, path, form, next(iter(axes), "step"), kept, tuple(notes))


def _repeated(raw: dict[str, Series], kept: dict[str, Series]) -> list[str]:
    """A note on steps that were logged more than once, as after a resumed training."""
    lost = {
        name: int(np.isfinite(raw[name].steps).sum()) - len(kept[name])
        for name in kept if watched(name)
    }  # fmt: skip
    most = max(lost, key=lambda name: lost[name], default="")
    if not lost.get(most):
        return []
    return [f"{most!r} was logged again at {lost[most]} of its steps (resumed?): the last stands"]
