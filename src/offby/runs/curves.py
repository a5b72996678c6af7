"""What a training log holds: a curve for each metric, and what could not be read of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Series:
    """One metric: its values at steps, and when each was written (seconds since 1970, if known)."""

    steps: Floats
    values: Floats
    times: Floats | None = None

    def __len__(self) -> int:
        return len(self.steps)


@final
@dataclass(frozen=True, eq=False)
class Curves:
    """What one file of a run holds so far, in the order in which it was written."""

    axis: str
    series: Mapping[str, Series]
    notes: tuple[str, ...] = ()


@final
@dataclass(frozen=True, eq=False)
class RunLog:
    """A run as far as it has been read: every series has each step once, in order.

    `axis` says what the steps count (`step`, `epoch`, `iteration`, or `row` where the log does
    not say); values may be NaN or infinite, as training left them. `notes` are sentences on what
    was skipped, repeated or inferred.
    """

    name: str
    path: Path
    format: str
    axis: str
    series: Mapping[str, Series]
    notes: tuple[str, ...] = ()


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(parts: Iterable[Series]) -> Series:
    """One series after another; the times are kept where all have them."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    times = [part.times for part in parts if part.times is not None]
    return Series(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate(times) if len(times) == len(parts) else None,
    )


def settled(series: Series) -> Series:
    """Each step once, in order: of a repeated step the value written last stands.

    Points without a step are left out.

    >>> one = settled(Series(np.array([1.0, 2, 3, 2, 3]), np.array([5.0, 4, 9, 3, 2])))
    >>> one.steps.tolist(), one.values.tolist()
    ([1.0, 2.0, 3.0], [5.0, 3.0, 2.0])
    """
    steps = series.steps
    if bool(np.all(steps[1:] > steps[:-1])) and np.isfinite(steps[:1]).all():
        return series
    order = _order(series)
    order = order[np.isfinite(steps[order])]
    last = np.append(steps[order][1:] != steps[order][:-1], True)[: len(order)]
    kept = order[last]
    times = None if series.times is None else series.times[kept]
    return Series(steps[kept], series.values[kept], times)


def _order(series: Series) -> npt.NDArray[np.intp]:
    """By step, then by when it was written: by the clock where it is known, else by place."""
    if series.times is None or np.isnan(series.times).any():
        return np.argsort(series.steps, kind="stable")
    return np.lexsort((series.times, series.steps))
