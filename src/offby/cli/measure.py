"""`offby measure`: a table of predictions to a report."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.arguments import costs_of, edges_of
from offby.cli.progress import progress

if TYPE_CHECKING:
    from offby.report.report import Report
    from offby.verbs.gates import Verdict

_MANY = {"negative": (), "consume_multiple": False}


def measure(
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    true: str | None = None,
    pred: str | None = None,
    weight: str | None = None,
    measures: str | None = None,
    confidence: float = 0.95,
    interval: Literal["delta", "bootstrap"] = "delta",
    nan: Literal["raise", "drop"] = "raise",
    task: Literal["regression", "binary", "multiclass"] | None = None,
    positive: str | None = None,
    threshold: float = 0.5,
    costs: str | None = None,
    labels: str | None = None,
    by: str | None = None,
    bins: int = 5,
    edges: Annotated[list[str] | None, Parameter(**_MANY)] = None,
    most_segments: int = 1000,
    find_segments: str | None = None,
    cluster: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    html: str | None = None,
    fail_if: Annotated[list[str] | None, Parameter(**_MANY)] = None,
    require: Annotated[list[str] | None, Parameter(**_MANY)] = None,
) -> int:
    """Measure how far off predictions are, and how sure that is.

    Parameters
    ----------
    table
        CSV, Parquet or Arrow: a file, a glob in quotes, a folder, or - for standard input.
    true
        Column of the truth; several outputs: a,b. Found by its usual names if left out.
    pred
        Column of the prediction; several outputs: pa,pb; several classes: p_a,p_b,p_c.
    weight
        Column of weights.
    measures
        Names such as rmse,mae,huber:1.345,pinball:0.9,d2_absolute, or your own:
        'late = where(r < 0, 5*abs(r), abs(r))'.
    confidence
        Of the intervals.
    interval
        delta reads them off the one pass; bootstrap (BCa) keeps the rows in memory.
    nan
        What to do with missing values: raise an error, or drop the rows and count them.
    task
        regression, binary or multiclass; told apart from the data if left out.
    positive
        The label whose probability is predicted, where labels are not 0 and 1.
    threshold
        The probability from which on a row is predicted positive.
    costs
        Of a false positive and a false negative: 1,5.
    labels
        The classes of the columns of probabilities, in their order: a,b,c.
    by
        Measure segments, too, against the rest: region,age (each by itself), region*age (crossed).
    bins
        Into how many bins numbers are cut for segments; 0 takes them as labels.
    edges
        Where to cut numbers for segments: age=18,30,50; may be repeated.
    most_segments
        How many segments are kept apart, the largest; the others are measured together.
    find_segments
        Search these columns for the segments that own most excess loss: region,age,channel.
    cluster
        Column that tells which rows belong together, for standard errors that know it.
    json
        Print JSON.
    html
        Write a page that opens offline to this file.
    fail_if
        Exit with 1 if the data are sure of this, e.g. 'mae > 13000'; may be repeated.
    require
        Exit with 1 unless the data are sure of this, e.g. 'r2 > 0.8'; may be repeated.
    """
    from offby.classification.catalogue import read
    from offby.measures.names import split
    from offby.verbs.gates import gates
    from offby.verbs.measure import measure as measure_table

    asked = [read(text) for text in split(measures)] if measures else []
    conditions = gates(fail_if or [], require or [], asked)
    gated = [condition.asked for condition in conditions]
    with progress("measuring") as advance:
        report = measure_table(
            table, true=true, pred=pred, weight=weight, measures=_once(asked, gated),
            confidence=confidence, interval=interval, nan=nan, task=task, positive=positive,
            threshold=threshold, costs=costs_of(costs), labels=split(labels or ""),
            by=by, bins=bins, edges=edges_of(edges or []), most_segments=most_segments,
            find_segments=find_segments, cluster=cluster, progress=advance,
        )  # fmt: skip
    verdicts = [condition.judge(report) for condition in conditions]
    if html is not None:
        report.to_html(html)
    if json:
        _print_json(report, verdicts)
    else:
        _print(report, verdicts, html)
    return int(any(not verdict.passed for verdict in verdicts))


def _once(asked: list[Any], gated: list[Any]) -> list[Any]:
    """What was asked for, or None for the usual, and what gates need; each once."""
    both = [*(asked or [None]), *gated]
    return list({getattr(item, "name", item): item for item in both}.values())


def _print_json(report: Report, verdicts: list[Verdict]) -> None:
    """JSON on standard output; on standard error, for people, the gates that failed."""
    found = report.to_dict()
    if verdicts:
        found["gates"] = [verdict.to_dict() for verdict in verdicts]
    streams.print_json(found)
    for verdict in verdicts:
        if not verdict.passed:
            print(f"offby: {verdict}", file=sys.stderr)


def _print(report: Report, verdicts: list[Verdict], html: str | None) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    streams.print_answer(report, [])
    if verdicts:
        print()
    for verdict in verdicts:
        style = "green" if verdict.passed else "bold red"
        console.print(str(verdict), style=style, markup=False, soft_wrap=not console.is_terminal)
    streams.say_written([html], console)
