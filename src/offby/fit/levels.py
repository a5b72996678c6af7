"""Many quantiles of the same rows, each with the certificate and errors that one alone has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from offby.fit.data.rows import Rows, Source, slices_of
from offby.fit.fitted import Fit
from offby.fit.linear import Settings, blurred, certificate_of, check_search, fit_of, problem_of
from offby.fit.objective.problem import Problem
from offby.fit.objective.score import toward_score
from offby.fit.quantiles.path import QuantilePath, quantile_path
from offby.fit.quantiles.streamed import quantiles_of_source
from offby.fit.solvers.lines import Lines, solution_of
from offby.fit.solvers.newton import Solution
from offby.fit.statistics.density import densities_of
from offby.fit.statistics.inference import Inference, infer_several
from offby.losses import Pinball

_AT_ONCE = 1 << 22  # numbers: 32 MB


def fit_levels(
    source: Source, levels: Sequence[float], settings: Settings
) -> tuple[tuple[Fit, ...], float]:
    """The fit at each level, rising, and the share of the rows (by weight) at which they cross.

    Rows read in parts are read some six times. Raises `DataError` for settings that do not fit
    together.

    >>> rows = Rows(np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0.0, 2.0, 1.0, 5.0]))
    >>> plain = Settings(None, 0.0, 0.5, True, 1e-10, 100, "auto", None)
    >>> fits, crossed = fit_levels(rows, (0.25, 0.75), plain)
    >>> [fit.coefficients.tolist() for fit in fits], crossed
    ([[[1.0]], [[3.0]]], 0.0)
    """
    check_search(settings)
    found = _path(source, levels, settings)
    first = problem_of(source, toward_score(Pinball(found.fits[0].tau)), settings)
    # in the first level's problem the loss alone is another: all are of the same shape
    problems = [replace(first, loss=toward_score(Pinball(one.tau))) for one in found.fits]
    solutions = [solution_of(one, first.linear, 1.0, settings.tol) for one in found.fits]
    known = _inferences(problems, solutions, found, settings.standard_errors)
    far = blurred(first, solutions)
    return tuple(map(_fit, problems, solutions, known, far)), _crossed(source, found)


def _path(source: Source, levels: Sequence[float], settings: Settings) -> QuantilePath:
    intercept, tol = bool(settings.fit_intercept), settings.tol
    if isinstance(source, Rows):
        return quantile_path(source.X, source.y, levels, source.weight, intercept, tol)
    return QuantilePath(quantiles_of_source(source, levels, intercept, tol))


def _fit(problem: Problem, solution: Solution, inference: Inference | None, far: bool) -> Fit:
    return fit_of(
        *problem.outputs(solution.at),
        solution,
        loss=problem.loss.loss,
        link=problem.loss.link,
        certificate=certificate_of(solution, convex=True),
        rows=problem.source.count,
        inference=inference,
        blurred=far,
    )


def _inferences(
    problems: Sequence[Problem], solutions: Sequence[Solution], found: QuantilePath, kind: Any
) -> list[Inference | None]:
    """What is known of each level; nothing of one whose errors have no spread."""
    if kind is None:
        return [None] * len(problems)
    fits = [(one.at, Lines(fit.tau, 1.0)) for one, fit in zip(solutions, found.fits, strict=True)]
    source, linear = problems[0].source, problems[0].linear
    densities = densities_of(source, linear, fits, alike=kind == "classical")
    some = [place for place, density in enumerate(densities) if density is not None]
    inferred = iter(infer_several(
        [problems[k] for k in some], [solutions[k] for k in some], kind,
        [densities[k] for k in some],
    ))  # fmt: skip
    return [None if density is None else next(inferred) for density in densities]


def _crossed(source: Source, found: QuantilePath) -> float:
    """In slices, since a number for each row and level may be much."""
    size = max(_AT_ONCE // len(found.fits), 1)
    sums = np.sum([_crossing(part, found) for part in slices_of(source, size)], axis=0)
    return float(sums[0] / sums[1])


def _crossing(rows: Rows, found: QuantilePath) -> tuple[float, float]:
    """The weight of the rows where fits cross, and that of all."""
    crossed = found.crossed(rows.X)
    if rows.weight is None:
        return float(np.count_nonzero(crossed)), float(rows.count)
    return float(rows.weight[crossed].sum()), float(rows.weight.sum())
