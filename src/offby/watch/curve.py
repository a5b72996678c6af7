"""One curve as it was logged, made fit for statistics: and everything done to it is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from offby.errors import DataError
from offby.watch.noise import noise_scale

Floats = NDArray[np.float64]
MOST = 160
"""Points that are kept; of longer curves, blocks are averaged."""
_FAR = 5.0  # robust standard deviations from its neighbours' median make a spike


@dataclass(frozen=True)
class Curve:
    """Finite values at ascending steps; `ended` says what the log ends with if not a number.

    `block` evaluations were averaged in each point. `spikes` counts those that stood alone and
    were replaced by the median of their neighbours.
    """

    steps: Floats
    values: Floats
    rows: NDArray[np.intp]  # which of the logged rows count
    length: int  # how many rows were logged
    ended: str | None = None
    block: int = 1
    spikes: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: ArrayLike, steps: ArrayLike | None, name: str) -> Self:
        """Read what was logged: 1, 2, 3 … are the steps where none are given.

        Rows of a run that was resumed from an earlier step replace what they repeat. Values that
        are not finite are left out, unless the log ends with them. Raises `DataError` where the
        shapes do not fit or a step is no number.
        """
        logged = _numbers(values, name)
        at = np.arange(1.0, logged.size + 1) if steps is None else _numbers(steps, "steps")
        if at.size != logged.size:
            raise DataError(
                f"{name} has {logged.size} values for {at.size} steps; give each value its step"
            )
        if not np.isfinite(at).all():
            row = int(np.flatnonzero(~np.isfinite(at))[0])
            raise DataError(f"step {row} of {name} is {at[row]}; expected a finite number")
        last = np.flatnonzero(_not_superseded(at))
        notes = _repeats(name, at.size - last.size)
        return cls(at[last], logged[last], last, at.size, notes=notes)._finite(name)

    def _finite(self, name: str) -> Self:
        good = np.isfinite(self.values)
        ended = _end(self.values, good)
        missing = int(np.sum(~good)) - (0 if ended is None else _run_at_end(good))
        note = f"{missing} of {good.size} {name} values are not finite and were left out"
        notes = (*self.notes, note) if missing else self.notes
        return replace(self, steps=self.steps[good], values=self.values[good],
                       rows=self.rows[good], ended=ended, notes=notes)  # fmt: skip

    @property
    def size(self) -> int:
        """The number of points."""
        return self.values.size

    @property
    def evaluations(self) -> int:
        """The number of finite values."""
        return self.rows.size

    def without_spikes(self) -> Self:
        """Lone values far from their neighbours, as the median of these; both ends stay."""
        n = self.size
        if n < 7:
            return self
        width = 5 + 2 * (min(n, 1000) // 50)
        middle = ndimage.median_filter(self.values, size=width, mode="nearest")
        away = np.abs(self.values - middle)
        typical = max(noise_scale(self.values), 1.4826 * float(np.median(away)))
        lone = away > _FAR * typical
        lone[:2] = lone[-2:] = False
        return replace(self, values=np.where(lone, middle, self.values), spikes=int(np.sum(lone)))

    def thinned(self, name: str) -> Self:
        """At most `MOST` points: means of blocks, each at the step of its middle evaluation.

        The blocks end with the last evaluation; the first may be short.
        """
        block = -(-self.size // MOST)
        if block <= 1:
            return self
        starts = _blocks(self.size, block)
        middles = starts + np.diff(starts, append=self.size) // 2
        note = f"{self.size:,} {name} values were averaged in blocks of {block:,}"
        return replace(self, steps=self.steps[middles], values=_means(self.values, starts),
                       block=block, notes=(*self.notes, note))  # fmt: skip

    def along(self, column: ArrayLike, name: str) -> Floats:
        """Another column of the same log (or one number for all rows), rows as they are here."""
        column = np.asarray(column)
        found = _numbers(np.full(self.length, column) if column.ndim == 0 else column, name)
        if found.size != self.length:
            raise DataError(
                f"{name} has {found.size} values and the curve {self.length}; give one for each"
            )
        kept = found[self.rows]
        return kept if self.block == 1 else _means(kept, _blocks(kept.size, self.block))


def _blocks(size: int, block: int) -> NDArray[np.intp]:
    """Where blocks begin, so that the last is whole."""
    starts = np.arange(size % block, size, block)
    return np.concatenate([[0], starts]) if size % block else starts


def _means(values: Floats, starts: NDArray[np.intp]) -> Floats:
    return np.add.reduceat(values, starts) / np.diff(starts, append=values.size)


def _numbers(values: Any, name: str) -> Floats:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} cannot be read as numbers ({error}); give a sequence") from None
    if found.ndim != 1:
        raise DataError(f"{name} has the shape {found.shape}; expected one value an evaluation")
    return found


def _not_superseded(steps: Floats) -> NDArray[np.bool_]:
    """Which rows no later row goes back to or before."""
    after = np.minimum.accumulate(steps[::-1])[::-1]
    return np.append(steps[:-1] < after[1:], True) if steps.size else np.zeros(0, bool)


def _repeats(name: str, count: int) -> tuple[str, ...]:
    return (f"{count} {name} values were logged again at the same or earlier steps; "
            "the later ones count",) if count else ()  # fmt: skip


def _run_at_end(good: NDArray[np.bool_]) -> int:
    return good.size - (int(np.flatnonzero(good)[-1]) + 1 if good.any() else 0)


def _end(values: Floats, good: NDArray[np.bool_]) -> str | None:
    """What the log ends with, if that is no number and no gap as it had before.

    Logs that keep training and validation on rows of their own are full of such gaps.
    """
    run = _run_at_end(good)
    if not run:
        return None
    if np.isinf(values[-run:]).any():
        return "inf"
    gaps = np.diff(np.flatnonzero(good)) - 1
    return None if gaps.size and run <= gaps.max() else "NaN"
