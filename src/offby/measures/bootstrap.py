"""BCa bootstrap intervals for all measures of means together (Efron 1987).

A measure of means is a function of a few sums, so a replicate is a weighted sum of term rows and
all replicates of all measures are one matrix product. It needs the rows: 8 bytes a row and term.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from offby.engine.evaluate import compute
from offby.engine.rows import Rows
from offby.formula.aggregates import MOMENTS, aggregates_of
from offby.formula.arrays import evaluate
from offby.formula.expression import Expression
from offby.formula.words import p, w, y
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.uncertainty import moments_only

REPLICATES = 2000
SEED = 20_261_121
_DRAWS_AT_ONCE = 1 << 22
_ROUNDING = 1e-14
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Terms:
    """A column a term, each about its own mean so that nothing cancels, and the means."""

    columns: Floats  # rows by terms; the weight is the last
    places: Mapping[Expression, int]
    squares: Mapping[tuple[Expression, Expression], int]
    centres: Floats

    def aggregates(self, sums: Floats, parts: Sequence[Expression]) -> dict[Expression, Floats]:
        """The aggregates that belong to rows of summed columns."""
        means = sums / sums[:, -1:]
        found = {}
        for part in parts:
            first, last = self.places[part.args[0]], self.places[part.args[-1]]
            if part.op == "mean":
                found[part] = means[:, first] + self.centres[first]
            else:
                square = self.squares[part.args[0], part.args[-1]]
                spread = means[:, square] - means[:, first] * means[:, last]
                noise = np.abs(spread) <= _ROUNDING * np.abs(means[:, square])
                found[part] = np.where(noise, 0.0, spread)  # one row drawn again and again
        return found


def bootstrapped(
    rows: Rows, measures: Sequence[Measure], found: Mapping[str, Measurement], confidence: float
) -> dict[str, Measurement]:
    """The measurements with BCa intervals, where a measure is one of means and has a value."""
    able = [m for m in measures if moments_only(m.formula) and found[m.name].low is not None]
    if not able:
        return dict(found)
    parts = list(dict.fromkeys(part for m in able for part in aggregates_of(m.formula)))
    terms = _terms(rows, parts)
    whole = terms.columns.sum(axis=0)
    replicates = terms.aggregates(_replicate_sums(terms.columns), parts)
    left_out = terms.aggregates(whole - terms.columns, parts)
    return dict(found) | {
        m.name: _interval(found[m.name], _values(m, replicates), _values(m, left_out), confidence)
        for m in able
    }


def _terms(rows: Rows, parts: Sequence[Expression]) -> _Terms:
    assert all(part.op in MOMENTS for part in parts)
    each = list(dict.fromkeys(term for part in parts for term in part.args))
    values = {y: rows.y_true, p: rows.y_pred}
    if rows.weight is not None:
        values[w] = rows.weight
    columns = compute(each, values)
    weight = np.ones(rows.count) if rows.weight is None else rows.weight
    centres = np.array([np.average(column, weights=weight) for column in columns])
    columns = [column - centre for column, centre in zip(columns, centres, strict=True)]
    places = {term: place for place, term in enumerate(each)}
    squares = {}
    for part in parts:
        if part.op != "mean":
            first, last = part.args[0], part.args[-1]
            squares[first, last] = len(columns)
            columns.append(columns[places[first]] * columns[places[last]])
    weighted = [column * weight for column in columns] + [weight]
    return _Terms(np.stack(weighted, axis=1), places, squares, centres)


def _replicate_sums(columns: Floats) -> Floats:
    """The column sums of each resample; a resample is how often each row was drawn."""
    rows = columns.shape[0]
    generator = np.random.default_rng(SEED)
    at_once = max(1, min(REPLICATES, _DRAWS_AT_ONCE // rows))
    sums = []
    for start in range(0, REPLICATES, at_once):
        many = min(at_once, REPLICATES - start)
        drawn = generator.integers(0, rows, (many, rows), dtype=np.int32)
        drawn += np.arange(many, dtype=np.int32)[:, None] * np.int32(rows)
        counts = np.bincount(drawn.ravel(), minlength=many * rows).reshape(many, rows)
        sums.append(counts @ columns)
    return np.concatenate(sums)


def _values(measure: Measure, aggregates: Mapping[Expression, Floats]) -> Floats:
    with np.errstate(all="ignore"):
        parts = {part: aggregates[part] for part in aggregates_of(measure.formula)}
        return np.asarray(evaluate(measure.formula, parts))


def _interval(
    found: Measurement, replicates: Floats, left_out: Floats, confidence: float
) -> Measurement:
    """Bias-corrected and accelerated: quantiles of the replicates, moved as BCa says."""
    assert found.value is not None
    replicates = np.sort(replicates[np.isfinite(replicates)])
    below = np.mean(replicates < found.value) + np.mean(replicates == found.value) / 2
    if replicates.size < REPLICATES / 2 or not 0 < below < 1:
        return found
    shift = float(special.ndtri(below))
    away = left_out.mean() - left_out
    spread = float(np.sum(away**2)) ** 1.5
    acceleration = float(np.sum(away**3)) / (6 * spread) if spread else 0.0
    ends = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        moved = shift + float(special.ndtri(tail))
        share = float(special.ndtr(shift + moved / (1 - acceleration * moved)))
        ends.append(float(np.quantile(replicates, min(max(share, 0.0), 1.0))))
    error = float(np.std(replicates, ddof=1))
    return found.with_interval(error, *ends) if math.isfinite(error) else found
