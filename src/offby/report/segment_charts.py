"""Pictures of segments: the worst with their intervals, and all of them by their size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key, Listing
from offby.drawing.numbers import between, number, percent
from offby.drawing.plot import DASH, GREEN, INK, MUTED, ORANGE, Axis, Floats
from offby.measures.measurement import Measurement
from offby.report import ladder
from offby.report.segment_findings import worse
from offby.report.segment_text import SEARCHED, families
from offby.segments.search import Search
from offby.segments.segment import Segment

_DRAWN = 2000  # dots of a cloud
_LISTS = 6  # lists of segments that are drawn
_BAR = 100  # pixels
_COLORS = {None: MUTED, False: GREEN, True: ORANGE}  # what matters most is drawn last


def charts(segments: Sequence[Segment], whole: Measurement | None) -> list[Chart]:
    """Two pictures a list: the worst segments, and (of many) all of them by their size."""
    if whole is None or whole.value is None or not math.isfinite(whole.value):
        return []
    found = []
    for family in families(segments)[:_LISTS]:
        known = [one for one in family if _ends(one, whole.name) is not None]
        if known:
            found.append(_ladder(known, whole.name, whole.value))
        if len(known) > ladder.NAMED:
            found.append(_funnel(known, whole.name, whole.value))
    return found


def _ends(one: Segment, name: str) -> tuple[float, float, float] | None:
    """Low, value and high; None without an interval."""
    measured = one.measures[name]
    ends = (measured.low, measured.value, measured.high)
    if any(end is None or not math.isfinite(end) for end in ends):
        return None
    return tuple(float(end) for end in ends if end is not None)  # type: ignore[return-value]


def _table(family: Sequence[Segment], name: str) -> Floats:
    """Low, value and high of each segment, a row each."""
    return np.array([_ends(one, name) for one in family], dtype=np.float64)


def _side(one: Segment, name: str) -> bool | None:
    gap = one.gaps[name]
    return None if gap is None else worse(gap, one[name].better)


def _ladder(family: Sequence[Segment], name: str, whole: float) -> Chart:
    """A line a segment: its name, its interval and its value."""
    shown = family[: ladder.NAMED]
    ends = _table(shown, name)
    low, high = ladder.view(whole, ends)
    x = ladder.axis(name, low, high, marks=_round_between(low, high))
    colors = [_COLORS[_side(one, name)] for one in shown]
    layers = [
        plot.rule(x, whole, INK, strokeDash=DASH, strokeWidth=1.2),
        *ladder.rungs(x, [one.name for one in shown], ends, colors),
    ]
    by = " × ".join(family[0].columns)
    left = len(family) - len(shown)
    title = f"{name} by {by}" + (f": the {len(shown)} most surely bad" if left else "")
    caption = (
        "A dot is a segment's value and its line the interval; the dashed line is the whole table. "
        "Orange and green ones differ from the rest beyond chance (Holm's correction)."
    )
    return Chart(title, caption, _keys(name, whole), plot.draw(layers, title))


def _round_between(low: float, high: float) -> tuple[float, ...]:
    """Some round numbers between two.

    >>> _round_between(19.3, 34.0)
    (20.0, 25.0, 30.0)
    """
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
    return tuple(float(step * k) for k in range(math.ceil(low / step), math.floor(high / step) + 1))


def _keys(name: str, whole: float) -> tuple[Key, ...]:
    return (
        Key("dot", ORANGE, "surely worse than the rest"),
        Key("dot", GREEN, "surely better"),
        Key("dot", MUTED, "neither"),
        Key("line", INK, f"whole table {number(whole)}", DASH),
    )


def _funnel(family: Sequence[Segment], name: str, whole: float) -> Chart:
    """Values by size: small segments scatter by chance alone."""
    drawn = family[:_DRAWN]
    shares = np.array([one.rows for one in drawn]) / sum(one.rows for one in family)
    values = _table(drawn, name)[:, 1]
    low, high = plot.around(whole, *plot.bulk(values))
    x = Axis("share of the rows", 0.8 * float(shares.min()), min(1.25 * float(shares.max()), 1.0),
             log=True)  # fmt: skip
    up = Axis(name, low, high)
    inside = up.holds(values)
    layers = []
    for side, color in _COLORS.items():
        at = [k for k, one in enumerate(drawn) if inside[k] and _side(one, name) is side]
        if at:
            faint = 0.5 if side is None else 0.9
            layers.append(plot.dots(x, up, shares[at], values[at], color, opacity=faint, size=26))
    layers.append(plot.line(x, up, [x.low, x.high], [whole, whole], INK, strokeWidth=1.2,
                            strokeDash=DASH))  # fmt: skip
    title = f"All {len(family):,} segments by {' × '.join(family[0].columns)}"
    beyond = int(np.count_nonzero(~inside)) + len(family) - len(drawn)
    caption = (
        "A dot is a segment. Small ones (left) scatter by chance alone, so only the orange "
        "and green ones differ from the rest for sure."
        + (f" {beyond:,} lie outside the picture." if beyond else "")
    )
    return Chart(title, caption, _keys(name, whole), plot.draw(layers, title))


def listings(segments: Sequence[Segment], found: Search | None) -> list[Listing]:
    """The worst segments of each list, and those that a search confirmed, as tables."""
    tables = [_listing(family) for family in families(segments)[:_LISTS]]
    if found is not None and found.found:
        tables.append(_found(found))
    return tables


def _listing(family: Sequence[Segment]) -> Listing:
    name = next(iter(family[0].measures))
    shown = family[: ladder.NAMED]
    gaps = [gap.value if (gap := one.gaps[name]) and gap.sure else 0.0 for one in shown]
    widest = max(map(abs, gaps), default=0.0) or 1.0
    say = "The most surely bad first; a bar is a gap to the rest that chance does not explain."
    if len(family) > len(shown):
        say += f" {len(family) - len(shown):,} more segments are in the JSON."
    by = " × ".join(family[0].columns)
    heads = (by, "rows", name, "interval", "gap to the rest", "its interval")
    lines = tuple(tuple(_cells(one, name)) for one in shown)
    return Listing(f"{name} by {by}", say, heads, lines,
                   tuple(_BAR * abs(gap) / widest for gap in gaps))  # fmt: skip


def _cells(one: Segment, name: str) -> Iterator[str]:
    measured, gap = one.measures[name], one.gaps[name]
    yield one.name
    yield f"{one.rows:,}"
    yield number(measured.value)
    yield between(measured.low, measured.high)
    yield "" if gap is None else f"{'+' if gap.value > 0 else ''}{number(gap.value, 3)}"
    yield "" if gap is None else between(gap.low, gap.high)


def _found(found: Search) -> Listing:
    lines = tuple(
        (one.label, f"{one.rows:,}", percent(one.rows_share), number(one.loss), number(one.rest),
         between(one.low, one.high), percent(one.loss_share), "")
        for one in found.found
    )  # fmt: skip
    say = f"{SEARCHED.capitalize()}; each without the rows of those above it."
    heads = ("segment", "rows", "of the rows", found.loss, "of the rest", "interval of the gap",
             "of the loss", "")  # fmt: skip
    bars = tuple(_BAR * one.loss_share for one in found.found)
    return Listing(f"Where {found.loss} is high", say, heads, lines, bars)
