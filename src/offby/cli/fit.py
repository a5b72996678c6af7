"""`offby fit`: a table to a model, and a report on the rows held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.progress import passes

if TYPE_CHECKING:
    from offby.report.fitted import Fitted


def fit(
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    target: str,
    features: str | None = None,
    loss: str | None = None,
    penalty: Literal["l1", "l2", "elasticnet"] | None = None,
    alpha: float = 0.0,
    l1_ratio: float = 0.5,
    solver: Literal["auto", "newton", "lbfgs", "gd", "sgd", "adam"] = "auto",
    validate: float = 0.0,
    weight: str | None = None,
    max_iter: int | None = None,
    save: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    html: str | None = None,
) -> int:
    """Fit a linear model under any loss, with a proof of how near its minimum it is.

    Parameters
    ----------
    table
        CSV, Parquet or Arrow: a file, a glob in quotes, or a folder.
    target
        Column to be predicted: numbers, or labels.
    features
        Columns to predict it from: a,b. All columns of numbers if left out.
    loss
        Such as squared, absolute, huber:1.345, pinball:0.9, poisson, logistic, or your own:
        'where(r < 0, 5*abs(r), abs(r))'. Squared for numbers and logistic for labels if left out.
    penalty
        On large coefficients; l1 sets some to 0.
    alpha
        How strong the penalty is.
    l1_ratio
        The share of l1 in an elasticnet.
    solver
        How the minimum is looked for; gd, sgd and adam walk downhill for any loss, convex or not.
    validate
        The share of the rows held out, to measure the model on; chosen by their numbers.
    weight
        Column of weights.
    max_iter
        Most iterations: 100, or 1000 of gd, sgd and adam.
    save
        Write the model to this file, as JSON, for offby predict.
    json
        Print JSON.
    html
        Write a page that opens offline to this file.
    """
    from offby.measures.names import split
    from offby.verbs.fit import fit as fit_table

    with passes("fitting") as advance:
        found = fit_table(
            table, target=target, features=None if features is None else split(features), loss=loss,
            penalty=penalty, alpha=alpha, l1_ratio=l1_ratio, solver=solver, validate=validate,
            weight=weight, max_iter=max_iter, progress=advance,
        )  # fmt: skip
    if save is not None:
        found.model.save(save)
    if html is not None:
        found.to_html(html)
    if json:
        _print_json(found)
    else:
        _print(found, [path for path in (save, html) if path is not None])
    return 0


def _print_json(found: Fitted) -> None:
    import json

    ascii_only = not streams.knows_all_signs()
    print(json.dumps(found.to_dict(), indent=2, ensure_ascii=ascii_only, allow_nan=False))


def _print(found: Fitted, written: list[str]) -> None:
    from rich.console import Console

    from offby.report.fitted_text import show

    console = Console(highlight=False)
    show(found, console) if console.is_terminal else print(found.to_text(console.width))
    for path in written:
        console.print(f"\nwrote {path}", style="dim", markup=False, soft_wrap=True)
