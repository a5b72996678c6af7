"""What a table is: named columns that are read in batches."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa

from offby.errors import TableError
from offby.tables.floats import Floats, Kind, Place, to_float64
from offby.tables.labels import MOST_CLASSES, LabelCodes, as_labels, join_labels, type_of

SLICE_ROWS = 1 << 20  # rows of a batch cut from memory
LEAST_ROWS = 1 << 15  # smaller batches are joined up to this
_LISTED = 40  # column names shown in a message


@dataclass(frozen=True, eq=False)
class Batch:
    """Some consecutive rows of the columns asked for, as contiguous float64.

    Columns asked for as labels are NumPy or Arrow arrays, as their source has them: see
    `LabelCodes`.
    """

    columns: dict[str, Floats]
    rows: int
    first_row: int
    progress: float | None
    labels: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some consecutive rows as their reader found them: NumPy or Arrow arrays."""

    columns: Mapping[str, Any]
    labels: Mapping[str, Any]
    progress: float | None

    @property
    def rows(self) -> int:
        """Count the rows."""
        return len(next(iter((*self.columns.values(), *self.labels.values())), ()))


@dataclass(frozen=True)
class Wanted:
    """The columns to be read as numbers and those to be read as labels; one may be both."""

    numbers: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Give every column to be read, once."""
        return list(dict.fromkeys((*self.numbers, *self.labels)))

    def chunk(self, piece: Callable[[str], Any], progress: float | None) -> Chunk:
        """Make a chunk of the pieces of the columns."""
        numbers = {name: piece(name) for name in self.numbers}
        return Chunk(numbers, {name: piece(name) for name in self.labels}, progress)


@dataclass(frozen=True, eq=False)
class Table(ABC):
    """Named columns from somewhere, read in batches of constant memory.

    `source` says in words where they come from, `rows` is None where only reading would tell,
    `in_memory` says whether the rows are at hand to be read again at no cost, and `once` whether
    they cannot be read again at all, as those of standard input.
    """

    source: str
    columns: tuple[str, ...]
    rows: int | None
    in_memory: bool
    once: bool = field(default=False, kw_only=True)

    @abstractmethod
    def kind(self, column: str) -> Kind:
        """Say what a column holds, as far as that is known without reading it."""

    @abstractmethod
    def _chunks(self, wanted: Wanted) -> Generator[Chunk, None, None]:
        """Yield the columns piece by piece; close what was opened when closed."""

    def read(
        self, columns: Sequence[str], labels: Sequence[str] = ()
    ) -> Generator[Batch, None, None]:
        """Read some columns from the first row to the last, closing the source at the end.

        Those of `columns` come as float64, those of `labels` as they stand in the source (CSV: as
        text), and one that is named in both comes in both forms.

        Raises `TableError` for a column that is not there or stands there twice, or for a damaged
        file; and `DataError` for a value that is not a number.

        >>> from offby.tables import open_table
        >>> table = open_table({"y": [1, 2, None], "note": ["a", "b", "c"]})
        >>> [batch.columns["y"] for batch in table.read(["y"])]
        [array([ 1.,  2., nan])]
        """
        wanted = Wanted(tuple(dict.fromkeys(columns)), tuple(dict.fromkeys(labels)))
        for name in wanted.names:
            self.check(name)
        return _joined(self._batches(wanted))

    def peek(self, labels: Sequence[str]) -> Iterator[Batch]:
        """The first rows of some columns as labels, left to be read; none where that is too much.

        Of what can be read only once they are those of CSV.
        """
        return iter(()) if self.once else self.read((), labels)

    def count_labels(self, column: str, most: int = MOST_CLASSES) -> dict[str, int]:
        """Count the rows of each label of a column, in a reading of that column alone.

        Labels stand in the order of their first rows; rows without one are not counted. Raises
        `TableError` where the source can be read only once, and `DataError` for a column that
        holds no labels, or more than `most`.

        >>> from offby.tables import open_table
        >>> open_table({"late": ["yes", "no", None, "yes"]}).count_labels("late")
        {'yes': 2, 'no': 1}
        """
        self._check_again(column)
        codes = LabelCodes(most=most)
        counts = np.zeros(0, np.int64)
        with closing(self.read((), (column,))) as batches:
            for batch in batches:
                place = Place(self.source, column, batch.first_row)
                found = codes.encode(batch.labels[column], place)
                here = np.bincount(found[found >= 0], minlength=len(codes))
                here[: len(counts)] += counts
                counts = here
        return dict(zip(codes.labels, counts.tolist(), strict=True))

    def check(self, column: str) -> None:
        """Raise `TableError` unless there is exactly one column of this name."""
        count = self.columns.count(column)
        if count > 1:
            raise TableError(
                f"{self.source} has {count} columns named {column!r}; rename all but one"
            )
        if not count:
            raise TableError(f"{self.source} has no column {column!r}; {self._suggest(column)}")

    def _check_again(self, column: str) -> None:
        if self.once:
            raise TableError(
                f"{self.source} can be read only once, and finding the labels of column "
                f"{column!r} takes a reading of its own; name the labels, or save the table to a "
                "file"
            )

    def _suggest(self, column: str) -> str:
        folded = {name.casefold(): name for name in reversed(self.columns)}
        close = get_close_matches(column.casefold(), folded, n=1, cutoff=0.6)
        columns = f"columns are {listed(self.columns)}"
        return f"did you mean {folded[close[0]]!r}? Its {columns}" if close else f"its {columns}"

    def _batches(self, wanted: Wanted) -> Generator[Batch, None, None]:
        row = 0
        with closing(self._chunks(wanted)) as chunks:
            for chunk in chunks:
                columns = {
                    name: to_float64(values, Place(self.source, name, row))
                    for name, values in chunk.columns.items()
                }
                labels = {name: as_labels(values) for name, values in chunk.labels.items()}
                yield Batch(columns, chunk.rows, row, chunk.progress, labels)
                row += chunk.rows


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
            if held and _types(held[0]) != _types(batch):
                yield _join(held)
                held = []
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
    labels = {name: join_labels([part.labels[name] for part in parts]) for name in parts[0].labels}
    rows = sum(part.rows for part in parts)
    return Batch(columns, rows, parts[0].first_row, parts[-1].progress, labels)


def _types(batch: Batch) -> list[Any]:
    """Tell batches apart that cannot be joined: files may differ in what their labels are."""
    return [type_of(values) for values in batch.labels.values()]
