"""What the numbers mean, in plain words; every statement names its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from offby.drawing.numbers import between, number, percent, rows
from offby.measures.measurement import Measurement
from offby.report.finding import Finding
from offby.report.view import Row, View

NEEDED = (
    "mae", "rmse", "mse", "bias", "r2", "median_absolute_error", "squared_error_share:0.01",
)  # fmt: skip
"""The measures that findings are made of, measured whether asked for or not."""
_GAUSSIAN_RATIO = math.sqrt(math.pi / 2)  # RMSE over MAE of normal errors
FEW = 30
_ENOUGH_FOR_SHARES = 200
_UNEVEN = 0.9


class Weighed(Protocol):
    """What every kind of report knows of its rows and their weights."""

    @property
    def rows(self) -> int:
        """How many rows were measured."""
        ...

    @property
    def effective_rows(self) -> float:
        """How many rows of equal weight would say as much."""
        ...


class Counted(Weighed, Protocol):
    """What a report of measures knows besides."""

    @property
    def dropped(self) -> int:
        """How many were left out."""
        ...

    @property
    def asked(self) -> Mapping[str, Measurement]:
        """What was asked for."""
        ...


@dataclass(frozen=True)
class Evidence:
    """What findings are drawn from."""

    rows: int
    dropped: int
    facts: Mapping[str, Measurement]  # the NEEDED ones
    asked: Mapping[str, Measurement]
    view: View
    effective_rows: float  # how many rows of equal weight would say as much


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Everything worth saying, the most useful first."""
    if not evidence.rows:
        return (Finding("empty", "there are no rows to measure"),)
    parts = (_perfect, _bias, _concentration, _best_measure, _skill, undefined, weights,
             worth, dropped)  # fmt: skip
    return tuple(finding for part in parts for finding in part(evidence))


def _perfect(evidence: Evidence) -> Iterator[Finding]:
    if evidence.facts["mae"].value == 0:
        yield Finding("perfect", "every prediction is exactly what came; is it the truth itself?")


def _bias(evidence: Evidence) -> Iterator[Finding]:
    bias, mse = evidence.facts["bias"], evidence.facts["mse"]
    if bias.value is None or not mse.value or bias.low is None or bias.high is None:
        return
    if not math.isfinite(bias.low) or not math.isfinite(mse.value):
        return
    numbers = {"bias": bias.value, "low": bias.low, "high": bias.high}
    share = bias.value**2 / mse.value
    if bias.low <= 0 <= bias.high:
        text = (
            f"no bias found: the mean error is {number(bias.value)}, and its interval "
            f"({between(bias.low, bias.high)}) holds 0"
        )
        yield Finding("unbiased", text, numbers)
        return
    way = "low" if bias.value < 0 else "high"
    text = (
        f"predictions are too {way} by {number(abs(bias.value))} on average (interval of the mean "
        f"error {between(bias.low, bias.high)}); taking that off would lower the MSE by "
        f"{percent(share)}"
    )
    yield Finding("bias", text, {**numbers, "mse_share": share})


def _concentration(evidence: Evidence) -> Iterator[Finding]:
    worst = evidence.view.worst
    if evidence.rows == 1 or not worst or not 0 < worst[0].mse_share < math.inf:
        return
    named = [{"row": row.row, "y_true": row.y_true, "y_pred": row.y_pred,
              "mse_share": row.mse_share} for row in worst]  # fmt: skip
    share = evidence.facts["squared_error_share:0.01"]
    if evidence.rows < _ENOUGH_FOR_SHARES or share.value is None:
        owned = percent(worst[0].mse_share)
        text = f"row {worst[0].row} ({_values(worst[0])}) alone owns {owned} of the MSE"
        yield Finding("concentration", text, {"worst": named})
        return
    first = ", ".join(str(row.row) for row in worst[:5])
    text = (
        f"the worst 1 % of the rows own {percent(share.value)} of the MSE; the worst are rows "
        f"{first} (the first: {_values(worst[0])})"
    )
    yield Finding("concentration", text, {"share": share.value, "worst": named})


def _values(row: Row) -> str:
    return f"predicted {number(row.y_pred)} where {number(row.y_true)} came"


