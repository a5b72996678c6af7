"""Watched runs as a page: one file that opens offline, or the same page fed by a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from math import isfinite
from typing import Any

import numpy as np

from offby.report.templates import template
from offby.report.watch_facts import facts
from offby.report.watch_text import tone
from offby.report.watched import WatchedRun
from offby.runs.curves import Floats, Series

MOST_POINTS = 1500
"""Points of a curve that a page draws; of more, the extremes of each stretch."""


def page(runs: Sequence[WatchedRun], unread: Mapping[str, str], *, live: bool = False) -> str:
    """The page; where it is live it asks its server, beside it, for what is new."""
    return template("watch.html.j2").render(
        data=_embedded(
            {
                "runs": [told(run) for run in runs],
                "names": [run.name for run in runs],
                "unread": dict(unread),
            }
        ),
        live=live,
        script=_asset("watch.js"),
        drawing=_asset("watch_plot.js"),
        plot=_asset("uplot/uPlot.iife.min.js"),
        plot_style=_asset("uplot/uPlot.min.css"),
    )


def told(run: WatchedRun) -> dict[str, Any]:
    """What a page draws of a run, and what it says of it."""
    found = run.verdict
    return {
        "name": run.name,
        "format": run.log.format,
        "axis": found.axis,
        "metric": {
            "name": run.metric,
            "train": run.pair.train,
            "val": run.pair.val,
            "better": run.pair.better,
        },
        "verdict": found.verdict,
        "tone": tone(found.verdict),
        "advice": found.advice,
        "notes": run.notes,
        "evaluations": found.evaluations,
        "watched": found.watched,
        "best": {"at": found.best_epoch, "value": _finite(run.best), "within": found.best_interval},
        "last": _finite(run.last),
        "facts": facts(run),
        "curves": {name: _points(series) for name, series in run.curves.items()},
        "fitted": None if found.fitted is None else [list(map(_drawn, c)) for c in found.fitted],
    }


def _points(series: Series) -> list[list[Any]]:
    steps, values = _thinned(series.steps, series.values)
    return [_whole(steps), [_drawn(value) for value in values.tolist()]]


def _thinned(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Where there are very many points, the lowest and the highest of each stretch, in order."""
    if steps.size <= MOST_POINTS:
        return steps, values
    size = -(-2 * steps.size // MOST_POINTS)
    padded = np.full((-(-steps.size // size), size), np.nan)
    padded.ravel()[: steps.size] = values
    finite, starts = np.isfinite(padded), np.arange(len(padded)) * size
    low = starts + np.argmin(np.where(finite, padded, np.inf), axis=1)
    high = starts + np.argmax(np.where(finite, padded, -np.inf), axis=1)
    kept = np.unique(np.concatenate([[0, steps.size - 1], low, high]))
    return steps[kept], values[kept]


def _whole(steps: Floats) -> list[Any]:
    """Steps as whole numbers, if they are such: they are shorter to send."""
    whole = np.all(steps == np.floor(steps)) and np.all(np.abs(steps) < 2**53)
    return list((steps.astype(np.int64) if whole else steps).tolist())


def _drawn(value: float) -> float | None:
    """With as many digits as can be seen."""
    return float(f"{value:.6g}") if isfinite(value) else None


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _embedded(data: Any) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (files("offby.report") / name).read_text(encoding="utf-8")
