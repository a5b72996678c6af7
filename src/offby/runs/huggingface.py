"""Hugging Face's Trainer: `trainer_state.json`, beside the model or in its latest checkpoint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import final

from offby.runs.curves import Curves
from offby.runs.document import DocumentPart
from offby.runs.part import Part

STATE = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)$")


def states(folder: Path) -> list[Path]:
    """The states that a Trainer left in its output folder, the latest last.

    Each holds the whole history up to its step; the one in the folder itself is written at the
    end.
    """
    found = [path for path in folder.glob(f"checkpoint-*/{STATE}") if _step(path) >= 0]
    own = [folder / STATE] if (folder / STATE).is_file() else []
    return sorted(found, key=_step) + own


def _step(path: Path) -> int:
    match = _CHECKPOINT.search(path.parent.name)
    return int(match[1]) if match else -1


@final
class TrainerPart(Part):
    """The output folder of a Trainer: the longest history in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._states: dict[Path, DocumentPart] = {}

    def poll(self) -> bool:
        """Look at the last checkpoint and at the state in the folder itself."""
        latest = states(self.folder)[-2:]
        new = set(latest) != set(self._states)
        self._states = {path: self._states.get(path) or DocumentPart(path) for path in latest}
        polled = [part.poll() for part in self._states.values()]
        return new or any(polled)

    def curves(self) -> Curves:
        """The history that reaches furthest; of equals, the one written last."""
        found = [part.curves() for part in self._states.values()]
        return max(reversed(found), key=_reach, default=Curves("step", {}))


def _reach(curves: Curves) -> float:
    last = [float(series.steps[-1]) for series in curves.series.values() if len(series)]
    return max(last, default=-1.0)
