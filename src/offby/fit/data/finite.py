"""Whether all numbers are finite, at the speed of reading them once."""

from __future__ import annotations

from typing import Any

from offby.engine.memory import any_unfit, prefetch
from offby.formula.kept import kept_bare

_LINE = 8  # numbers that memory brings at once
_LINES = 64  # numbers that are asked for at once
_AHEAD = 512  # numbers, to be asked for before they are read


@kept_bare
def unfit(numbers: Any) -> bool:
    """Whether one of the numbers is not finite."""
    first, count = numbers.ctypes.data, numbers.size
    for i in range(0, count, _LINES):
        for j in range(0, _LINES, _LINE):
            prefetch(first, i + _AHEAD + j)
        if any_unfit(first + 8 * i, min(_LINES, count - i)):
            return True
    return False
