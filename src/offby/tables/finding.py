"""Which columns hold the truth and the predictions: as told, or by their usual names."""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from offby.errors import TableError
from offby.tables.table import Table, listed, twice

Names: TypeAlias = str | Sequence[str] | None
Pair: TypeAlias = tuple[str, str]

_TRUE = frozenset(("y_true", "ytrue", "true", "truth", "ground_truth", "actual", "actuals"))
_TRUE |= {"observed", "observation", "target", "targets"}
_PRED = frozenset(("y_pred", "ypred", "pred", "preds", "predicted", "prediction", "predictions"))
_PRED |= {"y_hat", "yhat", "forecast", "forecasts", "fitted", "estimate", "estimated"}
_WEAK_TRUE = frozenset(("y", "label", "labels", "outcome", "response"))
_WEAK_PRED = frozenset(("score", "scores", "output", "p"))
_TRUE_MARK = re.compile(r"^(true|actual|observed)_|_(true|actual|observed)$")
_PRED_MARK = re.compile(
    r"^(pred|predicted|prediction|forecast|fitted|estimated)_"
    r"|_(pred|predicted|prediction|forecast|fitted|estimate|hat)$"
)
_SAY = "say which: --true COLUMN --pred COLUMN (in Python: true='COLUMN', pred='COLUMN')"


@dataclass(frozen=True)
class Columns:
    """The columns of a measurement, an output for each pair of `true` and `pred`.

    `how` is a sentence that says what was chosen and why.
    """

    true: tuple[str, ...]
    pred: tuple[str, ...]
    weight: str | None
    how: str

    @property
    def names(self) -> tuple[str, ...]:
        """Give the columns to be read, each once."""
        weight = (self.weight,) if self.weight is not None else ()
        return tuple(dict.fromkeys((*self.true, *self.pred, *weight)))


def find_columns(
    table: Table, true: Names = None, pred: Names = None, weight: str | None = None
) -> Columns:
    """Decide which columns hold the truth, the predictions and the weights.

    `true` and `pred` are names, or several (a list, or `"a,b"`) for several outputs. What is not
    told is found by the usual names (`y_true`, `actual`, `y_pred`, `prediction` ...) or by pairs
    such as `price` and `price_pred`; weights are never guessed.

    Raises `TableError` where a column is not there, or where more or less than one choice is left.

    >>> from offby.tables import open_table
    >>> find_columns(open_table({"price": [1.0], "price_pred": [1.5]})).how
    "true is 'price' and pred is 'price_pred', found by their names."
    """
    trues, preds = _told(table, true), _told(table, pred)
    found = not (trues and preds)
    if found:
        trues, preds = _found(table, trues, preds)
    _check_outputs(table, trues, preds)
    if weight is not None:
        table.check(weight)
    return Columns(trues, preds, weight, _sentence(trues, preds, weight, found))


def _told(table: Table, names: Names) -> tuple[str, ...]:
    if names is None:
        return ()
    told = _split(table, names) if isinstance(names, str) else tuple(names)
    for name in told:
        table.check(name)
    if twice(told):
        raise TableError(f"column {listed(twice(told))} is named twice; name each output once")
    return told


def _split(table: Table, names: str) -> tuple[str, ...]:
    """Split at commas, unless a column's own name has them."""
    if names in table.columns or "," not in names:
        return (names,)
    return tuple(name.strip() for name in names.split(","))


