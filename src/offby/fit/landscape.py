"""The loss around a fitted model, over the two directions that tell most, and the path walked.

Coefficients are measured in units of the score: each times its column's standard deviation, the
intercept for columns with their means taken off. In such units no direction is long only because
its column is small, and a score is linear in the two steps, so a picture costs three products.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from offby.drawing.landscape import Landscape
from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Rows, Source, joined
from offby.fit.fitted import Fit
from offby.fit.linear import Settings
from offby.fit.objective.mean_loss import losses_of
from offby.fit.objective.penalty import penalty_of
from offby.fit.objective.score import toward_score
from offby.fit.objective.softmax import softmax_slopes
from offby.losses import Loss

_STEPS = 49
_LOSSES = 1 << 27  # of single rows in a picture: a second or two
_NUMBERS = 1 << 24  # of the columns: 128 MB
_BEYOND = 0.35  # of the walk, on all sides of it
_STRAIGHT = 0.02  # a walk that leaves its line by less shows no second direction
_RISE = 0.01  # of the loss, which the picture shows at least
_DOUBLINGS = 12
_BOWL = 0.6  # of the second direction that would show as much of the bowl as the first
_NAMED = 0.35  # of a direction's length: a column that has so much of it is named
_MANY = 1500  # numbers: beyond, bends are looked at along the columns alone


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


def landscape_of(
    fit: Fit,
    settings: Settings,
    source: Source,
    names: Sequence[str],
    classes: Sequence[str],
    loss_name: str,
) -> Landscape:
    """The loss around a fit to these rows: of all where that takes seconds, else of some of them.

    Those lie evenly over all, and their heights are levelled and tilted so that height and slope at
    the model are those of all rows: it then lies where the picture is lowest. Of `classes` the
    share of rows that are right stands beside it. `names` are the columns'. Raises `DataError`
    where a single number was fitted, since a picture has two directions.
    """
    most = min(_LOSSES // (_STEPS**2 * len(fit.intercepts)), _NUMBERS // fit.coefficients.shape[1])
    rows = spread_sample(source, most)
    units = Units.of(rows, settings.fit_intercept)
    end = units.places(fit.coefficients, fit.intercepts)
    if end.size < 2:
        raise DataError(f"a landscape has two directions, and {names[0]!r} alone was fitted")
    walk = np.zeros((0, end.size))
    if fit.path is not None:
        walk = np.vstack([units.places(fit.path.coefficients, fit.path.intercepts), end]) - end
    view = _View(fit, settings, rows, units, end, classified=bool(classes))
    bends = view.bends()
    plane = _directions(walk, bends)
    on_it = walk @ np.stack(plane, axis=1)
    across, upward = _reaches(on_it, plane, bends, view)
    loss, accuracy = view.heights(plane, across, upward)
    if rows.count < source.count:
        level, *tilt = view.means(source.parts(), plane) - view.means([rows], plane)
        loss += level + tilt[0] * across + tilt[1] * upward[:, None]
    columns = [*names, "(intercept)"] if units.intercept else names
    outputs = [f" for {label}" for label in classes] if view.several else [""]
    labels = [f"{name}{output}" for output in outputs for name in columns]
    return Landscape(
        across=across,
        upward=upward,
        loss=loss,
        accuracy=accuracy,
        walk=on_it,
        directions=(_named(plane[0], labels), _named(plane[1], labels)),
        name=loss_name,
        rows=rows.count,
        all_rows=source.count,
    )


def spread_sample(source: Source, most: int) -> Rows:
    """Rows at equal distances over all of a source, no more than `most`; all if there are fewer."""
    step = max(-(-source.count // most), 1)
    if step == 1 and isinstance(source, Rows):
        return source
    found, seen = list[Rows](), 0
    for part in source.parts():
        found.append(part.chosen(np.arange(-seen % step, part.count, step)))
        seen += part.count
    return joined(found)


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
        return _scores(self.design, place)

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
        self, plane: tuple[Floats, Floats], across: Floats, upward: Floats
    ) -> tuple[Floats, Floats | None]:
        """The objective over a grid, and the share of rows that are right: (upward, across)."""
        first, second = plane
        start, one, other = map(self.scores, (self.end, first, second))
        loss, right = np.empty((2, upward.size, across.size))
        for row, v in enumerate(upward):
            scores = (start + v * other)[None] + across[:, None, None] * one[None]
            costs = [self.cost(self.end + u * first + v * second) for u in across]
            loss[row] = self.mean(self._losses(scores)) + costs
            if self.classified:
                right[row] = self.mean(self._right(scores))
        return loss, right if self.classified else None

    def means(self, parts: Iterable[Rows], plane: tuple[Floats, Floats]) -> Floats:
        """The mean loss at the end of rows, and its slope in both directions of a plane: (3,)."""
        sums, weights = np.zeros(3), 0.0
        for rows in parts:
            design = self.units.design(rows.X)
            start, *steps = (_scores(design, place) for place in (self.end, *plane))
            slopes = self._slopes(rows.y, start)
            facts = [losses_of(self.fit.loss, rows.y, start)]
            facts += [(slopes * step).sum(axis=1) for step in steps]
            sums, weights = sums + np.stack(facts) @ rows.weights, weights + rows.total_weight
        return np.asarray(sums / weights)

    def _slopes(self, truths: Floats, scores: Floats) -> Floats:
        """The slope of each row's loss towards its scores: (n, outputs)."""
        if self.several:
            return softmax_slopes(truths, scores)
        assert isinstance(self.fit.loss, Loss)
        of_score = toward_score(self.fit.loss)
        return of_score.at(truths, scores[:, 0], of_score.slope)[0][:, None]

    def _losses(self, scores: Floats) -> Floats:
        return losses_of(self.fit.loss, self.rows.y, scores)

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


