"""Curves in a terminal: eight dots a character, lines between points, an axis on two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.drawing.numbers import number

Floats = NDArray[np.float64]
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_EMPTY = 0x2800
_DASH = 6  # dots from one dash to the next
_MARGIN = 0.03  # of the height, above and below


@dataclass(frozen=True)
class Line:
    """A curve: where it goes, the style it is drawn in, and whether it has gaps.

    Gaps tell it from another one where there are no colours.
    """

    x: ArrayLike
    y: ArrayLike
    style: str
    broken: bool = False


@dataclass(frozen=True)
class Picture:
    """Rows of (text, style) runs."""

    rows: list[list[tuple[str, str]]]

    @property
    def plain(self) -> str:
        """Without styles."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self.rows)


def drawn(
    lines: Sequence[Line], width: int, height: int, mark: float | None = None, log: bool = False
) -> Picture:
    """Draw curves into so many characters, axis included; `mark` is where a vertical line stands.

    What is not finite is left out. Later lines stand before earlier ones.

    >>> print(drawn([Line([0, 1, 2, 3], [3, 1, 1, 2], "")], 12, 4).plain)
    3 ┤⢣
      │ ⢇
      │ ⠘⡄    ⡠⠋
    1 ┤  ⠸⣀⣀⣀⠜
      └─────────
       0       3
    """
    seen = [_finite(line, log) for line in lines]
    spans = [np.concatenate(part) for part in zip(*seen, strict=True)] if seen else []
    if not spans or not spans[0].size:
        return Picture([[("nothing to draw yet", "dim")]])
    left, right = _ends(spans[0])
    low, high = _ends(spans[1])
    labels = [number(float(np.exp(end) if log else end), 4) for end in (high, low)]
    margin = max(map(len, labels)) + 2
    canvas = _Canvas(max(width - margin, 8), max(height, 2), (left, right), (low, high))
    if mark is not None:
        canvas.rule(mark)
    for k, (x, y) in enumerate(seen):
        canvas.line(x, y, k + 1, lines[k].broken)
    styles = ["dim", *(line.style for line in lines)]
    return Picture(
        [*_framed(canvas.rows(styles), labels), *_below(canvas.width, margin, left, right)]
    )


def _finite(line: Line, log: bool) -> tuple[Floats, Floats]:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    kept = np.isfinite(x) & np.isfinite(y) & ((y > 0) | (not log))
    return x[kept], np.log(y[kept]) if log else y[kept]


def _ends(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _framed(
    rows: list[list[tuple[str, str]]], labels: Sequence[str]
) -> list[list[tuple[str, str]]]:
    width = max(map(len, labels))
    ends = {0: labels[0], len(rows) - 1: labels[1]}
    return [
        [(f"{ends.get(k, ''):>{width}} {'┤' if k in ends else '│'}", "dim"), *row]
        for k, row in enumerate(rows)
    ]


def _below(width: int, margin: int, left: float, right: float) -> list[list[tuple[str, str]]]:
    first, last = number(left), number(right)
    gap = " " * max(width - len(first) - len(last), 1)
    return [[(" " * (margin - 1) + "└" + "─" * width, "dim")],
            [(" " * margin + first + gap + last, "dim")]]  # fmt: skip


class _Canvas:
    """Dots of a few layers; a character has the style of the uppermost layer in it."""

    def __init__(
        self, width: int, height: int, across: tuple[float, float], up: tuple[float, float]
    ) -> None:
        self.width, self.height = width, height
        self.across, self.up = across, up
        self.dots = np.zeros((height * 4, width * 2), np.int8)

    def line(self, x: Floats, y: Floats, layer: int, broken: bool) -> None:
        """Join points by straight lines, so finely that no dot is missed."""
        columns, rows = self._extremes(self._column(x), self._row(y))
        if columns.size > 1:
            reach = np.maximum(np.abs(np.diff(columns)), np.abs(np.diff(rows)))
            along = np.concatenate([[0], np.cumsum(np.maximum(np.ceil(reach), 1))])
            every = np.arange(along[-1] + 1)
            every = every[(every % _DASH < _DASH / 2) | (not broken)]
            columns, rows = np.interp(every, along, columns), np.interp(every, along, rows)
        self.dots[np.rint(rows).astype(int), np.rint(columns).astype(int)] = layer

    def _extremes(self, columns: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Of very many points in order, the highest and the lowest of each column of dots."""
        if columns.size <= 8 * self.dots.shape[1] or np.any(np.diff(columns) < 0):
            return columns, rows
        starts = np.flatnonzero(np.diff(np.rint(columns), prepend=-1))
        ends = [edge.reduceat(rows, starts) for edge in (np.minimum, np.maximum)]
        return np.repeat(np.rint(columns[starts]), 2), np.stack(ends, axis=1).ravel()

    def rule(self, x: float) -> None:
        """A dotted vertical line behind everything."""
        column = int(np.rint(self._column(np.array([x]))[0]))
        if 0 <= column < self.dots.shape[1]:
            self.dots[::2, column] = -1

    def rows(self, styles: Sequence[str]) -> list[list[tuple[str, str]]]:
        """The characters, in runs of one style."""
        blocks = self.dots.reshape(self.height, 4, self.width, 2).swapaxes(1, 2)
        signs = _EMPTY + np.sum((blocks != 0) * _DOTS, axis=(2, 3))
        layers = np.maximum(blocks.max(axis=(2, 3)), 0)
        return [_runs(sign, layer, styles) for sign, layer in zip(signs, layers, strict=True)]

    def _column(self, x: Floats) -> Floats:
        low, high = self.across
        return np.asarray((x - low) / (high - low) * (self.dots.shape[1] - 1))

    def _row(self, y: Floats) -> Floats:
        low, high = self.up
        share = _MARGIN + (1 - 2 * _MARGIN) * (high - y) / (high - low)
        return np.asarray(share * (self.dots.shape[0] - 1))


def _runs(
    signs: NDArray[np.int64], layers: NDArray[np.int8], styles: Sequence[str]
) -> list[tuple[str, str]]:
    cuts = np.flatnonzero(np.diff(layers)) + 1
    found = []
    for sign, layer in zip(np.split(signs, cuts), np.split(layers, cuts), strict=True):
        text = "".join(map(chr, sign.tolist())).replace(chr(_EMPTY), " ")
        found.append((text, styles[int(layer[0])]))
    return found
