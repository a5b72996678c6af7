"""A fit on the terminal: a sentence, the walk, the coefficients, cautions, the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from offby.drawing.numbers import number, rows
from offby.drawing.plot import Floats
from offby.fit.statistics.summary import counted
from offby.report import terminal

Walk: TypeAlias = Mapping[str, Sequence[float] | Floats]

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from offby.report.fitted import Fitted
    from offby.report.fitted_quantiles import FittedQuantiles

_LAST = 8  # iterations: what was gained before is gone from the terminal, not from the JSON
_LOSSES = ("objective", "held_out", "validation")
NEAR = 1e-9  # nearer than this nothing that is printed would change
_HEADS = {
    "objective": "training loss",
    "held_out": "held-out loss",
    "validation": "validation loss",
    "gradient": "gradient",
    "step": "step",
    "seconds": "seconds",
}


def show(fitted: Fitted, console: Console) -> None:
    """Print the fit."""
    from rich.text import Text

    console.print(Text(headline(fitted), style="bold"))
    for sentence in said(fitted):
        console.print(Text(sentence, style="dim"))
    if len(fitted.walk.get("objective", ())):
        console.print()
        console.print(walk_table(fitted.walk, timed=console.is_terminal))
    console.print()
    console.print(Text(fitted.model.summary()), soft_wrap=True)
    for caution in fitted.cautions:
        console.print(Text(f"\ncaution: {caution}", style="yellow"))
    console.print(Text(f"\n{measured_on(fitted)}", style="bold"))
    terminal.show(fitted.report, console)


def headline(fitted: Fitted) -> str:
    """What was fitted, and what is proved of it."""
    model = fitted.model
    what = f"{model.loss_name} fitted to {rows(fitted.trained)}"
    if "falls without end" in model.certificate_:
        return f"{what}: the loss falls without end, so there is no minimum to be at"
    if "validation" in model.certificate_ and model.converged_:
        return f"{what}: stopped early, after {counted(model.n_iter_)}, with the best model kept"
    if not model.converged_:
        return f"{what}: stopped after {counted(model.n_iter_)}, not at a minimum"
    if model.gap_ is None:
        return f"{what}: ended after {counted(model.n_iter_)}, and nothing is proved of the end"
    near = model.gap_ <= NEAR * abs(model.objective_)
    above = "to more than 9 digits" if near else f"within {number(model.gap_, 2)}"
    return f"{what}: proved to be at its minimum, {number(model.objective_, 5)}, {above}"


def said(fitted: Fitted | FittedQuantiles) -> list[str]:
    """What was taken for what, and what was left out."""
    found = [f"{fitted.target!r} of {fitted.source} from {_listed(fitted.features)}."]
    if fitted.choice:
        found.append(fitted.choice)
    if fitted.left_out:
        found.append(
            f"Left out, being no numbers: {_listed(fitted.left_out)}; a column of 0 and 1 for each "
            "category would take them in."
        )
    return found


def _listed(names: tuple[str, ...], most: int = 12) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def measured_on(fitted: Fitted) -> str:
    """What the report below is of."""
    if fitted.held_out:
        return f"On {rows(fitted.held_out)} held out (rows are numbered among these)"
    return "On the very rows that were fitted: new rows will fare worse (--validate 0.2 holds out)"


def walk_table(walk: Walk, most: int = _LAST, *, timed: bool = True) -> RenderableType:
    """The first iteration and the last ones; `timed` with the seconds that each took."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("iteration", justify="right")
    names = [name for name in _HEADS if name in walk and (timed or name != "seconds")]
    for name in names:
        table.add_column(_HEADS[name], justify="right")
    for k in chosen(len(walk["objective"]), most):
        table.add_row(*(["…"] * (len(names) + 1) if k is None else _cells(walk, names, k)))
    return table


def chosen(steps: int, most: int) -> list[int | None]:
    """Which iterations are shown; None where some are left out.

    >>> chosen(3, 8), chosen(20, 4)
    ([0, 1, 2], [0, None, 17, 18, 19])
    """
    if steps <= most:
        return list(range(steps))
    return [0, None, *range(steps - most + 1, steps)]


def _cells(walk: Walk, names: list[str], k: int) -> list[str]:
    values = [(float(walk[name][k]), 7 if name in _LOSSES else 3) for name in names]
    return [str(k + 1), *("" if np.isnan(value) else number(value, at) for value, at in values)]
