"""Training and validation on one axis, where one was logged by steps and the other by epochs."""

from __future__ import annotations

import numpy as np

from offby.runs.curves import Floats, Series

_APART = 3.0  # so many times as far are steps beside epochs
_FEWEST = 3


def count_differently(train: Series, val: Series) -> bool:
    """Whether one counts epochs (0, 1, 2 … or 1, 2, 3 …) and the other goes far beyond.

    >>> epochs = Series(np.arange(1.0, 11), np.ones(10))
    >>> steps = Series(np.arange(50.0, 1050, 50), np.ones(20))
    >>> count_differently(steps, epochs), count_differently(epochs, epochs)
    (True, False)
    """
    if min(len(train), len(val)) < _FEWEST:
        return False
    near, far = sorted((train, val), key=lambda series: float(series.steps[-1]))
    counts = bool(np.all(np.diff(near.steps) == 1)) and near.steps[0] in (0, 1)
    return counts and bool(far.steps[-1] > _APART * near.steps[-1]) and _together(near, far)


def _together(near: Series, far: Series) -> bool:
    """Whether the one that counts less was still logged near the end: else it merely stopped."""
    if near.times is None or far.times is None:
        return True
    then = np.searchsorted(far.times, near.times[-1], side="right")
    return bool(far.steps[max(int(then) - 1, 0)] > _APART * near.steps[-1])


def on_axis_of(val: Series, train: Series) -> tuple[Series, str]:
    """The training curve by what validation counts, and how that was found.

    By the clock where both curves have times; else as if both ended together.
    """
    if train.times is not None and val.times is not None and _tells(train.times, val.times):
        steps, how = _through(train.times, val.times, val.steps), "by their times"
    else:
        steps, how = train.steps * (val.steps[-1] / train.steps[-1]), "as if both ended together"
    note = (
        f"training ends at {train.steps[-1]:g} and validation at {val.steps[-1]:g}: steps and "
        f"epochs, it seems; training was put on validation's axis {how}"
    )
    return Series(steps, train.values, train.times), note


def _tells(train: Floats, val: Floats) -> bool:
    """Whether clocks tell evaluations apart: not those of logs that were copied in one go."""
    return bool(np.all(np.diff(val) > 0) and np.isfinite(train).all())


def _through(at: Floats, times: Floats, steps: Floats) -> Floats:
    """The steps at some times, on straight lines between those known.

    The first training stands one evaluation before the first; the last line goes on.
    """
    if at[0] < times[0]:
        times = np.concatenate((at[:1], times))
        steps = np.concatenate(([2 * steps[0] - steps[1]], steps))
    slope = (steps[-1] - steps[-2]) / (times[-1] - times[-2])
    beyond: Floats = np.interp(at, times, steps) + np.maximum(at - times[-1], 0) * slope
    return beyond
