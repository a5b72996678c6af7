"""The loss around a fitted model, over the two directions that tell most, and the path walked.

Coefficients are measured in units of the score: each times its column's standard deviation, the
intercept for columns with their means taken off. In such units no direction is long only because
its column is small, and a score is linear in the two steps, so a picture costs three products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from offby.errors import DataError
from offby.fit.classifier import LinearClassifier, _by_class
from offby.fit.fitted import Fit
from offby.fit.linear import Settings
from offby.fit.model import LinearModel
from offby.fit.path import Path, losses_of, mean_losses, path_of
from offby.fit.penalty import penalty_of
from offby.fit.reading import read_target, read_weights
from offby.fit.rows import Rows, Source
from offby.fit.score import Floats, toward_score
from offby.losses import CategoricalLoss, Loss

_ROWS = 1 << 13
_STEPS = 49
_BEYOND = 0.35  # of the walk, on all sides of it
_STRAIGHT = 0.02  # a walk that leaves its line by less shows no second direction
_BOWL = 0.4  # of the second direction that would show as much of the bowl as the first
_NAMED = 0.35  # of a direction's length: a column that has so much of it is named
_MANY = 1500  # numbers: beyond, bends are looked at along the columns alone


@dataclass(frozen=True, eq=False, repr=False)
class Heights:
    """Heights over two directions: `loss` and `accuracy` are (upward, across).

    Steps are in units of the score, and (0, 0) is the fitted model. `walk` is (steps, 2), empty
    where no search was walked; `directions` name the columns that they are mostly made of.
    """

    across: Floats
    upward: Floats
    loss: Floats
    accuracy: Floats | None
    walk: Floats
    directions: tuple[str, str]
    name: str
    rows: int
    all_rows: int


@dataclass(frozen=True, eq=False)
class Units:
    """Means and deviations of the columns, which turn coefficients into units of the score."""

    mean: Floats
    spread: Floats
    intercept: bool

    @classmethod
    def of(cls, rows: Rows, intercept: bool) -> Units:
        """Those of these rows; nothing is taken off where there is no intercept."""
        mean = rows.X.mean(axis=0) if intercept else np.zeros(rows.columns)
        spread = np.sqrt(np.mean((rows.X - mean) ** 2, axis=0))
        return cls(mean, np.where(spread > 0, spread, 1.0), intercept)

    def places(self, coefficients: Floats, intercepts: Floats) -> Floats:
        """Coefficients (…, outputs, p) and intercepts (…, outputs) in units of the score, flat."""
        found = coefficients * self.spread
        if self.intercept:
            found = np.concatenate([found, (intercepts + coefficients @ self.mean)[..., None]], -1)
        return found.reshape(*found.shape[:-2], -1)

    def design(self, X: Floats) -> Floats:
        """The columns that go with such numbers: (n, size)."""
        found = (X - self.mean) / self.spread
        return np.column_stack([found, np.ones(len(X))]) if self.intercept else found


def heights_of(
    fit: Fit,
    settings: Settings,
    source: Source,
    path: Path | None,
    names: Sequence[str],
    classes: Sequence[str] = (),
) -> Heights:
    """The loss around a fit, looked at for some thousand rows, evenly spread over all.

    Of `classes` the share of rows that are right stands beside it. `names` are the columns'.
    Raises `DataError` where a single number was fitted, since a picture has two directions.
    """
    rows = spread_sample(source, _ROWS)
    units = Units.of(rows, settings.fit_intercept)
    end = units.places(fit.coefficients, fit.intercepts)
    if end.size < 2:
        raise DataError(f"a landscape has two directions, and {names[0]!r} alone was fitted")
    before = None if path is None else units.places(path.coefficients, path.intercepts)
    walk = np.zeros((0, end.size)) if before is None else np.vstack([before, end]) - end
    view = _View(fit, settings, rows, units, end, classified=bool(classes))
    bends = view.bends()
    first, second = _directions(walk, bends)
    on_it = walk @ np.stack([first, second], axis=1)
    across, upward = _reaches(on_it, (first, second), bends, view.height(end))
    loss, accuracy = view.heights(first, second, across, upward)
    columns = [*names, "(intercept)"] if units.intercept else names
    outputs = [f" for {label}" for label in classes] if view.several else [""]
    labels = [f"{name}{output}" for output in outputs for name in columns]
    return Heights(
        across=across,
        upward=upward,
        loss=loss,
        accuracy=accuracy,
        walk=on_it,
        directions=(_named(first, labels), _named(second, labels)),
        name=fit.loss.name if isinstance(fit.loss, CategoricalLoss) else str(fit.loss),
        rows=rows.count,
        all_rows=source.count,
    )


def spread_sample(source: Source, most: int) -> Rows:
    """Rows at equal distances over all of a source, no more than `most`."""
    step = max(-(-source.count // most), 1)
    found, seen = list[Rows](), 0
    for part in source.parts():
        found.append(part.chosen(np.arange(-seen % step, part.count, step)))
        seen += part.count
    weights = [part.weight for part in found if part.weight is not None]
    return Rows(
        np.concatenate([part.X for part in found]),
        np.concatenate([part.y for part in found]),
        np.concatenate(weights) if weights else None,
    )


class _View:
    """What can be seen of some rows from a place: heights, bends, the share that is right."""

    def __init__(
        self, fit: Fit, settings: Settings, rows: Rows, units: Units, end: Floats, *,
        classified: bool,
    ) -> None:  # fmt: skip
        self.fit, self.rows, self.end = fit, rows, end
        self.several, self.classified = len(fit.intercepts) > 1, classified
        self.design, self.units = units.design(rows.X), units
        share = settings.alpha, settings.l1_ratio, rows.columns
        self.penalty = penalty_of(settings.penalty, *share, units.intercept)

    def scores(self, place: Floats) -> Floats:
        """The scores that a place, or a step, gives each row: (n, outputs)."""
        return np.asarray(self.design @ place.reshape(-1, self.design.shape[1]).T)

    def mean(self, values: Floats) -> Floats:
        """The weighted mean over rows: (…, n) to (…)."""
        return np.asarray(np.average(values, axis=-1, weights=self.rows.weight))

    def cost(self, place: Floats) -> float:
        """The penalty at a place."""
        size = self.design.shape[1]
        outputs = place.reshape(-1, size)[:, : self.rows.columns] / self.units.spread
        zero = np.zeros(size - self.rows.columns)
        return sum(self.penalty.value(np.append(one, zero)) for one in outputs)

    def height(self, place: Floats) -> float:
        """The objective at a place."""
        return float(self.mean(self._losses(self.scores(place)))) + self.cost(place)

    def heights(
        self, first: Floats, second: Floats, across: Floats, upward: Floats
    ) -> tuple[Floats, Floats | None]:
        """The objective over a grid, and the share of rows that are right: (upward, across)."""
        start, one, other = map(self.scores, (self.end, first, second))
        loss, right = np.empty((2, upward.size, across.size))
        for row, v in enumerate(upward):
            scores = (start + v * other)[None] + across[:, None, None] * one[None]
            costs = [self.cost(self.end + u * first + v * second) for u in across]
            loss[row] = self.mean(self._losses(scores)) + costs
            if self.classified:
                right[row] = self.mean(self._right(scores))
        return loss, right if self.classified else None

    def _losses(self, scores: Floats) -> Floats:
        return losses_of(self.fit, self.rows.y, scores)

    def _right(self, scores: Floats) -> Floats:
        chosen = scores.argmax(axis=-1) if self.several else scores[..., 0] > 0
        return np.asarray(chosen == self.rows.y, np.float64)

    def bends(self) -> Floats:
        """How the loss bends at the end, of each class by itself: (size, size)."""
        size, scores = self.design.shape[1], self.scores(self.end)
        found = np.zeros((self.end.size, self.end.size))
        for k, bend in enumerate(self._row_bends(scores).T):
            place = slice(k * size, (k + 1) * size)
            found[place, place] = (self.design * bend[:, None]).T @ self.design / len(bend)
        return found if self.end.size <= _MANY else np.diag(np.diag(found))

    def _row_bends(self, scores: Floats) -> Floats:
        """The bend of each row's loss, (n, outputs); 1 where a loss has none."""
        if self.several:
            chances = special.softmax(scores, axis=1)
            return np.asarray(chances * (1 - chances))
        assert isinstance(self.fit.loss, Loss)
        of_score = toward_score(self.fit.loss)
        bend = np.maximum(of_score.at(self.rows.y, scores[:, 0], of_score.bend)[0], 0.0)
        usable = np.isfinite(bend).all() and bend.any()
        return bend[:, None] if usable else np.ones_like(scores)


