"""Rows fit to be counted: float64 columns of one length, finite, with positive weights."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from offby.engine.lane import UnfitRows
from offby.engine.state import State
from offby.errors import DataError
from offby.formula.expression import Expression
from offby.formula.words import p, w, y

Floats = NDArray[np.float64]
Policy = Literal["raise", "drop"]
_NAMES = ("y_true", "y_pred", "sample_weight")


def check_policy(nan: str) -> None:
    """Raise `DataError` unless this says what to do with missing values."""
    if nan not in get_args(Policy):
        raise DataError(f"nan is {nan!r}; expected 'raise' or 'drop'")


@dataclass(frozen=True)
class Rows:
    """Columns of a batch; `place` tells the original row of each, where some were left out.

    Columns of float32 may stand for those of float64: the engine reads both.
    `more` holds further columns that formulas speak of, by their symbol.
    """

    y_true: Floats
    y_pred: Floats
    weight: Floats | None
    place: NDArray[np.int64] | None = None
    dropped: int = 0
    names: tuple[str, str, str] = _NAMES  # what messages call the three
    more: dict[Expression, Floats] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.y_true.size


def fit_rows(y_true: Any, y_pred: Any, sample_weight: Any = None, *, singles: bool = False) -> Rows:
    """The three as columns of one length, of float64 or, where `singles` may be, of float32.

    Raises `DataError` naming what does not fit.
    """
    read = partial(as_column, singles=singles)
    truth, prediction = read(y_true, "y_true"), read(y_pred, "y_pred")
    weight = None if sample_weight is None else read(sample_weight, "sample_weight")
    check_lengths(truth, [prediction], weight)
    return Rows(truth, prediction, weight)


def check_lengths(truth: Sized, predictions: Sequence[Sized], weight: Sized | None) -> None:
    """Raise `DataError` unless there is one of each for every row."""
    for prediction in predictions:
        if len(prediction) != len(truth):
            raise DataError(
                f"y_true has {len(truth)} rows and y_pred has {len(prediction)}; they must be the "
                "same rows in the same order"
            )
    if weight is not None and len(weight) != len(truth):
        raise DataError(
            f"sample_weight has {len(weight)} rows and y_true has {len(truth)}; give one a row"
        )


def as_column(values: Any, name: str, *, singles: bool = False) -> Floats:
    """One float64 number a row, or float32 where `singles` may be; (n, 1) counts as (n,)."""
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected one value a row: (n,) or (n, 1)")
    if array.dtype == object:
        array = _from_objects(array.tolist(), name)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} holds {array.dtype}, not numbers; convert it to numbers first")
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        _refuse_inexact(array, name)
    kept = np.float32 if singles and array.dtype == np.float32 else np.float64
    return np.ascontiguousarray(array, dtype=kept)


def as_array(values: Any, name: str) -> NDArray[Any]:
    """What NumPy makes of it; masked values become NaN."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name} cannot be read as an array: {error}") from None
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), np.nan, array)
    return array


def _from_objects(values: list[Any], name: str) -> NDArray[Any]:
    """Python's numbers, with None and pandas' NA as NaN."""
    for row, value in enumerate(values, start=1):
        if isinstance(value, int) and int(float(value)) != value:
            raise _inexact(name, value, row)
    try:
        return np.array([_number(value) for value in values], np.float64)
    except (TypeError, ValueError):
        bad = next(value for value in values if not _is_number(value))
        raise DataError(f"{name} holds {bad!r}, which is not a number") from None


def _number(value: Any) -> float:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return float("nan")
    if isinstance(value, str | bytes):
        raise TypeError
    return float(value)


def _is_number(value: Any) -> bool:
    try:
        _number(value)
    except (TypeError, ValueError):
        return False
    return True


def _refuse_inexact(array: NDArray[Any], name: str) -> None:
    """Integers that float64 cannot hold would be rounded silently."""
    if _any_large(array):
        for row, value in enumerate(array.tolist(), start=1):
            if int(float(value)) != value:
                raise _inexact(name, value, row)


