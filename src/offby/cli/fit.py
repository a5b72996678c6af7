"""`offby fit`: a table to a model, and a report on the rows held out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.fitting import fitting


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
    patience: int | None = None,
    scale: Literal["mad", "joint"] | None = None,
    positive: str | None = None,
    class_weight: str | None = None,
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
        Such as squared, absolute, huber:1.345, pinball:0.9, pinball:0.1,0.5,0.9, poisson, logistic,
        or your own: 'where(r < 0, 5*abs(r), abs(r))'. Squared for numbers and logistic for labels
        if left out.
    penalty
        On large coefficients; l1 sets some to 0.
    alpha
        How strong the penalty is.
    l1_ratio
        The share of l1 in an elasticnet.
    solver
        How the minimum is looked for; gd, sgd and adam walk downhill for any loss, convex or not.
    patience
        Stop gd, sgd or adam once a tenth of the training rows, which they do not walk on, has not
        fared better for so many rounds; the best model is kept.
    scale
        Take huber's delta (and its like) as so many standard deviations of the errors, found along
        the way: mad by their median size, joint as one problem.
    positive
        The yes of two classes; the one that sorts last if left out.
    class_weight
        How much rows of each class weigh: balanced, or such as fraud:10,ok:1. What mistakes cost is
        a loss: cost_logistic:1:5.
    validate
        The share of the rows held out, to measure the model on: of labels, of each class.
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

    with fitting() as seen:
        found = fit_table(
            table, target=target, features=None if features is None else split(features), loss=loss,
            penalty=penalty, alpha=alpha, l1_ratio=l1_ratio, solver=solver, patience=patience,
            scale=scale, positive=positive, class_weight=_weights(class_weight), validate=validate,
            weight=weight, max_iter=max_iter, progress=None if seen is None else seen.read,
            told=None if seen is None else seen.walked,
        )  # fmt: skip
    if save is not None:
        found.model.save(save)
    streams.give(found, html, json=json, saved=save)
    return 0


def _weights(text: str | None) -> Any:
    """What `--class-weight` says: `a:1,b:5` as a weight for each class."""
    from offby.errors import DataError

    if text is None or text == "balanced":
        return text
    found = {}
    for part in text.split(","):
        name, _, weight = part.strip().rpartition(":")
        try:
            found[name] = float(weight)
        except ValueError:
            raise DataError(
                f"class-weight is {text!r}; expected balanced, or a weight for each class such as "
                "fraud:10,ok:1"
            ) from None
    return found
