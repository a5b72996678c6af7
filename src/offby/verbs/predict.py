"""`predict`: a saved model's predictions beside a table's columns, written as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from offby.errors import TableError
from offby.fit import load
from offby.fit.predicted import Predicted, predicted
from offby.tables import Batch, open_table

_ENDINGS = (".csv", ".parquet")


def predict(
    model: Any,
    table: Any,
    out: str | PathLike[str] | BinaryIO,
    *,
    progress: Callable[[Batch], None] | None = None,
) -> int:
    """Write a table with a model's predictions beside its columns; gives the count of rows.

    `model` is a fitted one or the path of one that was saved, `table` what `measure` takes, and
    `out` a path that ends in .csv or .parquet, or a binary stream for CSV. The prediction stands in
    `prediction`, those of several quantiles in `prediction_0.1` …; of two classes the chance of the
    later one in `probability`, of more classes that of each in `p_` with its name. A batch of rows
    is in memory at a time.

    Raises `TableError` for columns that are not there, and for a table that cannot be written;
    `DataError` for a file that holds no model, and for missing values.

    >>> import io
    >>> from offby.fit import LinearRegressor
    >>> model = LinearRegressor().fit_table({"size": [1.0, 2.0, 4.0], "price": [3, 5, 9]}, "price")
    >>> file = io.BytesIO()
    >>> predict(model, {"size": [3], "town": ["Bath"]}, file)
    1
    >>> print(file.getvalue().decode().replace('"', ""))
    size,town,prediction
    3,Bath,7
    <BLANKLINE>
    """
    loaded = load(model) if isinstance(model, str | PathLike) else model
    whole = predicted(open_table(table), loaded)
    if not isinstance(out, str | PathLike):
        return _write(whole, "csv", out, progress)
    target = Path(out)
    if target.suffix not in _ENDINGS:
        raise TableError(f"cannot write predictions to {target}; end its name in .csv or .parquet")
    partial = target.with_name(target.name + ".part")
    try:
        rows = _write(whole, target.suffix[1:], partial, progress)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(target)
    return rows


def _write(
    table: Predicted, kind: str, out: Path | BinaryIO, progress: Callable[[Batch], None] | None
) -> int:
    rows, batches = 0, _batches(table, progress)
    first = next(batches, None) or _no_rows(table)
    try:
        with _writer(kind, out, first.schema) as writer:
            for batch in chain([first], batches):
                writer.write_batch(batch.cast(first.schema))
                rows += batch.num_rows
    except pa.ArrowException as error:
        raise TableError(f"{table.source} cannot be written as {kind}: {error}") from error
    return rows


def _no_rows(table: Predicted) -> Any:
    return pa.RecordBatch.from_pylist([], pa.schema([(c, pa.string()) for c in table.columns]))


def _writer(kind: str, out: Any, schema: Any) -> AbstractContextManager[Any]:
    if kind == "csv":
        from pyarrow import csv

        found: AbstractContextManager[Any] = csv.CSVWriter(out, schema)
        return found
    from pyarrow import parquet

    file: AbstractContextManager[Any] = parquet.ParquetWriter(out, schema)
    return file


def _batches(table: Predicted, progress: Callable[[Batch], None] | None) -> Iterator[Any]:
    """The rows, their columns as they stand in the source."""
    with closing(table.read((), table.columns)) as batches:
        for batch in batches:
            columns = {name: _arrow(batch.labels[name]) for name in table.columns}
            yield pa.RecordBatch.from_pydict(columns)
            if progress is not None:
                progress(batch)


def _arrow(values: Any) -> Any:
    """A column that any format can hold; of CSV all columns are text."""
    array = pa.array(values) if isinstance(values, np.ndarray) else values
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
