"""The answer as one page that opens offline, and as what a notebook shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offby.report.choice_text import read
from offby.report.templates import template

if TYPE_CHECKING:
    from offby.report.choice import Choice

_NOTES = "Noise is actual − predicted; a nat is the unit of log-likelihood. "


def render(choice: Choice) -> str:
    """The whole page."""
    return _template(choice, whole=True) + "\n"


def fragment(choice: Choice) -> str:
    """The same for a notebook, styled by itself alone."""
    return _template(choice, whole=False)


def _template(choice: Choice, *, whole: bool) -> str:
    return template("choice.html.j2").render(whole=whole, **_content(choice)).strip()


def _content(choice: Choice) -> dict[str, Any]:
    from offby import __version__

    first, *others = choice.sentences
    return {
        "version": __version__,
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
