"""From a table to several quantiles, and how each of them fares on the rows held out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence

from offby.fit import QuantileRegressor
from offby.fit.data.rows import Source, slices_of
from offby.fit.predicted import Named
from offby.formula.aggregates import Mean
from offby.formula.words import r, where
from offby.losses import Pinball
from offby.measures.measure import Measure
from offby.report.fitted_quantiles import FittedQuantiles, Level
from offby.tables import Batch
from offby.verbs.fit_asked import Asked
from offby.verbs.fit_parts import parts_of
from offby.verbs.totals import Totals

_AT_ONCE = 1 << 22  # numbers: 32 MB
_BELOW = Measure("share_below", Mean(where(r >= 0, 1, 0)), range=(0.0, 1.0))


def fit_quantiles(
    asked: Asked,
    levels: Sequence[float],
    validate: float,
    tol: float,
    progress: Callable[[Batch], None] | None,
) -> FittedQuantiles:
    """Fit several quantiles to what was asked for, and measure each on a share held out.

    Raises `DataError` for rows that cannot be fitted.
    """
    parts = parts_of(asked, validate, progress)
    model = QuantileRegressor(levels, tol=tol)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model.fit_table(parts.training, asked.target, asked.features, asked.weight)
    seen = parts.training_rows if parts.held_out_rows is None else parts.held_out_rows
    return FittedQuantiles(
        model=model,
        levels=tuple(_measured(model, seen, asked.features)),
        source=asked.table.source,
        target=asked.target,
        features=asked.features,
        left_out=asked.left_out,
        choice=asked.choice,
        trained=parts.count - seen.count if validate else seen.count,
        held_out=seen.count if validate else 0,
        cautions=tuple(str(one.message).partition(": ")[2] for one in heard),
    )


def _measured(model: QuantileRegressor, rows: Source, names: Sequence[str]) -> Iterator[Level]:
    """The pinball loss of each quantile, and the share of the rows that is not above it."""
    levels = model.quantiles_.tolist()
    totals = [Totals([Pinball(level), _BELOW]) for level in levels]
    for part in slices_of(rows, max(_AT_ONCE // len(levels), 1)):
        predicted = model.predict(Named(names, part.X))
        for one, column in zip(totals, predicted.T, strict=True):
            one.update(part.y, column, part.weight)
    for level, one in zip(levels, totals, strict=True):
        yield Level(level, *one.report().measures.values())
