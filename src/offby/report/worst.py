"""The rows that cost a regression most, as a small table."""

from __future__ import annotations

import math

from offby.drawing.chart import Listing
from offby.drawing.numbers import number, percent, rows
from offby.report.view import Row, View

_MOST = 10
_BAR = 100  # pixels
_HEADS = ("row", "actual", "predicted", "error", "share of MSE")


def worst(view: View, count: int) -> list[Listing]:
    """The worst of so many rows; nothing where all were exact."""
    found = [row for row in view.worst[:_MOST] if row.error != 0]
    if not found:
        return []
    largest = max((row.mse_share for row in found if row.mse_share > 0), default=1.0)
    lines = tuple(_line(row) for row in found)
    bars = tuple(_bar(row.mse_share, largest) for row in found)
    return [Listing("The worst rows", _say(found, count), _HEADS, lines, bars)]


def _line(row: Row) -> tuple[str, ...]:
    """In words; squares beyond float64 have no share of their sum."""
    return (
        f"{row.row:,}",
        number(row.y_true, 6),
        number(row.y_pred, 6),
        number(row.error, 5),
        percent(row.mse_share) if math.isfinite(row.mse_share) else "",
    )


def _bar(share: float, largest: float) -> float:
    return round(_BAR * share / largest, 1) if math.isfinite(share) else 0


def _say(found: list[Row], count: int) -> str:
    """What the worst rows own together, and what to look for in them."""
    known = [row for row in found if math.isfinite(row.mse_share)]
    look = "look for a wrong unit, a missing value or an event that the model cannot know."
    if not known:
        return look.capitalize()
    who = "This row owns" if len(known) == 1 else f"These {len(known)} rows own"
    together = percent(min(math.fsum(row.mse_share for row in known), 1.0))
    return f"{who} {together} of the MSE of all {rows(count)}: {look}"
