"""The word for what the curves show: the first of the rules that holds."""

from __future__ import annotations

from typing import Literal

import numpy as np

from offby.watch.evidence import LEARNT, Evidence

Label = Literal[
    "diverged", "cannot tell", "overfitting", "never generalised", "unstable", "plateau",
    "still improving", "undetermined",
]  # fmt: skip
FEW = 10
"""Evaluations below which nothing found is no finding."""
_GENERALISED, _HARDLY = 0.05, 0.2  # of what training gains, validation gains so much
_WORSE_THAN_EVER = 10.0  # times the whole fall: no memorising
_SPIKES = 0.1  # of all evaluations
_EVEN, _LIKELY = 0.5, 0.9  # chances that more training gains what matters
_ONSET = 3  # evaluations in which a training that then stands still has learnt nothing yet


def judged(seen: Evidence, train: Evidence | None, is_train: bool) -> Label:
    """The verdict on the curve `seen`, with the training curve beside it where there is one.

    `is_train` says that `seen` itself is the training curve.
    """
    train_rose = is_train or (train is not None and train.has_risen)
    if _diverged(seen, train, is_train):
        return "diverged"
    if train is not None and not is_train and _never_generalised(seen, train):
        return "never generalised"
    if seen.has_risen:
        return "unstable" if train_rose or seen.jumped else "overfitting"
    if seen.curve.spikes >= max(3.0, _SPIKES * seen.curve.evaluations):
        return "unstable"
    if seen.recent.within(seen.margin) and not seen.promises(_EVEN):
        return "plateau"
    if seen.recent.falls or seen.promises(_LIKELY):
        return "still improving"
    if seen.curve.size < FEW:
        return "cannot tell"
    return "unstable" if seen.jumps_about else "undetermined"


def _diverged(seen: Evidence, train: Evidence | None, is_train: bool) -> bool:
    """Training that ends where it began or worse; without it, a rise far beyond all memorising."""
    curve = seen if is_train else train
    if curve is not None:
        end = float(np.median(curve.z[-3:]))
        return curve.has_risen and end > curve.z[0]
    lowest, first, end = seen.logged(np.array([seen.level.z.min(), seen.z[0], seen.level.z[-1]]))
    scale = max(abs(first - lowest), abs(lowest))
    return seen.has_risen and bool(abs(end - lowest) > _WORSE_THAN_EVER * scale)


def _never_generalised(seen: Evidence, train: Evidence) -> bool:
    """Training gained, validation did not: surely little, or perhaps nothing."""
    learnt = min(train.progress, train.fall_since(_ONSET))
    if seen.recent.falls or learnt < max(train.margin, LEARNT * train.noise.spread):
        return False
    share = seen.gained / train.gained
    if seen.progress < LEARNT * seen.noise.spread:
        return share < _HARDLY
    return share < _GENERALISED and not seen.has_risen
