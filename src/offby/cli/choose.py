"""`offby choose`: a table of predictions to the loss to train with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.arguments import costs_of
from offby.cli.progress import progress, stages


def choose(
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    true: str | None = None,
    pred: str | None = None,
    target: str | None = None,
    features: str | None = None,
    judge: str | None = None,
    candidates: str | None = None,
    model: str = "linear",
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    costs: str | None = None,
    positive: str | None = None,
    folds: int = 5,
    repeats: int = 5,
    task: Literal["regression"] | None = None,
    confidence: float = 0.95,
    nan: Literal["raise", "drop"] = "raise",
    json: Annotated[bool, Parameter(negative=())] = False,
    html: str | None = None,
) -> int:
    """Choose the loss to train with, given what predictions are judged by.

    From predictions (--true y --pred p), or by training under each loss (--target y).

    Parameters
    ----------
    table
        CSV, Parquet or Arrow: a file, a glob in quotes, a folder, or - for standard input.
    true
        Column of the truth; found by its usual names if left out.
    pred
        Column of the prediction.
    target
        Column to train on; predictions are then not read, but made.
    features
        Columns to train with, with commas; all others if left out.
    judge
        The measure that counts in the end: mae, rmse, r2, pinball:0.9, huber:1.345 …, mse if left
        out; of yes and no accuracy, precision, recall, f1, auc, cost, log_loss if left out.
    candidates
        Losses to train with, what one has first: mse,mae,huber:auto,pinball:0.5 …
    model
        linear, xgboost, lightgbm, catboost, or sklearn:module.Class.
    group
        Column of groups that folds do not split.
    time
        Column of times: train on what came before, judge by what came after.
    weight
        Column of weights: how much each row counts, in training and in judging.
    costs
        Of a false alarm and of a miss: 1,5; of several classes a row for each that came true, in
        the order of their names: 0,1,1;1,0,1;10,5,0.
    positive
        Label of a yes, where it is not plain.
    folds
        How many folds.
    repeats
        How many times the rows are dealt into folds.
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

    told: dict[str, Any] = {"true": true, "pred": pred, "judge": judge, "task": task,
                            "weight": weight, "confidence": confidence, "nan": nan}  # fmt: skip
    if target is None and candidates is None:
        with progress("choosing") as advance:
            found = choose_loss(table, progress=advance, **told)
    else:
        with stages("reading", "training") as (advance, trained):
            found = choose_loss(
                table, target=target, features=features and features.split(","),
                candidates=candidates, model=model, group=group, time=time, costs=costs_of(costs),
                positive=positive, folds=folds, repeats=repeats, progress=advance,
                trained=trained, **told,
            )  # fmt: skip
    streams.give(found, html, json=json)
    return 0
