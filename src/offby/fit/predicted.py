"""A table with a model's predictions beside its own columns, made while it is read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from offby.errors import DataError, TableError
from offby.fit.classifier import LinearClassifier
from offby.fit.model import LinearModel
from offby.fit.score import Floats
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
    """A table's columns, then the `prediction`, then those of `chances`, one for each class told.

    Of two classes that is the later one alone.
    """

    of: Table
    model: LinearModel
    prediction: str
    chances: tuple[str, ...]

    def kind(self, column: str) -> Kind:
        """Say what a column holds; predicted classes are text."""
        self.check(column)
        if column == self.prediction:
            return "text" if isinstance(self.model, LinearClassifier) else "number"
        return "number" if column in self.chances else self.of.kind(column)

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

    @property
    def added(self) -> tuple[str, ...]:
        """The names of the columns that the table does not have itself."""
        return (self.prediction, *self.chances)

    def _made(self, batch: Batch, features: Sequence[str]) -> dict[str, Any]:
        size = max(_AT_ONCE // max(len(features), 1), 1)
        starts = range(0, max(batch.rows, 1), size)
        parts = [self._predict(batch, features, slice(k, k + size)) for k in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in self.added}

    def _predict(self, batch: Batch, features: Sequence[str], rows: slice) -> dict[str, Any]:
        named = Named(features, np.stack([batch.columns[name][rows] for name in features], axis=1))
        if not isinstance(self.model, LinearClassifier):
            return {self.prediction: self.model.predict(named)}  # type: ignore[attr-defined]
        chances = self.model.predict_proba(named)[:, -len(self.chances) :]
        return {
            self.prediction: self.model.predict(named),
            **dict(zip(self.chances, chances.T, strict=True)),
        }


def predicted(table: Table, model: LinearModel, mark: str = "") -> Predicted:
    """A table with a model's predictions, which are made anew whenever it is read.

    They stand in `prediction`; of two classes the chance of the later one in `probability`, of
    more that of each in `p_` with its name; a `mark` follows all these names. Raises `TableError`
    for columns that are not there, or that are there already, and `DataError` for a model whose
    features have no names.

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
    added = tuple(f"{name}{mark}" for name in ("prediction", *_chances(model)))
    twice = [name for name in added if name in table.columns]
    if twice:
        raise TableError(
            f"{table.source} has a column {listed(twice)} already, where a prediction is to go; "
            "rename it"
        )
    return Predicted(
        table.source, (*table.columns, *added), table.rows, table.in_memory, table, model,
        added[0], added[1:], once=table.once,
    )  # fmt: skip


def _chances(model: LinearModel) -> tuple[str, ...]:
    if not isinstance(model, LinearClassifier):
        return ()
    classes = model.classes_
    return ("probability",) if len(classes) == 2 else tuple(f"p_{label}" for label in classes)


def _refuse_gaps(batch: Batch, features: Sequence[str], source: str) -> None:
    for name in features:
        bad = ~np.isfinite(batch.columns[name])
        if bad.any():
            raise DataError(
                f"column {name!r} of {source} has no number in row "
                f"{batch.first_row + int(np.argmax(bad)) + 1} (counted from 1), which the model "
                "needs; fill such rows in, or leave them out"
            )
