"""What the pictures of a comparison are drawn from, beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from offby.engine.rows import Floats


@dataclass(frozen=True)
class ComparisonView:
    """A few thousand rows, evenly spread over the table: the truth and all predictions."""

    y_true: Floats
    y_pred: Mapping[str, Floats]
