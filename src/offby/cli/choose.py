"""`offby choose`: a table of predictions to the loss to train with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.progress import progress

if TYPE_CHECKING:
    from offby.report.choice import Choice


def choose(
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    true: str | None = None,
    pred: str | None = None,
    judge: str = "mse",
    task: Literal["regression"] | None = None,
    confidence: float = 0.95,
    nan: Literal["raise", "drop"] = "raise",
    json: Annotated[bool, Parameter(negative=())] = False,
    html: str | None = None,
) -> int:
    """Choose the loss to train with, given what predictions are judged by.

    Parameters
    ----------
    table
        CSV, Parquet or Arrow: a file, a glob in quotes, a folder, or - for standard input.
    true
        Column of the truth; found by its usual names if left out.
    pred
        Column of the prediction.
    judge
        The measure that counts in the end: mae, rmse, r2, pinball:0.9, huber:1.345 …
    task
        regression: whole numbers that look like labels of classes are numbers.
    confidence
        Of the intervals.
    nan
        What to do with missing values: raise an error, or drop the rows and count them.
    json
        Print JSON.
    html
        Write a page that opens offline to this file.
    """
    from offby.verbs.choose import choose as choose_loss

    with progress("choosing") as advance:
        found = choose_loss(table, true=true, pred=pred, judge=judge, task=task,
                            confidence=confidence, nan=nan, progress=advance)  # fmt: skip
    if html is not None:
        found.to_html(html)
    if json:
        _print_json(found)
    else:
        _print(found, html)
    return 0


def _print_json(found: Choice) -> None:
    import json

    ascii_only = not streams.knows_all_signs()
    print(json.dumps(found.as_dict(), indent=2, ensure_ascii=ascii_only, allow_nan=False))


def _print(found: Choice, html: str | None) -> None:
    from rich.console import Console

    from offby.report.choice_text import show

    console = Console(highlight=False)
    show(found, console) if console.is_terminal else print(found.to_text(console.width))
    if html is not None:
        console.print(f"\nwrote {html}", style="dim", markup=False, soft_wrap=True)
