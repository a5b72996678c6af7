"""Corrections of numbers: shift, rescale, recalibrate, cap, train under another loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from offby.engine.rows import Floats
from offby.interventions.descent import Levels, Line, descend
from offby.interventions.judged import ABSOLUTE, SQUARED, Judged
from offby.interventions.seen import Seen
from offby.interventions.steps import blocks

_EXACT = ("mean", "median", "quantile")
_CUT = (0.0, 0.001, 0.01, 0.05)  # shares of the truths, at either end, to cap at


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was learnt: how predictions change, and the numbers in words."""

    change: Callable[[Floats], Floats]
    numbers: Mapping[str, float] = field(default_factory=dict)


Fit = Callable[[Seen], Fitted]


@dataclass(frozen=True, eq=False)
class Correction:
    """Something to try: its name, what it does in words, and how it is learnt from rows.

    Training under another loss is one `instead_of` what was learnt under the usual other one. Where
    the loss is infinite, only corrections that mend that are tried.
    """

    name: str
    text: str
    fit: Fit
    instead_of: Fit | None = None
    mends: bool = False


def corrections(judged: Judged) -> list[Correction]:
    """What can be tried on numbers under a loss."""
    best_line = partial(line, judged)
    found = [
        Correction("remove the bias", "add {shift} to every prediction", partial(shift, judged)),
        Correction("rescale", "{intercept} + {slope} × prediction", best_line),
        Correction("recalibrate", "isotonic, a rising curve from prediction to truth",
                   partial(rising, judged)),
        Correction("cap", "keep predictions within {low} … {high}", partial(cap, judged)),
    ]  # fmt: skip
    known = judged.loss
    if known is not None:
        other = ABSOLUTE if known.functional == "mean" else SQUARED
        found.append(Correction(
            "train under the loss that counts",
            f"{known} instead of {other.name} loss; about this much", best_line,
            instead_of=partial(line, other),
        ))  # fmt: skip
    return found


def shift(judged: Judged, seen: Seen) -> Fitted:
    """The number to add to all predictions.

    >>> seen = Seen(np.array([1.0, 2.0, 9.0]), np.zeros(3), np.ones(3))
    >>> dict(shift(SQUARED, seen).numbers)
    {'shift': 4.0}
    """
    found = _exact_shift(judged, seen)
    if found is None:
        ones = np.ones((1, seen.p.size))
        (found,) = descend(_slopes(judged, seen), Line(ones), seen.w).tolist()
    return Fitted(lambda p: p + found, {"shift": found})


def _exact_shift(judged: Judged, seen: Seen) -> float | None:
    """The best constant for what is missing, where the loss is one of the error and has it."""
    known = judged.loss
    if known is None or not judged.of_error or known.functional not in _EXACT:
        return None
    return known.best_constant(seen.y - seen.p, seen.w)


def line(judged: Judged, seen: Seen) -> Fitted:
    """Intercept and slope."""
    centre = seen.mean(seen.p)
    spread = float(np.std(seen.p)) or 1.0
    columns = np.stack([np.ones(seen.p.size), (seen.p - centre) / spread])
    level, tilt = descend(_slopes(judged, seen), Line(columns), seen.w).tolist()
    slope = 1 + tilt / spread
    intercept = level - tilt / spread * centre
    return Fitted(lambda p: intercept + slope * p, {"intercept": intercept, "slope": slope})


def rising(judged: Judged, seen: Seen) -> Fitted:
    """A rising curve: the steps of the isotonic mean, each at its best level under the loss."""
    found = blocks(seen)
    means = np.bincount(found.of_row, seen.w * seen.y) / np.bincount(found.of_row, seen.w)
    start = means[found.of_row]
    levels = descend(lambda by: judged.slopes(seen.y, start + by), Levels(found.of_row), seen.w)
    return Fitted(found.curve(means + levels))


def cap(judged: Judged, seen: Seen) -> Fitted:
    """Ends that predictions are kept within: those of the truths, or of most of them."""
    ends = [np.quantile(seen.y, [cut, 1 - cut]).tolist() for cut in _CUT]
    losses = [seen.mean(judged.losses(seen.y, np.clip(seen.p, *end))) for end in ends]
    low, high = ends[int(np.argmin(losses))]
    return Fitted(lambda p: np.clip(p, low, high), {"low": low, "high": high})


def _slopes(judged: Judged, seen: Seen) -> Callable[[Floats], tuple[Floats, Floats, Floats]]:
    return lambda by: judged.slopes(seen.y, seen.p + by)
