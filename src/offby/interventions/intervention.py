"""What could be done about a loss, and what that would take off it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Intervention:
    """A correction with the gain it has on rows that it was not fitted to.

    `text` says what to do, with places such as {shift} for the numbers that were `fitted`; those
    are there only where the gain survives: it is larger than chance explains, at the confidence of
    the report for all that was tried together (Holm). `low` and `high` are this one's own interval.
    `also` is the share of another loss that it takes off. A `bound` is no forecast: nobody can do
    better by those means.
    """

    name: str
    text: str
    loss: str
    """The name of the loss it is judged by."""
    gain: float
    """What it takes off that loss, in the loss's units."""
    low: float | None
    high: float | None
    relative: float
    """The gain as a share of the loss."""
    survives: bool
    fitted: Mapping[str, float] = field(default_factory=dict)
    also: Mapping[str, float] = field(default_factory=dict)
    bound: bool = False


def ordered(found: Iterable[Intervention]) -> tuple[Intervention, ...]:
    """What survives first, then bounds, then the rest; in each the largest share of a loss first.

    >>> none = Intervention("a", "", "mae", 0.0, -1.0, 1.0, 0.0, survives=False)
    >>> some = Intervention("b", "", "mae", 2.0, 1.0, 3.0, 0.2, survives=True)
    >>> [each.name for each in ordered([none, some])]
    ['b', 'a']
    """
    return tuple(
        sorted(found, key=lambda each: (not each.survives, not each.bound, -each.relative))
    )
