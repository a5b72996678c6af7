"""`offby predict`: a saved model applied to a table."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from offby.cli.progress import progress


def predict(
    model: str,
    table: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    out: str | None = None,
) -> int:
    """Write a saved model's predictions beside the columns of a table.

    Parameters
    ----------
    model
        The file that offby fit --save wrote.
    table
        CSV, Parquet or Arrow: a file, a glob in quotes, a folder, or - for standard input.
    out
        A file to write, .csv or .parquet; CSV on standard output if left out.
    """
    from offby.verbs.predict import predict as predict_table

    with progress("predicting") as advance:
        rows = predict_table(model, table, out or sys.stdout.buffer, progress=advance)
    if out is not None:
        print(f"wrote {rows:,} row{'' if rows == 1 else 's'} to {out}")
    return 0
