"""A fit of several quantiles on the terminal: a sentence, the coefficients, how each fares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offby.drawing.numbers import between, number, percent, rows
from offby.formula.expression import number_text
from offby.report.fitted_text import NEAR, said
from offby.report.printed import LEAST_WIDTH, narrow

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from offby.report.fitted_quantiles import FittedQuantiles, Level

HEADS: Final = ("quantile", "pinball loss", "± se", "rows below", "95 % interval")
"""What `cells` has of each level."""


def show(fitted: FittedQuantiles, console: Console) -> None:
    """Print the fit."""
    from rich.text import Text

    console.print(Text(headline(fitted), style="bold"))
    for sentence in said(fitted):
        console.print(Text(sentence, style="dim"))
    console.print()
    console.print(Text(fitted.model.summary()), soft_wrap=True)
    for caution in fitted.cautions:
        console.print(Text(f"\ncaution: {caution}", style="yellow"))
    console.print(Text(f"\n{measured_on(fitted)}", style="bold"))
    lines = [cells(level) for level in fitted.levels]
    console.print(_table(lines) if console.width >= LEAST_WIDTH else narrow(HEADS, lines))


def headline(fitted: FittedQuantiles) -> str:
    """What was fitted, and what is proved of it."""
    model = fitted.model
    what = f"{len(fitted.levels)} quantiles fitted to {rows(fitted.trained)}"
    if not model.converged_:
        return f"{what}: not all are proved to be at their minimum"
    near = model.gap_ <= NEAR * model.objective_.min()
    above = "to more than 9 digits" if near else f"within {number(model.gap_, 2)}"
    return f"{what}: each proved to be at its minimum, {above}"


def measured_on(fitted: FittedQuantiles) -> str:
    """What the levels were measured on."""
    if fitted.held_out:
        return f"On {rows(fitted.held_out)} held out"
    return "On the very rows that were fitted: new rows will fare worse (--validate 0.2 holds out)"


def cells(level: Level) -> tuple[str, ...]:
    """The texts of a level's columns."""
    error, below = level.pinball.standard_error, level.below
    share = percent(below.value, 3) if below.value is not None else below.undefined or ""
    spread = between(*(None if end is None else 100 * end for end in (below.low, below.high)))
    return (
        number_text(level.quantile),
        number(level.pinball.value, 5),
        "" if error is None else number(error, 2),
        share,
        spread and f"{spread} %",
    )


def _table(lines: list[tuple[str, ...]]) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(head, justify="right")
    for line in lines:
        table.add_row(*line)
    return table
