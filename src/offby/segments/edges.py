"""What a first pass learns of columns: whether they hold numbers, and where to cut those."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

import numpy as np
import pyarrow as pa

from offby.engine.order import KeyCounts
from offby.engine.planning import plan_for
from offby.engine.state import State
from offby.errors import MeasureError, TableError
from offby.formula.aggregates import Quantile
from offby.formula.words import y
from offby.segments.coding import Bins, Coder, Labels
from offby.tables.floats import Floats
from offby.tables.table import Table

FEW = 24
"""Up to so many different numbers (hours, months, stars) are a segment each, and not binned."""


def coders(
    table: Table, columns: Sequence[str], bins: int, edges: Mapping[str, Sequence[float]]
) -> dict[str, Coder]:
    """A coder for each column: labels as they are, numbers in bins.

    Numbers without `edges` are read once, beforehand, for their quantiles; with `bins=0` they are
    labels. Raises `TableError` where the source can be read only once.
    """
    _check(table, columns, bins, edges)
    found: dict[str, Coder] = {name: Bins(cut) for name, cut in edges.items()}
    others = [name for name in columns if name not in found]
    numeric = [name for name in others if bins and _holds_numbers(table, name)]
    cuts = _quantile_edges(table, numeric, bins) if numeric else {}
    return found | {name: Bins(cuts[name]) if cuts.get(name) else Labels() for name in others}


def _check(
    table: Table, columns: Sequence[str], bins: int, edges: Mapping[str, Sequence[float]]
) -> None:
    for name in columns:
        table.check(name)
    stray = [name for name in edges if name not in columns]
    if stray:
        raise MeasureError(f"edges are given for {stray[0]!r}, which no segments are made by")
    if bins < 0 or bins == 1:
        raise MeasureError(f"bins is {bins}; give 2 or more, or 0 to take numbers as labels")


def _holds_numbers(table: Table, name: str) -> bool:
    """Whether to bin a column; of a CSV the first rows are looked at."""
    kind = table.kind(name)
    if kind != "unknown" or table.once:
        return kind == "number"
    with closing(table.read((), (name,))) as batches:
        for batch in batches:
            return _are_numbers(batch.labels[name])
    return False


def _are_numbers(words: Any) -> bool:
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return bool(words.null_count < len(words) and words.cast(pa.float64()) is not None)
    return False


def _quantile_edges(table: Table, names: Sequence[str], bins: int) -> dict[str, list[float]]:
    """The edges of each column, none where few numbers differ."""
    if table.once:
        raise TableError(
            f"{table.source} can be read only once, and the quantiles of {names[0]!r} take a "
            f"reading of their own: name the edges (--edges {names[0]}=10,20,50; in Python: "
            "edges={…}), take numbers as labels (--bins 0), or save the table to a file"
        )
    plan = plan_for((Quantile(y, 0.5),), False, inputs=(y,), worst=y)  # for the counts it keeps
    states = {name: State(plan) for name in names}
    for batch in table.read(names):
        for name, state in states.items():
            values = batch.columns[name]
            values = np.ascontiguousarray(values[np.isfinite(values)])
            state.update({y: values}, values.size, careful=False)
    return {name: _edges(state.sums.counted[0], bins).tolist() for name, state in states.items()}


def _edges(counts: KeyCounts, bins: int) -> Floats:
    """Round numbers near the quantiles.

    >>> keys = np.arange(1000.0).view(np.int64)
    >>> _edges(KeyCounts.of(keys, np.zeros((1000, 0))), 4)
    array([250., 500., 750.])
    """
    if counts.keys.size <= FEW:
        return np.zeros(0)
    shares = np.cumsum(counts.counts) / counts.counts.sum()
    at = np.searchsorted(shares, np.arange(1, bins) / bins, side="right")
    exact = np.unique(counts.low()[np.minimum(at, shares.size - 1)])
    spread = (exact[-1] - exact[0]) / max(exact.size - 1, 1) or abs(exact[0]) or 1.0
    return np.unique(np.round(exact, 2 - math.floor(math.log10(spread))))
