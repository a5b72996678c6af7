"""Sparse matrices of scipy, in any format: read as float64, and made dense a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Batches, Rows, Source

_AT_ONCE = 1 << 22  # numbers: 32 MB


def is_sparse(X: Any) -> bool:
    """Whether it is a sparse matrix or array, of scipy's kind."""
    return hasattr(X, "tocsr")


def read_sparse(X: Any) -> Any:
    """The matrix by rows, (n, p), as float64; `DataError` for what is missing or no number.

    >>> from scipy.sparse import coo_array
    >>> read_sparse(coo_array(np.array([[0, 2], [0, 0]]))).toarray()
    array([[0., 2.],
           [0., 0.]])
    """
    if X.dtype.kind not in "fiub":
        raise DataError(f"X is sparse and holds {X.dtype}; expected real numbers")
    if X.ndim != 2 or 0 in X.shape:
        raise DataError(f"X is sparse of shape {X.shape}; expected rows and columns, one at least")
    by_rows = X.tocsr().astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(by_rows.data))
    if bad.size:
        row = int(np.searchsorted(by_rows.indptr, bad[0], side="right"))
        raise DataError(
            f"X has {bad.size} values that are NaN or inf: the first is {by_rows.data[bad[0]]} in "
            f"column {int(by_rows.indices[bad[0]])}, row {row} (from 1); leave such rows out"
        )
    return by_rows


def rows_of(features: Any, truths: Floats, weights: Floats | None) -> Source:
    """Rows to be fitted, of dense features as they lie or of sparse ones in batches."""
    if not is_sparse(features):
        return Rows(features, truths, weights)
    rows, columns = features.shape
    size = max(_AT_ONCE // columns, 1)

    def read() -> Iterator[Rows]:
        for start in range(0, rows, size):
            part = slice(start, start + size)
            weight = None if weights is None else weights[part]
            yield Rows(features[part].toarray(), truths[part], weight)

    return Batches(read, rows, Rows(np.empty((rows, 0)), truths, weights).targets)
