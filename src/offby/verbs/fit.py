"""`fit`: from a table to a model, and a report on the rows held out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from offby.errors import DataError
from offby.fit import LinearClassifier, LinearRegressor
from offby.fit.descent import Descent, descent_of
from offby.fit.lines import lines_of
from offby.fit.model import LinearModel
from offby.fit.predicted import Named, predicted
from offby.fit.rows import Batches, Rows, Source
from offby.fit.tabular import columns_of, labels_of, numbers_of
from offby.fit.truths import check_domain
from offby.losses import Loss
from offby.report.fitted import Fitted
from offby.report.report import Report
from offby.tables import Batch, Table
from offby.tables.part import in_part, part_of
from offby.verbs.fit_asked import Asked, read_asked
from offby.verbs.fit_walk import Surveyor, cautions_of, coefficients_of
from offby.verbs.measure import measure

Model = LinearClassifier | LinearRegressor
_ROUNDS = 1000  # of a descent; Newton steps are some ten
_STEPS = 100
_LOOKED_AT = 1 << 20


def fit(
    table: Any,
    *,
    target: str,
    features: Sequence[str] | None = None,
    loss: str | Loss | None = None,
    penalty: Any = None,
    alpha: float = 0.0,
    l1_ratio: float = 0.5,
    solver: Any = "auto",
    validate: float = 0.0,
    weight: str | None = None,
    tol: float = 1e-10,
    max_iter: int | None = None,
    progress: Callable[[Batch], None] | None = None,
) -> Fitted:
    """Fit a linear model to a table under any loss, and measure it on rows held out.

    `table` is what `measure` takes. `features` are all columns of numbers if not named; the loss is
    squared for numbers and logistic for labels. `validate` is the share of the rows held out, by a
    hash of their numbers: 0 measures the rows that were fitted. `penalty`, `alpha`, `l1_ratio`,
    `solver`, `tol` and `max_iter` (100; 1,000 for descents) are as in `offby.fit.LinearRegressor`.
    Memory holds a batch of rows, and all of them for quantiles, the absolute error and a `Descent`
    with rows of its own held out. `progress` is called with every batch read.

    Raises `OffbyError` with what arrived, what was expected and what to do.

    >>> rooms = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    >>> found = fit({"rooms": rooms, "price": [3.0, 5.0, 7.0, 9.0, 11.0, 13.0]}, target="price")
    >>> [(one.name, round(one.value, 6)) for one in found.coefficients], found.trained
    ([('rooms', 2.0), ('(intercept)', 1.0)], 6)
    """
    if not 0 <= validate < 1:
        raise DataError(f"validate is {validate!r}; expected a share of the rows from 0 to below 1")
    if penalty is not None and not alpha:
        raise DataError(f"penalty {penalty!r} has no effect with alpha 0; say how strong it is")
    asked = read_asked(table, target, features, loss, weight)
    usual = _STEPS if descent_of(solver) is None else _ROUNDS
    kind = LinearClassifier if asked.classifies else LinearRegressor
    model: Model = kind(asked.loss, penalty=penalty, alpha=alpha, l1_ratio=l1_ratio, tol=tol,
                 max_iter=usual if max_iter is None else max_iter, solver=solver)  # fmt: skip
    # errors name the rows of the whole table
    count = _source(asked, asked.table).count if validate else 0
    training = part_of(asked.table, validate, rest=True, heard=progress)
    held_out = part_of(asked.table, validate) if validate else None
    _check_parts(count, validate)
    warned = _fit(model, training, asked)
    report = _report(model, training if held_out is None else held_out, asked, bool(validate))
    trained = report.rows if held_out is None else count - report.rows
    survey = Surveyor(
        model,
        trained,
        partial(_source, asked, training),
        None if held_out is None else partial(_in_classes, model, asked, held_out),
    )
    walk = survey.walk
    return Fitted(
        model=model,
        report=report,
        source=asked.table.source,
        target=target,
        features=asked.features,
        left_out=asked.left_out,
        choice=asked.choice,
        coefficients=coefficients_of(model),
        trained=trained,
        held_out=report.rows if validate else 0,
        walk=walk,
        cautions=cautions_of(model, warned, walk),
        survey=survey.landscape,
    )


def _check_parts(count: int, share: float) -> None:
    few = min(count, _LOOKED_AT)
    if share and not 0 < in_part(np.arange(few), share).sum() < few:
        raise DataError(
            f"validate {share:g} of {count:,} rows leaves no two parts; hold out another share, or "
            "none"
        )


def _source(asked: Asked, table: Table) -> Source:
    """The rows of a table as they are fitted; looks at all of them once."""
    columns = columns_of(table, asked.target, asked.features, asked.weight)
    if asked.classifies:
        return labels_of(columns)[1]
    return numbers_of(columns, partial(check_domain, asked.loss))


def _in_classes(model: Model, asked: Asked, table: Table) -> Source:
    """Rows whose labels are numbered as the model's classes, of which some may not occur."""
    source = _source(asked, table)
    if isinstance(model, LinearRegressor):
        return source
    labels = labels_of(columns_of(table, asked.target, asked.features, asked.weight))[0]
    known = model.classes_.tolist()
    numbers = np.array([known.index(label) for label in labels], np.float64)

    def read() -> Iterator[Rows]:
        for part in source.parts():
            yield replace(part, y=numbers[part.y.astype(int)])

    return Batches(read, source.count)


