"""Watched runs on a terminal: the verdict, the curves, and a list where there are several."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from offby.report.braille import Line, drawn
from offby.report.numbers import number
from offby.report.watched import WatchedRun

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

TRAIN, VAL = "cyan", "yellow"
BAD = frozenset(("diverged", "overfitting", "never generalised", "unstable"))
GOOD = frozenset(("plateau", "still improving"))
_HEIGHT = 14
_WIDEST = 100


def to_text(
    runs: Sequence[WatchedRun], unread: Mapping[str, str], width: int = 80, *, color: bool = False
) -> str:
    """The runs as text, for a terminal so wide."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=color, highlight=False,
                      color_system="standard" if color else None)  # fmt: skip
    console.print(picture(runs, unread, console))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


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

    one = runs[0] if chosen is None else chosen
    below: list[RenderableType] = [_verdict(one, len(runs) > 1), "", _curves(one, console)]
    below += [_legend(one), *(_dim(f"{name}: {why}") for name, why in unread.items())]
    if len(runs) == 1:
        return Group(*below)
    room = max(console.height - _lines_of(Group(*below), console) - 3, 3) if fitting else len(runs)
    above: list[RenderableType] = [_table(runs[:room])]
    above += [_dim(f"and {len(runs) - room:,} more")] if len(runs) > room else [""]
    return Group(*above, *below)


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


def _curves(run: WatchedRun, console: Console) -> Text:
    from rich.text import Text

    styles = {"train": TRAIN, "val": VAL}
    lines = [Line(s.steps, s.values, styles[name]) for name, s in run.curves.items()]
    found = drawn(lines, min(console.width, _WIDEST), _HEIGHT, mark=run.verdict.best_epoch,
                  log=run.verdict.scale == "log" and _wide(run))  # fmt: skip
    return Text("\n").join(Text.assemble(*row) for row in found.rows)


def _wide(run: WatchedRun) -> bool:
    """Whether the curves span so much that most of them would lie on the floor."""
    values = [edge(s.values) for s in run.curves.values() for edge in (np.nanmin, np.nanmax)]
    return bool(0 < 20 * min(values) < max(values))


def _legend(run: WatchedRun) -> Text:
    from rich.text import Text

    said = Text()
    for name, style in (("train", TRAIN), ("val", VAL)):
        if name in run.curves:
            metric = run.pair.train if name == "train" else run.pair.val
            said.append("── ", style=style).append(f"{metric}   ")
    verdict = run.verdict
    if verdict.best_epoch is not None:
        said.append(f"┊ best {number(run.best)} at {run.verdict.axis} {number(verdict.best_epoch)}")
        if verdict.best_interval is not None:
            said.append(f" (90 %: {' to '.join(map(number, verdict.best_interval))})")
    if verdict.gap_now is not None:
        said.append(f"   gap {number(verdict.gap_now, 3)}")
        if verdict.gap_then is not None:
            said.append(f" (then {number(verdict.gap_then, 3)})")
    return said


def _table(runs: Sequence[WatchedRun]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for heading in ("best", "at", "last", "evaluations"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    table.add_column("metric", style="dim")
    for run in runs:
        found = run.verdict
        table.add_row(
            run.name, number(run.best) if run.best is not None else "", _at(run), number(run.last),
            f"{found.evaluations:,}", Text(found.verdict, style=_colour(found.verdict)),
            run.pair.val or run.pair.train or "",
        )  # fmt: skip
    return table


def _at(run: WatchedRun) -> str:
    return "" if run.verdict.best_epoch is None else number(run.verdict.best_epoch)


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="dim")
