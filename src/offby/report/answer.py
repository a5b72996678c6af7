"""What the answers of all verbs share: as plain values, as text, as a page, and in a notebook."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offby.report.printed import printed

if TYPE_CHECKING:
    from rich.console import Console


class Answer(ABC):
    """What a verb found, and the ways to show it; every kind of answer says what is shown."""

    @abstractmethod
    def _values(self) -> dict[str, Any]:
        """Everything found as plain values, among which may be numbers that JSON has not."""

    @abstractmethod
    def _show(self, console: Console) -> None:
        """Print it."""

    @abstractmethod
    def _page(self, *, whole: bool) -> str:
        """The page, or what a notebook shows of it."""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values; what JSON has no number for is a string."""
        return {name: _strict(value) for name, value in self._values().items()}

    def to_json(self, indent: int | None = 2) -> str:
        """Everything as strict JSON; what JSON lacks is "Infinity", "-Infinity" or "NaN"."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """The page, which opens offline; written to `path` if one is given."""
        text = self._page(whole=True) + "\n"
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def to_text(self, width: int | None = None, *, color: bool = False) -> str:
        """The text that a terminal so wide shows; 80 columns if not told."""
        return printed(self._show, width, color)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self._page(whole=False)


def _strict(value: Any) -> Any:
    """Plain values without the numbers that JSON has not."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _strict(inner) for key, inner in value.items()}
    return [_strict(inner) for inner in value] if isinstance(value, list | tuple) else value