def _directions(walk: Floats, bends: Floats) -> tuple[Floats, Floats]:
    """The walk's own directions; where it is straight, the one across it that bends most.

    Without a walk the two in which the loss bends most and least.
    """
    if not walk.any():
        vectors = np.linalg.eigh(bends)[1]
        return vectors[:, -1], vectors[:, 0]
    _, sizes, rows = np.linalg.svd(walk, full_matrices=False)
    first = rows[0] * (1 if walk[0] @ rows[0] <= 0 else -1)  # from left to right
    if len(sizes) > 1 and sizes[1] > _STRAIGHT * sizes[0]:
        return first, rows[1]
    across = np.eye(first.size) - np.outer(first, first)
    second = across @ np.linalg.eigh(across @ bends @ across)[1][:, -1]
    if not np.linalg.norm(second) > 0.1:  # the loss is flat across the walk
        second = across[:, np.abs(across).sum(axis=0).argmax()]
    return first, second / np.linalg.norm(second)


def _reaches(
    walk: Floats, directions: tuple[Floats, Floats], bends: Floats, height: float
) -> tuple[Floats, Floats]:
    """The steps of the picture along either direction, with a 0 among them, where the walk ends."""
    curves = [max(float(d @ bends @ d), 1e-300) for d in directions]
    spans = [np.ptp(column) if len(walk) else 0.0 for column in walk.T]
    if not spans[0]:
        spans[0] = np.sqrt(max(abs(height), 1e-300) / curves[0])
    natural = spans[0] * np.clip(np.sqrt(curves[0] / curves[1]), 0.05, 20)
    spans[1] = max(spans[1], _BOWL * natural)
    ends = []
    for span, column in zip(spans, walk.T if len(walk) else np.zeros((2, 1)), strict=True):
        low, high = min(column.min(), 0.0), max(column.max(), 0.0)
        around = max(_BEYOND * span, (span - (high - low)) / 2)
        ends.append(np.linspace(low - around, high + around, _STEPS))
    return ends[0], ends[1]


