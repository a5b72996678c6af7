"""What would move the needle: the last part of a report, in words, as a table and for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from offby.drawing.chart import Listing
from offby.drawing.numbers import between, number, percent, rows
from offby.interventions import Intervention, Trials
from offby.report.printed import LEAST_WIDTH

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

TITLE = "What would move the needle"
NOTHING = "nothing here would help: no simple correction survives held-out rows"
_HOW = "each alone, on rows it was not fitted to (halves of {}); gains overlap"
_NOT_FITTED = "each alone; gains overlap"
_BAR = 100  # pixels


def said(one: Intervention) -> str:
    """What to do, with its numbers.

    >>> said(Intervention("rescale", "{intercept} + {slope} × prediction", "mae", 1, 0, 2, 0.1,
    ...                   True, {"intercept": -4.319, "slope": 0.73661}))
    '-4.319 + 0.7366 × prediction'
    """
    shares = {"share"}
    told = {name: percent(value) if name in shares else number(value)
            for name, value in one.fitted.items()}  # fmt: skip
    return one.text.format(**told) if told or "{" not in one.text else ""


def taken_off(one: Intervention) -> str:
    """The gain, in the loss's units and as a share of it."""
    if math.isinf(one.gain):
        return f"all that is infinite of {one.loss}"
    return f"{number(one.gain)} {one.loss} ({percent(one.relative)})"


def sentence(one: Intervention) -> str:
    """All of it in a line."""
    sure = "" if one.low is None else f", interval {between(one.low, one.high)}"
    if one.bound:
        return f"{said(one)} would take off {taken_off(one)}{sure}"
    return f"{one.name} ({said(one)}): takes off {taken_off(one)}{sure}"


def sentences(trials: Trials) -> list[str]:
    """What stands below the table: that nothing helps, and what is the most that could."""
    found = trials.interventions
    nothing = f"{NOTHING} (halves of {rows(trials.rows)})"
    helps = any(one.survives for one in found)
    return ([] if helps else [nothing]) + [sentence(one) for one in found if one.bound]


def to_dict(one: Intervention) -> dict[str, Any]:
    """An intervention for JSON, the words first."""
    return {
        "name": one.name,
        "text": said(one),
        "loss": one.loss,
        "gain": one.gain,
        "low": one.low,
        "high": one.high,
        "relative": one.relative,
        "survives": one.survives,
        "bound": one.bound,
        "also": dict(one.also),
        "fitted": dict(one.fitted),
    }


def show(trials: Trials | None, console: Console) -> None:
    """Print what survives as a table, and what there is to say below it."""
    from rich.text import Text

    if trials is None or not trials.interventions:
        return
    survivors = trials.survivors
    console.print()
    console.print(Text(TITLE, style="bold"))
    if survivors:
        console.print(Text(_how(trials), style="dim"))
        console.print()
        wide = console.width >= LEAST_WIDTH
        console.print(_table(trials) if wide else _lines(map(sentence, survivors)))
        console.print()
    console.print(_lines(sentences(trials)))


def _how(trials: Trials) -> str:
    """How sure the gains are; nothing was fitted for what segments cost."""
    fitted = any(one not in trials.extra for one in trials.survivors)
    return _HOW.format(rows(trials.rows)) if fitted else _NOT_FITTED


def _table(trials: Trials) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("correction", overflow="fold")
    table.add_column("takes off", overflow="fold")
    table.add_column(f"{percent(trials.confidence, 3)} interval", overflow="fold")
    others = list(dict.fromkeys(name for one in trials.survivors for name in one.also))
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    for one in trials.survivors:
        what = Text(one.name).append(f"\n{said(one)}" if said(one) else "", style="dim")
        table.add_row(what, taken_off(one), between(one.low, one.high), *_changes(one, others))
    return table


def _changes(one: Intervention, others: Sequence[str]) -> Iterator[str]:
    """What it does to other losses, with a sign: less is better."""
    for name in others:
        share = one.also.get(name)
        yield "" if share is None else f"{'−' if share > 0 else '+'}{percent(abs(share))}"


def _lines(texts: Iterable[str]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for text in texts:
        grid.add_row("•", Text(text))
    return grid


def listings(trials: Trials | None) -> list[Listing]:
    """The same for the page; nothing where nothing was tried."""
    if trials is None or not trials.interventions:
        return []
    survivors = trials.survivors
    heads = ("correction", "takes off", f"{percent(trials.confidence, 3)} interval")
    lines = tuple(
        (f"{one.name}: {said(one)}", taken_off(one), between(one.low, one.high))
        for one in survivors
    )
    largest = max((one.relative for one in survivors), default=1.0)
    bars = tuple(round(_BAR * one.relative / largest, 1) for one in survivors)
    how = [_how(trials)] if survivors else []
    say = " ".join(f"{text[0].upper()}{text[1:]}." for text in (*how, *sentences(trials)))
    return [Listing(TITLE, say, heads, lines, bars)]
