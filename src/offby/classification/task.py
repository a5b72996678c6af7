"""What kind of table is measured: numbers against numbers, or labels against probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from offby.errors import MeasureError
from offby.formula.expression import Expression, symbol
from offby.formula.words import p, r, where, y

Kind = Literal["regression", "binary", "multiclass"]

q = symbol("q")
"""The probability that was given to the class that came (multiclass)."""
square = symbol("square")
"""The sum over the classes of (probability - 1 or 0)^2 (multiclass)."""
rank = symbol("rank")
"""How many classes were given more probability than the one that came (multiclass)."""
top = symbol("top")
"""The largest probability of the row (multiclass)."""


@dataclass(frozen=True)
class Task:
    """The kind of a table and what its numbers stand for.

    `scores` says that probabilities came; without, y and p are codes of labels. `costs` are those
    of a false positive and a false negative, or a K by K matrix with a row a true class. `positive`
    names the class whose probability p is.
    """

    kind: Kind = "regression"
    scores: bool = False
    positive: str | None = None
    threshold: float = 0.5
    costs: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise MeasureError(f"task is {self.kind!r}; expected {', '.join(get_args(Kind))}")
        if not 0 <= self.threshold <= 1:
            raise MeasureError(
                f"the threshold is {self.threshold}; it must be a probability, between 0 and 1"
            )

    @property
    def inputs(self) -> tuple[Expression, ...]:
        """The columns that formulas of this task may speak of, beside the weight."""
        return (y, p, q, square, rank, top) if self._spread else (y, p)

    @property
    def worst(self) -> Expression:
        """What is largest in the worst rows."""
        return 1 - q if self._spread else abs(r)

    @property
    def predicted(self) -> Expression:
        """The code of the predicted class."""
        return where(p >= self.threshold, 1, 0) if self.kind == "binary" and self.scores else p

    @property
    def _spread(self) -> bool:
        return self.kind == "multiclass" and self.scores


REGRESSION = Task()
