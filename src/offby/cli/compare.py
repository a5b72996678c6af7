"""`offby compare`: a table with the predictions of several models to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.progress import progress

if TYPE_CHECKING:
    from offby.report.comparison import Comparison


def compare(
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    true: str | None = None,
    pred: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    weight: str | None = None,
    measures: str | None = None,
    task: Literal["regression", "binary"] | None = None,
    threshold: float = 0.5,
    time: str | None = None,
    horizon: int | None = None,
    confidence: float = 0.95,
    nan: Literal["raise", "drop"] = "raise",
    json: Annotated[bool, Parameter(negative=())] = False,
    html: str | None = None,
) -> int:
    """Compare models on the same rows: which is better, by how much, and may that be chance?

    Parameters
    ----------
    table
        CSV, Parquet or Arrow: a file, a glob in quotes, a folder, or - for standard input.
    true
        Column of the truth; found by its usual names if left out.
    pred
        Column of one model's predictions; give two or more, what others are compared with first.
    weight
        Column of weights.
    measures
        Names such as mae,rmse,r2,log_loss,roc_auc, or your own:
        'late = where(r < 0, 5*abs(r), abs(r))'; the first one decides.
    task
        binary where the truth is 0 and 1 and all predictions are probabilities, if not told.
    threshold
        The probability from which a prediction is a yes.
    time
        Column of when the rows were: allows for losses that go together in time.
    horizon
        With --time: how many moments ahead was predicted (Diebold-Mariano test).
    confidence
        Of the intervals, for all pairs of models together.
    nan
        What to do with missing values: raise an error, or drop the rows for all models.
    json
        Print JSON.
    html
        Write a page that opens offline to this file.
    """
    from offby.verbs.compare import compare as compare_table

    with progress("comparing") as advance:
        found = compare_table(
            table, true=true, pred=pred or (), weight=weight, measures=measures, task=task,
            threshold=threshold, time=time, horizon=horizon, confidence=confidence, nan=nan,
            progress=advance,
        )  # fmt: skip
    if html is not None:
        found.to_html(html)
    if json:
        _print_json(found)
    else:
        _print(found, html)
    return 0


def _print_json(found: Comparison) -> None:
    import json

    ascii_only = not streams.knows_all_signs()
    print(json.dumps(found.to_dict(), indent=2, ensure_ascii=ascii_only, allow_nan=False))


def _print(found: Comparison, html: str | None) -> None:
    from rich.console import Console

    from offby.report.comparison_text import show

    console = Console(highlight=False)
    show(found, console) if console.is_terminal else print(found.to_text(console.width))
    if html is not None:
        console.print(f"\nwrote {html}", style="dim", markup=False, soft_wrap=True)
