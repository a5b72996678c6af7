"""Which noise the errors look like: log-likelihood of each half under what the other half taught.

Nothing is gained there by having more parameters, and the log-likelihoods of a row are paired, so
that their difference has a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.choice import amounts, noise, tweedie
from offby.choice.amounts import Target
from offby.choice.estimate import Estimate
from offby.engine.rows import Floats

_METHOD = "held-out log-likelihood of two hash-split halves, paired t interval"
Weights = Floats | None
_MOST_ALIKE = 0.4
_NEAR = 0.005  # of log-likelihood a row, which no one would notice
_MIXES = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


@dataclass(frozen=True)
class Likeness:
    """How well noise of a kind tells rows it has not seen.

    `behind` is its mean log-likelihood a row less that of the best, and None for the best itself.
    """

    name: str
    words: str
    shapes: int
    log_likelihood: float
    behind: Estimate | None
    noise: noise.Noise | None = None
    """Where it is the same everywhere, as fitted to all rows."""

    @property
    def tied(self) -> bool:
        """Whether the best is not surely better."""
        return self.behind is None or not (self.behind.high is not None and self.behind.high < 0)


@dataclass(frozen=True, eq=False)
class _Learnt:
    """What some rows taught of a kind: its words, and the log-likelihood of other rows."""

    words: str
    log_density: Callable[[Floats, Floats], Floats]
    noise: noise.Noise | None = None


@dataclass(frozen=True, eq=False)
class _Kind:
    """A kind of noise, and how it is learnt from truths and predictions."""

    name: str
    shapes: int
    learn: Callable[[Floats, Floats, Weights], _Learnt]


def halves(rows: int) -> NDArray[np.bool_]:
    """Which rows are of the first half, by a hash of their place (splitmix64, Steele et al. 2014).

    >>> halves(6).tolist()
    [False, True, True, False, True, True]
    """
    bits = (np.arange(rows, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in _MIXES:
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((bits >> np.uint64(63)) == 0, np.bool_)


def most_alike(errors: Floats) -> float:
    """The largest share of errors that are exactly one number."""
    return float(np.unique(errors, return_counts=True)[1].max()) / errors.size


def likenesses(
    y: Floats, p: Floats, kind: Target, confidence: float, weights: Weights = None
) -> tuple[Likeness, ...]:
    """Every kind of noise that such targets can have, the best first; none where errors repeat.

    Where one row in a hundred is exactly zero, only such are compared as give that a chance.
    """
    if kind in ("real", "positive") and most_alike(y - p) > _MOST_ALIKE:
        return ()
    kinds = _kinds(kind)
    scores = {one.name: _held_out(one, y, p, weights) for one in kinds}
    means = {name: float(np.average(each, weights=weights)) for name, each in scores.items()}
    best = max(means, key=means.__getitem__)
    found = []
    for one in kinds:
        whole, score = one.learn(y, p, weights), scores[one.name]
        gap = None if one.name == best else paired(score - scores[best], confidence, weights)
        found.append(Likeness(one.name, whole.words, one.shapes, means[one.name], gap, whole.noise))
    return tuple(sorted(found, key=lambda one: -one.log_likelihood))


def _held_out(kind: _Kind, y: Floats, p: Floats, weights: Weights) -> Floats:
    """The log-likelihood of each row under what the other half taught."""
    first = halves(y.size)
    scores = np.empty(y.size)
    for learnt in (first, ~first):
        some = None if weights is None else weights[learnt]
        taught = kind.learn(y[learnt], p[learnt], some)
        scores[~learnt] = taught.log_density(y[~learnt], p[~learnt])
    return scores


def likeliest(found: tuple[Likeness, ...]) -> Likeness | None:
    """The best, or the simplest of those that it neither surely nor noticeably beats.

    >>> near = Likeness("Student t", "", 1, -1.0, None), Likeness("Gaussian", "", 0, -1.001, None)
    >>> likeliest(near).name
    'Gaussian'
    """
    near = (
        one for one in found if one.tied and one.log_likelihood > found[0].log_likelihood - _NEAR
    )
    return min(near, key=lambda one: one.shapes, default=None)


def paired(differences: Floats, confidence: float, weights: Weights = None) -> Estimate:
    """The mean of differences, with its t interval; of weighted ones by the sandwich."""
    rows = differences.size
    mean = float(np.average(differences, weights=weights))
    shares = np.full(rows, 1 / rows) if weights is None else weights / weights.sum()
    error = float(np.linalg.norm(shares * (differences - mean))) * math.sqrt(rows / (rows - 1))
    reach = float(special.stdtrit(rows - 1, (1 + confidence) / 2)) * error
    return Estimate(mean, mean - reach, mean + reach, _METHOD)


def _kinds(kind: Target) -> list[_Kind]:
    """The same noise everywhere, and for amounts that which depends on the prediction."""
    if kind == "zeros":
        return [_TWEEDIE, _Kind("gamma with zeros", 2, _mixed)]
    density = _of_counts if kind == "counts" else _of_errors
    same = [_Kind(one.name, one.shapes, partial(_same, one, density)) for one in noise.KINDS]
    varying = [
        _Kind(one.name, one.shapes, partial(_varying, one))
        for one in amounts.FAMILIES
        if kind in one.targets
    ]
    return same + varying + ([_TWEEDIE] if kind == "positive" else [])


def _same(
    kind: noise.Kind, density: Callable[[noise.Noise, Floats], Floats], y: Floats, p: Floats,
    weights: Weights,
) -> _Learnt:  # fmt: skip
    found = noise.fitted(kind, y - p, weights)
    return _Learnt(found.words, lambda y, p: density(found, y - p), found)


def _varying(family: amounts.Amounts, y: Floats, p: Floats, weights: Weights) -> _Learnt:
    found = amounts.fitted(family, y, p, weights)
    return _Learnt(found.words, found.log_density)


def _compound(y: Floats, p: Floats, weights: Weights) -> _Learnt:
    found = tweedie.compound(y, p, weights)
    return _Learnt(found.words, found.log_density)


def _mixed(y: Floats, p: Floats, weights: Weights) -> _Learnt:
    found = tweedie.mixed(y, p, weights)
    return _Learnt(found.words, found.log_density)


_TWEEDIE = _Kind("Tweedie", 2, _compound)


def _of_errors(found: noise.Noise, errors: Floats) -> Floats:
    return found.log_density(errors)


def _of_counts(found: noise.Noise, errors: Floats) -> Floats:
    """The chance of a whole number is the density over the unit about it (Gauss-Legendre)."""
    parts = [found.log_density(errors + node / 2) + math.log(weight / 2)
             for node, weight in zip(_NODES.tolist(), _WEIGHTS.tolist(), strict=True)]  # fmt: skip
    return np.asarray(special.logsumexp(parts, axis=0), np.float64)
