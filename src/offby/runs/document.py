"""JSON files written as a whole: histories of trainers and of boosting, read anew when changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from offby.runs.curves import Curves, Series, counted
from offby.runs.part import Part
from offby.runs.rows import Rows

_NUMBERS = r"\[\s*(?:-?[\d.]|NaN|-?Infinity|null)"
_HISTORY = re.compile(
    rf'\s*\{{\s*"[^"]*"\s*:\s*(?:\{{\s*"[^"]*"\s*:\s*)?{_NUMBERS}|"log_history"\s*:'
    r'|\s*\[\s*\{[^{}\[\]]*"(?:step|epoch|iteration|loss)"'
)
_EXPECTED = (
    "expected lists of numbers by metric ({'train': {'rmse': [...]}, 'eval': {...}} or "
    "{'loss': [...], 'val_loss': [...]}), a list of objects, or a trainer_state.json"
)


def recognised(head: str) -> bool:
    """Whether a JSON file begins as a history does.

    >>> recognised('{"train": {"rmse": [1.5, 1.2]}}'), recognised('{"vocab_size": 3}')
    (True, False)
    """
    return _HISTORY.match(head) is not None or '"log_history"' in head


@final
class DocumentPart(Part):
    """A JSON file: XGBoost's, LightGBM's or CatBoost's results, Keras's history, a trainer state.

    A file that cannot be parsed, since it is being written, keeps what it held before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._curves = Curves("row", {}, ())

    def poll(self) -> bool:
        """Read the file if it changed."""
        try:
            state = self.path.stat()
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
            if stamp == self._seen:
                return False
            self._seen = stamp
            self._curves = history(json.loads(self.path.read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            what = "cannot be read" if isinstance(error, OSError) else "is not whole JSON"
            before = "what it held before stands" if self._curves.series else "being written?"
            note = f"{self.path.name} {what}: {before}"
            self._curves = Curves(self._curves.axis, self._curves.series, (note,))
        return True

    def curves(self) -> Curves:
        """What the file held when it was last whole."""
        return self._curves


def history(held: Any) -> Curves:
    """The curves in a parsed JSON file.

    >>> found = history({"train": {"rmse": [3.0, 2.0]}, "eval": {"rmse": [3.5, 2.5]}})
    >>> found.axis, found.series["eval/rmse"].values.tolist()
    ('iteration', [3.5, 2.5])
    """
    if isinstance(held, Mapping) and isinstance(held.get("log_history"), list):
        held = held["log_history"]
    if isinstance(held, list):
        return _of_rows(held)
    if not isinstance(held, Mapping):
        return Curves("row", {}, (_EXPECTED,))
    nested = any(isinstance(inner, Mapping) for inner in held.values())
    series: dict[str, Series] = {}
    notes: list[str] = []
    for name, inner in held.items():
        parts = {f"{name}/{metric}": values for metric, values in inner.items()} \
            if isinstance(inner, Mapping) else {name: inner}  # fmt: skip
        for full, values in parts.items():
            if isinstance(values, list) and values:
                _add_list(series, notes, full, values, 0 if nested else 1)
    axis = "iteration" if nested else "epoch"
    return Curves(axis, series, tuple(notes if series else [_EXPECTED]))


def _add_list(
    series: dict[str, Series], notes: list[str], name: str, values: list[Any], first: int
) -> None:
    try:
        numbers = np.array([np.nan if value is None else float(value) for value in values])
    except (TypeError, ValueError, OverflowError):
        notes.append(f"{name!r} is not a list of numbers: left out")
        return
    series[name] = Series(np.arange(first, first + len(numbers), dtype=float), numbers)


def _of_rows(held: list[Any]) -> Curves:
    rows = Rows()
    rows.extend([row for row in held if isinstance(row, Mapping)])
    found = rows.curves()
    other = len(held) - rows.count
    notes = [f"{counted(other, 'item')} skipped: not an object"] if other else []
    return Curves(found.axis, found.series, (*found.notes, *notes))
