"""A finding: something the numbers mean, in words that name their evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One statement with its kind (for machines), its text (for people) and its numbers."""

    kind: str
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the kind and the text first."""
        return {"kind": self.kind, "text": self.text, **self.numbers}
