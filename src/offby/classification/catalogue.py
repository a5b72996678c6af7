"""The classification measures: formulas of means, and statistics of counted scores and labels."""

from __future__ import annotations

import difflib
from contextlib import suppress
from typing import Any

from offby import confusion
from offby.classification.statistics import STATISTICS
from offby.classification.task import Task, q, rank, square, top
from offby.errors import MeasureError
from offby.formula.aggregates import (
    COUNTED,
    AgainstRest,
    ClassSkill,
    Confused,
    Mean,
    Scored,
    Sureness,
    TopShare,
    Variance,
)
from offby.formula.expression import walk
from offby.formula.words import log, p, r, where, xlogy, y, z
from offby.losses import LogLoss
from offby.measures import names
from offby.measures.measure import Measure
from offby.measures.regression import AT_MOST_ONE, POSITIVE, SHARE
from offby.scores import RANKED

_OF_ROW = {"binary": LogLoss.formula, "multiclass": -log(q)}
_LOG_LOSS, _BRIER, _RATE = Mean(LogLoss.formula), Mean(r**2), Mean(y)
_UNCERTAINTY = -(xlogy(_RATE, _RATE) + xlogy(1 - _RATE, 1 - _RATE))

BINARY = {
    measure.name: measure
    for measure in (
        Measure("log_loss", _LOG_LOSS, "lower", "1", POSITIVE),
        Measure("brier", _BRIER, "lower", "1", SHARE),
        Measure("d2_log_loss", 1 - _LOG_LOSS / _UNCERTAINTY, "higher", "1", AT_MOST_ONE),
        Measure("d2_brier", 1 - _BRIER / Variance(y), "higher", "1", AT_MOST_ONE),
        Measure("calibration_in_the_large", Mean(r), "zero", "1", (-1.0, 1.0)),
    )
}
MULTICLASS = {
    measure.name: measure
    for measure in (
        Measure("log_loss", Mean(-log(q)), "lower", "1", POSITIVE),
        Measure("brier", Mean(square), "lower", "1", (0.0, 2.0)),
        Measure("d2_log_loss", ClassSkill("log", -log(q)), "higher", "1", AT_MOST_ONE),
        Measure("d2_brier", ClassSkill("brier", square), "higher", "1", AT_MOST_ONE),
    )
}
DEFAULTS = {
    ("binary", True): ("log_loss", "brier", "roc_auc", "average_precision", "accuracy",
                       "precision", "recall", "f1", "ece"),
    ("binary", False): ("accuracy", "balanced_accuracy", "precision", "recall", "specificity",
                        "f1", "mcc"),
    ("multiclass", True): ("log_loss", "brier", "accuracy", "balanced_accuracy", "f1", "mcc",
                           "ece"),
    ("multiclass", False): ("accuracy", "balanced_accuracy", "f1", "mcc", "cohen_kappa"),
}  # fmt: skip


def resolve(asked: Any, task: Task) -> tuple[Measure, ...]:
    """The measures asked for, by name, as objects, or None for the task's usual report."""
    if task.kind == "regression":
        return names.resolve(asked)
    items = names.items(asked, default_names(task))
    return names.distinct(_resolve_one(item, task) for item in items)


def default_names(task: Task) -> tuple[str, ...]:
    """What is measured where nothing is asked for."""
    costly = ("expected_cost",) if task.costs is not None else ()
    return DEFAULTS[task.kind, task.scores] + costly


def known_names(task: Task) -> list[str]:
    """Every name that a measure of the task can be asked for by."""
    if task.kind == "regression":
        return names.known_names()
    several = task.kind == "multiclass"
    counted = [name for name in confusion.known_names() if several or ":" not in name]
    counted += [] if several else ["fbeta:2"]
    if not task.scores:
        return counted
    if several:
        ranked = [*RANKED, *(f"{name}:weighted" for name in RANKED)]
        return [*MULTICLASS, "log_loss_share:0.01", "ece", *ranked, "top_k_accuracy:3", *counted]
    scored = [f"{name}:0.1" if about.takes_share else name for name, about in STATISTICS.items()]
    return [*BINARY, "log_loss_share:0.01", *scored, *counted]


def _resolve_one(item: Any, task: Task) -> Measure:
    if not isinstance(item, str):
        return _not_of_codes(names.resolve([item])[0], task)
    text = item.strip()
    found = by_name(text, task)
    if found is not None:
        return found
    try:
        own = names.by_name(text, task.words)  # a loss, or a formula of one's own
    except MeasureError as error:
        raise MeasureError(_unknown(text, task)) from error
    return _not_of_codes(own, task)


