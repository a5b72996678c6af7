"""Which curves of a run are training and validation of the same thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import final

from offby.errors import RunError
from offby.runs.aligned import count_differently, on_axis_of
from offby.runs.better import Better, watched
from offby.runs.better import better as better_way
from offby.runs.curves import RunLog, Series
from offby.runs.roles import TRAIN, VAL, Role, role, words

_LEVELS = ("epoch", "step", "mean", "avg")
"""Words of cadence: Lightning logs one metric by the step and by the epoch."""


@final
@dataclass(frozen=True)
class Pair:
    """Two curves to watch: `train` and `val` name them; either may be missing.

    `better` says which way the metric improves. `others` are the pairs that were not taken.
    """

    metric: str
    train: str | None
    val: str | None
    better: Better
    others: tuple[tuple[str | None, str | None], ...] = ()

    def __str__(self) -> str:
        train, val = self.train or "none", self.val or "none"
        return f"train: {train}, validation: {val} ({self.better} is better)"

    def of(self, log: RunLog) -> tuple[Series | None, Series | None]:
        """The two curves in a log; training by what validation counts, see `note`."""
        train, val, _ = self._aligned(log)
        return train, val

    def note(self, log: RunLog) -> str:
        """What was inferred where one was logged by steps and the other by epochs, or nothing."""
        return self._aligned(log)[2]

    def _aligned(self, log: RunLog) -> tuple[Series | None, Series | None, str]:
        train = None if self.train is None else log.series[self.train]
        val = None if self.val is None else log.series[self.val]
        if train is None or val is None or not count_differently(train, val):
            return train, val, ""
        placed, note = on_axis_of(val, train)
        return placed, val, note


def pair(
    log: RunLog,
    train: str | None = None,
    val: str | None = None,
    better: Better | None = None,
) -> Pair:
    """Choose the training and the validation curve of a run by their names.

    `train` and `val` set them; with one of them set the other is its namesake. Of several pairs
    the loss comes first, then the one with most validation points. `better` sets the direction.
    Raises RunError for a name that the run lacks, and for a run without any curve.

    >>> from pathlib import Path
    >>> import numpy as np
    >>> one = Series(np.array([1.0, 2.0]), np.array([0.5, 0.4]))
    >>> names = ("train_loss", "train_acc", "val_loss", "val_acc", "lr")
    >>> log = RunLog("a", Path("a"), "csv", "step", dict.fromkeys(names, one))
    >>> print(pair(log))
    train: train_loss, validation: val_loss (lower is better)
    >>> print(pair(log, val="val_acc"))
    train: train_acc, validation: val_acc (higher is better)
    """
    for name in (train, val):
        if name is not None and name not in log.series:
            raise RunError(_unknown(name, log))
    found = pairs(log)
    chosen = _asked(found, train, val) if train or val else next(iter(found), None)
    if chosen is None:
        raise RunError(f"run {log.name!r} holds no curve to watch{_why(log)}")
    others = tuple((one.train, one.val) for one in found if one != chosen)
    return Pair(chosen.metric, chosen.train, chosen.val, better or chosen.better, others)


def pairs(log: RunLog) -> list[Pair]:
    """All pairs in a run, the likeliest first; curves without a partner stand last, alone."""
    by_stem: dict[str, list[str]] = {}
    for name in log.series:
        by_stem.setdefault(_stem(name), []).append(name)
    best = {stem: _best(stem, names, log) for stem, names in by_stem.items() if watched(stem)}
    found = [_with_train(one, best) for one in best.values()]
    return sorted(found, key=lambda one: _rank(one, log))


def _asked(found: list[Pair], train: str | None, val: str | None) -> Pair:
    """The curves that were named; the one that was not is the namesake of the other."""
    stem = _stem(val or train or "")
    mate = next((one for one in found if one.metric == stem), Pair(stem, None, None, "lower"))
    trained = train or (mate.train if mate.train != val else None)
    validated = val or (mate.val if mate.val != train else None)
    return Pair(stem, trained, validated, better_way(stem))


def _with_train(one: Pair, best: dict[str, Pair]) -> Pair:
    """A validation curve without a namesake (`eval_news_loss`) goes with the plain `loss`."""
    found = one.metric.split()
    for i in range(1, len(found) if one.train is None else 0):
        mate = best.get(" ".join(found[i:]))
        if mate is not None and mate.train is not None:
            return Pair(one.metric, mate.train, one.val, one.better)
    return one


def _best(stem: str, names: list[str], log: RunLog) -> Pair:
    roles = {name: _role(name, log.series) for name in names}
    trains = [name for name in names if roles[name] != "val"]
    vals = [name for name in names if roles[name] == "val"]
    train = min(trains, key=lambda name: _train_rank(name, log), default=None)
    val = min(vals, key=lambda name: _val_rank(name, log), default=None)
    return Pair(stem, train, val, better_way(stem))


def _role(name: str, names: Iterable[str]) -> Role | None:
    """The part of the data; of XGBoost's `validation_0` and `validation_1` the first is training.

    So its own examples pass them: `eval_set=[(X_train, y_train), (X_test, y_test)]`.
    """
    if name.startswith("validation_0") and any(other.startswith("validation_1") for other in names):
        return "train"
    return role(name)


def _stem(name: str) -> str:
    """A metric's name without the part of the data, its place in a list, and the cadence."""
    found = [word for word in words(name) if word not in TRAIN and word not in VAL]
    marked = len(found) < len(words(name))
    if marked and found and found[0].isdigit():  # valid_0, validation_1
        found = found[1:]
    while len(found) > 1 and found[-1] in _LEVELS:
        found = found[:-1]
    while len(found) > 1 and found[0] in _LEVELS:
        found = found[1:]
    return " ".join(found) or "loss"


def _train_rank(name: str, log: RunLog) -> tuple[bool, int, bool, int]:
    """By the epoch rather than by the step; never a single number at the end, if there is more."""
    found = words(name)
    cadence = 0 if "epoch" in found else 2 if "step" in found else 1
    return len(log.series[name]) < 2, cadence, role(name) is None, -len(log.series[name])


def _val_rank(name: str, log: RunLog) -> tuple[bool, int, int, int]:
    found = words(name)
    kind = min(VAL.index(word) for word in found if word in VAL)
    last = -max((int(word) for word in found if word.isdigit()), default=0)
    return len(log.series[name]) < 2, kind, last, -len(log.series[name])


def _rank(one: Pair, log: RunLog) -> tuple[bool, bool, bool, int, int]:
    both = one.train is not None and one.val is not None
    last = words(one.metric)
    points = 0 if one.val is None else len(log.series[one.val])
    is_loss = any(word.endswith("loss") for word in last)
    return not both, one.val is None, not is_loss, len(last) if is_loss else 0, -points


def _unknown(name: str, log: RunLog) -> str:
    near = get_close_matches(name, log.series, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
    known = ", ".join(list(log.series)[:12])
    return f"run {log.name!r} has no curve {name!r}; {hint} it has: {known or 'none'}"


def _why(log: RunLog) -> str:
    if not log.series:
        return f" ({'; '.join(log.notes)})" if log.notes else "; it has no numbers so far"
    return f"; it has only: {', '.join(list(log.series)[:12])}"
