"""Weights of classes: every row weighs as much more as its class is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Batches, Rows, Source


def weighted_by_class(source: Source, wanted: Any, classes: Sequence[Any]) -> Source:
    """Rows whose y is the number of their class, with their weights times that of the class.

    `wanted` is None, "balanced" (which takes a pass over the rows: each class weighs the same in
    all) or a weight for each class by name, 1 for those left out. Raises `DataError` for others.

    >>> rows = Rows(np.zeros((3, 1)), np.array([0.0, 0.0, 1.0]))
    >>> weighted_by_class(rows, "balanced", ["no", "yes"]).sample(3).weight
    array([0.75, 0.75, 1.5 ])
    """
    if wanted is None:
        return source
    factors = _factors(source, wanted, list(classes))
    if isinstance(source, Rows):
        return _weighted(source, factors)

    def weighted(parts: Callable[[], Iterator[Rows]]) -> Iterator[Rows]:
        return (_weighted(part, factors) for part in parts())

    read, read_targets = partial(weighted, source.parts), partial(weighted, source.targets)
    return Batches(read, source.count, read_targets)


def _weighted(rows: Rows, factors: Floats) -> Rows:
    own = 1.0 if rows.weight is None else rows.weight
    return replace(rows, weight=own * factors[rows.y.astype(int)])


def _factors(source: Source, wanted: Any, classes: list[Any]) -> Floats:
    """What each class's rows are multiplied with: (K,)."""
    if isinstance(wanted, str) and wanted == "balanced":
        return _balanced(source, len(classes))
    if not isinstance(wanted, Mapping):
        raise DataError(f"class_weight is {wanted!r}; expected None, 'balanced' or a dict")
    unknown = [name for name in wanted if name not in classes]
    if unknown:
        raise DataError(f"class_weight names {unknown[0]!r}; the classes are {classes}")
    found = np.array([float(wanted.get(name, 1.0)) for name in classes])
    if not (np.isfinite(found).all() and found.min() >= 0):
        raise DataError(f"class_weight is {dict(wanted)}; weights must be finite and not negative")
    return found


def _balanced(source: Source, classes: int) -> Floats:
    totals = np.zeros(classes)
    for part in source.targets():
        totals += np.bincount(part.y.astype(int), part.weight, minlength=classes)
    return np.asarray(totals.sum() / (classes * np.where(totals > 0, totals, np.inf)))
