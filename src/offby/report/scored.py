"""What the pictures of binary scores are drawn from, and the cut between yes and no."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from offby.confusion import Confusion
from offby.drawing import plot
from offby.drawing.chart import Key
from offby.drawing.plot import ORANGE, Axis, Spec
from offby.report.class_view import ClassView
from offby.report.labels import quoted
from offby.scores import Costs, ScoreCounts


@dataclass(frozen=True)
class Scored:
    """Rows by score and class, with the threshold and what came of it."""

    counts: ScoreCounts
    confusion: Confusion
    threshold: float
    confidence: float
    costs: Costs | None

    @classmethod
    def of(cls, view: ClassView) -> Scored | None:
        """What a classifier's view has to draw, if it has scores."""
        if view.scores is None or view.confusion is None:
            return None
        task = view.task
        given = task.costs if task.costs is not None and len(task.costs) == 2 else None
        costs = None if given is None or isinstance(given[0], tuple) else Costs(*given)
        return cls(view.scores, view.confusion, task.threshold, view.confidence, costs)

    @property
    def positive(self) -> str:
        """The class whose probability the score is, as text names it."""
        return quoted(self.confusion.labels[1])

    @cached_property
    def found(self) -> float:
        """The share of the positive rows that are called so (recall)."""
        return self._share(1, 1)

    @cached_property
    def alarms(self) -> float:
        """The share of the negative rows that are called positive."""
        return self._share(0, 1)

    @property
    def called(self) -> float:
        """The weight of the rows that are called positive."""
        return float(self.confusion.weights[:, 1].sum())

    @property
    def right(self) -> float:
        """The share of positive rows among those called so (precision)."""
        return float(self.confusion.weights[1, 1]) / self.called

    def _share(self, true: int, called: int) -> float:
        return float(self.confusion.weights[true, called] / self.confusion.support[true])

    @property
    def cut(self) -> Key:
        """What the dot of the present threshold stands for."""
        return Key("dot", ORANGE, f"the cut at {self.threshold:g}")

    @staticmethod
    def mark(x: Axis, up: Axis, at: float, height: float) -> Spec:
        """The dot of the present threshold."""
        return plot.dots(x, up, [at], [height], ORANGE, size=90)


def share_axis(title: str, most: float = 1.0) -> Axis:
    """An axis of shares from 0 to 1, or nearer where all are small; the ends' lines are seen."""
    top = 1.0 if most >= 0.5 else most
    return Axis(title, -0.02 * top, 1.02 * top, "~%")
