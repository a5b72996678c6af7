"""The answer as one page that opens offline, and as what a notebook shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offby.report.choice_text import read
from offby.report.templates import filled

if TYPE_CHECKING:
    from offby.report.choice import Choice

_NOTES = "Noise is actual − predicted; a nat is the unit of log-likelihood. "


def render(choice: Choice, *, whole: bool) -> str:
    """The page, or the same for a notebook."""
    return filled("choice.html.j2", whole=whole, **_content(choice))


def _content(choice: Choice) -> dict[str, Any]:
    first, *others = choice.sentences
    return {
        "source": choice.source,
        "columns": read(choice),
        "main": {"headline": first, "charts": choice.draw()},
        "others": " ".join(others),
        "tables": [
            table for table in (choice.table, choice.trimmed, choice.noises) if table is not None
        ],
        "evidence": choice.evidence,
        "summary": [],
        "footnote": _NOTES,
    }
