"""What is seen of a fit besides its report: the walk, the coefficients, what to be wary of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from offby.fit.landscape import heights_around, mean_losses_of_model, path_of_model
from offby.fit.model import LinearModel
from offby.fit.path import Path
from offby.fit.rows import Source
from offby.fit.score import Floats
from offby.report.fitted import Coefficient
from offby.report.landscape import Landscape
from offby.report.numbers import number

_MOST = 1 << 20  # rows: a search over more is not done once more to see its places
_WORSE = 1e-3  # a rise of the held-out loss by less than this share is no reason to stop early


@dataclass(frozen=True)
class Surveyor:
    """Looks back at a search on the rows it went over, and on those held out.

    Both are opened when they are first needed, since that takes a pass over them.
    """

    model: LinearModel
    trained: int
    open_training: Callable[[], Source]
    open_held_out: Callable[[], Source] | None

    @cached_property
    def training(self) -> Source:
        """The rows that were fitted."""
        return self.open_training()

    @cached_property
    def path(self) -> Path | None:
        """The places that the search came by; None where it is too long to be done again."""
        return path_of_model(self.model, self.training) if self.trained <= _MOST else None

    @property
    def walk(self) -> Mapping[str, Floats]:
        """The model's history, with the loss of the rows held out at each place."""
        found = dict(self.model.history_)
        if self.open_held_out is not None and found["objective"].size and self.path is not None:
            held_out = self.open_held_out()
            found["validation"] = mean_losses_of_model(self.model, self.path, held_out)
        return found

    def landscape(self) -> Landscape | None:
        """The map of the loss; None for a single number, which has no two directions."""
        model = self.model
        numbers = np.size(model.coef_) + model.fit_intercept * np.size(model.intercept_)
        if numbers < 2:
            return None
        return Landscape.of(heights_around(model, self.training, self.path))


def coefficients_of(model: Any) -> tuple[Coefficient, ...]:
    """Every number that was fitted, those of one class after those of another."""
    values, classes = np.atleast_2d(model.coef_), getattr(model, "classes_", ())
    names = list(map(str, model.feature_names_in_))
    outputs = [f"{label}: " for label in classes] if len(values) > 1 else [""]
    none = np.full(values.shape, np.nan)
    errors = none if model.standard_errors_ is None else np.atleast_2d(model.standard_errors_)
    ends = np.stack([none, none], -1) if model.intervals_ is None else model.intervals_
    ends = np.reshape(ends, (*values.shape, 2))
    found = []
    for k, output in enumerate(outputs):
        found += [
            _coefficient(f"{output}{name}", *numbers)
            for name, *numbers in zip(names, values[k], errors[k], *ends[k].T, strict=True)
        ]
        found.append(_intercept(model, output, k, errors[k], ends[k]))
    return tuple(found)


def _intercept(model: Any, output: str, k: int, errors: Floats, ends: Floats) -> Coefficient:
    """The intercept, whose interval is as many errors wide as those of its coefficients."""
    value = np.atleast_1d(model.intercept_)[k]
    given = model.intercept_standard_error_
    error = np.nan if given is None else np.atleast_1d(given)[k]
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = np.ptp(ends, axis=1) / 2 / errors
    half = error * (wide[np.isfinite(wide)][0] if np.isfinite(wide).any() else np.nan)
    return _coefficient(f"{output}(intercept)", value, error, value - half, value + half)


def _coefficient(name: str, value: float, *rest: float) -> Coefficient:
    return Coefficient(name, float(value), *(float(x) if np.isfinite(x) else None for x in rest))


def cautions_of(model: Any, warned: Sequence[str], walk: Mapping[str, Floats]) -> tuple[str, ...]:
    """What to know before the coefficients are believed."""
    found = list(warned)
    if model.gap_ is None and model.converged_:
        why = model.certificate_.removeprefix("none").strip(" ()")
        found.append(f"nothing proves that this is the minimum{': ' if why else ''}{why}")
    found += _rose(walk.get("objective"), walk.get("validation"))
    return tuple(found)


def _rose(training: Floats | None, held_out: Floats | None) -> list[str]:
    """Whether the rows held out fared better where the search had not yet come to the model."""
    if training is None or held_out is None or not np.isfinite(held_out).any():
        return []
    best, kept = int(np.nanargmin(held_out)), int(np.nanargmin(training))
    if not held_out[kept] > held_out[best] * (1 + _WORSE):
        return []
    return [
        f"the rows held out fared best at iteration {best + 1} of {len(held_out)} (mean loss "
        f"{number(held_out[best], 5)}, and {number(held_out[kept], 5)} with the model): what was "
        "learned since does not hold for new rows; a penalty helps, or Descent(validation=0.2) in "
        "Python"
    ]
