"""JSON lines: an object a line, of numbers by name."""

from __future__ import annotations

import json
import re
from typing import Any, final

from offby.runs.part import RowsPart

SUFFIXES = (".jsonl", ".ndjson")
_NUMBER = re.compile(r'"\s*:\s*(-?[\d.]|NaN|-?Infinity)')


def recognised(head: str) -> bool:
    """Whether the first line of a file is an object with a number in it.

    >>> recognised('{"epoch": 1, "loss": 0.5}'), recognised('{"prompt": "2 + 2"}')
    (True, False)
    """
    first = head.lstrip("\ufeff \n\r").partition("\n")[0]
    return first.startswith("{") and _NUMBER.search(first) is not None


@final
class JsonlPart(RowsPart):
    """A log of JSON lines; a line that is not an object (a crash cut it) is skipped and counted."""

    def take(self, text: str) -> None:
        """Read all lines at once, or one by one where one of them is bad."""
        lines = [line for line in map(str.strip, text.split("\n")) if line]
        rows = _all(lines) or [_parsed(line) for line in lines]
        good = [row for row in rows if isinstance(row, dict)]
        self.rows.extend(good)
        if len(good) < len(rows):
            self.skip("not a JSON object", len(rows) - len(good))


def _all(lines: list[str]) -> list[Any] | None:
    """The objects of lines that all hold one, found three times as fast as one by one."""
    if not all(line[0] == "{" and line[-1] == "}" for line in lines):
        return None
    try:
        rows: list[Any] = json.loads(f"[{','.join(lines)}]")
    except (ValueError, RecursionError):
        return None
    return rows if len(rows) == len(lines) else None


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
