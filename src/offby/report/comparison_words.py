"""Differences in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from offby.drawing.numbers import between, number, percent, rows
from offby.pairs.difference import TARGETS, Difference

if TYPE_CHECKING:
    from offby.report.comparison import Comparison

_LABELS = {
    "mae": "MAE", "rmse": "RMSE", "mse": "MSE", "r2": "R²", "roc_auc": "AUC",
    "brier": "Brier score", "mape": "MAPE", "ece": "ECE",
}  # fmt: skip


def label(measure: str) -> str:
    """What a measure is called in a sentence.

    >>> label("roc_auc"), label("median_absolute_error")
    ('AUC', 'median absolute error')
    """
    return _LABELS.get(measure, measure.replace("_", " "))


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def percents(low: float, high: float) -> str:
    """An interval of shares, to two digits of its width.

    >>> percents(0.029251, 0.036329), percents(0.5227, 0.5471)
    ('2.93 … 3.63 %', '52.3 … 54.7 %')
    """
    width = 100 * (high - low)
    decimals = max(1 - math.floor(math.log10(width)), 0) if 0 < width < math.inf else 2
    return f"{100 * low:.{min(decimals, 6)}f} … {100 * high:.{min(decimals, 6)}f} %"


def headline(comparison: Comparison) -> str:
    """The comparison in one sentence."""
    on = f"on {rows(comparison.rows)}"
    on += f" ({comparison.dropped:,} dropped)" if comparison.dropped else ""
    if len(comparison.models) == 2:
        return f"{sentence(comparison[comparison.deciding])}, {on}"
    return f"{_best(comparison)}, {on}"


def sentence(found: Difference) -> str:
    """Who is better, and by how much."""
    b, a = found.model, found.against
    if found.value is None:
        return f"{b} and {a} cannot be compared by {label(found.measure)}: {found.reason}"
    match found.verdict:
        case "better" | "worse" as verdict:
            return f"{b} is {verdict} than {a}: {by(found)}"
        case "tied" if found.value == 0:
            return f"{b} and {a} are tied: their {label(found.measure)} is the same"
        case "tied":
            return f"{b} and {a} are tied: {by(found)}"
    return f"which of {b} and {a} is better is not known: {by(found)}; {found.reason}"


def by(found: Difference) -> str:
    """By how much a measure differs, with its interval; the value is known."""
    value = found.value or 0.0
    if not math.isfinite(value):
        return f"the {label(found.measure)} of one is infinite"
    low, high = found.low, found.high
    if low is not None and high is not None and value < 0:
        low, high = -high, -low
    sure = "" if low is None else f" ({percent(found.confidence, 3)} interval {between(low, high)})"
    return f"{label(found.measure)} {_way(found)} by {number(abs(value))}{sure}"


def _way(found: Difference) -> str:
    value = found.value or 0.0
    if found.better in TARGETS:
        side = "nearer to" if value < 0 else "further from"
        return f"{side} {TARGETS[found.better]:g}"
    return "lower" if value < 0 else "higher"


def _best(comparison: Comparison) -> str:
    """Which of several models is best, and who may be as good."""
    measure = label(comparison.deciding)
    best, *others = comparison.ranking
    if best.measured.value is None:
        return f"no model has a defined {measure}: {best.measured.undefined}"
    count = len(comparison.models)
    rivals = [r.model for r in others if r.behind is not None and r.behind.verdict != "worse"]
    if not rivals:
        ahead = comparison.difference(comparison.deciding, best.model, others[0].model)
        return f"{best.model} is the best of {count}: {by(ahead)} than the next, {others[0].model}"
    if len(rivals) == count - 1:
        return f"no model is surely the best of {count} by {measure}; {best.model} comes first"
    return (
        f"{best.model} comes first of {count} by {measure}, and {listed(rivals)} "
        f"{'is' if len(rivals) == 1 else 'are'} not surely worse"
    )
