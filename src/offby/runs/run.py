"""A run that a training loop writes: a line of JSON a step, which any `offby watch` can read."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsFloat, final

from offby.errors import RunError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # pragma: no cover - Windows
    flock = None  # type: ignore[assignment]

FILES = "offby*.jsonl"
"""What the files of a run are called: one for each process that writes at the same time."""
_OWN = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


@final
class Run:
    """A folder to which a training logs, a line of JSON a call.

    Every line is in the file when `log` returns: a crash of the process loses nothing, and a line
    that the machine itself cut off is skipped by readers and followed by a fresh one. A run that
    is opened again goes on; of a step logged twice the later values stand. Processes that write
    to the same run at the same time, forked ones included, each get a file of their own.

    >>> import tempfile
    >>> with Run(tempfile.mkdtemp()) as run:
    ...     for epoch in (1, 2, 3):
    ...         run.log(epoch, train=1 / epoch, val=1.1 / epoch, accuracy=0.5)
    >>> from offby.runs.find import read_run
    >>> read_run(run.path).series["val"].values.tolist()
    [1.1, 0.55, 0.3666666666666667]
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise RunError(
                f"{str(path)!r} is a file; expected a folder for the run, which is made if missing"
            ) from None
        self._handle, self._process = -1, 0

    def log(
        self, step: float, *, train: Any = None, val: Any = None, **metrics: SupportsFloat | None
    ) -> None:
        """Write the metrics of a step (or epoch), those that are None left out.

        `train` and `val` are the losses; any other metric goes by its name. NaN and infinities
        are written as they are: they are what to watch for. Numbers may be Python's, NumPy's, or
        tensors of one element. Raises RunError for what is not a number.
        """
        row = {"step": _number("step", step), "time": round(time.time(), 3)}
        if not math.isfinite(row["step"]):
            raise RunError(f"step is {step!r}; expected a finite number")
        if train is not None:
            row["train"] = _number("train", train)
        if val is not None:
            row["val"] = _number("val", val)
        for name, value in metrics.items():
            if value is not None:
                row[name] = _number(name, value)
        self._write(row, metrics)

    def _write(self, row: Mapping[str, float], metrics: Mapping[str, Any]) -> None:
        if "time" in metrics:
            raise RunError("a metric cannot be called 'time', which the run writes itself")
        if self._process != os.getpid():  # not yet opened; or forked: the parent has its own
            self._handle, self._process = _free_file(self.path), os.getpid()
        os.write(self._handle, json.dumps(row).encode() + b"\n")

    def close(self) -> None:
        """Let go of the file; the next row opens one again."""
        if self._process == os.getpid():
            os.close(self._handle)
        self._process = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _number(name: str, value: Any) -> float:
    """A float of anything that is one number; a step that is a whole number stays one."""
    if type(value) is float or type(value) is int:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise RunError(
            f"{name} is {value!r:.80}; expected one number (a mean over the batch, say)"
        ) from None


def _free_file(folder: Path) -> int:
    """The first file of the run that no living process writes to, at the start of a line."""
    number = 0
    while True:
        path = folder / f"offby{f'-{number}' if number else ''}.jsonl"
        try:
            handle, new = os.open(path, _OWN | os.O_EXCL, 0o666), True
        except FileExistsError:
            handle, new = os.open(path, _OWN), False
        if _taken(handle, new):
            _end_line(handle)
            return handle
        os.close(handle)
        number += 1


def _taken(handle: int, new: bool) -> bool:
    """Whether a file is now this process's alone; where there are no locks only a new one is."""
    if flock is None:  # pragma: no cover - Windows
        return new
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk that knows no locks
        return new
    return True


def _end_line(handle: int) -> None:
    """End a line that a crash cut off."""
    size = os.fstat(handle).st_size
    if size:
        os.lseek(handle, size - 1, os.SEEK_SET)
        if os.read(handle, 1) != b"\n":
            os.write(handle, b"\n")