def _found(
    table: Table, trues: tuple[str, ...], preds: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find what was not told: an output's pair must be the only one of its rank."""
    if trues:
        pairs = [_only(table, true, None) for true in trues]
    elif preds:
        pairs = [_only(table, None, pred) for pred in preds]
    else:
        pairs = [_only(table, None, None)]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def _only(table: Table, true: str | None, pred: str | None) -> Pair:
    """Choose the one pair of the first rank that has any."""
    told = true is not None or pred is not None
    ranks = _ranks_beside(table.columns, true, pred) if told else _ranks(table.columns)
    pairs: list[Pair] = next((rank for rank in map(list, ranks) if rank), [])
    if len(pairs) == 1:
        return pairs[0]
    raise _cannot_tell(table, pairs, true or pred)


def _ranks(columns: Sequence[str]) -> Iterator[Iterable[Pair]]:
    """Rank the pairs that the names allow: well-known ones and mates, then weaker names."""
    yield dict.fromkeys([*_usual(columns, _TRUE, _PRED), *_mates(columns)])
    yield _usual(columns, _TRUE | _WEAK_TRUE, _PRED | _WEAK_PRED)


def _ranks_beside(
    columns: Sequence[str], true: str | None, pred: str | None
) -> Iterator[Iterable[Pair]]:
    """Rank the pairs with the one that is told: mates, then well-known names, then weaker."""
    trues = [true] if true is not None else columns
    preds = [pred] if pred is not None else columns
    others = [(a, b) for a in trues for b in preds if a != b]
    yield [pair for pair in others if _are_mates(*pair)]
    usual, weak = (_PRED, _WEAK_PRED) if pred is None else (_TRUE, _WEAK_TRUE)
    for known in (usual, weak):
        yield [(a, b) for a, b in others if _plain(b if pred is None else a) in known]


def _usual(columns: Sequence[str], true: Container[str], pred: Container[str]) -> list[Pair]:
    trues = [name for name in columns if _plain(name) in true]
    preds = [name for name in columns if _plain(name) in pred]
    return [(a, b) for a in trues for b in preds]


def _mates(columns: Sequence[str]) -> list[Pair]:
    """Pair `price_true` with `price_pred`, and `price` where no truth is marked as one."""
    pairs = [(a, b) for a in columns for b in columns if _are_mates(a, b)]
    marked = {b for a, b in pairs if _TRUE_MARK.search(_plain(a))}
    return [(a, b) for a, b in pairs if b not in marked or _TRUE_MARK.search(_plain(a))]


def _are_mates(true: str, pred: str) -> bool:
    stem, count = _PRED_MARK.subn("", _plain(pred), count=1)
    return bool(count) and true != pred and _TRUE_MARK.sub("", _plain(true), count=1) == stem


def _plain(name: str) -> str:
    """Fold case, and write spaces, dots and hyphens as underscores."""
    return re.sub(r"[\s.\-]+", "_", name.strip().casefold())


def _check_outputs(table: Table, trues: Sequence[str], preds: Sequence[str]) -> None:
    if len(trues) != len(preds):
        raise TableError(
            f"{len(trues)} true columns ({listed(trues)}) against {len(preds)} predicted "
            f"({listed(preds)}); give as many of one as of the other, in the same order"
        )
    for true, pred in zip(trues, preds, strict=True):
        if true == pred:
            raise TableError(f"column {true!r} is both true and pred; {_SAY}")
        table.check(true)
        table.check(pred)


def _sentence(trues: Sequence[str], preds: Sequence[str], weight: str | None, found: bool) -> str:
    weighed = f", weighted by {weight!r}" if weight is not None else ""
    why = "found by their names" if found else "as told"
    return f"true is {listed(trues)} and pred is {listed(preds)}, {why}{weighed}."


def _cannot_tell(table: Table, pairs: Sequence[Pair], told: str | None) -> TableError:
    columns = f"Its columns are {listed(table.columns)}; {_SAY}"
    if pairs:
        choices = " or ".join(f"{true!r} and {pred!r}" for true, pred in pairs[:5])
        return TableError(
            f"more than one pair of columns in {table.source} could be the truth and its "
            f"predictions: {choices}. {columns}"
        )
    what = f"which column belongs to {told!r}" if told else "which columns are truth and prediction"
    return TableError(f"cannot tell {what} in {table.source}. {columns}{_headless(table)}")


def _headless(table: Table) -> str:
    numbers = all(re.fullmatch(r"[+-]?\d*\.?\d+(e[+-]?\d+)?", name) for name in table.columns)
    return ". The first row looks like numbers: is the header missing?" if numbers else ""
