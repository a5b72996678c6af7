"""`diagnose`: from the curves of a run to one verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.errors import DataError
from offby.watch.curve import Curve
from offby.watch.evidence import LEAST, OF_AMOUNTS, OF_BEST, Evidence
from offby.watch.forecast import LEAST as LEAST_TO_FORECAST
from offby.watch.judge import FEW, judged
from offby.watch.rise import level_of_look
from offby.watch.scale import Better
from offby.watch.verdict import Estimate, Verdict

Floats = NDArray[np.float64]
_FORECAST = ("plateau", "still improving", "undetermined", "cannot tell")


def diagnose(
    train: ArrayLike | None = None,
    val: ArrayLike | None = None,
    steps: ArrayLike | None = None,
    *,
    train_steps: ArrayLike | None = None,
    val_noise: ArrayLike | None = None,
    accuracy: ArrayLike | None = None,
    better: Better = "lower",
    confidence: float = 0.95,
    live: bool = False,
) -> Verdict:
    """Say what training and validation curves show: learning, memorising, or broken.

    `val`, `steps`, `val_noise` (standard errors of the validation values, or one for all) and
    `accuracy` (higher is better) have one entry an evaluation; `train` has one for each of
    `train_steps`, which are `steps` where these are as many. Without `val`, training is judged
    alone. At the end of training "overfitting" is wrong at most once in 1 / (1 - confidence) runs
    that never rose; with `live` each call is one of many looks, one an evaluation, and all looks
    of a run together err at most twice as often. Raises `DataError` for what cannot be a curve.
    The statistics and their sources are in `rise`, `noise`, `level`, `recent` and `forecast`.

    >>> train = [0.8, 0.6, 0.5, 0.4, 0.35, 0.32, 0.30, 0.29, 0.28, 0.27]
    >>> val = [0.85, 0.65, 0.55, 0.48, 0.45, 0.44, 0.45, 0.46, 0.48, 0.50]
    >>> found = diagnose(train, val)
    >>> found.verdict, found.best_epoch
    ('overfitting', 6)
    """
    _check(better, confidence)
    if val is None:
        watched, beside = _read(train, steps if train_steps is None else train_steps, "train"), None
    else:
        watched, beside = _read(val, steps, "val"), _read_train(train, train_steps, steps, val)
    run = _Run(watched, beside, "train" if val is None else "val", better, confidence, live)
    if run.ended or watched.evaluations < LEAST:
        return run.too_short()
    return run.verdict(
        None if val_noise is None else _positive(watched.along(val_noise, "val_noise")),
        None if accuracy is None else watched.along(accuracy, "accuracy"),
    )


@dataclass(frozen=True)
class _Run:
    watched: Curve
    train: Curve | None
    name: Literal["train", "val"]
    better: Better
    confidence: float
    live: bool

    @property
    def ended(self) -> str | None:
        """What the log ends with, if not with a number."""
        return self.watched.ended or (self.train.ended if self.train else None)

    @property
    def _blank(self) -> Verdict:
        notes = self.watched.notes + (self.train.notes if self.train else ())
        return Verdict(
            "cannot tell", self.name, self.watched.evaluations, better=self.better,
            confidence=self.confidence, live=self.live, ended=self.ended, notes=notes,
        )  # fmt: skip

    def too_short(self) -> Verdict:
        """The verdict on a log that ends with no number, or holds almost nothing."""
        values = self.watched.values if self.better == "lower" else -self.watched.values
        best = _epoch(self.watched.steps[int(np.argmin(values))]) if values.size else None
        if self.ended:
            return replace(self._blank, verdict="diverged", best_epoch=best)
        return replace(self._blank, best_epoch=best, needed=FEW)

    def verdict(self, val_noise: Floats | None, accuracy: Floats | None) -> Verdict:
        """The verdict on a curve long enough for statistics."""
        seen = self._evidence(self.watched, val_noise)
        train = None
        if self.train is not None and self.train.evaluations >= LEAST:
            train = self._evidence(self.train, None)
        alone = self.name == "train"
        label = judged(seen, train, alone)
        found = replace(
            self._blank, verdict=label, p_value=seen.chance_of_rise, noise=seen.noise.spread,
            correlation=seen.noise.correlation, needed=seen.needed(),
            scale="log" if seen.scale.logarithmic else "linear",
            train_rose=seen.has_risen if alone else train is not None and train.has_risen,
            fell_again=seen.came_back, **_best(seen), **_gaps(seen, self.train),
        )  # fmt: skip
        if label == "overfitting":
            assert found.best_interval is not None
            onset = Estimate(_epoch(seen.curve.steps[seen.best]), *found.best_interval, OF_BEST)
            fine = accuracy is not None and _has_not_suffered(accuracy, seen)
            return replace(found, onset=onset, overconfident=fine)
        return replace(found, **_gain(seen)) if label in _FORECAST else found

    def _evidence(self, curve: Curve, given: Floats | None) -> Evidence:
        error = 1 - self.confidence
        if self.live:
            error = level_of_look(curve.evaluations, error)
        return Evidence.of(curve, self.better, given, self.confidence, error)


def _check(better: str, confidence: float) -> None:
    if better not in get_args(Better):
        raise DataError(f'better is {better!r}; expected "lower" or "higher"')
    if not 0.5 < confidence < 1:
        raise DataError(f"confidence is {confidence}; expected a number between 0.5 and 1")


def _positive(errors: Floats) -> Floats:
    if not (errors > 0).all():
        raise DataError("val_noise has values that are not above 0; expected standard errors")
    return errors


def _read(values: ArrayLike | None, steps: ArrayLike | None, name: str) -> Curve:
    if values is None:
        raise DataError("neither train nor val was given; expected at least one curve")
    return Curve.of(values, steps, name).without_spikes().thinned(name)


def _read_train(
    train: ArrayLike | None, train_steps: ArrayLike | None, steps: ArrayLike | None, val: ArrayLike
) -> Curve | None:
    """The training curve beside a validation curve."""
    if train is None:
        return None
    if train_steps is None and np.shape(train) != np.shape(val):
        raise DataError(
            f"train has {np.size(train)} values and val {np.size(val)}; give train_steps (in the "
            "units of steps), so that they can be laid side by side"
        )
    return _read(train, steps if train_steps is None else train_steps, "train")


def _epoch(step: float) -> float:
    return int(step) if step == int(step) else float(step)


def _best(seen: Evidence) -> dict[str, Any]:
    """The best checkpoint, the interval it lies in, and what it costs to have gone on."""
    steps, level = seen.curve.steps, seen.level
    first, last = seen.near_best()
    sign = 1.0 if seen.scale.better == "lower" else -1.0
    lows = seen.logged(np.quantile(level.lows(), _spread_of(OF_BEST)))
    low = float(np.median(level.lows()))
    ends = seen.logged(low + np.append(0, np.quantile(level.rises(), _spread_of(OF_AMOUNTS))))
    return {
        "best_epoch": _epoch(steps[seen.best]),
        "best_interval": (_epoch(steps[first]), _epoch(steps[last])),
        "best_expected": _estimate(lows, OF_BEST),
        "cost": _estimate(sign * (ends[1:] - ends[0]), OF_AMOUNTS),
        "fitted": (steps[-level.z.size :].tolist(), seen.logged(level.z).tolist()),
    }


def _spread_of(confidence: float) -> Floats:
    """The quantiles that an estimate is made of."""
    return np.array([(1 - confidence) / 2, 0.5, (1 + confidence) / 2])


def _estimate(quantiles: Floats, confidence: float) -> Estimate:
    low, value, high = sorted(quantiles.tolist())
    return Estimate(value, low, high, confidence)


def _gaps(seen: Evidence, train: Curve | None) -> dict[str, Any]:
    """How much worse validation is than training: where it is best, and at the end."""
    if train is None or not train.size:
        return {}
    beside = seen.level.smoothed(np.interp(seen.curve.steps, train.steps, train.values))
    sign = 1.0 if seen.scale.better == "lower" else -1.0
    gaps = sign * (seen.logged(seen.level.z) - beside)
    return {"gap_then": float(gaps[seen.level.best]), "gap_now": float(gaps[-1])}


def _gain(seen: Evidence) -> dict[str, Any]:
    if seen.curve.size < LEAST_TO_FORECAST:
        return {}
    draws, until = seen.gains
    found = _estimate(np.quantile(draws, _spread_of(OF_AMOUNTS)), OF_AMOUNTS)
    return {"gain": found, "gain_until": _epoch(until)}


def _has_not_suffered(accuracy: Floats, seen: Evidence) -> bool:
    """Accuracy at the end is no lower than where the loss is lowest."""
    smooth = seen.level.smoothed(accuracy)
    return bool(smooth[-1] >= smooth[seen.level.best])
