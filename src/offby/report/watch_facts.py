"""What a run's verdict rests on, in a few numbers: each with what it is, and how sure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from offby.drawing.numbers import between, number, percent
from offby.report.watch_text import BAD
from offby.report.watched import WatchedRun
from offby.runs.curves import Series
from offby.watch.evidence import OF_BEST
from offby.watch.verdict import Estimate


class Fact(NamedTuple):
    """A number: what it is, the number, and what stands beside it in small."""

    label: str
    value: str
    note: str = ""


def facts(run: WatchedRun) -> list[Fact]:
    """The best epoch, the metrics there and now, and what going on has cost or would gain."""
    found = [_best, _metrics, _expected, _gap, _cost, _gain, _noise]
    return [fact for part in found for fact in part(run)]


def _best(run: WatchedRun) -> list[Fact]:
    found = run.verdict
    if found.best_epoch is None:
        return []
    note = ""
    if found.best_interval is not None:
        note = f"{' to '.join(map(number, found.best_interval))} ({percent(OF_BEST)})"
    return [Fact(f"best {found.axis}", number(found.best_epoch), note)]


def _metrics(run: WatchedRun) -> list[Fact]:
    """Each metric at the best epoch and at the end; validation first."""
    names = {"val": run.pair.val, "train": run.pair.train}
    return [
        Fact(name, *_then_and_now(run, run.curves[part]))
        for part, name in names.items()
        if name is not None and part in run.curves
    ]


def _then_and_now(run: WatchedRun, series: Series) -> tuple[str, str]:
    last, then = float(series.steps[-1]), run.verdict.best_epoch
    now, axis = number(float(series.values[-1])), run.verdict.axis
    if then is None or then >= last:
        return now, f"at {axis} {number(last)}"
    there = float(series.values[int(np.argmin(np.abs(series.steps - then)))])
    return f"{number(there)} → {now}", f"{axis} {number(then)} → {number(last)}"


def _expected(run: WatchedRun) -> list[Fact]:
    """What the best checkpoint is worth: the value logged there was chosen for being good."""
    found = run.verdict
    if found.best_expected is None or found.best_epoch is None:
        return []
    where = f"{found.axis} {number(found.best_epoch)}"
    return [Fact(f"to expect at {where}", *_estimated(found.best_expected))]


def _gap(run: WatchedRun) -> list[Fact]:
    now, then = run.verdict.gap_now, run.verdict.gap_then
    if now is None:
        return []
    values = [now] if then is None or then == now else [then, now]
    return [Fact("gap to training", " → ".join(number(value, 3) for value in values), "smoothed")]


def _cost(run: WatchedRun) -> list[Fact]:
    """What was lost, where the verdict is that something was."""
    found = run.verdict
    if found.verdict not in BAD or found.cost is None or found.best_epoch is None:
        return []
    return [Fact(f"lost since {found.axis} {number(found.best_epoch)}", *_estimated(found.cost))]


def _gain(run: WatchedRun) -> list[Fact]:
    found = run.verdict
    if found.gain is None or found.gain_until is None:
        return []
    return [Fact(f"to gain until {found.axis} {number(found.gain_until)}", *_estimated(found.gain))]


def _noise(run: WatchedRun) -> list[Fact]:
    found = run.verdict
    if found.noise is None:
        return []
    shown = percent(found.noise) if found.scale == "log" else number(found.noise, 2)
    return [Fact("noise of an evaluation", shown, "standard deviation")]


def _estimated(found: Estimate) -> tuple[str, str]:
    return number(found.value), f"{between(found.low, found.high)} ({percent(found.confidence)})"
