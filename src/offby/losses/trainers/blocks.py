"""Formulas of the columns that boosters keep: float32 in, float32 out, float64 in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute, in_slices
from offby.engine.rows import as_column
from offby.errors import DataError
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression, walk

_BLOCK = 1 << 15
"""Rows at a time: as float64 they stay in a core's cache, and calls cost next to nothing."""
_PLAIN = {"symbol", "constant", "multiply"}
"""What a product of columns is made of."""


def as_kept(values: Any, name: str) -> NDArray[Any]:
    """A column as it lies where it is of float32, and else as float64.

    >>> as_kept(np.ones(2, np.float32), "y").dtype, as_kept([1, 2], "y").dtype
    (dtype('float32'), dtype('float64'))
    """
    if isinstance(values, np.ndarray) and values.dtype == np.float32 and values.ndim == 1:
        return values
    return as_column(values, name)


def in_blocks(
    roots: Sequence[Expression],
    columns: Mapping[Expression, NDArray[Any]],
    alike: Mapping[Expression, float],
    dtype: type,
) -> list[NDArray[Any]]:
    """Each formula at each row, of columns and of numbers that are alike in all rows.

    A whole column as float64, written and read again, costs more than most formulas: so a block
    is converted, computed and rounded before the next one is touched. Where not even a block is
    worth it, since all formulas are products, columns stay as they are, as they do in boosters'
    own objectives. Raises `DataError` where the columns are not of one length.

    >>> from offby.formula import p, y
    >>> in_blocks([p - y], {p: np.array([3.0, 4.0]), y: np.array([1.0, 1.0])}, {}, np.float32)
    [array([2., 3.], dtype=float32)]
    """
    sizes = {column.size for column in columns.values()}
    if len(sizes) > 1:
        named = ", ".join(f"{name} of {column.size}" for name, column in columns.items())
        raise DataError(f"the columns have different lengths: {named}; give one number a row")
    rows = sizes.pop()
    if all(one.op in _PLAIN for root in roots for one in walk(root)):
        plain: list[NDArray[Any]] = [np.asarray(evaluate(root, columns), dtype) for root in roots]
        return [one if one.ndim else np.full(rows, one) for one in plain]
    found: list[NDArray[Any]] = [np.empty(rows, dtype) for _ in roots]

    def work(start: int, stop: int) -> None:
        for at in range(start, stop, _BLOCK):
            block = slice(at, min(at + _BLOCK, stop))
            part = {name: column[block] for name, column in columns.items()}
            for row, values in zip(found, compute(roots, {**part, **alike}), strict=True):
                row[block] = values

    in_slices(rows, work)
    return found
