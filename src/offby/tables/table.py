"""What a table is: named columns that are read in batches."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa

from offby.errors import TableError
from offby.tables.floats import Floats, Kind, Place, to_float64

SLICE_ROWS = 1 << 20  # rows of a batch cut from memory
LEAST_ROWS = 1 << 15  # smaller batches are joined up to this
_LISTED = 40  # column names shown in a message


@dataclass(frozen=True, eq=False)
class Batch:
    """Some consecutive rows of the columns asked for, as contiguous float64."""

    columns: dict[str, Floats]
    rows: int
    first_row: int
    progress: float | None


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some consecutive rows as their reader found them: NumPy or Arrow arrays."""

    columns: Mapping[str, Any]
    progress: float | None


@dataclass(frozen=True, eq=False)
class Table(ABC):
    """Named columns from somewhere, read in batches of constant memory.

    `source` says in words where they come from, `rows` is None where only reading would tell,
    and `in_memory` says whether the rows are at hand to be read again at no cost.
    """

    source: str
    columns: tuple[str, ...]
    rows: int | None
    in_memory: bool

    @abstractmethod
    def kind(self, column: str) -> Kind:
        """Say what a column holds, as far as that is known without reading it."""

    @abstractmethod
    def _chunks(self, columns: Sequence[str]) -> Generator[Chunk, None, None]:
        """Yield the columns piece by piece; close what was opened when closed."""

    def read(self, columns: Sequence[str]) -> Generator[Batch, None, None]:
        """Read some columns from the first row to the last, closing the source at the end.

        Raises `TableError` for a column that is not there or stands there twice, or for a damaged
        file; and `DataError` for a value that is not a number.

        >>> from offby.tables import open_table
        >>> table = open_table({"y": [1, 2, None], "note": ["a", "b", "c"]})
        >>> [batch.columns["y"] for batch in table.read(["y"])]
        [array([ 1.,  2., nan])]
        """
        names = list(dict.fromkeys(columns))
        for name in names:
            self.check(name)
        return _joined(self._batches(names))

    def check(self, column: str) -> None:
        """Raise `TableError` unless there is exactly one column of this name."""
        count = self.columns.count(column)
        if count > 1:
            raise TableError(
                f"{self.source} has {count} columns named {column!r}; rename all but one"
            )
        if not count:
            raise TableError(f"{self.source} has no column {column!r}; {self._suggest(column)}")

    def _suggest(self, column: str) -> str:
        folded = {name.casefold(): name for name in reversed(self.columns)}
        close = get_close_matches(column.casefold(), folded, n=1, cutoff=0.6)
        question = f"did you mean {folded[close[0]]!r}? " if close else ""
        return f"{question}Its columns are {listed(self.columns)}"

    def _batches(self, names: Sequence[str]) -> Generator[Batch, None, None]:
        row = 0
        with closing(self._chunks(names)) as chunks:
            for chunk in chunks:
                columns = {
                    name: to_float64(chunk.columns[name], Place(self.source, name, row))
                    for name in names
                }
                rows = len(next(iter(columns.values()), ()))
                yield Batch(columns, rows, row, chunk.progress)
                row += rows


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """Write names one after another, no more than a reader would read.

    >>> listed(["a", "b"])
    "'a', 'b'"
    """
    shown = ", ".join(repr(name) for name in names[:most])
    rest = len(names) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown or "(none)"


def twice(names: Iterable[str]) -> list[str]:
    """Find the names that occur more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


@contextmanager
def damage_named(source: str, what: str = "is cut short or damaged") -> Iterator[None]:
    """Turn what Arrow raises on a bad source into a `TableError` that names it."""
    try:
        yield
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        raise TableError(f"cannot read {source}: {error.strerror}") from error
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        first_line = str(error).partition("\n")[0][:200]
        raise TableError(f"{source} {what} ({first_line})") from error


def _joined(batches: Generator[Batch, None, None]) -> Generator[Batch, None, None]:
    """Join small batches into ones worth handling; pass large ones on untouched."""
    held: list[Batch] = []
    with closing(batches):
        for batch in batches:
            held += [batch] if batch.rows else []
            if held and batch.first_row + batch.rows - held[0].first_row >= LEAST_ROWS:
                yield _join(held)
                held = []
    if held:
        yield _join(held)


def _join(parts: Sequence[Batch]) -> Batch:
    if len(parts) == 1:
        return parts[0]
    columns = {
        name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns
    }
    rows = sum(part.rows for part in parts)
    return Batch(columns, rows, parts[0].first_row, parts[-1].progress)
