"""`watch`: from the logs of training runs to a verdict each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from offby.errors import OffbyError, RunError
from offby.report.watched import WatchedRun, ranked
from offby.report.watched_runs import WatchedRuns
from offby.runs.better import better as better_way
from offby.runs.curves import RunLog, Series
from offby.runs.find import find_runs
from offby.runs.pairing import Pair, pair
from offby.runs.reader import RunReader
from offby.runs.roles import words
from offby.watch.diagnose import diagnose


class Watcher:
    """The runs below some paths, looked at again and again as they grow.

    `look` reads what was added, judges the runs that changed anew, and finds new ones; `newest` is
    the one that grew last. `train` and `val` name the curves where their names do not tell. Runs
    that hold no curve are in `unread`, with the reason. With `live` the looks of a run share one
    risk of a false alarm, one look an evaluation, and what is not there yet is waited for, the
    reason in `unread`; else, and for a file that is no training log, `RunError` is raised.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        train: str | None = None,
        val: str | None = None,
        better: Literal["lower", "higher"] | None = None,
        confidence: float = 0.95,
        live: bool = False,
    ) -> None:
        if not paths:
            raise RunError("no path was given; name a file or a folder of training logs")
        self.paths = [Path(path) for path in paths]
        self.unread: dict[str, str] = {}
        self.newest: WatchedRun | None = None
        self._asked = (train, val, better)
        self._confidence, self._live, self._looked = confidence, live, False
        self._readers: dict[Path, list[RunReader]] = {}
        self._judged: dict[RunReader, WatchedRun] = {}

    def look(self, progress: Callable[[int, int], None] | None = None) -> list[WatchedRun]:
        """All runs as they stand now, the best first; `progress` is told how many are done."""
        self.unread = {}
        found, first, runs = self._named(), not self._looked, []
        for done, (name, reader) in enumerate(found.items(), 1):
            run = self._look_at(name, reader)
            runs += [] if run is None else [run]
            if progress is not None:
                progress(done, len(found))
        if not (runs or self._live):
            raise RunError("; ".join(dict.fromkeys(self.unread.values())))
        self._looked = True
        self.newest = None if first else self.newest  # at first all are new
        return ranked(runs)

    def _named(self) -> dict[str, RunReader]:
        """The runs of all paths, each once; those whose names are alike go by where they are."""
        found = {
            (os.path.abspath(reader.path), reader.format): (path, reader)
            for path in self.paths
            for reader in self._found(path)
        }
        alike = Counter(reader.name for _, reader in found.values())
        return {
            reader.name if alike[reader.name] == 1 else _placed(path, reader): reader
            for path, reader in found.values()
        }

    def _found(self, path: Path) -> list[RunReader]:
        try:
            self._readers[path] = find_runs(path, self._readers.get(path, ()))
        except RunError as error:
            if not self._live or (not self._looked and _is_filled(path)):
                raise
            self.unread[str(path)] = str(error)
        return self._readers.get(path, [])

    def _look_at(self, name: str, reader: RunReader) -> WatchedRun | None:
        changed, before = reader.poll(), self._judged.pop(reader, None)
        if before is None or before.name != name or changed:
            try:
                self.newest = before = self._judge(replace(reader.read(), name=name))
            except OffbyError as error:
                self.unread[name] = str(error)
                return None
        self._judged[reader] = before
        return before

    def _judge(self, log: RunLog) -> WatchedRun:
        chosen = pair(log, *self._asked)
        train, val = chosen.of(log)
        verdict = diagnose(
            None if train is None else train.values,
            None if val is None else val.values,
            None if val is None else val.steps,
            train_steps=None if train is None else train.steps,
            accuracy=None if val is None else _accuracy(log, chosen, val),
            better=chosen.better,
            confidence=self._confidence,
            live=self._live,
        )
        return WatchedRun(log, chosen, replace(verdict, axis=_axis(log)))


def watched(
    *paths: str | Path,
    train: str | None = None,
    val: str | None = None,
    better: Literal["lower", "higher"] | None = None,
    confidence: float = 0.95,
) -> WatchedRuns:
    """Read the training logs in files or folders and judge each run, the best first.

    Whatever wrote them: TensorBoard, Hugging Face, Lightning, Keras, XGBoost, LightGBM, CatBoost,
    MLflow, trackio, JSONL or CSV. `train` and `val` name the curves where their names do not tell;
    `better` says which way they improve. A notebook shows what comes back as a page. Raises
    `RunError` where nothing is to be watched.

    >>> import tempfile, offby
    >>> with offby.Run(tempfile.mkdtemp()) as run:
    ...     for epoch, loss in enumerate([0.85, 0.65, 0.55, 0.48, 0.45, 0.44, 0.45, 0.48, 0.5], 1):
    ...         run.log(epoch, val=loss)
    >>> [(run.verdict.best_epoch, run.best) for run in watched(run.path)]
    [(6, 0.44)]
    """
    watcher = Watcher(paths, train=train, val=val, better=better, confidence=confidence)
    return WatchedRuns(tuple(watcher.look()), watcher.unread)


def _is_filled(path: Path) -> bool:
    """Whether a path is a file that holds something: what it is will not change."""
    return path.is_file() and path.stat().st_size > 0


def _placed(path: Path, reader: RunReader) -> str:
    """Where a run is, as the path was given."""
    return path.as_posix() if path == reader.path else (path / reader.name).as_posix()


def _axis(log: RunLog) -> str:
    """What the run counts, in a word."""
    return "evaluation" if log.axis == "row" else log.axis


def _accuracy(log: RunLog, chosen: Pair, val: Series) -> np.ndarray | None:
    """The accuracy at the evaluations of the loss: it may hold where the loss does not."""
    if chosen.better == "higher":
        return None
    for _, name in chosen.others:
        if name is not None and better_way(name) == "higher" and _speaks_of_accuracy(name):
            series = log.series[name]
            if np.array_equal(series.steps, val.steps) and np.isfinite(series.values).all():
                return series.values
    return None


def _speaks_of_accuracy(name: str) -> bool:
    return bool({"acc", "accuracy", "top1"} & set(words(name)))
