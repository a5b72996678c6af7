"""The third verb: which loss to train with, given what one is judged by?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from offby.choice import Study
from offby.choice.judge import Judge
from offby.choice.judge import judge as read_judge
from offby.choice.trained.choosing import Asked
from offby.classification.infer import Options
from offby.engine.rows import Floats, Policy, Rows, check_policy, fit_rows, fit_to_count
from offby.engine.sample import Sample
from offby.errors import MeasureError, TableError
from offby.losses import Loss
from offby.measures.measure import Measure
from offby.measures.measurement import check_confidence
from offby.report.choice import Choice, chosen
from offby.tables import Batch, Columns, Table, open_table
from offby.verbs import class_columns, classes
from offby.verbs.choose_trained import Trained, choose_by_training

Progress = Callable[[Batch], None]

_KEEP = 1 << 15
_CLASSES = (
    "these are classes, and choose reads the errors of numbers; for classes train under each loss "
    "(--target COLUMN), or see the thresholds that offby measure tells of; if they are numbers, "
    "such as whole-number forecasts of counts, say so: --task regression (in Python: "
    "task='regression')"
)


def choose(
    data: Any,
    y_pred: Any = None,
    *,
    true: str | None = None,
    pred: str | None = None,
    target: str | None = None,
    features: Sequence[str] | None = None,
    judge: str | Measure | Loss | None = None,
    candidates: str | Sequence[str] | None = None,
    model: str = "linear",
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    sample_weight: Any = None,
    costs: Sequence[Any] | None = None,
    positive: Any = None,
    folds: int = 5,
    repeats: int = 5,
    task: Literal["regression"] | None = None,
    confidence: float = 0.95,
    nan: Policy = "raise",
    progress: Progress | None = None,
    trained: Trained | None = None,
) -> Choice:
    """Choose a loss from predictions: `choose(y_true, y_pred)`, or `choose(table, true=…, pred=…)`.

    With `target` it trains instead: `choose(table, target="price", judge="mae")` fits `model`
    (linear, xgboost, lightgbm, catboost or sklearn:module.Class) to all other columns under each of
    the `candidates` (mse, huber:auto, pinball:0.9, huber:auto+refit …), and judges every fit on
    folds held out: `repeats` times `folds`, of whole groups, or forward in time. What `auto` stands
    for is chosen by the judge on folds within the rows trained on. A target of yes and no is judged
    by accuracy, precision, recall, f1, auc, log_loss or cost (`costs` of a false alarm and of a
    miss); `positive` is the label of a yes. One of K classes is judged by accuracy, f1:macro, auc
    (each against the rest), log_loss or cost (`costs` then K rows of K, a row for each that came
    true). `trained` hears of steps done and of all. `weight` names a column of how much each row
    counts, in training and in judging; beside arrays it is `sample_weight`.

    Arrays are (n,) numbers; a table is whatever `measure` takes. `judge` is the measure that
    counts in the end, by its name or as an object: a mean of losses, such as mae, rmse, r2 or
    pinball:0.9. At most 65,536 rows are studied, evenly spread over the table. From the errors
    follows which noise they look like, which losses aim at what the judge elicits, and which of
    those needs fewest rows: by the ratio of the asymptotic variances of M-estimators (Huber 1964).
    Where nothing is surely better, the answer is to keep the judge's own loss. `task="regression"`
    says that whole numbers are numbers, where they look like labels of classes.

    Raises `OffbyError` with what arrived, what was expected and what to do.

    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> p = random.normal(size=2000)
    >>> choose(p + random.standard_t(2, size=2000), p, judge="rmse").study.advised.loss.name
    'huber'
    >>> choose([1.0, 2.0, 4.0], [1.0, 2.5, 3.0]).recommendation
    'Keep mse: 3 rows say too little of the noise; 100 are needed.'
    """
    check_confidence(confidence)
    check_policy(nan)
    if sample_weight is not None and y_pred is None:
        raise MeasureError("sample_weight goes with arrays; for a table name its column: weight=")
    if target is not None:
        asked = Asked(judge, candidates, model, folds, repeats, costs, confidence)
        return choose_by_training(
            data, target, asked, features=features, group=group, time=time, weight=weight,
            positive=positive, task=task, nan=nan, progress=progress, trained=trained,
        )  # fmt: skip
    if candidates is not None or features is not None:
        raise MeasureError("candidates and features are for training, which needs a target")
    judged = read_judge("mse" if judge is None else judge)
    options, reading = Options(task), _Reading(nan)
    told = {"columns": "", "source": ""}
    if y_pred is not None:
        if true is not None or pred is not None or weight is not None:
            raise MeasureError(
                "true, pred and weight name columns of a table; beside arrays give weights as "
                "sample_weight"
            )
        if classes.of_arrays(data, y_pred, options).kind != "regression":
            raise MeasureError(_CLASSES)
        reading.add(fit_rows(data, y_pred, sample_weight))
    else:
        table = open_table(data)
        columns = _columns(table, true, pred, weight, options)
        told = {"columns": columns.how, "source": table.source}
        for batch in table.read(columns.names):
            reading.add(_rows(batch, columns))
            if progress is not None:
                progress(batch)
    y, p, *weights = reading.columns()
    _check_defined(judged, y, p)
    study = Study(judged, y, p, confidence, *weights)
    return chosen(study, reading.seen, reading.dropped, **told)


def _check_defined(judged: Judge, y: Floats, p: Floats) -> None:
    """Raise `MeasureError` where the judge has no value: there is nothing to be best at."""
    with np.errstate(all="ignore"):
        bad = np.flatnonzero(~np.isfinite(judged.loss.value(y, p)))
    if bad.size:
        first = bad[0]
        raise MeasureError(
            f"{judged.name} is undefined or infinite in {bad.size:,} of the {y.size:,} rows used, "
            f"such as truth {y[first]:g} with prediction {p[first]:g}; judge by another measure, "
            "or leave such rows out"
        )


class _Reading:
    """A sample of the rows, as they come."""

    def __init__(self, nan: Policy) -> None:
        self.dropped, self.seen = 0, 0
        self._nan: Policy = nan
        self._sample: Sample | None = None

    def add(self, rows: Rows) -> None:
        """Take the sample's rows out of the next."""
        kept = fit_to_count(rows, self._nan, self.seen)
        self.seen += rows.count
        self.dropped += kept.dropped
        weights = () if kept.weight is None else (kept.weight,)
        columns = (kept.y_true, kept.y_pred, *weights)
        if self._sample is None:
            self._sample = Sample(width=len(columns), keep=_KEEP)
        self._sample.update(*columns)

    def columns(self) -> tuple[Floats, ...]:
        """Truths, predictions, and weights if there are any."""
        return (Sample() if self._sample is None else self._sample).columns()


def _columns(
    table: Table, true: str | None, pred: str | None, weight: str | None, options: Options
) -> Columns:
    columns = class_columns.find(table, true, pred, weight, options)
    if class_columns.of_table(table, columns, options).kind != "regression":
        raise MeasureError(_CLASSES)
    if len(columns.true) != 1 or len(columns.pred) != 1:
        raise TableError(f"{columns.how} choose takes one column of either: --true y --pred p")
    return columns


def _rows(batch: Batch, columns: Columns) -> Rows:
    true, pred = columns.true[0], columns.pred[0]
    weight = None if columns.weight is None else batch.columns[columns.weight]
    names = (f"column {true!r}", f"column {pred!r}", f"column {columns.weight!r}")
    return Rows(batch.columns[true], batch.columns[pred], weight, names=names)
