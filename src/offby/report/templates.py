"""The templates of this room's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offby.drawing import templates

if TYPE_CHECKING:
    from jinja2 import Template


def template(name: str) -> Template:
    """A template of this folder, which may build on those of all pages."""
    return templates.template(name, "offby.report")


def filled(name: str, *, whole: bool, **content: Any) -> str:
    """A page, or what a notebook shows of it, styled by itself alone."""
    from offby import __version__

    return template(name).render(whole=whole, version=__version__, **content).strip()
