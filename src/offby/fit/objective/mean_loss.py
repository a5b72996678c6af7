"""What a linear model loses on rows, wherever its coefficients stand."""

from __future__ import annotations

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.fit.data.rows import Source
from offby.fit.objective.score import toward_score
from offby.losses import CategoricalLoss, Loss


def mean_loss(
    loss: Loss | CategoricalLoss, coefficients: Floats, intercepts: Floats, source: Source
) -> float:
    """The mean loss of rows, without penalty, at coefficients (outputs, p), intercepts (outputs,).

    >>> from offby.fit.data.rows import Rows
    >>> from offby.losses import Squared
    >>> rows = Rows(np.array([[1.0], [2.0]]), np.array([1.0, 4.0]))
    >>> mean_loss(Squared(), np.ones((1, 1)), np.ones(1), rows)
    1.0
    """
    total = weights = 0.0
    for part in source.parts():
        found = losses_of(loss, part.y, part.X @ coefficients.T + intercepts)
        total, weights = total + float(part.weights @ found), weights + part.total_weight
    return total / weights


def losses_of(loss: Loss | CategoricalLoss, truths: Floats, scores: Floats) -> Floats:
    """The loss of each row: truths (n,) and scores (…, n, outputs) to (…, n).

    Several outputs are those of a softmax.
    """
    if scores.shape[-1] > 1:
        own = np.broadcast_to(truths.astype(int)[:, None], (*scores.shape[:-1], 1))
        chosen = np.take_along_axis(scores, own, -1)[..., 0]
        return np.asarray(special.logsumexp(scores, axis=-1) - chosen)
    assert isinstance(loss, Loss)
    of_score = toward_score(loss)
    return of_score.at(truths, scores[..., 0], of_score.value)[0]
