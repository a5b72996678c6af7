"""The confusion matrix as a table whose colours show where the rows are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offby.confusion import Confusion, most_confused
from offby.drawing.chart import Chart, Key
from offby.drawing.numbers import number, percent
from offby.drawing.plot import BLUE, ORANGE, Floats
from offby.report.labels import quoted, short
from offby.report.templates import template

_WHOLE = 20  # classes, up to which a page shows all of them
_SOME = 12  # of more: those of the commonest confusions
_ROOMY = 10  # classes, up to which a cell has room for its rows beside their share
_SLIM = 4  # classes, up to which the picture needs no more width than others
_LABEL = 18  # letters
_LOUD = 0.1  # so that few errors are no louder than the rest
_FAINTEST = 0.07  # so that a cell with a single row is seen
_STRONGEST = 0.6  # so that the numbers on it are read


@dataclass(frozen=True)
class Cell:
    """What one cell says, and how strong its colour is."""

    text: str
    below: str = ""
    tone: str = ""  # right or wrong
    strength: float = 0.0
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """A true class: its rows by predicted class, and how many there are."""

    label: str
    cells: tuple[Cell, ...]
    support: str


@dataclass(frozen=True)
class Folded:
    """The classes shown; of many, the last stands for all others."""

    labels: tuple[str, ...]
    weights: Floats
    others: int = 0

    @cached_property
    def shares(self) -> Floats:
        """Of the rows of each true class, the share in each cell; 0 where there are none."""
        support = self.weights.sum(1, keepdims=True)
        return np.asarray(self.weights / np.where(support > 0, support, 1.0))

    @property
    def apart(self) -> int:
        """How many classes stand for themselves."""
        return len(self.labels) - bool(self.others)

    @cached_property
    def worst(self) -> float:
        """The largest share of a class that was taken for another."""
        single = self.shares[: self.apart, : self.apart]
        return float((single * (1 - np.eye(self.apart))).max())


def matrix(confusion: Confusion) -> Chart:
    """The rows of each class (downwards) by the class they were predicted as."""
    shown = _folded(confusion)
    body = template("classes.html.j2").module.matrix(  # type: ignore[attr-defined]
        [short(label, _LABEL) for label in shown.labels],
        [_row(shown, place) for place in range(len(shown.labels))],
        turned=len(shown.labels) > _SLIM and max(map(len, shown.labels)) > 3,
        dense=len(shown.labels) > _ROOMY,
    )
    keys = (Key("area", BLUE, "predicted right"), Key("area", ORANGE, "taken for another class"))
    broad = len(shown.labels) > _SLIM
    return Chart("What came, and what was predicted", _words(confusion, shown), keys, body, broad)


def _folded(confusion: Confusion) -> Folded:
    size = len(confusion.labels)
    if size <= _WHOLE:
        return Folded(confusion.labels, confusion.weights)
    kept = _telling(confusion)
    group = np.full(size, _SOME)
    group[kept] = np.arange(_SOME)
    into = (group[:, None] == np.arange(_SOME + 1)) * 1.0
    others = size - _SOME
    labels = (*(confusion.labels[place] for place in kept), f"{others:,} others")
    return Folded(labels, into.T @ confusion.weights @ into, others)


def _telling(confusion: Confusion) -> list[int]:
    """The classes of the commonest confusions, then the largest, in the order of the labels."""
    place = {label: k for k, label in enumerate(confusion.labels)}
    pairs = most_confused(confusion, _SOME)
    named = [place[name] for pair in pairs for name in (pair.true, pair.predicted)]
    largest = np.argsort(-confusion.support, kind="stable")[:_SOME].tolist()
    return sorted(list(dict.fromkeys([*named, *largest]))[:_SOME])


def _row(shown: Folded, true: int) -> Row:
    cells = tuple(_cell(shown, true, predicted) for predicted in range(len(shown.labels)))
    return Row(short(shown.labels[true], _LABEL), cells, number(float(shown.weights[true].sum())))


def _cell(shown: Folded, true: int, predicted: int) -> Cell:
    weight, share = float(shown.weights[true, predicted]), float(shown.shares[true, predicted])
    if not weight:
        return Cell("" if len(shown.labels) > _ROOMY else "0")
    count = number(weight)
    hint = (
        f"{count} rows of {shown.labels[true]} predicted as {shown.labels[predicted]}: "
        f"{percent(share)} of its rows"
    )
    tone, strength = _colour(shown, true, predicted, share)
    if len(shown.labels) > _ROOMY:
        return Cell(_whole(share), "", tone, strength, hint)
    return Cell(count, percent(share), tone, strength, hint)


def _colour(shown: Folded, true: int, predicted: int, share: float) -> tuple[str, float]:
    """Right in shares of 1, wrong in shares of the worst; many classes as one have no colour."""
    if max(true, predicted) == shown.apart:
        return "", 0.0
    most = 1.0 if true == predicted else max(shown.worst, _LOUD)
    strength = round(max(_STRONGEST * share / most, _FAINTEST), 3)
    return ("right" if true == predicted else "wrong"), strength


def _whole(share: float) -> str:
    """A percentage without digits, that is neither 0 nor 100 unless it is."""
    if 0 < share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"


def _words(confusion: Confusion, shown: Folded) -> str:
    said = _two(confusion) if len(confusion.labels) == 2 else _several(confusion)
    if len(shown.labels) > _ROOMY:
        said += " Cells are in per cent of the rows of the class that came."
    else:
        said += " Percentages are of the rows of the class that came."
    if shown.others:
        said += (
            f" Shown are {_SOME} of the {len(confusion.labels):,} classes, those of the commonest "
            "confusions; the others are taken together, right or confused among themselves."
        )
    return said


def _two(confusion: Confusion) -> str:
    said = [
        f"of the {_rows(float(confusion.support[k]))} {quoted(label)}, "
        f"{percent(float(confusion.weights[k, k] / confusion.support[k]), 3)} were predicted right"
        for k, label in enumerate(confusion.labels)
        if confusion.support[k]
    ]
    whole = "; ".join(said)
    return f"{whole[:1].upper()}{whole[1:]}."


def _rows(weight: float) -> str:
    return "1 row that is" if weight == 1 else f"{number(weight)} rows that are"


def _several(confusion: Confusion) -> str:
    right = f"{percent(float(np.trace(confusion.shares)), 3)} of the rows were predicted right"
    pairs = most_confused(confusion, 1)
    if not pairs:
        return "All rows were predicted right."
    first = pairs[0]
    came = float(confusion.support[confusion.labels.index(first.true)])
    return (
        f"{right}. The commonest confusion is {quoted(first.true)} taken for "
        f"{quoted(first.predicted)}: {percent(first.weight / came)} of the rows that are "
        f"{quoted(first.true)}. Orange is strongest for the largest such share."
    )
