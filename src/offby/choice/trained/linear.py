"""Linear models under one loss, one for each fold, that share their work.

A fold's fit lies near that of all rows: its gradient there is small, and its Hessian is the sum
over the blocks it trains on. So a few steps with that Hessian, for all folds of a repeat in one
product with the columns, reach its minimum; a fold where they do not is fitted by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from offby.choice.trained.candidate import Candidate
from offby.choice.trained.folds import Split
from offby.choice.trained.smooth import smooth
from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Rows
from offby.fit.linear import Settings, fit_linear
from offby.fit.objective.score import ScoreLoss, toward_score
from offby.losses import BinaryLoss, Loss

_TOL, _STEPS, _TUNINGS = 1e-9, 12, 4
_SHARED_STEPS = 3  # with the Hessian of the whole; then each fold takes its own
_LEAST_BEND = 1e-10
SETTINGS = Settings(None, 0.0, 0.5, False, 1e-8, 100, "auto", None)


@dataclass(frozen=True, eq=False)
class Data:
    """Rows with columns of mean 0 and deviation 1, and a 1 for the intercept: (n, p + 1), (n,).

    Weights (n,) are of mean 1; None is a weight of 1 each.
    """

    X: Floats
    y: Floats
    weight: Floats | None = None

    @classmethod
    def of(cls, X: Floats, y: Floats, weight: Floats | None = None) -> Data:
        """Standardised, which changes no prediction; columns that never change are left out."""
        spread = X.std(axis=0)
        moving = spread > 0
        found = np.ones((len(X), int(moving.sum()) + 1))
        found[:, :-1] = (X[:, moving] - X[:, moving].mean(axis=0)) / spread[moving]
        return cls(found, y, None if weight is None else weight / weight.mean())

    def fit(self, train: NDArray[np.bool_] | None, loss: ScoreLoss) -> Floats:
        """Coefficients that are best for the rows to train on, or for all of them: (p + 1,)."""
        rows = Rows(self.X, self.y, self.weight)
        return _fit(rows if train is None else rows.chosen(train), loss)

    def weighted(self, values: Floats, rows: NDArray[np.bool_] | slice = slice(None)) -> Floats:
        """What each of some rows has, times its weight: (rows,)."""
        return values if self.weight is None else values * self.weight[rows]

    def weights(self, rows: NDArray[np.bool_] | slice = slice(None)) -> Floats | None:
        """The weights of some rows, if there are any."""
        return None if self.weight is None else self.weight[rows]

    @cached_property
    def errors(self) -> Floats:
        """Of least squares on all rows, which say of what size errors are: (n,)."""
        root = self.weighted(np.ones(self.y.size)) ** 0.5
        found = np.linalg.lstsq(self.X * root[:, None], self.y * root, rcond=None)[0]
        return np.asarray(self.y - self.X @ found)


class Shared:
    """Fits under one candidate to parts of the same rows."""

    def __init__(self, data: Data, candidate: Candidate) -> None:
        self.data, self.candidate = data, candidate
        self.loss = self._loss(candidate.tuned(data.y, data.errors, data.weight))
        if candidate.tune is not None and not isinstance(self.loss.loss, BinaryLoss):
            errors = data.y - data.X @ self._whole(self.loss)
            self.loss = self._loss(candidate.tuned(data.y, errors, data.weight))
        self.at = self._whole(self.loss)

    def scores(self, split: Split) -> Floats:
        """What each fold's model gives each row, seen or not: (n, folds)."""
        with np.errstate(all="ignore"):  # a fold whose steps went wrong is fitted by itself
            at, settled = self._steps(split)
        for fold in np.flatnonzero(~settled):
            at[:, fold] = self._alone(split.train(int(fold)))
        return np.asarray(self.loss.predict(self.data.X @ at))

    def _loss(self, loss: Loss) -> ScoreLoss:
        return toward_score(smooth(loss, self.data.errors, self.data.X.shape[1]))

    def _whole(self, loss: ScoreLoss) -> Floats:
        """The fit to all rows; for a parabola any place will do."""
        if loss.quadratic:
            return np.zeros(self.data.X.shape[1])
        return self.data.fit(None, loss)

    def _alone(self, train: NDArray[np.bool_]) -> Floats:
        loss = self.loss
        for _ in range(_TUNINGS if self.candidate.tune is not None else 1):
            at = self.data.fit(train, loss)
            loss = self._tuned(self.data.X[train] @ at, train)
        return at

    def _tuned(self, scores: Floats, train: NDArray[np.bool_]) -> ScoreLoss:
        """The candidate's loss, tuned to the errors that scores of training rows have."""
        if self.candidate.tune is None:
            return self.loss
        y, weight = self.data.y[train], self.data.weights(train)
        return self._loss(self.candidate.tuned(y, y - scores, weight))

    def _steps(self, split: Split) -> tuple[Floats, NDArray[np.bool_]]:
        """Coefficients of each fold (p, folds), and which of them are at their minimum."""
        X = self.data.X
        trains = np.stack([split.train(fold) for fold in range(split.folds)])
        at = np.repeat(self.at[:, None], split.folds, axis=1)
        losses = [self.loss] * split.folds
        bends, level = self._bends(split)
        settled = np.zeros(split.folds, np.bool_)
        total = np.array([self.data.weighted(np.ones(rows.sum()), rows).sum() for rows in trains])
        for step in range(_STEPS):
            scores = np.asfortranarray(X @ at)
            if self.candidate.tune is not None and step < _TUNINGS:
                losses = self._losses(scores, trains)
            if step >= _SHARED_STEPS:
                bends = self._own_bends(losses, scores, trains, settled, bends)
            slopes = X.T @ self._pulls(losses, scores, trains)
            moves = np.stack([_solved(bends[f], slopes[:, f]) for f in range(split.folds)], axis=1)
            fall = np.abs(np.sum(slopes * moves, axis=0)) / 2 / total
            settled = fall <= _TOL * level
            if settled.all() or not np.isfinite(fall).all():
                break
            at = at - moves
            if self.loss.quadratic:
                return at, np.ones(split.folds, np.bool_)
        return at, settled

    def _losses(self, scores: Floats, trains: NDArray[np.bool_]) -> list[ScoreLoss]:
        """The candidate's loss for each fold, tuned to the errors it has now."""
        return [self._tuned(scores[rows, fold], rows) for fold, rows in enumerate(trains)]

    def _pulls(
        self, losses: list[ScoreLoss], scores: Floats, trains: NDArray[np.bool_]
    ) -> Floats:  # fmt: skip
        """The slope of each row's loss where a fold trains on it, 0 elsewhere: (n, folds)."""
        pulls = np.empty_like(scores)
        for fold, loss in enumerate(losses):
            found = self.data.weighted(loss.at(self.data.y, scores[:, fold], loss.slope)[0])
            pulls[:, fold] = np.where(trains[fold], found, 0.0)
        return pulls

    def _bends(self, split: Split) -> tuple[Floats, float]:
        """The Hessian of each fold at the whole's fit (folds, p, p), and the mean loss there."""
        X, y = self.data.X, self.data.y
        value, _, bend = self.loss.at(y, X @ self.at)
        bend = self.data.weighted(np.broadcast_to(bend, y.shape))
        blocks = []
        for block in range(split.trains.shape[1]):
            part = X[split.block == block]
            blocks.append((part * bend[split.block == block, None]).T @ part)
        return np.tensordot(split.trains.astype(float), np.stack(blocks), 1), float(
            np.mean(self.data.weighted(value))
        )

    def _own_bends(
        self, losses: list[ScoreLoss], scores: Floats, trains: NDArray[np.bool_],
        settled: NDArray[np.bool_], bends: Floats,
    ) -> Floats:  # fmt: skip
        """The Hessian of each fold where it is now, of those that need more steps."""
        X, y = self.data.X, self.data.y
        found = bends.copy()
        for fold in np.flatnonzero(~settled):
            loss, train = losses[fold], trains[fold]
            bend = loss.at(y[train], scores[train, fold], loss.bend)[0]
            bend = self.data.weighted(np.broadcast_to(bend, (int(train.sum()),)), train)
            found[fold] = (X[train] * bend[:, None]).T @ X[train]
        return found


def _fit(rows: Rows, loss: ScoreLoss) -> Floats:
    """The minimum; where Newton's steps see no bend, as on a line, by slopes alone at first."""
    found = fit_linear(rows, loss, SETTINGS)
    if not (found.converged or found.escapes):
        found = fit_linear(rows, loss, replace(SETTINGS, solver="lbfgs"))
    if not (found.converged or found.escapes):
        raise DataError(f"a linear fit under {loss.loss} found no minimum")
    return np.asarray(found.coefficients[0])


def _solved(bend: Floats, slope: Floats) -> Floats:
    """The step; columns that others make up get a little of a ridge, which moves no prediction."""
    size = np.trace(bend) / len(bend)
    held = bend + _LEAST_BEND * size * np.eye(len(bend))
    try:
        return np.asarray(np.linalg.solve(held, slope))
    except np.linalg.LinAlgError:
        return np.full_like(slope, np.nan)
