"""What the page of a classifier shows beside its measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from offby.confusion import Confusion, most_confused
from offby.drawing.chart import Chart, Listing
from offby.drawing.numbers import chance, number, percent, rows
from offby.measures.aggregate import Undefined
from offby.report import cut_charts, ranking_charts
from offby.report.class_table import by_class
from offby.report.class_view import ClassView, WorstRow
from offby.report.labels import short
from offby.report.matrix import matrix
from offby.report.reliability_chart import calibration
from offby.report.scored import Scored

_MOST = 10
_BAR = 100  # pixels
_OF_SCORES: tuple[Callable[[Scored], Chart | None], ...] = (
    calibration,
    ranking_charts.roc,
    ranking_charts.precision_recall,
    cut_charts.thresholds,
    cut_charts.costs,
    ranking_charts.gains,
)


def charts(view: ClassView, most: int | None = None) -> list[Chart]:
    """The pictures of a classifier, the most telling first."""
    drawn = Scored.of(view)
    found = [] if drawn is None else [c for kind in _OF_SCORES if (c := _drawn(kind, drawn))]
    return [*found, *_of_labels(view)][:most]


def _drawn(kind: Callable[[Scored], Chart | None], drawn: Scored) -> Chart | None:
    """A picture, or none where these rows leave what it shows undefined."""
    try:
        return kind(drawn)
    except Undefined:
        return None


def _of_labels(view: ClassView) -> Iterator[Chart]:
    """The confusion matrix, and the classes unless the measures are of the only one in question."""
    if view.confusion is None:
        return
    yield matrix(view.confusion)
    if view.scores is None:
        yield by_class(view.confusion, view.confidence)


def listings(view: ClassView, count: int) -> list[Listing]:
    """The pairs that are confused most, and the rows that were most surely wrong."""
    found = []
    if view.confusion is not None and len(view.confusion.labels) > 2:
        found += _pairs(view.confusion)
    return found + _worst(view, count)


def _pairs(confusion: Confusion) -> list[Listing]:
    pairs = most_confused(confusion, _MOST)
    if not pairs:
        return []
    support = dict(zip(confusion.labels, confusion.support.tolist(), strict=True))
    lines = tuple(
        (
            short(pair.true), short(pair.predicted), percent(pair.weight / support[pair.true]),
            number(pair.weight), percent(pair.share),
        )
        for pair in pairs
    )  # fmt: skip
    together = math.fsum(pair.share for pair in pairs)
    say = (
        f"This pair makes {percent(together)} of all errors."
        if len(pairs) == 1
        else f"These {len(pairs)} pairs make {percent(min(together, 1.0))} of all errors."
    )
    heads = ("what came", "taken for", "share of its rows", "rows", "share of errors")
    bars = tuple(round(_BAR * pair.share / pairs[0].share, 1) for pair in pairs)
    return [Listing("The most confused classes", say, heads, lines, bars)]


def _worst(view: ClassView, count: int) -> list[Listing]:
    """Rows to which less than all of the probability was given, the least first."""
    found = [row for row in view.worst[:_MOST] if row.given < 1]
    if not found:
        return []
    known = [row.loss_share for row in found if math.isfinite(row.loss_share)]
    largest = max(known, default=1.0) or 1.0
    heads = ("row", "what came", "predicted", "given to what came", "share of log loss")
    bars = tuple(
        round(_BAR * row.loss_share / largest, 1) if math.isfinite(row.loss_share) else 0.0
        for row in found
    )
    lines = tuple(map(_line, found))
    return [Listing("The worst rows", _say(found, known, count), heads, lines, bars)]


def _line(row: WorstRow) -> tuple[str, ...]:
    share = percent(row.loss_share) if math.isfinite(row.loss_share) else ""
    return (f"{row.row:,}", short(row.truth), short(row.predicted), chance(row.given), share)


def _say(found: list[WorstRow], known: list[float], count: int) -> str:
    look = "look for a wrong label, or for what the model cannot know."
    never = sum(row.given == 0 for row in found)
    if never:
        which = "one of these rows" if never == 1 else f"{never} of these rows"
        return (
            f"To what came in {which} a probability of exactly 0 was given: the log loss is "
            f"infinite, and no row has a share of it; {look}"
        )
    if not known:
        return look.capitalize()
    who = "This row owns" if len(known) == 1 else f"These {len(known)} rows own"
    together = percent(min(math.fsum(known), 1.0))
    return f"{who} {together} of the log loss of all {rows(count)}: {look}"
