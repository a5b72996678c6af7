"""What a pass found: measurements, findings in words, and the ways to show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from offby.confusion import Confusion
from offby.errors import MeasureError
from offby.interventions import Intervention, Trials
from offby.measures.measurement import Measurement
from offby.report import class_terminal, needle, page, terminal
from offby.report.answer import Answer
from offby.report.class_view import ClassView
from offby.report.finding import Finding
from offby.report.view import View
from offby.scores import ScoreCounts
from offby.segments.search import Search
from offby.segments.segment import Segment

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, repr=False)
class Report(Answer):
    """The measurements of a table, what they mean, and pictures of it.

    `report["rmse"]` is a `Measurement`. With several outputs the measurements are averages over
    them, and `outputs` holds a report for each.
    """

    rows: int
    measures: Mapping[str, Measurement]
    findings: tuple[Finding, ...] = ()
    dropped: int = 0
    columns: str = ""
    """Which columns were taken, and how they were found."""
    source: str = ""
    task: str = "regression"
    view: View | ClassView | None = None
    outputs: Mapping[str, Report] = field(default_factory=dict)
    trials: Trials | None = None
    """What would move the needle, not tried before it is asked for."""
    segments: tuple[Segment, ...] = ()
    """Parts of the table that were asked for, those surely worse first."""
    search: Search | None = None
    """The segments that were found to own most excess loss, if they were searched for."""

    def __getitem__(self, name: str) -> Measurement:
        if name not in self.measures:
            raise MeasureError(
                f"{name!r} was not measured; this report holds {', '.join(self.measures)}"
            )
        return self.measures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.measures)

    def __contains__(self, name: object) -> bool:
        return name in self.measures

    @property
    def confusion(self) -> Confusion | None:
        """The confusion matrix of a classifier; `offby.confusion` says what can be asked of it."""
        return self.view.confusion if isinstance(self.view, ClassView) else None

    @property
    def scores(self) -> ScoreCounts | None:
        """The rows of a binary table by score and class, for the curves of `offby.scores`."""
        return self.view.scores if isinstance(self.view, ClassView) else None

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """What simple corrections would take off the loss, held out; the best that survive first.

        Empty on fewer than 50 rows, and for several outputs, whose own reports have them.
        """
        return () if self.trials is None else self.trials.interventions

    def _values(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "rows": self.rows,
            "dropped": self.dropped,
            "source": self.source,
            "columns": self.columns,
            "task": self.task,
            "measures": {name: m.to_dict() for name, m in self.measures.items()},
            "findings": [finding.to_dict() for finding in self.findings],
            "interventions": [needle.to_dict(one) for one in self.interventions],
        }
        if isinstance(self.view, ClassView):
            found |= class_terminal.to_dict(self.view)
        if self.segments:
            found["segments"] = [segment.to_dict() for segment in self.segments]
        if self.search is not None:
            found["search"] = self.search.to_dict()
        if self.outputs:
            found["outputs"] = {name: r.to_dict() for name, r in self.outputs.items()}
        return found

    def _show(self, console: Console) -> None:
        terminal.show(self, console)

    def _page(self, *, whole: bool) -> str:
        return page.render(self, whole=whole)
