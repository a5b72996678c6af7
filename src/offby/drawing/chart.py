"""What stands on a page besides text: a picture with its keys, and a small table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """What a colour stands for; `shape` is line, dot, area or faint."""

    shape: str
    color: str
    text: str
    dash: tuple[int, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A picture with its title, its caption and what its colours stand for."""

    title: str
    caption: str
    keys: tuple[Key, ...]
    body: str
    """Markup: an SVG, or a table that is a picture by its colours."""
    broad: bool = False
    """Whether it takes the width of the page."""


@dataclass(frozen=True)
class Listing:
    """A small table: what matters in it is bold, and each line ends in a bar for its last cell."""

    title: str
    say: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    bars: tuple[float, ...]  # in pixels