def _best_measure(evidence: Evidence) -> Iterator[Finding]:
    tail = evidence.view.tail
    rmse, mae = evidence.facts["rmse"].value, evidence.facts["mae"].value
    if tail is None or not rmse or not mae or not math.isfinite(rmse):
        return
    ratio = rmse / mae
    numbers = {"tail_index": tail.index, "tail_rows": tail.rows, "rmse_over_mae": ratio}
    if tail.heavier_than(2):
        text = (
            f"the errors' tail is so heavy (tail index {number(tail.index, 2)}) that even the mean "
            "absolute error hangs on a few rows; the median absolute error describes this table "
            "best"
        )
        yield Finding("describes_best", text, {**numbers, "measure": "median_absolute_error"})
    elif tail.heavier_than(4):
        text = (
            f"MAE describes this table better than RMSE: the errors' tail is heavy (tail index "
            f"{number(tail.index, 2)}, below 4), so the MSE hangs on a few rows and its interval "
            f"is too narrow; RMSE is {number(ratio, 3)} times MAE (1.25 for normal errors)"
        )
        yield Finding("describes_best", text, {**numbers, "measure": "mae"})
    elif abs(ratio / _GAUSSIAN_RATIO - 1) < 0.1:
        text = (
            f"RMSE and MAE tell the same story: RMSE is {number(ratio, 3)} times MAE, as for "
            "normal errors (1.25), and the tail is light; MSE and RMSE use the data best"
        )
        yield Finding("describes_best", text, {**numbers, "measure": "rmse"})
    else:
        text = (
            f"RMSE is {number(ratio, 3)} times MAE (1.25 for normal errors): errors differ much in "
            "size, yet the tail is light enough for both to be trusted"
        )
        yield Finding("describes_best", text, {**numbers, "measure": "mae"})


def _skill(evidence: Evidence) -> Iterator[Finding]:
    r2 = evidence.facts["r2"]
    if r2.value is None or r2.low is None or r2.high is None:
        return
    numbers = {"r2": r2.value, "low": r2.low, "high": r2.high}
    if r2.high < 0:
        text = f"worse than always predicting the mean: R² is {number(r2.value, 3)}"
        yield Finding("worse_than_mean", text, numbers)
    elif r2.low <= 0:
        text = (
            f"not surely better than always predicting the mean: R² is {number(r2.value, 3)}, "
            f"interval {between(r2.low, r2.high)}"
        )
        yield Finding("no_skill", text, numbers)
    else:
        text = f"explains {percent(r2.value)} of the variance of what came (R²)"
        yield Finding("skill", text, numbers)


def undefined(evidence: Counted) -> Iterator[Finding]:
    """What has no value, or an infinite one."""
    for name, measured in evidence.asked.items():
        if measured.value is None:
            text = f"{name} is undefined: {measured.undefined}"
            yield Finding("undefined", text, {"measure": name})
        elif math.isinf(measured.value):
            text = f"{name} is infinite: {measured.unsure}"
            yield Finding("infinite", text, {"measure": name})


def weights(evidence: Weighed) -> Iterator[Finding]:
    """Whether few rows carry most of the weight."""
    count, equal = evidence.rows, evidence.effective_rows
    if equal < _UNEVEN * count:
        text = (
            f"the weights are uneven: {rows(count)} say as much as {number(equal)} of equal "
            "weight, and the intervals know that"
        )
        yield Finding("weights", text, {"effective_rows": equal})


def worth(evidence: Counted) -> Iterator[Finding]:
    """What the intervals are worth."""
    doubted = [name for name, measured in evidence.asked.items() if measured.caution]
    if doubted:
        text = (
            f"the intervals of {', '.join(doubted)} are too narrow: with a tail this heavy a few "
            "rows decide them, and worse ones than these are still to come"
        )
        yield Finding("interval_worth", text, {"measures": doubted})
    if evidence.rows == 1:
        text = "one row shows no spread, so nothing can be said of how sure this is"
        yield Finding("few_rows", text, {"rows": 1})
    elif evidence.rows < FEW:
        text = (
            f"{rows(evidence.rows)} are few: the intervals rest on the t distribution and on "
            "errors without a heavy tail; measure more rows before you decide on them"
        )
        yield Finding("few_rows", text, {"rows": evidence.rows})
    else:
        text = (
            "intervals take the rows as independent; rows that share a customer, a day or a place "
            "make them too narrow"
        )
        yield Finding("independence", text)


def dropped(evidence: Counted) -> Iterator[Finding]:
    """How many rows were left out."""
    if evidence.dropped:
        share = evidence.dropped / (evidence.rows + evidence.dropped)
        were = "was" if evidence.dropped == 1 else "were"
        text = f"{rows(evidence.dropped)} with missing values {were} left out ({percent(share)})"
        yield Finding("dropped", text, {"dropped": evidence.dropped})
