"""Which loss is meant, and whether it is defined for the truths that are given."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.engine.rows import Floats
from offby.errors import DataError
from offby.formula.expression import Expression, walk
from offby.formula.words import p, y
from offby.losses import Loss, Pinball, from_text


def read_loss(loss: str | Loss) -> Loss:
    """A loss, or the one that a text names; `DataError` for what is neither."""
    if isinstance(loss, str):
        return from_text(loss)
    if isinstance(loss, Loss):
        return loss
    raise DataError(
        f"loss is {loss!r}; expected one loss, or its name as text (QuantileRegressor takes "
        "several quantiles)"
    )


def levels_of(loss: str | Loss | None) -> tuple[float, ...] | None:
    """The levels of a text that names several of the pinball loss; None for any other loss.

    Raises `DataError` for levels that are none, or do not rise.

    >>> levels_of("pinball:0.1,0.5,0.9"), levels_of("pinball:0.9")
    ((0.1, 0.5, 0.9), None)
    """
    name, _, numbers = loss.partition(":") if isinstance(loss, str) else ("", "", "")
    parts = numbers.replace(":", ",").split(",")
    if name.strip() != Pinball.name or len(parts) < 2:
        return None
    return read_levels(parts)


def read_levels(levels: Any) -> tuple[float, ...]:
    """Numbers between 0 and 1 that rise; `DataError` for anything else.

    >>> read_levels([0.1, "0.9"])
    (0.1, 0.9)
    """
    try:
        found = tuple(map(float, levels))
    except (TypeError, ValueError):
        found = ()
    if not found or not all(low < high for low, high in pairwise((0.0, *found, 1.0))):
        raise DataError(
            f"the quantiles are {levels!r}; expected numbers above 0 and below 1 that rise, none "
            "twice, such as 0.1, 0.5, 0.9"
        )
    return found


def defined_for(loss: Loss, truths: Floats) -> NDArray[np.bool_]:
    """For which truths a loss is defined: (n,)."""
    if loss.domain is None:
        return np.ones(truths.size, bool)
    (inside,) = compute([loss.bound(loss.domain)], {y: truths, p: 1.0})
    return np.asarray(inside != 0)


def check_domain(loss: Loss, truths: Floats, first_row: int = 0) -> None:
    """Raise `DataError` unless the loss is defined for all truths, naming the first that is not."""
    bad = np.flatnonzero(~defined_for(loss, truths))
    if bad.size:
        assert loss.domain is not None
        raise DataError(
            f"{loss} needs targets y with {_of_truths(loss.domain)!r}; {bad.size} of {truths.size} "
            f"are outside, first {truths[bad[0]]:g} in row {first_row + bad[0] + 1} (counted from "
            "1); fit another loss, or leave such rows out"
        )


def _of_truths(domain: Expression) -> Expression:
    """What a domain asks of truths, without what it asks of predictions."""
    if domain.op != "logical_and" or p not in set(walk(domain)):
        return domain
    kept = [part for part in domain.args if p not in set(walk(part))]
    return kept[0] if len(kept) == 1 else domain
