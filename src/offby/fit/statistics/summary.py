"""Coefficients as a table of text, in the columns that people know from statsmodels and R."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offby.engine.rows import Floats

_BESIDE = 5  # outputs, of which no terminal holds many
_HEAD = ("", "coef", "std err", "t", "P>|t|", "[0.025", "0.975]")


class Summary(str):
    """A text that shows as it is printed, in a notebook too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Line:
    """A number that was found; with its standard error, p-value and half its interval, if known."""

    name: str
    found: float
    error: float | None = None
    chance: float | None = None
    half: float | None = None

    def cells(self) -> list[str]:
        """The texts of its columns."""
        if self.error is None or self.chance is None or self.half is None:
            return [self.name, f"{self.found:.6g}"]
        if not np.isfinite(self.error):  # the rows do not determine this coefficient
            return [self.name, f"{self.found:.6g}", *["–"] * (len(_HEAD) - 2)]
        ratio = self.found / self.error if self.error else float("inf")
        return [
            self.name,
            f"{self.found:.6g}",
            f"{self.error:.4g}",
            f"{ratio:.2f}",
            f"{self.chance:.3f}",
            f"{self.found - self.half:.5g}",
            f"{self.found + self.half:.5g}",
        ]


def table_of(facts: Sequence[tuple[str, str]], lines: Sequence[Line], note: str) -> Summary:
    """Facts, one a line, above the table; a note below.

    >>> table_of([("Loss", "squared")], [Line("x0", 2.0, 0.5, 0.001, 1.0)], "HC1.")
    Loss: squared
    ───────────────────────────────────────────────
        coef  std err     t  P>|t|  [0.025  0.975]
    x0     2      0.5  4.00  0.001       1       3
    ───────────────────────────────────────────────
    HC1.
    """
    rows = [line.cells() for line in lines]
    return text_of(facts, _side_by_side([_HEAD[: max(map(len, rows), default=2)], *rows]), note)


def by_output(
    outputs: Sequence[str], names: Sequence[str], found: Floats, errors: Floats | None
) -> list[str]:
    """Numbers of several outputs (outputs, p) side by side, their errors in brackets below them.

    Of many outputs some stand below others.

    >>> found, errors = np.array([[1.0], [2.5]]), np.array([[0.25], [0.5]])
    >>> for line in by_output(["0.1", "0.9"], ["x0"], found, errors):
    ...     print(line)
           0.1    0.9
    x0       1    2.5
        (0.25)  (0.5)
    """
    lines: list[str] = []
    for start in range(0, len(outputs), _BESIDE):
        some = slice(start, start + _BESIDE)
        rows = [["", *outputs[some]]]
        for j, name in enumerate(names):
            rows.append([name, *(f"{value:.6g}" for value in found[some, j])])
            if errors is not None:
                rows.append(["", *map(_in_brackets, errors[some, j])])
        lines += ["", *_side_by_side(rows)] if start else _side_by_side(rows)
    return lines


def _in_brackets(error: float) -> str:
    return f"({error:.4g})" if np.isfinite(error) else "–"


def _side_by_side(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_aligned(row, widths) for row in rows]


def text_of(facts: Sequence[tuple[str, str]], texts: Sequence[str], note: str) -> Summary:
    """Facts, one a line, above the lines of a table; a note below."""
    left = max((len(name) for name, _ in facts), default=0) + 1
    head = [f"{name + ':':<{left}} {text}" for name, text in facts]
    rule = "─" * (max(map(len, texts)) + 1)
    return Summary("\n".join([*head, rule, *texts, rule, note]))


def counted(iterations: int) -> str:
    """A count of iterations.

    >>> counted(1), counted(1000)
    ('1 iteration', '1,000 iterations')
    """
    return f"{iterations:,} iteration{'s' * (iterations != 1)}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = f"{cells[0]:<{widths[0]}}"
    rest = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([first, *rest])
