"""Which loss to train with: the answer, its table and its evidence, and the ways to show them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from offby.choice import Study
from offby.drawing.chart import Chart
from offby.report import choice_charts, choice_page, choice_text, choice_words
from offby.report.report import strict


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
class Choice:
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

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values; what JSON has no number for is a string."""
        noises = None if self.noises is None else list(self.noises.values)
        return strict(  # type: ignore[no-any-return]
            {
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
                "noises": noises,
                **(
                    {}
                    if self.trimmed is None
                    else {
                        "without_worst": list(self.trimmed.values),
                        "finished": self.finished,
                    }
                ),
                "evidence": {one.name: {"text": one.text, **one.estimate} for one in self.evidence},
            }
        )

    def to_json(self, indent: int | None = 2) -> str:
        """The answer as strict JSON."""
        return json.dumps(self.as_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """The answer as one page that opens offline; written to `path` if one is given."""
        text = choice_page.render(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def to_text(self, width: int | None = None, *, color: bool = False) -> str:
        """The answer as the terminal shows it."""
        return choice_text.to_text(self, width, color=color)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return choice_page.fragment(self)


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
