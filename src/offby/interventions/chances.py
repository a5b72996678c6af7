"""Corrections of probabilities: shifted, rescaled, recalibrated, capped; the threshold moved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import special

from offby.engine.rows import Floats
from offby.formula.words import log, p, r, where
from offby.interventions.descent import Line, descend
from offby.interventions.judged import Judged
from offby.interventions.numeric import Correction, Fitted
from offby.interventions.seen import Seen
from offby.interventions.steps import blocks
from offby.losses import LogLoss

LOG_LOSS = Judged("log_loss", LogLoss().expression)
OF_TRUTH = Judged("log_loss", -log(p))
"""Log loss of the probability that was given to what came."""
_SURE = 1e-15  # log-odds of 0 and 1 are taken this far from them
_OFF = (0.001, 0.003, 0.01, 0.03)  # how far from 0 and 1 probabilities can be kept
_SHARES = (*_OFF, 0.1, 0.3)  # of a guess


def corrections(judged: Judged) -> list[Correction]:
    """What can be tried on probabilities of a yes; it is fitted by likelihood."""
    return [
        Correction("remove the bias", "add {shift} to the log-odds", shift),
        Correction("rescale", "log-odds of {intercept} + {slope} × log-odds", line),
        Correction("recalibrate", "isotonic, a rising curve from score to probability", rising),
        Correction("cap", "keep probabilities within {low} … {high}", partial(cap, judged),
                   mends=True),
    ]  # fmt: skip


def softening(classes: int) -> list[Correction]:
    """What can be tried where only the probability of what came is known."""
    text = "mix {share} of a uniform guess into the probabilities"
    return [Correction("soften", text, partial(soften, classes), mends=True)]


def cutting(cost: Judged) -> list[Correction]:
    """Another threshold; predictions are yes (1) and no (0) then."""
    return [Correction("move the threshold", "say yes from a probability of {threshold}",
                       partial(cut, cost))]  # fmt: skip


def cost(false_positive: float, false_negative: float, name: str) -> Judged:
    """What decisions cost a row.

    >>> cost(1, 5, "cost").losses(np.array([0.0, 1.0]), np.array([1.0, 0.0])).tolist()
    [1.0, 5.0]
    """
    return Judged(name, where(r > 0, false_positive, where(r < 0, false_negative, 0)))


def shift(seen: Seen) -> Fitted:
    """The likeliest number to add to all log-odds."""
    (found,) = _likeliest(seen, np.ones((1, seen.p.size)))
    return Fitted(lambda p: special.expit(_log_odds(p) + found), {"shift": found})


def line(seen: Seen) -> Fitted:
    """The likeliest line on the scale of log-odds (Cox 1958, Platt 1999).

    >>> truth, given = np.array([0, 1.0, 0, 0, 1, 1, 1, 0]), np.array([0.1, 0.9] * 4)
    >>> slope = line(Seen(truth, given, np.ones(8))).numbers["slope"]
    >>> abs(slope) < 1e-3
    True
    """
    columns = np.stack([np.ones(seen.p.size), _log_odds(seen.p)])
    intercept, tilt = _likeliest(seen, columns)
    slope = 1 + tilt
    return Fitted(
        lambda p: special.expit(intercept + slope * _log_odds(p)),
        {"intercept": intercept, "slope": slope},
    )


def rising(seen: Seen) -> Fitted:
    """Rising steps; half a row of either class beside each, so that no step is surely 0 or 1."""
    found = blocks(seen)
    weight = np.bincount(found.of_row, seen.w)
    one = float(seen.w.mean())
    rates = (np.bincount(found.of_row, seen.w * seen.y) + one / 2) / (weight + one)
    return Fitted(found.curve(rates))


def cap(judged: Judged, seen: Seen) -> Fitted:
    """The distance from 0 and 1 that costs least."""
    losses = [seen.mean(judged.losses(seen.y, np.clip(seen.p, off, 1 - off))) for off in _OFF]
    off = _OFF[int(np.argmin(losses))]
    return Fitted(lambda p: np.clip(p, off, 1 - off), {"low": off, "high": 1 - off})


def soften(classes: int, seen: Seen) -> Fitted:
    """The share of a uniform guess whose admixture costs least."""

    def mixed(share: float) -> Callable[[Floats], Floats]:
        return lambda p: (1 - share) * p + share / classes

    losses = [seen.mean(OF_TRUTH.losses(seen.y, mixed(share)(seen.p))) for share in _SHARES]
    best = _SHARES[int(np.argmin(losses))]
    return Fitted(mixed(best), {"share": best})


def cut(cost: Judged, seen: Seen) -> Fitted:
    """The threshold that costs least: half way between two scores, or beyond them all."""
    order = np.argsort(seen.p)
    scores, weight = seen.p[order], seen.w[order]
    alarm, miss = (cost.losses(seen.y[order], np.full(scores.size, said)) for said in (1.0, 0.0))
    below = np.concatenate([[0.0], np.cumsum(weight * miss)])
    above = np.concatenate([np.cumsum((weight * alarm)[::-1])[::-1], [0.0]])
    free = np.concatenate([[True], np.diff(scores) > 0, [True]])  # equal scores stay together
    at = int(np.argmin(np.where(free, below + above, np.inf)))
    ends = np.concatenate([[0.0], scores, [1.0]])
    found = float(ends[at] + ends[at + 1]) / 2 if 0 < at < scores.size else float(at > 0)
    return Fitted(lambda p: (p >= found).astype(np.float64), {"threshold": found})


def _likeliest(seen: Seen, columns: Floats) -> list[float]:
    start = _log_odds(seen.p)

    def slopes(by: Floats) -> tuple[Floats, Floats, Floats]:
        odds = start + by
        chance = special.expit(odds)
        losses = np.logaddexp(0.0, odds) - seen.y * odds
        return losses, chance - seen.y, chance * (1 - chance)

    found: list[float] = descend(slopes, Line(columns), seen.w).tolist()
    return found


def _log_odds(probability: Floats) -> Floats:
    return np.asarray(special.logit(np.clip(probability, _SURE, 1 - _SURE)))
