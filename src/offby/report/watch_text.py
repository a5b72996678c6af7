"""Watched runs on a terminal: the verdict, the curves, and a list where there are several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from offby.drawing.numbers import number
from offby.report.braille import Line, drawn
from offby.report.watched import WatchedRun

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

TRAIN, VAL = "cyan", "yellow"
BAD = frozenset(("diverged", "overfitting", "never generalised", "unstable"))
GOOD = frozenset(("plateau", "still improving"))
_HEIGHT, _LEAST = 14, 6  # lines of the curves
_SIGNS = {"train": "╌╌", "val": "──"}
_AXIS = 2  # lines below them
_FEW = 3  # runs that are listed however small the terminal is
_MOST_UNREAD = 5
_WIDEST = 100


def picture(
    runs: Sequence[WatchedRun],
    unread: Mapping[str, str],
    console: Console,
    *,
    chosen: WatchedRun | None = None,
    fitting: bool = False,
) -> RenderableType:
    """A list of the runs, if there are several, and one of them drawn: the best, if none is chosen.

    With `fitting` the list is cut so that all fits on the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    if not runs:
        return Text(waiting(unread))
    one = runs[0] if chosen is None else chosen
    above, below = [_verdict(one, len(runs) > 1), Text()], [_legend(one), *_unread(unread)]
    room = console.height - _lines_of(Group(*above, *below), console) - _AXIS
    listed = 0 if len(runs) == 1 else min(len(runs), _FEW) + 2
    height = min(max(room - listed, _LEAST), _HEIGHT) if fitting else _HEIGHT
    shown = Group(*above, _curves(one, console, height), *below)
    if len(runs) == 1:
        return shown
    return Group(*_list(runs, console, room - height if fitting else None), shown)


def waiting(unread: Mapping[str, str]) -> str:
    """What is said before there is a run, and why there is none."""
    return "\n".join(
        ["Waiting for the first run (stop with Ctrl-C)", *dict.fromkeys(unread.values())]
    )


def _unread(unread: Mapping[str, str]) -> list[Text]:
    """What cannot be read; of very much the first few."""
    some = [_dim(f"{name}: {why}") for name, why in list(unread.items())[:_MOST_UNREAD]]
    rest = len(unread) - len(some)
    return [*some, _dim(f"and {rest:,} more that cannot be read")] if rest else some


def _list(
    runs: Sequence[WatchedRun], console: Console, room: int | None
) -> Iterator[RenderableType]:
    """The runs, as many as there is room for, and how many more there are."""
    some = len(runs) if room is None else min(len(runs), room)
    table = _table(runs[:some])
    while room is not None and some > 1 and _lines_of(table, console) >= room:
        some -= 1
        table = _table(runs[:some])
    yield table
    yield _dim(f"and {len(runs) - some:,} more" if len(runs) > some else "")


def _lines_of(drawn_below: RenderableType, console: Console) -> int:
    return len(console.render_lines(drawn_below, pad=False))


def line(run: WatchedRun) -> str:
    """The last evaluation of a run and what it says, in one line."""
    step = number(float(run.judged.steps[-1]))
    values = " ".join(f"{name} {number(float(s.values[-1]))}" for name, s in run.curves.items())
    found = run.verdict
    return f"{run.name} {found.axis} {step}: {values} · {found.verdict}: {found.advice}"


def _verdict(run: WatchedRun, named: bool) -> RenderableType:
    from rich.text import Text

    label, name = run.verdict.verdict, f"{run.name} · " if named else ""
    text = Text.assemble(name, (label, f"bold {_colour(label)}"),
                         (f": {run.verdict.advice}", "bold"))  # fmt: skip
    text.append(f"\n{run.name} ({run.log.format}) · {run.pair}", style="dim")
    for note in run.notes:
        text.append(f"\n{note}", style="dim")
    return text


def tone(label: str) -> str:
    """How a verdict sounds: "bad", "good", or neither."""
    return "bad" if label in BAD else "good" if label in GOOD else ""


def _colour(label: str) -> str:
    return {"bad": "red", "good": "green"}.get(tone(label), "blue")


def _curves(run: WatchedRun, console: Console, height: int) -> Text:
    from rich.text import Text

    styles = {"train": TRAIN, "val": VAL}
    lines = [
        Line(s.steps, s.values, styles[name], name == "train") for name, s in run.curves.items()
    ]
    found = drawn(lines, min(console.width, _WIDEST), height, mark=run.verdict.best_epoch,
                  log=_wide(run))  # fmt: skip
    return Text("\n").join(Text.assemble(*row) for row in found.rows)


def _wide(run: WatchedRun) -> bool:
    """Whether the curves span so much that most of them would lie on the floor."""
    values = [edge(s.values) for s in run.curves.values() for edge in (np.nanmin, np.nanmax)]
    return bool(0 < 20 * min(values) < max(values))


def _legend(run: WatchedRun) -> Text:
    from rich.text import Text

    styles, names = {"train": TRAIN, "val": VAL}, {"train": run.pair.train, "val": run.pair.val}
    said = [Text.assemble((_SIGNS[part], styles[part]), f" {names[part]}") for part in run.curves]
    found = run.verdict
    if found.best_epoch is not None:
        said.append(Text(f"┊ best {number(run.best)} at {found.axis} {number(found.best_epoch)}"))
        if found.best_interval is not None:
            said[-1].append(f" (90 %: {' to '.join(map(number, found.best_interval))})")
    if found.gap_now is not None:
        said.append(Text(f"gap {number(found.gap_now, 3)}"))
        if found.gap_then not in (None, found.gap_now):
            said[-1].append(f" (then {number(found.gap_then, 3)})")
    if _wide(run):
        said.append(_dim("log axis"))
    return Text("   ").join(said)


def _table(runs: Sequence[WatchedRun]) -> RenderableType:
    """A line a run; where they have several metrics, a line above those of each."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for heading in ("best", "at", "last", "evaluations"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    several = len({(run.metric, run.pair.better) for run in runs}) > 1
    for before, run in zip([None, *runs], runs, strict=False):
        if several and (before is None or before.metric != run.metric):
            table.add_row(_dim(f"{run.metric} · {run.pair.better} is better"))
        table.add_row(*_cells(run))
    return table


def _cells(run: WatchedRun) -> tuple[Text, str, str, str, str, Text]:
    from rich.text import Text

    found = run.verdict
    best = "" if run.best is None else number(run.best)
    at = "" if found.best_epoch is None else number(found.best_epoch)
    named = Text(found.verdict, style=_colour(found.verdict))
    return Text(run.name), best, at, number(run.last), f"{found.evaluations:,}", named


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="dim")
