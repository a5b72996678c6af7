"""The worst segment among what could be done about a loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from offby.interventions import Intervention, Trials
from offby.measures.measurement import Measurement
from offby.segments.asked import RowLoss
from offby.segments.relief import Relief, of_culprit, of_segments
from offby.segments.search import Search
from offby.segments.segment import Segment

_LEVEL = "{} ({{share}} of the rows) at the level of the rest; {}"
_HELD_OUT = "not on the rows that chose it"
_AMONG = "interval for the worst of {:,}"


def with_worst(
    trials: Trials | None, loss: RowLoss, measures: Mapping[str, Measurement],
    segments: Sequence[Segment], found: Search | None,
) -> Trials | None:  # fmt: skip
    """What was tried, and beside it the worst segment that a search found, and of those asked for.

    Only what surely takes something off the loss; a segment that both name stands once, as the
    search tells it.
    """
    whole = measures.get(loss.name)
    confidence = next(iter(measures.values())).confidence
    culprit = None if found is None else of_culprit(found.found, confidence, root=loss.root)
    asked = None
    if segments and whole is not None and whole.value:
        asked = of_segments(segments, loss.name, whole, root=loss.root)
    extra = tuple(fixing(loss.name, one) for one in _once(culprit, asked))
    if not extra:
        return trials
    if trials is None:
        return Trials((np.zeros(0), np.zeros(0)), (), extra=extra)
    return replace(trials, extra=(*trials.extra, *extra))


def _once(culprit: Relief | None, asked: Relief | None) -> Iterator[Relief]:
    if culprit is not None:
        yield culprit
    if asked is not None and (culprit is None or culprit.segment != asked.segment):
        yield asked


def fixing(loss: str, relief: Relief) -> Intervention:
    """What bringing a segment to the level of the rest would do; its name stays as it is.

    >>> from offby.report.needle import said
    >>> said(fixing("mae", Relief("a = {b}", 0.25, 1.0, 0.5, 1.5, 0.1)))
    'a = {b} (25 % of the rows) at the level of the rest; not on the rows that chose it'
    """
    label = relief.segment.replace("{", "{{").replace("}", "}}")
    how = _AMONG.format(relief.among) if relief.among else _HELD_OUT
    return Intervention(
        "fix the worst segment", _LEVEL.format(label, how), loss, relief.value, relief.low,
        relief.high, relief.relative, True, {"share": relief.share},
    )  # fmt: skip
