"""Where the seeds of a simulation begin, and how sure a share of its data sets is."""

from __future__ import annotations

import math
import sys

_Z = 1.959963984540054


def number(option: str, usual: int) -> int:
    """The number after an option of the command line."""
    return int(sys.argv[sys.argv.index(option) + 1]) if option in sys.argv else usual


FIRST = number("--first", 0)


def share(count: int, of: int) -> str:
    """A share in per cent, with its 95 % interval (Wilson 1927).

    >>> share(0, 100)
    '0 % (0 … 3.7)'
    """
    p, weight = count / of, _Z**2 / of
    middle = (p + weight / 2) / (1 + weight)
    reach = _Z * math.sqrt(p * (1 - p) / of + weight / 4 / of) / (1 + weight)
    low, high = max(middle - reach, 0.0) if count else 0.0, min(middle + reach, 1.0)
    return f"{100 * p:.3g} % ({100 * low:.2g} … {100 * high:.3g})"