def _scores(design: Floats, place: Floats) -> Floats:
    return np.asarray(design @ place.reshape(-1, design.shape[1]).T)


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
    walk: Floats, directions: tuple[Floats, Floats], bends: Floats, view: _View
) -> tuple[Floats, Floats]:
    """The steps of the picture along either direction, with a 0 among them, where the walk ends."""
    curves = [max(float(d @ bends @ d), 1e-300) for d in directions]
    spans = [np.ptp(column) if len(walk) else 0.0 for column in walk.T]
    least = _way_up(view, directions[0], curves[0])
    spans[0] = max(spans[0], least) if spans[0] else 3 * least
    natural = spans[0] * np.clip(np.sqrt(curves[0] / curves[1]), 0.05, 20)
    spans[1] = max(spans[1], _BOWL * natural)
    ends = []
    for span, column in zip(spans, walk.T if len(walk) else np.zeros((2, 1)), strict=True):
        low, high = min(column.min(), 0.0), max(column.max(), 0.0)
        around = max(_BEYOND * span, (span - (high - low)) / 2)
        ends.append(np.linspace(low - around, high + around, _STEPS))
    return ends[0], ends[1]


def _way_up(view: _View, direction: Floats, curve: float) -> float:
    """How far to go until the loss is somewhat higher: in less than that nothing is seen."""
    height = view.height(view.end)
    way = float(np.sqrt(_RISE * max(abs(height), 1e-300) / curve))
    for _ in range(_DOUBLINGS):  # the bend says little of losses of two lines
        ends = [view.height(view.end + sign * way * direction) for sign in (-1, 1)]
        if not max(ends) < height + _RISE * abs(height):
            break
        way *= 2
    return way


def _named(direction: Floats, labels: list[str]) -> str:
    """The columns that have most of a direction, with their signs."""
    most = np.argsort(-np.abs(direction))[:3]
    told = [k for k in most if abs(direction[k]) >= _NAMED] or list(most[:1])
    words = [f"{'−' if direction[k] < 0 else '+'} {labels[k]}" for k in told]
    return " ".join(words).removeprefix("+ ")
