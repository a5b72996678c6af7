"""Rows of a log as they come (one a step, sparse, or long), and the curves that they make."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from offby.runs.curves import Curves, Floats, Series, counted
from offby.runs.roles import role

STEPS = ("step", "global_step", "_step", "trainer/global_step", "steps", "num_steps",
         "total_timesteps", "time/total_timesteps", "iteration", "iterations", "iter", "it",
         "update", "round", "batch")  # fmt: skip
EPOCHS = ("epoch", "epochs", "_epoch")
TIMES = ("time", "wall_time", "timestamp", "_timestamp", "_time")
_SPLITS = frozenset(("phase", "split", "mode", "stage", "subset", "partition", "set"))
_EARLIEST = 1e8  # a smaller "time" counts seconds of something, not since 1970


@final
class Column:
    """The numbers of one column, and the rows in which they stand."""

    def __init__(self) -> None:
        self.rows = array("q")
        self.values = array("d")
        self.unread = 0
        self.first_unread = ""

    def in_order(self) -> tuple[npt.NDArray[np.intp], Floats]:
        """The rows, ascending, and their numbers."""
        rows, values = np.array(self.rows, dtype=np.intp), np.array(self.values)
        order = np.argsort(rows, kind="stable")
        return rows[order], values[order]

    def dense(self, count: int) -> Floats:
        """A number a row, NaN where there is none."""
        filled = np.full(count, np.nan)
        filled[np.array(self.rows, dtype=np.intp)] = np.array(self.values)
        return filled


@final
class Rows:
    """Rows kept by column; what is not a number is left out.

    >>> rows = Rows()
    >>> rows.extend([{"step": 10, "loss": 0.5, "eval": {"loss": 0.6}}, {"step": 20, "loss": "nan"}])
    >>> {name: series.steps.tolist() for name, series in rows.curves().series.items()}
    {'loss': [10.0, 20.0], 'eval/loss': [10.0]}
    """

    def __init__(self) -> None:
        self.count = 0
        self.columns: dict[str, Column] = {}

    def extend(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take rows of numbers, or words for numbers, by name; mappings may be nested.

        Rows with the same names are taken column by column, which is several times as fast.
        """
        groups: dict[tuple[str, ...], tuple[list[int], list[Mapping[str, Any]]]] = {}
        for at, given in enumerate(rows, self.count):
            row = given if _SPLITS.isdisjoint(given) else _prefixed(given)
            places, members = groups.setdefault(tuple(row), ([], []))
            places.append(at)
            members.append(row)
        for names, (places, members) in groups.items():
            for name in names:
                self._put(name, places, [row[name] for row in members])
        self.count += len(rows)

    def extend_table(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Take rows of cells under names, all of the same length."""
        if not rows:
            return
        if not _SPLITS.isdisjoint(names):
            self.extend([dict(zip(names, row, strict=True)) for row in rows])
            return
        places = range(self.count, self.count + len(rows))
        for name, cells in zip(names, zip(*rows, strict=True), strict=True):
            self._put(name, places, cells)
        self.count += len(rows)

    def _put(self, name: str, places: Sequence[int], cells: Sequence[Any]) -> None:
        column = self.columns.setdefault(name, Column())
        try:
            values = array("d", map(float, cells))
        except (TypeError, ValueError, OverflowError):
            for at, cell in zip(places, cells, strict=True):
                self._put_cell(name, column, at, cell)
        else:
            column.rows.extend(places)
            column.values.extend(values)

    def _put_cell(self, name: str, column: Column, at: int, cell: Any) -> None:
        if cell is None or cell == "":
            return
        try:
            column.values.append(float(cell))
        except (TypeError, ValueError, OverflowError):
            if isinstance(cell, Mapping):
                for inner, value in cell.items():
                    self._put(f"{name}/{inner}", (at,), (value,))
            elif isinstance(cell, str):
                column.first_unread = column.first_unread or cell
                column.unread += 1
        else:
            column.rows.append(at)

    def curves(self) -> Curves:
        """A series for each column that is neither the step nor the time."""
        if not self.count:
            return Curves("step", {})
        axis, place, steps, notes = self._steps()
        clock = self._named(TIMES)
        times = None if clock is None else self.columns[clock].dense(self.count)
        if times is not None and not np.nanmin(times, initial=np.inf) > _EARLIEST:
            clock = times = None
        series = {}
        for name, column in self.columns.items():
            if name not in (place, clock) and column.values:
                at, values = column.in_order()
                series[name] = Series(steps[at], values, None if times is None else times[at])
        return Curves(axis, series, (*notes, *self._unread_notes()))

    def _steps(self) -> tuple[str, str | None, Floats, list[str]]:
        """What the steps count, the column they stand in, one a row, and what was inferred."""
        by_step, by_epoch = self._named(STEPS), self._named(EPOCHS)
        epochs = None if by_epoch is None else self.columns[by_epoch].dense(self.count)
        if by_step is not None:
            steps = self.columns[by_step].dense(self.count)
            if epochs is None or not _starts_again(steps, epochs):
                return by_step, by_step, *_carried(steps, by_step)
            note = f"{by_step!r} starts again in each epoch: rows are counted instead"
            return "row", by_step, self._counted(), [note]
        if epochs is not None and by_epoch is not None:
            if not self._many_an_epoch(epochs, by_epoch):
                return by_epoch, by_epoch, *_carried(epochs, by_epoch)
            note = "there are several rows an epoch, and no step: rows are counted instead"
            return "row", by_epoch, self._counted(), [note]
        return "row", None, self._counted(), ["no column of steps or epochs: rows are counted"]

    def _counted(self) -> Floats:
        return np.arange(1.0, self.count + 1)

    def _named(self, names: Iterable[str]) -> str | None:
        """The column of numbers with the first of these names."""
        known = {_plain(name): name for name, column in self.columns.items() if column.values}
        return next((known[name] for name in names if name in known), None)

    def _many_an_epoch(self, epochs: Floats, by_epoch: str) -> bool:
        """Whether most values of some metric stand in the same epoch as the one before."""
        for name, column in self.columns.items():
            if name != by_epoch and len(column.rows) > 2:
                of_metric = epochs[column.in_order()[0]]
                if np.mean(of_metric[1:] == of_metric[:-1]) > 0.5:
                    return True
        return False

    def _unread_notes(self) -> list[str]:
        return [
            f"{counted(column.unread, 'cell')} of {name!r} left out: not a number "
            f"(the first: {column.first_unread[:40]!r})"
            for name, column in self.columns.items()
            if column.unread and (column.values or "loss" in name.casefold())
        ]


_PLACES = frozenset((*STEPS, *EPOCHS, *TIMES))


def _plain(name: str) -> str:
    return name.strip().casefold()


def _prefixed(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """`train/loss` where a column such as `phase` says so: logs with a row for each part."""
    for name in _SPLITS.intersection(row):
        part = row[name]
        if isinstance(part, str) and role(part) is not None:
            return {key if _plain(key) in _PLACES else f"{part}/{key}": value
                    for key, value in row.items()}  # fmt: skip
    return row


def _starts_again(steps: Floats, epochs: Floats) -> bool:
    """Whether steps fall where epochs grow (in a resumed run both fall)."""
    known = np.isfinite(steps) & np.isfinite(epochs)
    return bool(np.any((np.diff(steps[known]) < 0) & (np.diff(epochs[known]) > 0)))


def _carried(steps: Floats, name: str) -> tuple[Floats, list[str]]:
    """Rows without a step get the last one before them, since logs are written in time."""
    missing = np.isnan(steps)
    if not missing.any():
        return steps, []
    last = np.maximum.accumulate(np.where(missing, -1, np.arange(len(steps))))
    filled = np.where(last >= 0, steps[last], np.nan)
    notes, lost = [], int(np.isnan(filled).sum())
    if int(missing.sum()) > lost:
        rows = counted(int(missing.sum()) - lost, "row")
        notes.append(f"{rows} without {name!r}: the last one logged before stands for it")
    if lost:
        notes.append(f"{counted(lost, 'row')} left out: before the first {name!r}")
    return filled, notes
