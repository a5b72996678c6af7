"""Which columns hold the truth and the predictions: as told, or by their usual names."""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from offby.errors import TableError
from offby.tables.probabilities import find_probabilities
from offby.tables.table import Table, listed, twice
from offby.tables.usual_names import (
    CLASS,
    PRED,
    PRED_MARK,
    PROBABILITY,
    PROBABILITY_MARK,
    TRUE,
    WEAK_PRED,
    WEAK_TRUE,
    Pair,
    are_mates,
    mates,
    plain,
    usual,
)

Names: TypeAlias = str | Sequence[str] | None

_SAY = "say which: --true COLUMN --pred COLUMN (in Python: true='COLUMN', pred='COLUMN')"


@dataclass(frozen=True)
class Columns:
    """The columns of a measurement, an output for each pair of `true` and `pred`.

    Of classes there may be one `true` with several `pred`. `how` is a sentence that says what was
    chosen and why.
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
    table: Table,
    true: Names = None,
    pred: Names = None,
    weight: str | None = None,
    *,
    classes: bool = False,
    labels: Collection[str] = (),
) -> Columns:
    """Decide which columns hold the truth, the predictions and the weights.

    `true` and `pred` are names, or several (a list, or `"a,b"`) for several outputs. What is not
    told is found by the usual names (`y_true`, `actual`, `y_pred`, `prediction` ...) or by pairs
    such as `price` and `price_pred`; weights are never guessed.

    Where the truth is `classes`, one `true` may have several `pred`: columns of probabilities,
    found by the names of `labels` where those are given (see `find_true`). Probabilities are
    then preferred to predicted labels.

    Raises `TableError` where a column is not there, or where more or less than one choice is left.

    >>> from offby.tables import open_table
    >>> find_columns(open_table({"price": [1.0], "price_pred": [1.5]})).how
    "true is 'price' and pred is 'price_pred', found by their names."
    """
    trues, preds = _told(table, true), _told(table, pred)
    found = not (trues and preds)
    if labels and not preds and len(trues) < 2:
        trues = trues or (find_true(table),)
        others = [name for name in table.columns if name not in trues]
        preds = find_probabilities(others, labels) or ()
    if not (trues and preds):
        trues, preds = _found(table, trues, preds, classes)
    _check_outputs(table, trues, preds, classes)
    if weight is not None:
        table.check(weight)
    return Columns(trues, preds, weight, _sentence(trues, preds, weight, found))


def find_true(table: Table) -> str:
    """Find the column of the true classes by the names alone, before any prediction is known.

    Raises `TableError` where more or less than one column could be it.

    >>> from offby.tables import open_table
    >>> find_true(open_table({"label": [0], "p0": [0.5], "p1": [0.25], "p2": [0.25]}))
    'label'
    """
    columns = table.columns
    ranks = (
        [name for name in columns if plain(name) in TRUE] + _firsts(mates(columns, PRED_MARK)),
        [name for name in columns if plain(name) in WEAK_TRUE | CLASS],
        _firsts(mates(columns, PROBABILITY_MARK)),
    )
    names = next((list(dict.fromkeys(rank)) for rank in ranks if rank), [])
    if len(names) == 1:
        return names[0]
    choices = f" ({' or '.join(map(repr, names[:5]))}?)" if names else ""
    raise TableError(
        f"cannot tell which column holds the truth in {table.source}{choices}. "
        f"Its columns are {listed(columns)}; {_SAY}"
    )


def _firsts(pairs: Iterable[Pair]) -> list[str]:
    return [true for true, _ in pairs]


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
    table: Table, trues: tuple[str, ...], preds: tuple[str, ...], classes: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find what was not told: an output's pair must be the only one of its rank."""
    if trues:
        pairs = [_only(table, true, None, classes) for true in trues]
    elif preds:
        pairs = [_only(table, None, pred, classes) for pred in preds]
    else:
        pairs = [_only(table, None, None, classes)]
    found = tuple(_firsts(pairs))
    # probabilities of several classes have one truth
    return tuple(dict.fromkeys(found)) if classes else found, tuple(pair[1] for pair in pairs)


def _only(table: Table, true: str | None, pred: str | None, classes: bool) -> Pair:
    """Choose the one pair of the first rank that has any."""
    told = true is not None or pred is not None
    ranks: Iterable[Iterable[Pair]] = (
        _ranks_beside(table.columns, true, pred, classes)
        if told
        else _ranks(table.columns, classes)
    )
    pairs: list[Pair] = next((rank for rank in map(list, ranks) if rank), [])
    if len(pairs) == 1:
        return pairs[0]
    raise _cannot_tell(table, pairs, true or pred)


def _ranks(columns: Sequence[str], classes: bool) -> Iterator[Iterable[Pair]]:
    """Rank the pairs that the names allow: well-known ones and mates, then weaker names.

    Names of classes come last, where they change nothing for numbers; and before that, each at
    the rank of its truth, where classes are expected.
    """
    true, pred = TRUE | WEAK_TRUE, PRED | WEAK_PRED
    if classes:
        yield usual(columns, TRUE, PROBABILITY)
    yield dict.fromkeys([*usual(columns, TRUE, PRED), *mates(columns, PRED_MARK)])
    if classes:
        yield usual(columns, true | CLASS, PROBABILITY)
    yield usual(columns, true, pred)
    usual_classes = usual(columns, true | CLASS, pred | PROBABILITY)
    yield dict.fromkeys([*usual_classes, *mates(columns, PROBABILITY_MARK)])


def _ranks_beside(
    columns: Sequence[str], true: str | None, pred: str | None, classes: bool
) -> list[list[Pair]]:
    """Rank the pairs with the one that is told: mates, then well-known names, then weaker."""
    others = [
        (name if true is None else true, name if pred is None else pred)
        for name in columns
        if name not in (true, pred)
    ]
    strong, weak, of_classes = (
        (PRED, WEAK_PRED, PROBABILITY) if pred is None else (TRUE, WEAK_TRUE, CLASS)
    )

    def named(known: Container[str]) -> list[Pair]:
        return [(a, b) for a, b in others if plain(b if pred is None else a) in known]

    def mated(mark: re.Pattern[str]) -> list[Pair]:
        return [pair for pair in others if are_mates(*pair, mark)]

    for_any = [mated(PRED_MARK), named(strong), named(weak)]
    for_classes = [mated(PROBABILITY_MARK), named(of_classes)]
    return for_classes + for_any if classes and pred is None else for_any + for_classes


def _check_outputs(table: Table, trues: Sequence[str], preds: Sequence[str], classes: bool) -> None:
    if classes and len(trues) == 1:
        trues = list(trues) * len(preds)
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
