"""The templates of this room's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offby.drawing import templates

if TYPE_CHECKING:
    from jinja2 import Template


def template(name: str) -> Template:
    """A template of this folder, which may build on those of all pages."""
    return templates.template(name, "offby.report")
