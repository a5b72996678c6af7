"""A trial of losses as the answer that `choose` gives."""

from __future__ import annotations

from functools import partial
from typing import Any

from offby.choice.trained.judged import Costs
from offby.choice.trained.reading import Read
from offby.choice.trained.scored import Scored
from offby.choice.trained.verdict import Verdict, Weighed
from offby.report import study_charts, study_words
from offby.report.choice import Choice, Evidence, Table


def tried(found: Weighed, rows: Read, costs: Costs | None = None) -> Choice:
    """The answer in words, with the table *train under A, judged by B*."""
    scored = found.trial.scored
    return Choice(
        study_words.recommendation(found),
        study_words.sentences(found, rows),
        table(found, scored, found.verdict, "Train under one loss, judged by all"),
        tuple(
            Evidence(name, text, estimate.to_dict())
            for name, text, estimate in study_words.statements(found, rows.left_out)
        ),
        scored.judges[0], rows.y.size + rows.dropped, rows.y.size, rows.dropped,
        scored.confidence, None, _told(rows), rows.source, None, without_worst(found),
        found.trial.finished, partial(study_charts.charts, found, costs),
    )  # fmt: skip


def without_worst(found: Weighed) -> Table:
    """The same table without the rows that cost most."""
    title = f"The same without the {found.trial.worst.size:,} rows that cost most"
    return table(found, found.trial.trimmed, found.without_worst, title)


def table(found: Weighed, scored: Scored, told: Verdict, title: str) -> Table:
    """Candidates by measures."""
    places = range(len(scored.names))
    lines = tuple(study_words.line(found, scored, told, place) for place in places)
    values = tuple(_values(found, scored, told, place) for place in places)
    return Table(title, study_words.heads(found), lines, values, _heat(scored))


def _heat(scored: Scored) -> tuple[tuple[float | None, ...], ...]:
    """How near each candidate's cost is to the largest of its column, none where words stand."""
    columns = []
    for judge in range(len(scored.judges)):
        costs = [scored.mean(place, judge) for place in range(len(scored.names))]
        known = [cost for cost in costs if cost is not None]
        low, high = min(known, default=0.0), max(known, default=0.0)
        columns.append([None if cost is None or high <= low else (cost - low) / (high - low)
                        for cost in costs])  # fmt: skip
    return tuple((None, first, None, None, *rest) for first, *rest in zip(*columns, strict=True))


def _values(found: Weighed, scored: Scored, told: Verdict, place: int) -> dict[str, Any]:
    names = study_words.measures(found)
    measures = {name: study_words.value(scored, place, k) for k, name in enumerate(names)}
    return {
        "loss": scored.names[place],
        "functional": found.trial.candidates[place].functional,
        "judged": measures,
        "gain": scored.sure_gain(place).to_dict() if place else None,
        "verdict": study_words.said(found, scored, told, place),
    }


def _told(rows: Read) -> str:
    kind = f"yes is {rows.positive!r}; " if rows.positive else ""
    columns = "1 column" if len(rows.features) == 1 else f"{len(rows.features)} columns"
    return f"Trained on {columns}; {kind}".strip().rstrip(";") + "."
