"""Which loss is meant, and whether it is defined for the truths that are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offby.engine.evaluate import compute
from offby.errors import DataError
from offby.fit.score import Floats
from offby.formula.expression import Expression, walk
from offby.formula.words import p, y
from offby.losses import Loss, from_text


def read_loss(loss: str | Loss) -> Loss:
    """A loss, or the one that a text names."""
    return from_text(loss) if isinstance(loss, str) else loss


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
