"""Runs in SQLite files: MLflow's `mlflow.db` and trackio's `<project>.db`."""

from __future__ import annotations

import json
import math
import sqlite3
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, final
from urllib.parse import quote

import numpy as np

from offby.runs.curves import Curves, Series, counted
from offby.runs.part import Part
from offby.runs.rows import Rows

SUFFIXES = (".db", ".sqlite", ".sqlite3")
_HEAD = b"SQLite format 3\x00"
_LARGEST = 1.7976931348623157e308  # what MLflow stores for infinity


@final
@dataclass(frozen=True)
class Stored:
    """A run in a database: whose schema it has, its key there, and its name."""

    schema: Literal["mlflow", "trackio"]
    key: str
    name: str


def stored_runs(path: Path) -> list[Stored]:
    """The runs in a SQLite file, in the order in which they began; none if it is no such file."""
    try:
        with path.open("rb") as file:
            if file.read(len(_HEAD)) != _HEAD:
                return []
        with closing(connect(path)) as base:
            columns = _columns(base, "metrics")
            if {"key", "value", "run_uuid", "is_nan"} <= columns:
                return list(_mlflow_runs(base))
            if {"run_name", "step", "metrics", "timestamp"} <= columns:
                return list(_trackio_runs(base, columns))
    except (OSError, sqlite3.Error, ValueError):  # a damaged schema may not even be text
        pass
    return []


def connect(path: Path) -> sqlite3.Connection:
    """Open a database for reading alone, though others write to it."""
    base = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5.0)
    base.text_factory = lambda text: text.decode(errors="replace")
    return base


def _columns(base: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in base.execute(f"PRAGMA table_info({table})")}


def _mlflow_runs(base: sqlite3.Connection) -> Iterator[Stored]:
    query = (
        "SELECT run_uuid, name FROM runs WHERE lifecycle_stage = 'active' "
        "AND run_uuid IN (SELECT DISTINCT run_uuid FROM metrics) ORDER BY start_time, rowid"
    )
    for key, name in base.execute(query):
        yield Stored("mlflow", key, name or key)


def _trackio_runs(base: sqlite3.Connection, columns: set[str]) -> Iterator[Stored]:
    key = _trackio_key(columns)
    query = f"SELECT {key}, MAX(run_name) FROM metrics GROUP BY {key} ORDER BY MIN(id)"
    for identity, name in base.execute(query):
        yield Stored("trackio", identity, name)


def _trackio_key(columns: set[str]) -> str:
    return "run_id" if "run_id" in columns else "run_name"  # before trackio 0.15 names were keys


class DatabasePart(Part):
    """One run in a database: the rows beyond the last one that was read."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        self._last = -1
        self._seen: tuple[int, ...] = ()
        self._problem: tuple[str, ...] = ()

    def poll(self) -> bool:
        """Ask for new rows, if the file or its write-ahead log changed; say whether any came."""
        try:
            stamp = _stamp(self.path)
            if stamp == self._seen:
                return False
            with closing(connect(self.path)) as base:
                rows = base.execute(self._query(base), (self.key, self._last)).fetchall()
        except (OSError, sqlite3.Error, ValueError) as error:
            before, self._problem = self._problem, (f"{self.path.name} cannot be read: {error}",)
            return self._problem != before
        cleared, self._seen, self._problem = bool(self._problem), stamp, ()
        if rows:
            self._last = rows[-1][0]
            self._take(rows)
        return bool(rows) or cleared

    def curves(self) -> Curves:
        """All rows so far."""
        found = self._curves()
        return Curves(found.axis, found.series, (*found.notes, *self._problem))

    @abstractmethod
    def _query(self, base: sqlite3.Connection) -> str:
        """Rows by number, of a run, beyond a number."""

    @abstractmethod
    def _take(self, rows: list[tuple[Any, ...]]) -> None: ...

    @abstractmethod
    def _curves(self) -> Curves: ...


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when the database does: SQLite may write to a log beside it first."""
    state = path.stat()
    log = path.with_name(path.name + "-wal")
    beside = log.stat() if log.exists() else None
    return (
        state.st_ino, state.st_size, state.st_mtime_ns,
        beside.st_size if beside else -1, beside.st_mtime_ns if beside else -1,
    )  # fmt: skip


@final
class MlflowDatabasePart(DatabasePart):
    """A run of MLflow: one metric a row."""

    def __init__(self, path: Path, key: str) -> None:
        super().__init__(path, key)
        self._points: dict[str, list[tuple[float, float, float]]] = {}
        self._bad = 0

    def _query(self, base: sqlite3.Connection) -> str:
        return (
            "SELECT rowid, key, step, value, timestamp, is_nan FROM metrics "
            "WHERE run_uuid = ? AND rowid > ? ORDER BY rowid"
        )

    def _take(self, rows: list[tuple[Any, ...]]) -> None:
        for _, name, step, value, written, is_nan in rows:
            try:
                number = math.nan if is_nan else float(value)
                point = (float(step), number, float(written) / 1000)
            except (TypeError, ValueError):
                self._bad += 1
                continue
            if abs(number) >= _LARGEST:
                point = (point[0], math.copysign(math.inf, number), point[2])
            self._points.setdefault(name, []).append(point)

    def _curves(self) -> Curves:
        series = {name: Series(*np.array(points).T) for name, points in self._points.items()}
        notes = (f"{counted(self._bad, 'row')} skipped: not numbers",) if self._bad else ()
        return Curves("step", series, notes)


@final
class TrackioPart(DatabasePart):
    """A run of trackio: a row a call, its metrics as JSON (infinities and NaN as words)."""

    def __init__(self, path: Path, key: str) -> None:
        super().__init__(path, key)
        self._rows = Rows()
        self._bad = 0

    def _query(self, base: sqlite3.Connection) -> str:
        key = _trackio_key(_columns(base, "metrics"))
        return (
            f"SELECT id, step, timestamp, metrics FROM metrics "
            f"WHERE {key} = ? AND id > ? ORDER BY id"
        )

    def _take(self, rows: list[tuple[Any, ...]]) -> None:
        good = []
        for _, step, written, metrics in rows:
            try:
                good.append({"step": step, "timestamp": _seconds(written)} | json.loads(metrics))
            except (ValueError, TypeError):
                self._bad += 1
        self._rows.extend(good)

    def _curves(self) -> Curves:
        found = self._rows.curves()
        notes = (f"{counted(self._bad, 'row')} skipped: not a JSON object",) if self._bad else ()
        return Curves(found.axis, found.series, (*found.notes, *notes))


def _seconds(written: str) -> float | None:
    try:
        return datetime.fromisoformat(written).timestamp()
    except (TypeError, ValueError):
        return None
