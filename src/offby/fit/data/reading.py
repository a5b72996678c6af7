"""What an estimator is given becomes float64: features (n, p), truths and weights (n,).

Messages hold the words that scikit-learn's own have, since its checks look for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import in_slices
from offby.engine.rows import Floats, as_column
from offby.errors import DataError
from offby.fit.data.finite import unfit

_MISSING = ("NAType", "NaTType", "NoneType")


def names_of(X: Any) -> NDArray[np.object_] | None:
    """The names of the columns of a frame, if they are text: (p,)."""
    columns = getattr(X, "columns", None)
    names = [] if columns is None else list(columns)
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return np.array(names, dtype=object)


def read_features(X: Any) -> Floats:
    """A matrix or frame as float64, not copied if it is that; `DataError` for what is no numbers.

    >>> read_features([[1, 2], [3, 4]])
    array([[1., 2.],
           [3., 4.]])
    """
    array = np.asarray(X)
    if array.dtype.kind == "c":
        raise DataError("Complex data not supported: X holds complex numbers")
    if array.ndim != 2:
        raise DataError(
            f"Expected 2D array, got {array.ndim}D array instead: X has shape {array.shape}. "
            "Reshape your data: X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one row"
        )
    _refuse_empty(array)
    numbers = array if array.dtype.kind in "fiub" else _from_objects(array, names_of(X))
    found = np.asarray(numbers, np.float64)
    if any(step % 8 for step in found.strides) or not found.flags.aligned:
        found = np.ascontiguousarray(found)
    _refuse_missing(found, names_of(X))
    return found


def _refuse_empty(array: NDArray[Any]) -> None:
    for size, what in zip(array.shape, ("sample", "feature"), strict=True):
        if not size:
            raise DataError(
                f"Found array with 0 {what}(s) (shape={array.shape}) while a minimum of 1 is "
                "required."
            )


def _from_objects(array: NDArray[Any], names: NDArray[np.object_] | None) -> Floats:
    found = np.empty(array.shape)
    for j, column in enumerate(array.T):
        for i, value in enumerate(column.tolist()):
            if isinstance(value, str | bytes):
                raise _text(_name(names, j), value)
            missing = type(value).__name__ in _MISSING
            found[i, j] = np.nan if missing else value  # TypeError for what is no number
    return found


def _text(name: str, value: Any) -> DataError:
    return DataError(
        f"column {name} of X holds text ({value!r}); make numbers of it first: a column of 0 and 1 "
        "for each category (pandas.get_dummies, or scikit-learn's OneHotEncoder in a pipeline)"
    )


def _name(names: NDArray[np.object_] | None, column: int) -> str:
    return repr(f"x{column}") if names is None else repr(names[column])


def _refuse_missing(X: Floats, names: NDArray[np.object_] | None) -> None:
    if X.flags.forc:
        numbers = X.ravel("K")
        if not any(in_slices(X.size, lambda start, stop: unfit(numbers[start:stop]))):
            return
    bad = ~np.isfinite(X)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        count = int(bad.sum())
        raise DataError(
            f"X has {count} value{'s' if count > 1 else ''} that {'are' if count > 1 else 'is'} "
            f"NaN or inf: the first is {X[row, column]} in column {_name(names, column)}, row "
            f"{row + 1} (counted from 1); fill them in (SimpleImputer in a pipeline) or leave such "
            "rows out"
        )


def read_target(y: Any, rows: int) -> Floats:
    """One finite number for each of so many rows: (n,)."""
    found = as_column(y, "y")
    _refuse_length(found, rows, "y")
    bad = np.flatnonzero(~np.isfinite(found))
    if bad.size:
        raise DataError(
            f"y has {bad.size} value{'s' if bad.size > 1 else ''} that "
            f"{'are' if bad.size > 1 else 'is'} NaN or inf, first in row {bad[0] + 1} (counted "
            "from 1); leave such rows out"
        )
    return found


def read_weights(sample_weight: Any, rows: int) -> Floats | None:
    """A weight for each row, none negative and not all 0; None for none: (n,)."""
    if sample_weight is None:
        return None
    array = np.asarray(sample_weight)
    if array.ndim > 1:
        raise DataError(f"Sample weights must be 1D array or scalar; their shape is {array.shape}")
    found = as_column(np.full(rows, array) if array.ndim == 0 else array, "sample_weight")
    _refuse_length(found, rows, "sample_weight")
    bad = np.flatnonzero(~((found >= 0) & np.isfinite(found)))
    if bad.size:
        raise DataError(
            f"sample_weight is {found[bad[0]]} in row {bad[0] + 1} (counted from 1); weights must "
            "be finite and not negative"
        )
    if not found.any():
        raise DataError("all weights are zero: sample_weight leaves no rows to fit")
    return found


def _refuse_length(found: Floats, rows: int, name: str) -> None:
    if found.size != rows:
        raise DataError(f"{name} has {found.size} rows and X {rows}; they must be the same rows")
