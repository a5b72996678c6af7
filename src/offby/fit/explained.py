"""How much of the best constant's loss a model saves on the rows it was fitted to."""

from __future__ import annotations

import numpy as np
from scipy import special

from offby.fit.rows import Rows, Source
from offby.losses import Loss


def explained(source: Source, loss: Loss, mean_loss: float) -> float | None:
    """1 less the mean loss as a share of the best constant's: R² for squared loss.

    None where that constant is not a mean, which alone is found at once; where rows are read in
    batches, since it would take further passes; and where the constant loses nothing.

    >>> from offby.losses import Squared
    >>> explained(Rows(np.zeros((2, 1)), np.array([0.0, 2.0])), Squared(), 0.25)
    0.75
    """
    if not isinstance(source, Rows) or loss.functional != "mean":
        return None
    constant = loss.best_constant(source.y, source.weight)
    return _saved(mean_loss, loss.mean(source.y, np.full(source.count, constant), source.weight))


def explained_of_classes(source: Source, mean_loss: float) -> float | None:
    """The same for the cross-entropy of classes, whose best constants are their shares."""
    if not isinstance(source, Rows):
        return None
    totals = np.bincount(source.y.astype(int), source.weight)
    return _saved(mean_loss, float(special.entr(totals / totals.sum()).sum()))


def _saved(mean_loss: float, constant: float) -> float | None:
    return 1 - mean_loss / constant if constant > 0 and np.isfinite(constant) else None