def _named(direction: Floats, labels: list[str]) -> str:
    """The columns that have most of a direction, with their signs."""
    most = np.argsort(-np.abs(direction))[:3]
    told = [k for k in most if abs(direction[k]) >= _NAMED] or list(most[:1])
    words = [f"{'−' if direction[k] < 0 else '+'} {labels[k]}" for k in told]
    return " ".join(words).removeprefix("+ ")


def heights_of_model(model: LinearModel, X: Any, y: Any, sample_weight: Any) -> Heights:
    """The landscape around an estimator, on rows (n, p) with truths or labels (n,)."""
    rows = _rows_for(model, X, y, sample_weight)
    return heights_around(model, rows, path_of_model(model, rows))


def path_of_model(model: LinearModel, source: Source) -> Path | None:
    """Where the search for an estimator stood at each iteration, on the rows it was fitted to."""
    return path_of(model._fit, model._settings(), source)


def mean_losses_of_model(model: LinearModel, path: Path, source: Source) -> Floats:
    """The mean loss of some rows at each place of a path: (steps,)."""
    return mean_losses(model._fit, path, source)


def heights_around(model: LinearModel, source: Source, path: Path | None) -> Heights:
    """The landscape around an estimator, on rows whose classes are numbers."""
    classes = list(map(str, getattr(model, "classes_", ())))
    return heights_of(model._fit, model._settings(), source, path, model._names, classes)


def _rows_for(model: LinearModel, X: Any, y: Any, sample_weight: Any) -> Rows:
    """Rows as the model's own search saw them, with classes as numbers."""
    features = np.asarray(model._features(X), np.float64)
    weight = read_weights(sample_weight, len(features))
    if not isinstance(model, LinearClassifier):
        return Rows(features, read_target(y, len(features)), weight)
    labels = np.asarray(y)
    codes = np.minimum(np.searchsorted(model.classes_, labels), len(model.classes_) - 1)
    if not np.array_equal(model.classes_[codes], labels):
        raise DataError(f"y holds classes that the model does not know: {model.classes_.tolist()}")
    weight = _by_class(model.class_weight, model.classes_, codes, weight)
    return Rows(features, codes.astype(np.float64), weight)
