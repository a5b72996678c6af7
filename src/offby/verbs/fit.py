"""`fit`: from a table to a model, and a report on the rows held out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from offby.drawing.landscape import Landscape
from offby.errors import DataError
from offby.fit import LinearClassifier, LinearRegressor
from offby.fit.data.truths import levels_of
from offby.fit.model import LinearModel
from offby.fit.predicted import predicted
from offby.fit.solvers.descent import Descent, descent_of
from offby.losses import Loss, Pinball
from offby.report.fitted import Fitted
from offby.report.fitted_quantiles import FittedQuantiles
from offby.report.report import Report
from offby.tables import Batch, Table
from offby.verbs.fit_asked import Asked, read_asked, refuse
from offby.verbs.fit_parts import Parts, parts_of
from offby.verbs.fit_quantiles import fit_quantiles
from offby.verbs.fit_walk import Told, Walked, cautions_of, coefficients_of
from offby.verbs.measure import measure

Model = LinearClassifier | LinearRegressor
_ROUNDS = 1000  # of a descent; Newton steps are some ten
_STEPS = 100
_EARLY = 0.1  # of the rows trained on, held out of the walk to tell when to stop


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
    patience: int | None = None,
    scale: Literal["mad", "joint"] | None = None,
    positive: str | None = None,
    class_weight: Literal["balanced"] | Mapping[str, float] | None = None,
    validate: float = 0.0,
    weight: str | None = None,
    tol: float = 1e-10,
    max_iter: int | None = None,
    progress: Callable[[Batch], None] | None = None,
    told: Told | None = None,
) -> Fitted | FittedQuantiles:
    """Fit a linear model to a table under any loss, and measure it on rows held out.

    `table` is what `measure` takes. `features` are all columns of numbers if not named; the loss is
    squared for numbers and logistic for labels; `pinball:0.1,0.5,0.9` fits several quantiles, which
    do not cross. `validate` is the share of the rows held out, by a hash of their numbers, of
    labels as much of each class: 0 measures the rows that were fitted.
    `penalty`, `alpha`, `l1_ratio`, `solver`, `scale`, `class_weight`, `tol` and `max_iter` (100;
    1,000 for descents) are as in `offby.fit`'s estimators; `positive` is the yes of two classes,
    the later if not named. With `patience` a descent holds a tenth of the rows it trains on out of
    the walk, stops once they have not fared better for so many rounds, and keeps the best. Memory
    holds a batch of rows, or all of them where that is little. `progress` is called with every
    batch read, `told` with the losses of every iteration.

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
    levels = levels_of(loss)
    if levels is not None:
        why = (f"{loss} fits several quantiles exactly, without it; leave it out, or fit a single "
               "loss")  # fmt: skip
        refuse(why, penalty=penalty, alpha=alpha or None, patience=patience, scale=scale,
               solver=None if solver == "auto" else solver, max_iter=max_iter)  # fmt: skip
        loss = Pinball(levels[0])  # which the same columns and targets suit
    asked = read_asked(table, target, features, loss, weight, positive, class_weight)
    if levels is not None:
        return fit_quantiles(asked, levels, validate, tol, progress)
    usual = _STEPS if descent_of(solver) is None else _ROUNDS
    model = _model(asked, scale, penalty=penalty, alpha=alpha, l1_ratio=l1_ratio, tol=tol,
                   max_iter=usual if max_iter is None else max_iter,
                   solver=solver if patience is None else _patient(solver, patience))  # fmt: skip
    parts = parts_of(asked, validate, progress)
    walked = Walked(parts, told)
    warned = _fit(model, parts.training, asked, walked)
    report = _report(model, parts.training if parts.held_out is None else parts.held_out, asked)
    walk = walked.of(model)
    return Fitted(
        model=model,
        report=report,
        source=asked.table.source,
        target=target,
        features=asked.features,
        left_out=asked.left_out,
        choice=asked.choice,
        coefficients=coefficients_of(model),
        trained=parts.count - report.rows if validate else report.rows,
        held_out=report.rows if validate else 0,
        walk=walk,
        cautions=cautions_of(model, warned, walk),
        survey=lambda: _landscape(model, parts),
    )


def _model(asked: Asked, scale: Any, **settings: Any) -> Model:
    if not asked.classes:
        return LinearRegressor(asked.loss, scale=scale, **settings)
    if scale is not None:
        raise DataError(f"scale {scale!r} is for losses of numbers, and {asked.loss} is of classes")
    return LinearClassifier(asked.loss, class_weight=asked.class_weight, **settings)


def _patient(solver: Any, patience: int) -> Descent:
    descent = descent_of(solver)
    if descent is None:
        raise DataError(
            f"patience ends a walk downhill early, and solver {solver!r} goes straight to the "
            "minimum; take gd, sgd or adam, or a penalty"
        )
    return replace(descent, validation=descent.validation or _EARLY, patience=patience)


def _fit(model: Model, training: Table, asked: Asked, walked: Walked) -> list[str]:
    """Fit, and give what was warned of."""
    how = asked.target, asked.features, asked.weight
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        if isinstance(model, LinearClassifier):
            model.fit_table(training, *how, positive=asked.positive, heard=walked.hear)
        else:
            model.fit_table(training, *how, heard=walked.hear)
    return [str(one.message).partition(": ")[2] for one in heard]


def _landscape(model: LinearModel, parts: Parts) -> Landscape | None:
    """The map of the loss; None for a single number, which has no two directions."""
    numbers = np.size(model.coef_) + model.fit_intercept * np.size(model.intercept_)
    return model.landscape_over(parts.training_rows) if numbers > 1 else None


def _report(model: LinearModel, part: Table, asked: Asked) -> Report:
    """What `measure` says of the model's predictions for a part of the table."""
    mark = ""
    while any(f"{name}{mark}" in part.columns for name in ("prediction", "probability")):
        mark += "_"
    table = predicted(part, model, mark)
    told: dict[str, Any] = {"task": "regression", "pred": table.prediction}
    if asked.classes:
        told = _told_of_classes(asked, table.chances)
    found = measure(table, true=asked.target, weight=asked.weight, **told)
    return replace(found, columns="")


def _told_of_classes(asked: Asked, chances: tuple[str, ...]) -> dict[str, Any]:
    if len(asked.classes) > 2:
        return {"task": "multiclass", "pred": chances, "labels": asked.classes}
    yes, no = (float(asked.loss.gradient(truth, 0.0)) for truth in (1.0, 0.0))
    threshold = no / (no - yes) if no != yes else 0.5  # where the score is 0
    return {"task": "binary", "pred": chances[0], "positive": asked.classes[1],
            "threshold": threshold}  # fmt: skip
