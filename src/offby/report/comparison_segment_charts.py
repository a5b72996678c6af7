"""Pictures of a comparison within segments: each difference with its interval, zero in between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from offby.drawing import plot
from offby.drawing.chart import Chart, Key
from offby.drawing.plot import GREEN, INK, MUTED, ORANGE
from offby.pairs.difference import Difference
from offby.report import ladder
from offby.report.comparison_segments import ComparedSegment, Pair, families
from offby.report.comparison_words import label

if TYPE_CHECKING:
    from offby.report.comparison import Comparison

_LISTS, _PAIRS = 6, 3
_COLORS = {"tied": MUTED, "better": GREEN, "worse": ORANGE}


def charts(comparison: Comparison) -> Iterator[Chart]:
    """A picture a list of segments and pair of models."""
    name = comparison.deciding
    for family in families(comparison.segments)[:_LISTS]:
        for pair in list(family[0].differences[name])[:_PAIRS]:
            known = [one for one in family if _drawable(one.differences[name][pair])]
            if known:
                yield _ladder(known, name, pair)


def _drawable(found: Difference) -> bool:
    ends = (found.low, found.value, found.high)
    return all(end is not None and math.isfinite(end) for end in ends)


def _ladder(family: Sequence[ComparedSegment], name: str, pair: Pair) -> Chart:
    """A line a segment: its name, its interval and its difference."""
    shown = family[: ladder.NAMED]
    found = [one.differences[name][pair] for one in shown]
    ends = np.array([(d.low, d.value, d.high) for d in found], np.float64)
    x = ladder.axis(f"difference of {label(name)}", *ladder.view(0.0, ends))
    colors = [_COLORS[d.verdict] for d in found]
    layers = [
        plot.rule(x, 0.0, INK, strokeWidth=1.2),
        *ladder.rungs(x, [one.name for one in shown], ends, colors),
    ]
    by, (b, a) = " × ".join(family[0].columns), pair
    title = f"{b} against {a} by {by}"
    return Chart(title, _caption(family, found[0], pair), _keys(found), plot.draw(layers, title))


def _caption(family: Sequence[ComparedSegment], found: Difference, pair: Pair) -> str:
    side = {"lower": "left", "higher": "right"}.get(found.better, "left")
    text = (
        f"A dot is the {label(found.measure)} of {pair[0]} less that of {pair[1]} in a segment, "
        f"and its line the interval: to the {side} of zero {pair[0]} is better. Colours mark what "
        "is more than chance, with Holm's correction for all segments together."
    )
    left = len(family) - ladder.NAMED
    return f"{text} {left:,} more segments are in the JSON." if left > 0 else text


def _keys(found: Sequence[Difference]) -> tuple[Key, ...]:
    here = {d.verdict for d in found}
    return tuple(Key("dot", color, verdict) for verdict, color in _COLORS.items()
                 if verdict in here)  # fmt: skip
