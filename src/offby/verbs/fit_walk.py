"""What is seen of a fit besides its report: the walk, the coefficients, what to be wary of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from offby.drawing.numbers import number
from offby.engine.rows import Floats
from offby.fit.model import LinearModel
from offby.fit.objective.mean_loss import mean_loss
from offby.fit.solvers.history import Stage
from offby.report.fitted import Coefficient
from offby.verbs.fit_parts import Parts

Told: TypeAlias = Callable[[Mapping[str, float]], None]
"""Told the facts of each iteration, by the names that `Fitted.walk` has them under."""

_WORSE = 1e-3  # a rise of the held-out loss by less than this share is no reason to stop early


class Walked:
    """Hears of each iteration of a search, measures it on the rows held out, and tells of it."""

    def __init__(self, parts: Parts, told: Told | None) -> None:
        self.parts, self.told = parts, told
        self.held_out: list[float] = []

    def hear(self, stage: Stage) -> None:
        """Measure an iteration and tell of it."""
        facts = {"objective": stage.objective}
        rows = self.parts.held_out_rows
        if rows is not None:
            place = stage.coefficients, stage.intercepts
            self.held_out.append(mean_loss(self.parts.asked.loss, *place, rows))
            facts["held_out"] = self.held_out[-1]
        if self.told is not None:
            if not np.isnan(stage.validation):
                facts["validation"] = stage.validation
            steps = {"gradient": stage.gradient, "step": stage.step, "seconds": stage.seconds}
            self.told(facts | steps)

    def of(self, model: LinearModel) -> Mapping[str, Floats]:
        """The model's history, with the loss of the rows held out at each place."""
        rows, path = self.parts.held_out_rows, model.path_
        if rows is None or path is None:
            return model.history_
        if not self.held_out:  # a scale of the errors is searched for in silence
            places = zip(path.coefficients, path.intercepts, strict=True)
            self.held_out = [mean_loss(model.loss_, *place, rows) for place in places]
        return {**model.history_, "held_out": np.array(self.held_out)}


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
    found += _weighed(model)
    found += _rose(walk.get("validation", walk.get("objective")), walk.get("held_out"))
    return tuple(found)


def _weighed(model: Any) -> list[str]:
    if getattr(model, "class_weight", None) is None:
        return []
    return [
        "the classes were weighted, so the chances are those of rows in such proportions, not of "
        "rows as they come"
    ]


def _rose(judged: Floats | None, held_out: Floats | None) -> list[str]:
    """Whether the rows held out fared better elsewhere than at the model, `judged` to be best."""
    if judged is None or held_out is None or not np.isfinite(held_out).any():
        return []
    best, kept = int(np.nanargmin(held_out)), int(np.nanargmin(judged))
    if not held_out[kept] > held_out[best] * (1 + _WORSE):
        return []
    return [
        f"the rows held out fared best at iteration {best + 1} of {len(held_out)} (mean loss "
        f"{number(held_out[best], 5)}, and {number(held_out[kept], 5)} with the model): what was "
        "learned since does not hold for new rows; a penalty helps, or solver gd with patience"
    ]
