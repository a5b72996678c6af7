"""MLflow's folder of runs: `mlruns/<experiment>/<run>/metrics/<name>`, a line a value."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import final

import numpy as np

from offby.runs.curves import Curves, Series, counted
from offby.runs.part import LinesPart, Part

_FACT = re.compile(r"^(run_name|lifecycle_stage):\s*(.*?)\s*$", re.MULTILINE)


def is_run(folder: Path) -> bool:
    """Whether a folder is one run of MLflow."""
    return (folder / "meta.yaml").is_file() and (folder / "metrics").is_dir()


def facts(folder: Path) -> dict[str, str]:
    """The name of a run and whether it was deleted, from its `meta.yaml`."""
    text = (folder / "meta.yaml").read_text(errors="replace")
    return {name: value.strip("'\"") for name, value in _FACT.findall(text)}


def files(folder: Path) -> list[tuple[Path, str]]:
    """The files of a run's metrics; a metric's name may have slashes."""
    found = sorted((folder / "metrics").rglob("*"))
    return [(path, "") for path in found if path.is_file()]


def open_metric(folder: Path, path: Path) -> Part:
    """One of those files, of a metric named after its path."""
    return MetricPart(path, path.relative_to(folder / "metrics").as_posix())


@final
class MetricPart(LinesPart):
    """One metric: lines of time (milliseconds), value and step."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        super().__init__(path)

    def start(self) -> None:
        """Forget the values."""
        self._points: list[tuple[float, float, float]] = []
        self._bad = 0

    def take(self, text: str) -> None:
        """Read whole lines."""
        for line in text.splitlines():
            self._add(line.split())

    def _add(self, cells: list[str]) -> None:
        try:
            written, value = float(cells[0]), float(cells[1])
            step = float(cells[2]) if len(cells) > 2 else 0.0
        except (ValueError, IndexError):
            self._bad += 1
            return
        self._points.append((step, value, written / 1000 if math.isfinite(written) else math.nan))

    def curves(self) -> Curves:
        """The one series so far."""
        points = np.array(self._points, dtype=float).reshape(-1, 3)
        bad = f"{self.name}: {counted(self._bad, 'line')} skipped: not a value"
        notes = (bad,) if self._bad else ()
        return Curves("step", {self.name: Series(*points.T)}, notes)
