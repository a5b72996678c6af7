"""What was counted of one output, and what its report is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from offby.engine.plan import plan_for
from offby.engine.rows import Policy, Rows, update
from offby.engine.sample import Sample
from offby.engine.state import State
from offby.formula.expression import Expression
from offby.formula.words import r
from offby.measures.aggregate import counted_by
from offby.measures.measure import Measure
from offby.report.tail import Tail, tail_of
from offby.report.view import Row, View
from offby.report.view_losses import shapes

_BY_SIZE = abs(r)


class Column:
    """What was counted of one output."""

    def __init__(self, name: str, state: State) -> None:
        self.name, self.state = name, state
        self.sample = Sample()
        self.dropped = 0
        self.kept: list[Rows] = []
        self.worst: dict[int, tuple[float, float, float]] = {}  # row -> truth, prediction, weight

    def update(self, rows: Rows, nan: Policy, *, keep: bool) -> None:
        """Count the rows of a batch, and keep them if the bootstrap will ask for them."""
        start = self.state.span
        kept = update(self.state, rows, nan)
        self.dropped += kept.dropped
        self.sample.update(kept.y_true, kept.y_pred)
        self._remember(rows, start)
        if keep:
            self.kept.append(kept)

    def kept_rows(self) -> Rows:
        """All rows that were kept."""
        weights = [rows.weight for rows in self.kept if rows.weight is not None]
        return Rows(
            np.concatenate([rows.y_true for rows in self.kept]),
            np.concatenate([rows.y_pred for rows in self.kept]),
            np.concatenate(weights) if weights else None,
        )

    def _remember(self, rows: Rows, start: int) -> None:
        """Keep the values of the worst rows, while they are at hand."""
        places = [place for place in self.state.worst_places() if place >= 0]
        for place in places:
            at = place - start
            if 0 <= at < rows.count:
                weight = 1.0 if rows.weight is None else float(rows.weight[at])
                self.worst[place] = (float(rows.y_true[at]), float(rows.y_pred[at]), weight)
        self.worst = {place: self.worst[place] for place in places}

    def merge(self, other: Column) -> None:
        """Add another's rows after these."""
        moved = {place + self.state.span: values for place, values in other.worst.items()}
        self.state.merge(other.state)
        self.sample.merge(other.sample)
        self.dropped += other.dropped
        both = {**self.worst, **moved}
        self.worst = {k: both[k] for k in self.state.worst_places() if k >= 0}

    def to_tree(self) -> dict[str, Any]:
        """Numbers and arrays, for `storage.pack`."""
        return {
            "name": self.name,
            "weighted": self.state.plan.weighted,
            "dropped": self.dropped,
            "worst": [[place, *values] for place, values in self.worst.items()],
            "state": self.state.to_tree(),
            "sample": self.sample.to_tree(),
        }

    @classmethod
    def from_tree(cls, formulas: tuple[Expression, ...], tree: dict[str, Any]) -> Column:
        """The column that `to_tree` wrote down."""
        plan = plan_for(formulas, tree["weighted"])
        column = cls(tree["name"], State.from_tree(plan, tree["state"]))
        column.dropped = tree["dropped"]
        column.worst = {int(place): (a, b, c) for place, a, b, c in tree["worst"]}
        column.sample = Sample.from_tree(tree["sample"])
        return column

    def view(self, mse: float | None, tail: Tail | None, asked: Iterable[Measure]) -> View:
        """What pictures and findings look at."""
        sums = self.state.sums
        whole = float(sums.weight(self.state.plan)) * (mse or np.nan)
        worst = tuple(
            Row(place + 1, y_true, y_pred, weight * (y_pred - y_true) ** 2 / whole)
            for place, (y_true, y_pred, weight) in self.worst.items()
        )
        counted = counted_by(self.state, _BY_SIZE)
        assert counted is not None
        sizes = (counted.counts.low() + counted.counts.high()) / 2
        return View(*self.sample.columns(), sizes, counted.weights, worst, tail, shapes(asked))
