"""Columns of labels become codes: the small integers that rows are counted by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from offby.errors import DataError
from offby.tables.floats import Place, stored
from offby.tables.label_text import are_labels, label_text, texts_of

MOST_CLASSES = 10_000

_NUMBERS = "is it a number? then say so: --task regression (in Python: task='regression')"
_LISTED = 20  # known labels shown in a message
_VIEWS = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}


@final
class LabelCodes:
    """A dictionary from labels to codes 0, 1, 2 ... that grows in order of appearance.

    With `labels` it does not grow: any other label is an error. `most` bounds how many it may
    hold, and `advice` says what to do about more.

    >>> codes = LabelCodes()
    >>> codes.encode(pa.array(["no", "yes", None, "no"]), Place("a list", "late"))
    array([ 0,  1, -1,  0])
    >>> codes.labels
    ['no', 'yes']
    """

    def __init__(
        self,
        labels: Iterable[object] | None = None,
        most: int = MOST_CLASSES,
        advice: str = _NUMBERS,
    ) -> None:
        self.most = most
        self._advice = advice
        self._fixed = labels is not None
        self._codes: dict[str, int] = {}
        for label in labels or ():
            self._fix(label_text(label))

    @property
    def labels(self) -> list[str]:
        """Give the labels, each at the place of its code."""
        return list(self._codes)

    def __len__(self) -> int:
        return len(self._codes)

    def encode(self, values: Any, place: Place) -> NDArray[np.int64]:
        """Give the code of each label, and -1 for a missing one: null, or NaN.

        `values` is a NumPy or an Arrow array, as in `Batch.labels`. Raises `DataError` for values
        that are no labels, for an unknown label where they are fixed, and for too many.
        """
        distinct = _distinct(values, place)
        codes = self._codes_of(distinct.texts(), distinct)
        found = pa.array(codes, pa.int64()).take(distinct.indices)
        numbers: NDArray[np.int64] = found.fill_null(-1).to_numpy()
        return numbers

    def merge(self, other: "LabelCodes") -> NDArray[np.int64]:
        """Take in another's labels, and give the code here for each code there.

        >>> LabelCodes(["a", "b", "c"]).merge(LabelCodes(["c", "a"]))
        array([2, 0])
        """
        return np.array(self._codes_of(other.labels, None), np.int64)

    def _fix(self, label: str) -> None:
        if label in self._codes:
            raise DataError(f"label {label!r} is given twice; give each label once")
        self._codes[label] = len(self._codes)

    def _codes_of(self, texts: Sequence[str | None], seen: "_Distinct | None") -> list[int]:
        if self._fixed:
            return [self._known(index, text, seen) for index, text in enumerate(texts)]
        known = self._codes
        codes = [-1 if text is None else known.setdefault(text, len(known)) for text in texts]
        if len(known) > self.most:
            where = seen.so_far() if seen else "the tables together"
            raise DataError(
                f"{where} have {len(known):,} distinct labels, more than {self.most:,}; "
                f"{self._advice}"
            )
        return codes

    def _known(self, index: int, text: str | None, seen: "_Distinct | None") -> int:
        code = -1 if text is None else self._codes.get(text)
        if code is None:
            where = f"{seen.row(index)} is {text!r:.60}" if seen else f"a label is {text!r:.60}"
            shown = ", ".join(map(repr, self.labels[:_LISTED]))
            more = f" and {len(self) - _LISTED:,} more" if len(self) > _LISTED else ""
            raise DataError(f"{where}, which is none of the known labels: {shown}{more}")
        return code


@final
@dataclass(frozen=True, eq=False)
class _Distinct:
    """The distinct values of a piece of a column, and for each row the index of its own."""

    values: Any
    indices: Any
    place: Place

    def texts(self) -> list[str | None]:
        try:
            return texts_of(self.values)
        except (UnicodeDecodeError, pa.ArrowException) as error:
            raise self._not_text(str(error)) from error

    def row(self, index: int) -> str:
        """Name the first row that holds a value."""
        import pyarrow.compute as pc

        return self.place.row(pc.index(self.indices, index).as_py())

    def so_far(self) -> str:
        rows = self.place.first_row + len(self.indices)
        return f"the first {rows:,} rows of column {self.place.column!r} in {self.place.source}"

    def _not_text(self, reason: str) -> DataError:
        for index, value in enumerate(self.values):
            try:
                texts_of(pa.array([value.as_py()], self.values.type))
            except (UnicodeDecodeError, pa.ArrowException):
                return DataError(f"{self.row(index)} is not UTF-8 text; write it as UTF-8")
        return DataError(f"column {self.place.column!r} of {self.place.source}: {reason[:200]}")


def as_labels(values: Any) -> Any:
    """Make plain labels of what a source gave: a NumPy array, or an Arrow one of a core type."""
    if isinstance(values, np.ndarray):
        return values
    array = stored(values)
    if not pa.types.is_dictionary(array.type):
        return _without_views(array)
    words = array.dictionary
    plain = _without_views(words)
    return array if plain is words else pa.DictionaryArray.from_arrays(array.indices, plain)


def _without_views(array: Any) -> Any:
    """Undo views (as polars has them), from which Arrow cannot take."""
    core = _VIEWS.get(array.type)
    return array if core is None else array.cast(core)


def type_of(labels: Any) -> Any:
    """Give the type of labels, whether NumPy's or Arrow's."""
    return labels.dtype if isinstance(labels, np.ndarray) else labels.type


def join_labels(parts: Sequence[Any]) -> Any:
    """Join labels of one type end to end.

    >>> join_labels([pa.array(["a"]), pa.array(["b"])]).to_pylist()
    ['a', 'b']
    """
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    # an index of 8 bits may be too small for two dictionaries together
    if pa.types.is_dictionary(first.type) and not _one_dictionary(parts):
        parts = [part.dictionary_decode() for part in parts]
    return pa.concat_arrays(parts)


def _one_dictionary(parts: Sequence[Any]) -> bool:
    return all(part.dictionary.equals(parts[0].dictionary) for part in parts)


def _distinct(values: Any, place: Place) -> _Distinct:
    """Find the distinct values in order of appearance, those of a dictionary that occur."""
    array = as_dictionary(values, place)
    used = array.indices.dictionary_encode()
    return _Distinct(array.dictionary.take(used.dictionary), used.indices, place)


def as_dictionary(values: Any, place: Place) -> Any:
    """Make a dictionary array of labels, of which none in the dictionary is missing.

    >>> as_dictionary(np.array([3.0, np.nan, 3.0]), Place("a list", "x")).indices.to_pylist()
    [0, None, 0]
    """
    array = as_labels(_as_arrow(values, place))
    if not are_labels(array.type):
        raise _not_labels(array, place)
    if not pa.types.is_dictionary(array.type):
        return array.dictionary_encode()
    if array.dictionary.null_count:
        return as_dictionary(array.dictionary_decode(), place)
    return array


def _as_arrow(values: Any, place: Place) -> Any:
    """Make an Arrow array; it takes neither swapped bytes nor floats of more than 8."""
    if not isinstance(values, np.ndarray):
        return values
    type_ = np.float64 if values.dtype.char == "g" else values.dtype.newbyteorder("=")
    try:
        return pa.array(values.astype(type_, copy=False), from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"column {place.column!r} of {place.source} holds {values.dtype} of shape "
            f"{values.shape}, not labels of one type ({error}); give one label a row, all of them "
            "text, or all numbers"
        ) from error


def _not_labels(array: Any, place: Place) -> DataError:
    seen = ", ".join(f"{str(value)[:40]!r}" for value in array[:3])
    return DataError(
        f"column {place.column!r} of {place.source} holds {array.type} "
        f"(its values begin {seen}), not labels; give one label a row: text, a number or a date"
    )
