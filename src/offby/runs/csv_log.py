"""CSV logs: Lightning's `metrics.csv`, Keras's CSVLogger, or any table of steps and losses."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import final

from offby.runs.curves import Curves, counted
from offby.runs.part import RowsPart
from offby.runs.roles import role, words
from offby.runs.rows import EPOCHS, STEPS

SUFFIXES = (".csv", ".tsv")
_SEPARATORS = (",", "\t", ";", "|")
_PLACES = frozenset((*STEPS, *EPOCHS))
_NUMERIC = frozenset("0123456789.-+")


def recognised(head: str) -> bool:
    """Whether a first line names columns of a training log.

    >>> recognised("epoch,loss,val_loss"), recognised("y_true,y_pred"), recognised("step,price")
    (True, False, False)
    """
    first = head.lstrip("\ufeff").partition("\n")[0].strip()
    names = _cells(first, _separator(first))
    metrics = [name for name in names if name.strip().casefold() not in _PLACES]
    placed = len(metrics) < len(names)
    return any(_speaks_of_loss(name) for name in metrics) or (
        placed and any(role(name) is not None for name in metrics)
    )


@final
class CsvPart(RowsPart):
    """A table that grows; blank cells are rows in which that metric was not logged."""

    def __init__(self, path: Path) -> None:
        self.header: list[str] = []
        self.separator = ","
        super().__init__(path)

    def start(self) -> None:
        """Forget the header with the rows."""
        super().start()
        self.header = []
        self.changes = 0

    def take(self, text: str) -> None:
        """Read whole lines; a header may come again, with other columns."""
        if not self.header:
            first, _, text = text.lstrip("\r\n").partition("\n")
            self.separator = _separator(first)
            self.header = _distinct(_cells(first.strip(), self.separator))
        fitting: list[list[str]] = []
        for cells in _parsed(text, self.separator):
            if _is_header(cells):
                self.rows.extend_table(self.header, fitting)
                fitting = []
                self._new_header(cells)
            elif len(cells) == len(self.header):
                fitting.append(cells)
            else:
                self.skip(f"{len(cells)} cells where the header has {len(self.header)}")
        self.rows.extend_table(self.header, fitting)

    def _new_header(self, cells: list[str]) -> None:
        names = _distinct(cells)
        if names != self.header:
            self.changes += 1
        self.header = names

    def curves(self) -> Curves:
        """The curves of all rows, each read under the header above it."""
        found = super().curves()
        if not self.changes:
            return found
        note = f"{counted(self.changes, 'new header')}: rows are read under the one above them"
        return Curves(found.axis, found.series, (*found.notes, note))


def _is_header(cells: list[str]) -> bool:
    """Whether a row between others is a header: words alone, one of them of training."""
    if not cells or cells[0][:1] in _NUMERIC or not cells[0].strip():
        return False
    return not any(map(_is_number, cells)) and any(
        name.strip().casefold() in _PLACES or _speaks_of_loss(name) for name in cells
    )


def _distinct(names: list[str]) -> list[str]:
    """Names without blanks around them; a second `loss` becomes `loss.2`."""
    bare = [name.strip() for name in names]
    turns = [bare[: i + 1].count(name) for i, name in enumerate(bare)]
    return [name if turn == 1 else f"{name}.{turn}" for name, turn in zip(bare, turns, strict=True)]


def _parsed(text: str, separator: str) -> Iterable[list[str]]:
    """The cells of each line; a quote that is never closed costs its line, not the file."""
    lines = text.replace("\r\n", "\n").split("\n")
    if '"' in text:
        return (_cells(line, separator) for line in lines if line)
    return (line.split(separator) for line in lines if line)


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:  # a very long cell, or a line end within one
        return [line[:80]]


def _speaks_of_loss(name: str) -> bool:
    return any("loss" in word for word in words(name))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
