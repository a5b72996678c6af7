"""Watched runs as a page: one file that opens offline, or the same page fed by a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from offby.report.templates import template
from offby.report.watch_text import BAD
from offby.report.watched import WatchedRun
from offby.runs.curves import Floats, Series

MOST_POINTS = 1500
"""Points of a curve that a page draws; of more, the extremes of each stretch."""


def page(runs: Sequence[WatchedRun], unread: Mapping[str, str], *, live: bool = False) -> str:
    """The page; where it is live it asks its server, beside it, for what is new."""
    return template("watch.html.j2").render(
        data=_embedded([told(run) for run in runs]),
        unread=dict(unread),
        live=live,
        script=_asset("watch.js"),
        plot=_asset("uplot/uPlot.iife.min.js"),
        plot_style=_asset("uplot/uPlot.min.css"),
    )


def told(run: WatchedRun) -> dict[str, Any]:
    """What a page draws of a run, and what it says of it."""
    found = run.verdict
    return {
        "name": run.name,
        "format": run.log.format,
        "axis": "evaluation" if run.log.axis == "row" else run.log.axis,
        "metric": {"train": run.pair.train, "val": run.pair.val, "better": run.pair.better},
        "verdict": found.verdict,
        "bad": found.verdict in BAD,
        "advice": found.advice,
        "notes": [*found.notes, *run.log.notes],
        "evaluations": found.evaluations,
        "watched": found.watched,
        "best": {"at": found.best_epoch, "value": _finite(run.best), "within": found.best_interval},
        "last": _finite(run.last),
        "curves": {name: _points(series) for name, series in run.curves.items()},
        "fitted": None if found.fitted is None else [list(map(_finite, c)) for c in found.fitted],
    }


def _points(series: Series) -> list[list[float | None]]:
    steps, values = _thinned(series.steps, series.values)
    return [steps.tolist(), [_finite(value) for value in values.tolist()]]


def _thinned(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Where there are very many points, the lowest and the highest of each stretch, in order."""
    if steps.size <= MOST_POINTS:
        return steps, values
    stretches = np.array_split(np.arange(steps.size), MOST_POINTS // 2)
    known = np.where(np.isnan(values), np.inf, values)
    ends = {int(part[k]) for part in stretches
            for k in (np.argmin(known[part]), np.argmax(np.where(np.isinf(known[part]), -np.inf,
                                                                 known[part])))}  # fmt: skip
    kept = sorted(ends | {0, steps.size - 1})
    return steps[kept], values[kept]


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _embedded(data: Any) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (files("offby.report") / name).read_text(encoding="utf-8")
