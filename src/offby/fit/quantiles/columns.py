"""Which columns are independent, and mixtures of them that are uncorrelated."""

from __future__ import annotations

import numpy as np

from offby.engine.rows import Floats
from offby.fit.quantiles.problem import Places, blocks

_SOME = 5_000  # rows that tell whether there is anything to look for
_PLAIN = 1e-6  # beyond this share of a column that others do not explain, there is not
_DEPENDENT = 1e-11  # a column with a smaller share is one of no use


def mixture(X: Floats) -> tuple[Places, Floats]:
    """The columns that are no combination of earlier ones, and coefficients of mixtures of them.

    X @ mixture has columns that are about orthonormal (times √n), unlike X. Other columns have
    coefficients of 0: they get none in a fit either.

    >>> kept, mixed = mixture(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 5.0]]))
    >>> kept.tolist(), mixed.shape
    ([0, 2], (3, 2))
    """
    some = X[:: max(len(X) // _SOME, 1)]
    triangle = _factor(some)
    if min(triangle.shape) == X.shape[1] and np.all(_own_share(triangle) > _PLAIN):
        kept = np.arange(X.shape[1])
        return kept, _mixed(triangle, kept, len(some))
    return mixture_by(triangle_of(X), len(X))


def mixture_by(triangle: Floats, count: int) -> tuple[Places, Floats]:
    """The same by the triangular factor of so many rows."""
    kept = _independent(triangle)
    return kept, _mixed(triangle, kept, count)


def _mixed(triangle: Floats, kept: Places, count: int) -> Floats:
    mixed = np.zeros((triangle.shape[1], kept.size))
    size = np.linalg.norm(triangle[:, kept], axis=0)
    mixed[kept] = np.linalg.inv(_factor(triangle[:, kept] / size)) * (
        np.sqrt(count) / size[:, None]
    )
    return mixed


def _factor(X: Floats) -> Floats:
    return np.asarray(np.linalg.qr(X, mode="r"), np.float64)


def _own_share(triangle: Floats) -> Floats:
    """The share of each column that those before it do not explain."""
    size = np.linalg.norm(triangle, axis=0)
    return np.abs(np.diag(triangle)) / np.where(size > 0, size, 1)


def triangle_of(X: Floats, before: Floats | None = None) -> Floats:
    """The triangular factor of X, a block of rows after another, and of rows `before` it.

    >>> triangle_of(np.array([[3.0]]), before=np.array([[4.0]]))
    array([[-5.]])
    """
    triangle = np.empty((0, X.shape[1])) if before is None else before
    for part in blocks(0, len(X)):
        triangle = _factor(np.vstack([triangle, X[part]]))
    return triangle


def _independent(triangle: Floats) -> Places:
    """Gram-Schmidt, twice over, that skips columns which leave nothing."""
    kept: list[int] = []
    directions = np.empty((len(triangle), 0))
    for place, column in enumerate(triangle.T):
        size = float(np.linalg.norm(column))
        own = column / size if size > 0 else column
        for _ in range(2):
            own = own - directions @ (directions.T @ own)
        left = float(np.linalg.norm(own))
        if left > _DEPENDENT:
            kept.append(place)
            directions = np.column_stack([directions, own / left])
    return np.array(kept, np.intp)
