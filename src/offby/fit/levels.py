"""Many quantiles of the same rows, each with the certificate and errors that one alone has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from offby.fit.fitted import Fit
from offby.fit.linear import Settings, check_search, described, problem_of
from offby.fit.lines import Lines, solution_of
from offby.fit.problem import Problem
from offby.fit.quantiles.exact import QuantileFit
from offby.fit.quantiles.path import QuantilePath, quantile_path
from offby.fit.rows import Rows
from offby.fit.score import toward_score
from offby.losses import Pinball

_AT_ONCE = 1 << 22  # numbers: 32 MB


def fit_levels(
    rows: Rows, levels: Sequence[float], settings: Settings
) -> tuple[tuple[Fit, ...], float]:
    """The fit at each level, rising, and the share of the rows (by weight) at which they cross.

    Raises `DataError` for settings that do not fit together.

    >>> rows = Rows(np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0.0, 2.0, 1.0, 5.0]))
    >>> plain = Settings(None, 0.0, 0.5, True, 1e-10, 100, "auto", None)
    >>> fits, crossed = fit_levels(rows, (0.25, 0.75), plain)
    >>> [fit.coefficients.tolist() for fit in fits], crossed
    ([[[1.0]], [[3.0]]], 0.0)
    """
    check_search(settings)
    intercept = bool(settings.fit_intercept)
    found = quantile_path(rows.X, rows.y, levels, rows.weight, intercept, settings.tol)
    first = problem_of(rows, toward_score(Pinball(found.fits[0].tau)), settings)
    return tuple(_fit(first, one, settings) for one in found.fits), _crossed(rows, found)


def _crossed(rows: Rows, found: QuantilePath) -> float:
    """In slices, since a number for each row and level may be much."""
    size = max(_AT_ONCE // len(found.fits), 1)
    parts = [found.crossed(rows.X[k : k + size]) for k in range(0, rows.count, size)]
    return float(rows.mean_of(np.concatenate(parts).astype(np.float64)))


def _fit(first: Problem, found: QuantileFit, settings: Settings) -> Fit:
    """In the first level's problem the loss alone is another: all are of the same shape."""
    problem = replace(first, loss=toward_score(Pinball(found.tau)))
    solution = solution_of(found, problem.linear, 1.0, settings.tol)
    return described(problem, solution, Lines(found.tau, 1.0), settings)
