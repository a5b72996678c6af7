"""What a comparison of models found, and the ways to show it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from offby.errors import MeasureError
from offby.measures.measurement import Measurement
from offby.pairs.difference import TARGETS, Difference
from offby.report import comparison_page, comparison_text
from offby.report.answer import Answer
from offby.report.comparison_segments import ComparedSegment
from offby.report.comparison_view import ComparisonView
from offby.report.finding import Finding

if TYPE_CHECKING:
    from rich.console import Console

Pair = tuple[str, str]


@dataclass(frozen=True)
class Rank:
    """The place of a model by the first measure, and by how much it lies behind the best."""

    place: int
    model: str
    measured: Measurement
    behind: Difference | None  # None for the best itself


@dataclass(frozen=True, repr=False)
class Comparison(Answer):
    """The measures of several models on the same rows, their differences, and what they mean.

    The first model is the one that others are compared with. `comparison["mae"]` is the
    `Difference` of the last model and the first, `comparison.difference("mae", "b", "a")` that of
    any two; `measures["mae"]["a"]` is a `Measurement`. Intervals of a measure's differences hold
    together for all pairs of models.
    """

    rows: int
    models: tuple[str, ...]
    measures: Mapping[str, Mapping[str, Measurement]]
    differences: Mapping[str, Mapping[Pair, Difference]]  # by measure, then (model, against)
    nearer: Mapping[Pair, Measurement]  # how often (model, against) is nearer to the truth
    findings: tuple[Finding, ...] = ()
    task: str = "regression"
    confidence: float = 0.95
    dropped: int = 0
    columns: str = ""
    """Which columns were compared, and as what."""
    source: str = ""
    view: ComparisonView | None = None
    segments: tuple[ComparedSegment, ...] = ()
    """The same within segments, those in which a model is worse than the first of them first."""

    def __getitem__(self, measure: str) -> Difference:
        return self.difference(measure)

    def difference(
        self, measure: str, model: str | None = None, against: str | None = None
    ) -> Difference:
        """By how much `model` (the last) exceeds `against` (the first) in a measure."""
        if measure not in self.differences:
            known = ", ".join(self.differences)
            raise MeasureError(f"{measure!r} was not compared; this comparison holds {known}")
        pair = model or self.models[-1], against or self.models[0]
        found = self.differences[measure]
        if pair in found:
            return found[pair]
        if pair[::-1] in found:
            return found[pair[::-1]].flipped
        raise MeasureError(
            f"{pair[0]!r} and {pair[1]!r} are no two of the models {', '.join(self.models)}"
        )

    @property
    def deciding(self) -> str:
        """The measure that ranks the models: the first that is defined for any."""
        names = list(self.measures)
        return next((name for name in names if self._known(name)), names[0])

    def _known(self, name: str) -> bool:
        return any(m.value is not None for m in self.measures[name].values())

    @cached_property
    def ranking(self) -> tuple[Rank, ...]:
        """The models by the deciding measure, the best first."""
        found = self.measures[self.deciding]
        order = sorted(self.models, key=lambda model: badness(found[model]))
        return tuple(
            Rank(
                place,
                model,
                found[model],
                self.difference(self.deciding, model, order[0]) if place > 1 else None,
            )
            for place, model in enumerate(order, start=1)
        )

    def _values(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "dropped": self.dropped,
            "source": self.source,
            "columns": self.columns,
            "task": self.task,
            "models": list(self.models),
            "ranking": {
                "measure": self.deciding,
                "models": [rank.model for rank in self.ranking],
            },
            "measures": {
                name: {model: m.to_dict() for model, m in models.items()}
                for name, models in self.measures.items()
            },
            "differences": [d.to_dict() for of in self.differences.values() for d in of.values()],
            "nearer": [_share(pair, m) for pair, m in self.nearer.items()],
            "segments": [segment.to_dict() for segment in self.segments],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def _show(self, console: Console) -> None:
        comparison_text.show(self, console)

    def _page(self, *, whole: bool) -> str:
        return comparison_page.render(self, whole=whole)


def badness(measured: Measurement) -> float:
    """A number that is the lower the better the measure; what is undefined comes last."""
    value = measured.value
    if value is None or math.isnan(value):
        return math.inf
    if measured.better in TARGETS:
        return abs(value - TARGETS[measured.better])
    return -value if measured.better == "higher" else value


def _share(pair: Pair, measured: Measurement) -> dict[str, Any]:
    return {"model": pair[0], "against": pair[1], "share": measured.value,
            "low": measured.low, "high": measured.high}  # fmt: skip