def _inexact(name: str, value: int, row: int) -> DataError:
    return DataError(
        f"{name} has an integer that float64 cannot hold exactly, {value} in row {row} (counted "
        "from 1); subtract a common offset, or convert to float64 yourself if the rounding is meant"
    )


def _any_large(array: NDArray[Any]) -> bool:
    return array.size > 0 and bool(array.max() > 1 << 53 or array.min() < -(1 << 53))


def together(outputs: Sequence[Rows], nan: Policy, first_row: int) -> Sequence[Rows]:
    """Outputs of the same rows, to be counted as one: a row that one lacks, all lack.

    Raises `DataError` before any output is counted.
    """
    if len(outputs) == 1:
        return outputs
    if nan == "raise":
        for rows in outputs:
            _refuse_missing(rows, first_row)
    lacking = ~np.logical_and.reduce([_finite(rows) for rows in outputs])
    if not lacking.any():
        return outputs
    return [replace(rows, y_true=np.where(lacking, np.nan, rows.y_true)) for rows in outputs]


def update(state: State, rows: Rows, nan: Policy = "raise", *, careful: bool = True) -> Rows:
    """Add rows to the totals; unfit rows raise `DataError`, or are dropped if `nan` says so.

    Returns the rows that were counted. Nothing is counted when an error is raised; if not
    `careful`, the state is of no more use then.
    """
    careful = careful or nan == "drop" or rows.weight is not None
    try:
        state.update(columns_of(rows), rows.count, careful=careful)
        return rows
    except UnfitRows:
        kept = fit_to_count(rows, nan, state.span)
        assert kept.place is not None
        state.update(columns_of(kept), kept.count, kept.place, rows.count)
        return kept


def columns_of(rows: Rows) -> dict[Any, Floats]:
    """The columns by the symbols that formulas call them."""
    columns = {y: rows.y_true, p: rows.y_pred, **rows.more}
    return columns if rows.weight is None else {**columns, w: rows.weight}


def fit_to_count(rows: Rows, nan: Policy, first_row: int) -> Rows:
    """The rows that can be counted: NaN dropped if asked for, weights of zero left out."""
    if nan == "raise":
        _refuse_missing(rows, first_row)
    keep = _finite(rows)
    weight = rows.weight
    if weight is not None:
        _refuse_weights(weight, rows.names[2], first_row)
    dropped = int(np.count_nonzero(~keep))
    if weight is not None:
        keep &= weight > 0
    return replace(
        rows,
        y_true=rows.y_true[keep],
        y_pred=rows.y_pred[keep],
        weight=None if weight is None else weight[keep],
        place=np.flatnonzero(keep),
        dropped=dropped,
        more={name: column[keep] for name, column in rows.more.items()},
    )


def _finite(rows: Rows) -> NDArray[np.bool_]:
    return np.isfinite(rows.y_true) & np.isfinite(rows.y_pred)


def _refuse_missing(rows: Rows, first_row: int) -> None:
    for name, column in zip(rows.names, (rows.y_true, rows.y_pred), strict=False):
        finite = np.isfinite(column)
        if not finite.all():
            raise _not_finite(name, column, finite, first_row)


def _not_finite(name: str, column: Floats, finite: NDArray[np.bool_], first_row: int) -> DataError:
    bad = np.flatnonzero(~finite)
    shown = ", ".join(f"row {first_row + k + 1}: {column[k]}" for k in bad[:3].tolist())
    return DataError(
        f"{name} has {bad.size} value{'s' if bad.size > 1 else ''} that "
        f"{'are' if bad.size > 1 else 'is'} missing or not finite ({shown}; counted from 1); "
        "mend them, or leave such rows out with nan='drop' (--nan drop), which reports their count"
    )


def _refuse_weights(weight: Floats, name: str, first_row: int) -> None:
    bad = np.flatnonzero(~((weight >= 0) & np.isfinite(weight)))
    if bad.size:
        raise DataError(
            f"{name} is {weight[bad[0]]} in row {first_row + int(bad[0]) + 1} (counted from 1); "
            "weights must be finite and not negative"
        )
