"""`offby compare`: a table with the predictions of several models to a verdict."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.arguments import costs_of, edges_of
from offby.cli.progress import progress


def compare(
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    true: str | None = None,
    pred: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    weight: str | None = None,
    measures: str | None = None,
    task: Literal["regression", "binary", "multiclass"] | None = None,
    positive: str | None = None,
    threshold: float = 0.5,
    costs: str | None = None,
    labels: str | None = None,
    by: str | None = None,
    bins: int = 5,
    edges: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    most_segments: int = 1000,
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
        Column of one model's predictions, or 'a_*' for its probabilities of each label; give two or
        more, what others are compared with first.
    weight
        Column of weights.
    measures
        Names such as mae,rmse,r2,log_loss,roc_auc, or your own:
        'late = where(r < 0, 5*abs(r), abs(r))'; the first one decides.
    task
        regression, binary or multiclass; told apart from the data if left out.
    positive
        The label whose probability is predicted, where labels are not 0 and 1.
    threshold
        The probability from which on a row is predicted positive.
    costs
        Of a false positive and a false negative: 1,5.
    labels
        The classes of the columns of probabilities, as their names have them: a,b,c.
    by
        Compare within segments, too: region,age (each by itself), region*age (crossed).
    bins
        Into how many bins numbers are cut for segments; 0 takes them as labels.
    edges
        Where to cut numbers for segments: age=18,30,50; may be repeated.
    most_segments
        How many segments are kept apart, the largest; the others are compared together.
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
    from offby.measures.names import split
    from offby.verbs.compare import compare as compare_table

    with progress("comparing") as advance:
        found = compare_table(
            table, true=true, pred=pred or (), weight=weight, measures=measures, task=task,
            positive=positive, threshold=threshold, costs=costs_of(costs),
            labels=split(labels or ""), by=by, bins=bins, edges=edges_of(edges or []),
            most_segments=most_segments, time=time, horizon=horizon, confidence=confidence, nan=nan,
            progress=advance,
        )  # fmt: skip
    streams.give(found, html, json=json)
    return 0
