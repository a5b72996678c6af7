"""What kind of table is measured: numbers against numbers, or labels against probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from offby.errors import MeasureError
from offby.formula.expression import Expression, symbol
from offby.formula.words import log, p, r, where, y
from offby.losses import LogLoss

Kind = Literal["regression", "binary", "multiclass"]

q = symbol("q")
"""The probability that was given to the class that came (multiclass)."""
square = symbol("square")
"""The sum over the classes of (probability - 1 or 0)^2 (multiclass)."""
rank = symbol("rank")
"""How many classes were given more probability than the one that came (multiclass)."""
top = symbol("top")
"""The largest probability of the row (multiclass)."""


def chance(code: int) -> Expression:
    """The probability that was given to one class (multiclass), where measures ask for it.

    >>> chance(2)
    p2
    """
    return symbol(f"p{code}")


@dataclass(frozen=True)
class Task:
    """The kind of a table and what its numbers stand for.

    `scores` says that probabilities came; without, y and p are codes of labels. `costs` are those
    of a false positive and a false negative, or a K by K matrix with a row a true class. `positive`
    names the class of a binary table that precision, recall and the like are of, and whose
    probability comes; from `threshold` on a row is predicted as that class.

    >>> Task("binary", scores=True, positive="yes").threshold
    0.5
    """

    kind: Kind = "regression"
    scores: bool = False
    positive: str | None = None
    threshold: float = 0.5
    costs: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None
    doubt: str = field(default="", compare=False)
    """Why it may be another, where that is not told."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise MeasureError(f"task is {self.kind!r}; expected {', '.join(get_args(Kind))}")
        if not 0 <= self.threshold <= 1:
            raise MeasureError(
                f"the threshold is {self.threshold}; it must be a probability, between 0 and 1"
            )
        if self.kind == "binary" and self.positive is None:
            raise MeasureError("a binary task needs its positive class: Task(…, positive='LABEL')")

    @property
    def inputs(self) -> tuple[Expression, ...]:
        """The columns that formulas of this task may speak of, beside the weight."""
        return (y, p, q, square, rank, top) if self._spread else (y, p)

    @property
    def words(self) -> dict[str, Expression]:
        """What formulas may call these columns, beside y and p."""
        return {one.data: one for one in (q, square, rank, top)} if self._spread else {}

    @property
    def worst(self) -> Expression:
        """What is largest in the worst rows."""
        if not self.scores and self.kind != "regression":
            return where(y == p, 0, 1)  # codes of labels have no size
        return 1 - q if self._spread else abs(r)

    @property
    def predicted(self) -> Expression:
        """The code of the predicted class."""
        return where(p >= self.threshold, 1, 0) if self.kind == "binary" and self.scores else p

    @property
    def loss(self) -> tuple[str, Expression]:
        """The usual loss of a row, by its name: what segments are searched by."""
        if self.kind == "regression":
            return "mae", abs(r)
        if not self.scores:
            return "error rate", where(y == p, 0, 1)
        return "log_loss", -log(q) if self._spread else LogLoss.formula

    @property
    def _spread(self) -> bool:
        return self.kind == "multiclass" and self.scores


REGRESSION = Task()
