"""Names of classes, as pages show them."""

from __future__ import annotations

_MOST = 28


def short(label: str, most: int = _MOST) -> str:
    """A label that fits into a table.

    >>> short("cat"), short("a" * 40, 8)
    ('cat', 'aaaaaaa…')
    """
    return label if len(label) <= most else label[: most - 1] + "…"


def quoted(label: str) -> str:
    """A label in a sentence.

    >>> quoted("cat")
    "'cat'"
    """
    return repr(short(label))
