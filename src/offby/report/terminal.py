"""The report on a terminal: a sentence, a compact table, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offby.drawing.numbers import between, number, percent, rows
from offby.measures.measurement import Measurement
from offby.report import class_terminal, needle, segment_text
from offby.report.class_view import ClassView
from offby.report.printed import LEAST_WIDTH, bullets

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from offby.report.report import Report

_HEADLINES = {"accuracy": "right in {} of the rows", "log_loss": "log loss {}",
              "roc_auc": "ROC AUC {}"}  # fmt: skip


def show(report: Report, console: Console) -> None:
    """Print the report."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text(headline(report), style="bold"))
    if report.columns:
        console.print(Text(f"{report.columns}", style="dim"))
    console.print()
    for name, part in report.outputs.items():
        console.print(Text(f"{name}: {headline(part)}"))
    if report.outputs:
        console.print(Text("\nAverage over the outputs", style="bold"))
    table = _table(report) if console.width >= LEAST_WIDTH else _narrow_table(report)
    console.print(Padding(table, (0, 0, 1, 0)))
    if isinstance(report.view, ClassView):
        for more in class_terminal.tables(report.view):
            console.print(Padding(more, (0, 0, 1, 0)))
    if report.findings:
        console.print(bullets(Text(finding.text) for finding in report.findings))
    needle.show(report.trials, console)
    segment_text.show_search(report.search, console)
    segment_text.show(report.segments, console)


def headline(report: Report) -> str:
    """The report in one sentence."""
    mae, rmse = report.measures.get("mae"), report.measures.get("rmse")
    on = f"on {rows(report.rows)}" + (f" ({report.dropped:,} dropped)" if report.dropped else "")
    if mae is not None and mae.value is not None:
        also = "" if rmse is None else f" {number(rmse.value, 5)} RMSE,"
        return f"off by {number(mae.value, 5)} on average (MAE),{also} {on}"
    if report.task != "regression":
        return f"{_of_classes(report)} {on}"
    first = next(iter(report.measures.values()))
    if first.value is None:
        return f"{first.name} is undefined {on}: {first.undefined}"
    return f"{first.name} {number(first.value, 5)}, {on}"


def _of_classes(report: Report) -> str:
    """The measures that say most of a classifier, as many as were asked for."""
    said = []
    for name, words in _HEADLINES.items():
        measured = report.measures.get(name)
        if measured is not None and measured.value is not None:
            share = percent(measured.value, 3) if name == "accuracy" else number(measured.value, 4)
            said.append(words.format(share))
    first = next(iter(report.measures.values()))
    alone = f"{first.name} " + (
        number(first.value, 5) if first.value is not None else f"is undefined: {first.undefined}"
    )
    return f"{', '.join(said[:3]) or alone},"


def _table(report: Report) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    confidence = next(iter(report.measures.values())).confidence
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("measure", overflow="fold", min_width=12)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("± se", justify="right", no_wrap=True, style="dim")
    table.add_column(f"{percent(confidence, 3)} interval", overflow="fold")
    for name, measured in report.measures.items():
        value, error, spread, remark = cells(measured)
        table.add_row(Text(name), value, error, Text(f"{spread}  {remark}".strip()))
    return table


def _narrow_table(report: Report) -> RenderableType:
    """Two columns; what is known of a value stands below it."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for name, measured in report.measures.items():
        value, error, spread, remark = cells(measured)
        grid.add_row(Text(name, style="bold"), f"{value} ± {error}" if error else value)
        for line in filter(None, (spread, remark)):
            grid.add_row("", Text(line, style="dim"))
    return grid


def cells(measured: Measurement) -> tuple[str, str, str, str]:
    """Value, standard error, interval and a short remark of a measurement."""
    if measured.value is None:
        return "undefined", "", "", measured.undefined or ""
    error = "" if measured.standard_error is None else number(measured.standard_error, 2)
    remark = measured.caution or measured.unsure or ""
    if _wide(measured) and measured.bracket is not None:
        remark = f"surely in {between(*measured.bracket)}"
    return number(measured.value, 5), error, between(measured.low, measured.high), remark


def _wide(measured: Measurement) -> bool:
    """Whether the guaranteed bracket is wide enough, beside the standard error, to be shown."""
    if measured.bracket is None:
        return False
    low, high = measured.bracket
    return measured.standard_error is None or high - low > measured.standard_error / 4
