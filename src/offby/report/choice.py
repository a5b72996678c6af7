"""Which loss to train with: the answer, its table and its evidence, and the ways to show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from offby.choice import Study
from offby.drawing.chart import Chart
from offby.report import choice_charts, choice_page, choice_text, choice_words
from offby.report.answer import Answer

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Table:
    """A table of the answer: `lines` of words for people, and the same as plain `values`."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    values: tuple[dict[str, Any], ...]
    heat: tuple[tuple[float | None, ...], ...] = ()
    """From 0 (best) to 1 (worst) of its column, for each cell of each line that has a colour."""


@dataclass(frozen=True)
class Evidence:
    """One thing that the data show: a sentence, the estimate behind it, and how it was made."""

    name: str
    text: str
    estimate: dict[str, Any]


@dataclass(frozen=True, repr=False)
class Choice(Answer):
    """The loss to train with, given the judge: one line, three sentences, a table, evidence.

    `str(choice)` is what the terminal shows; `study` holds the numbers, where predictions were
    studied.
    """

    recommendation: str
    sentences: tuple[str, ...]
    table: Table
    evidence: tuple[Evidence, ...]
    judge: str
    rows: int
    used: int
    """How many of the rows were studied: a sample, evenly spread, where the table is long."""
    dropped: int = 0
    confidence: float = 0.95
    noises: Table | None = None
    """Kinds of noise by how well they tell rows that they have not seen."""
    columns: str = ""
    source: str = ""
    study: Study | None = None
    trimmed: Table | None = None
    """The same table without the rows that cost most, where losses were trained under."""
    finished: bool = True
    draw: Callable[[], list[Chart]] = list
    """The pictures of the page."""

    def _values(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "recommendation": self.recommendation,
            "sentences": list(self.sentences),
            "judge": self.judge,
            "rows": self.rows,
            "used": self.used,
            "dropped": self.dropped,
            "confidence": self.confidence,
            "source": self.source,
            "columns": self.columns,
            "table": list(self.table.values),
            "noises": None if self.noises is None else list(self.noises.values),
        }
        if self.trimmed is not None:
            found |= {"without_worst": list(self.trimmed.values), "finished": self.finished}
        evidence = {one.name: {"text": one.text, **one.estimate} for one in self.evidence}
        return found | {"evidence": evidence}

    def _show(self, console: Console) -> None:
        choice_text.show(self, console)

    def _page(self, *, whole: bool) -> str:
        return choice_page.render(self, whole=whole)


def chosen(
    study: Study, rows: int, dropped: int = 0, columns: str = "", source: str = ""
) -> Choice:
    """What a study of predictions says, in words."""
    return Choice(
        choice_words.recommendation(study),
        choice_words.sentences(study),
        Table("What you could train with", choice_words.CANDIDATES,
              tuple(choice_words.candidate(one, study) for one in study.candidates),
              tuple(one.to_dict() for one in study.candidates)),
        tuple(
            Evidence(name, text, study.evidence[name].to_dict())
            for name, text in choice_words.statements(study)
        ),
        study.judge.name, rows, study.y.size, dropped, study.confidence, _noises(study),
        columns, source, study, draw=partial(choice_charts.charts, study),
    )  # fmt: skip


def _noises(study: Study) -> Table | None:
    if not study.likenesses:
        return None
    lines = tuple(choice_words.likeness(one, study) for one in study.likenesses)
    values = tuple(
        {
            "noise": one.words,
            "log_likelihood": one.log_likelihood,
            "behind": None if one.behind is None else one.behind.to_dict(),
        }
        for one in study.likenesses
    )
    return Table("Which noise the errors look like", choice_words.NOISES, lines, values)