def _not_of_codes(measure: Measure, task: Task) -> Measure:
    """The measure, unless it takes codes of labels for numbers: they have no size, nor an order."""
    if (task.kind == "binary" and task.scores) or measure.formula.op in COUNTED:
        return measure
    if any(part is code for part in walk(measure.formula) for code in (y, p, r, z)):
        raise MeasureError(
            f"{measure.name!r} is of numbers, and here labels came; known are "
            f"{', '.join(_heads(task))}; for labels that are amounts say --task regression"
        )
    return measure


def _heads(task: Task) -> list[str]:
    return list(dict.fromkeys(name.partition(":")[0] for name in known_names(task)))


def _unknown(text: str, task: Task) -> str:
    known = _heads(task)
    near = difflib.get_close_matches(text.partition(":")[0], known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
    what = task.kind if task.scores else f"{task.kind} labels without probabilities"
    return f"unknown measure {text!r} for {what}; {hint}"


def by_name(text: str, task: Task) -> Measure | None:
    """The measure of this task that a text names, if there is one."""
    name, _, number = text.partition(":")
    for makes in (_of_means, _of_scores) if task.scores else ():
        found = makes(text, name, number, task)
        if found is not None:
            return found
    if text == "expected_cost" and task.costs is None:
        raise MeasureError(
            "expected_cost needs the costs of a false positive and a false negative: "
            "--costs 1,5 (in Python: costs=(1, 5))"
        )
    several = task.kind == "multiclass" and (name in confusion.SHARES or name == "fbeta")
    alone = text.count(":") == (name == "fbeta")
    # of two labels, neither of which is the positive one, no class is meant, but the mean over both
    counted = confusion.by_name(f"{text}:macro" if several and alone else text, task.costs)
    if counted is None:
        return None
    formula = Confused((counted.name, task.costs), task.predicted)
    return Measure(text, formula, counted.better, "1", counted.range)


def _of_means(text: str, name: str, number: str, task: Task) -> Measure | None:
    table = BINARY if task.kind == "binary" else MULTICLASS
    if name == "log_loss_share":
        share = names.number_after(text, number)
        return Measure(text, TopShare(_OF_ROW[task.kind], 1, share), "lower", "1", SHARE)
    if name == "top_k_accuracy" and task.kind == "multiclass":
        if not number.isdigit() or int(number) < 1:
            raise MeasureError(f"{text}: give a whole number, such as top_k_accuracy:3")
        return Measure(text, Mean(where(rank < int(number), 1, 0)), "higher", "1", SHARE)
    return table.get(text)


def _of_scores(text: str, name: str, number: str, task: Task) -> Measure | None:
    """Of several classes each is ranked against the rest; for `ece` positive is to be right."""
    if task.kind == "multiclass" and name in RANKED:
        if text.endswith(":"):
            raise MeasureError(f"{text!r} names no class after the colon")
        return Measure(text, AgainstRest(text), "higher", "1", SHARE)
    if name not in STATISTICS or (task.kind == "multiclass" and name != "ece"):
        return None
    statistic = STATISTICS[name]
    statistic.check(text, number)
    binary = task.kind == "binary"
    formula = Scored(text, y > 0, p) if binary else Sureness(text, y == p, top)
    return Measure(text, formula, statistic.better, "1", statistic.range)


def asks_for_classes(asked: Any) -> bool:
    """Whether a measure is asked for by name that only classes have."""
    only = _class_names() - {name.partition(":")[0] for name in names.known_names()}
    wanted = names.items(asked, ())
    return any(isinstance(item, str) and item.partition(":")[0] in only for item in wanted)


def read(text: str) -> str | Measure:
    """The measure that a text names; one of classes stays a name until the task is known.

    Raises `MeasureError` where no task has such a measure.
    """
    if text.partition(":")[0] in _class_names():
        return text
    try:
        return names.by_name(text)
    except MeasureError as error:
        with suppress(MeasureError):
            names.by_name(text, Task("multiclass", scores=True).words)
            return text
        raise error


def _class_names() -> set[str]:
    counted = {known.partition(":")[0] for known in confusion.known_names()}
    return {*BINARY, *STATISTICS, "top_k_accuracy", "log_loss_share", *counted}