def _fit(model: Model, training: Table, asked: Asked) -> list[str]:
    """Fit, and give what was warned of."""
    how = asked.target, asked.features, asked.weight
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        if _needs_memory(model, asked):
            _fit_in_memory(model, training, asked)
        else:
            model.fit_table(training, *how)
    return [str(one.message).partition(": ")[2] for one in heard]


def _needs_memory(model: LinearModel, asked: Asked) -> bool:
    solver = model.get_params()["solver"]
    holds_out = isinstance(solver, Descent) and solver.validation > 0
    exact = not asked.classifies and lines_of(asked.loss) is not None
    return holds_out or (exact and descent_of(solver) is None)


def _fit_in_memory(model: Model, training: Table, asked: Asked) -> None:
    columns = columns_of(training, asked.target, asked.features, asked.weight)
    source = _source(asked, training)
    parts = list(source.parts())
    truths = np.concatenate([part.y for part in parts])
    if asked.classifies:
        truths = np.array(labels_of(columns)[0])[truths.astype(int)]
    weights = [part.weight for part in parts if part.weight is not None]
    features = Named(asked.features, np.concatenate([part.X for part in parts]))
    model.fit(features, truths, np.concatenate(weights) if weights else None)


def _report(model: LinearModel, part: Table, asked: Asked, held_out: bool) -> Report:
    """What `measure` says of the model's predictions for a part of the table."""
    mark = ""
    while any(f"{name}{mark}" in part.columns for name in ("prediction", "probability")):
        mark += "_"
    table = predicted(part, model, mark)
    told: dict[str, Any] = {"task": "regression", "pred": table.prediction}
    if asked.classifies:
        told = _told_of_classes(model, part, asked, table.chances, held_out)
    found = measure(table, true=asked.target, weight=asked.weight, **told)
    return replace(found, columns="")


def _told_of_classes(
    model: Any, part: Table, asked: Asked, chances: tuple[str, ...], held_out: bool
) -> dict[str, Any]:
    classes = model.classes_.tolist()
    if held_out:
        _check_classes(classes, list(part.count_labels(asked.target)), asked.target)
    if len(classes) > 2:
        return {"task": "multiclass", "pred": chances, "labels": classes}
    yes, no = (float(asked.loss.gradient(truth, 0.0)) for truth in (1.0, 0.0))
    threshold = no / (no - yes) if no != yes else 0.5  # where the score is 0
    return {"task": "binary", "pred": chances[0], "positive": classes[1], "threshold": threshold}


def _check_classes(known: list[str], held_out: list[str], target: str) -> None:
    unknown = [label for label in held_out if label not in known]
    if len(held_out) < 2 or unknown:
        what = f"{unknown[0]!r}, which no other row has" if unknown else f"{held_out[0]!r} alone"
        raise DataError(
            f"of {target!r} the rows held out have {what}; hold out a larger share, or none"
        )
