"""A table with a model's predictions beside its own columns, made while it is read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError, TableError
from offby.fit.classifier import LinearClassifier
from offby.fit.model import LinearModel
from offby.fit.quantile_regressor import QuantileRegressor
from offby.tables import Batch, Kind, Table
from offby.tables.table import Chunk, Wanted, listed

_AT_ONCE = 1 << 22  # numbers: 32 MB


@dataclass(frozen=True, eq=False)
class Named:
    """Features with the names of their columns, as estimators take them."""

    columns: Sequence[str]
    numbers: Floats

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return self.numbers


@final
@dataclass(frozen=True, eq=False)
class Predicted(Table):
    """A table's columns, then those `added`: predictions, or one and the chances of classes.

    Of two classes that is the chance of the later one alone.
    """

    of: Table
    model: LinearModel | QuantileRegressor
    added: tuple[str, ...]

    @property
    def prediction(self) -> str:
        """The first column that the table does not have itself."""
        return self.added[0]

    @property
    def chances(self) -> tuple[str, ...]:
        """The columns of a classifier's chances."""
        return self.added[1:]

    def kind(self, column: str) -> Kind:
        """Say what a column holds; predicted classes are text."""
        self.check(column)
        if column == self.prediction and isinstance(self.model, LinearClassifier):
            return "text"
        return "number" if column in self.added else self.of.kind(column)

    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        features = list(map(str, self.model.feature_names_in_))
        theirs = [name for name in wanted.numbers if name not in self.added]
        labels = [name for name in wanted.labels if name not in self.added]
        with closing(self.of.read([*theirs, *features], labels)) as batches:
            for batch in batches:
                _refuse_gaps(batch, features, self.source)
                made = self._made(batch, features)
                numbers = {**batch.columns, **made}
                yield Chunk(
                    {name: numbers[name] for name in wanted.numbers},
                    {name: made[name] if name in made else batch.labels[name]
                     for name in wanted.labels},
                    batch.progress,
                )  # fmt: skip

    def _made(self, batch: Batch, features: Sequence[str]) -> dict[str, Any]:
        size = max(_AT_ONCE // max(len(features), 1), 1)
        starts = range(0, max(batch.rows, 1), size)
        parts = [self._predict(batch, features, slice(k, k + size)) for k in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in self.added}

    def _predict(self, batch: Batch, features: Sequence[str], rows: slice) -> dict[str, Any]:
        named = Named(features, np.stack([batch.columns[name][rows] for name in features], axis=1))
        found = [*np.atleast_2d(self.model.predict(named).T)]  # type: ignore[union-attr]
        if isinstance(self.model, LinearClassifier):
            found += [*self.model.predict_proba(named).T[-len(self.chances) :]]
        return dict(zip(self.added, found, strict=True))


def predicted(table: Table, model: LinearModel | QuantileRegressor, mark: str = "") -> Predicted:
    """A table with a model's predictions, which are made anew whenever it is read.

    They stand in `prediction`, of several quantiles in `prediction_` with the level of each; of two
    classes the chance of the later one in `probability`, of more that of each in `p_` with its
    name; a `mark` follows all these names. Raises `TableError` for columns that are not there, or
    that are there already, and `DataError` for a model whose features have no names.

    >>> from offby.fit import LinearRegressor
    >>> from offby.tables import open_table
    >>> model = LinearRegressor().fit_table({"size": [1.0, 2.0, 4.0], "price": [3, 5, 9]}, "price")
    >>> new = predicted(open_table({"size": [3.0], "note": ["a"]}), model)
    >>> new.columns, [batch.columns["prediction"] for batch in new.read(["prediction"])]
    (('size', 'note', 'prediction'), [array([7.])])
    """
    if getattr(model, "feature_names_in_", None) is None:
        raise DataError(
            "this model was fitted to an array, whose columns have no names to find in "
            f"{table.source}; fit it to a table or a frame"
        )
    for name in map(str, model.feature_names_in_):
        table.check(name)
    added = tuple(f"{name}{mark}" for name in _added(model))
    twice = [name for name in added if name in table.columns]
    if twice:
        raise TableError(
            f"{table.source} has a column {listed(twice)} already, where a prediction is to go; "
            "rename it"
        )
    return Predicted(
        table.source, (*table.columns, *added), table.rows, table.in_memory, table, model,
        added, once=table.once,
    )  # fmt: skip


def _added(model: LinearModel | QuantileRegressor) -> tuple[str, ...]:
    if isinstance(model, QuantileRegressor):
        return tuple(f"prediction_{level}" for level in model.level_names)
    if not isinstance(model, LinearClassifier):
        return ("prediction",)
    if len(model.classes_) == 2:
        return "prediction", "probability"
    return "prediction", *(f"p_{label}" for label in model.classes_)


def _refuse_gaps(batch: Batch, features: Sequence[str], source: str) -> None:
    for name in features:
        bad = ~np.isfinite(batch.columns[name])
        if bad.any():
            raise DataError(
                f"column {name!r} of {source} has no number in row "
                f"{batch.first_row + int(np.argmax(bad)) + 1} (counted from 1), which the model "
                "needs; fill such rows in, or leave them out"
            )
