"""What the page of a classifier shows beside its measures."""

from __future__ import annotations

from offby.report.class_view import ClassView
from offby.report.drawn import Chart, Listing


def charts(view: ClassView, most: int | None = None) -> list[Chart]:
    return []


def listings(view: ClassView, count: int) -> list[Listing]:
    return []
