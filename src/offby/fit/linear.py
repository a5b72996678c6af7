"""From rows to coefficients, a certificate and standard errors: what the estimators share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from offby.engine.rows import Floats
from offby.errors import DataError
from offby.fit.data.rows import Rows, Source, centre_of
from offby.fit.fitted import Fit
from offby.fit.objective.penalty import Penalty, penalty_of
from offby.fit.objective.problem import Problem
from offby.fit.objective.score import ScoreLoss
from offby.fit.objective.shape import shape_of
from offby.fit.passes.blocks import Linear
from offby.fit.solvers.descent import descent_of, holds_out, parts_of, walk_down
from offby.fit.solvers.history import Heard, columns_of, path_of
from offby.fit.solvers.lines import Lines, fit_lines, lines_of
from offby.fit.solvers.newton import Solution
from offby.fit.solvers.scaled import solve_scaled
from offby.fit.solvers.slopes import Hilly
from offby.fit.solvers.solve import solve
from offby.fit.solvers.start import constant_start
from offby.fit.statistics.density import densities_of
from offby.fit.statistics.explained import explained
from offby.fit.statistics.inference import Inference, infer

SAMPLE = 1 << 13
"""How many rows tell what a loss looks like, and which columns lie far from 0."""
_ENDLESS = -1e100
"""No mean of a loss that has a minimum."""
_BLUR = 1e-8
"""The share of the scores' spread that may be rounded away without a word."""


@dataclass(frozen=True)
class Settings:
    """How to fit: the estimators' parameters of the same names."""

    penalty: Any
    alpha: float
    l1_ratio: float
    fit_intercept: bool
    tol: float
    max_iter: int
    solver: Any
    standard_errors: Any
    scale: Any = None


def fit_linear(
    source: Source,
    loss: ScoreLoss,
    settings: Settings,
    heard: Heard | None = None,
    *,
    classes: int = 1,
) -> Fit:
    """Minimise the mean loss plus penalty over the rows of `source`.

    Rows may come in any batches: what is summed over them adds up. `heard` is told of each
    iteration of the search, where there is one and the loss stays the same; `classes` is 2 where y
    is the number of a class. Raises `DataError` for settings that do not fit together, and for a
    loss with a kink.

    >>> from offby.fit.data.rows import Rows
    >>> from offby.fit.objective.score import toward_score
    >>> from offby.losses import Squared
    >>> rows = Rows(np.array([[1.0], [2.0], [3.0]]), np.array([3.0, 5.0, 7.0]))
    >>> plain = Settings(None, 0.0, 0.5, True, 1e-10, 100, "auto", None)
    >>> found = fit_linear(rows, toward_score(Squared()), plain)
    >>> found.coefficients, found.intercepts, found.certificate
    (array([[2.]]), array([1.]), 'duality gap')
    """
    check_search(settings)
    problem, lines = problem_of(source, loss, settings), lines_of(loss.loss)
    with np.errstate(over="ignore", invalid="ignore"):  # steps may go too far; what comes is judged
        problem, solution, scale = _solved(problem, lines, settings, heard, classes)
    if not np.isfinite(solution.objective):
        raise DataError(f"the mean of {loss.loss} is {solution.objective} wherever it was tried")
    if solution.objective < _ENDLESS:
        raise DataError(
            f"the mean of {loss.loss} falls without end: it was {solution.objective:.3g} where the "
            "search gave up; fit a loss that has a least value"
        )
    return described(problem, solution, lines, settings, scale)


def described(
    problem: Problem,
    solution: Solution,
    lines: Lines | None,
    settings: Settings,
    scale: float | None = None,
) -> Fit:
    """A solution with its certificate, its standard errors, and what it explains."""
    return fit_of(
        *problem.outputs(solution.at),
        solution,
        loss=problem.loss.loss,
        link=problem.loss.link,
        certificate=certificate_of(
            solution, convex=problem.convex, held_out=holds_out(settings.solver)
        ),
        rows=problem.source.count,
        inference=_inference(problem, solution, lines, settings),
        scale=scale,
        blurred=blurred(problem, [solution])[0],
        explained=explained(problem, mean_loss_of(problem, solution, settings)),
    )


def blurred(problem: Problem, solutions: Sequence[Solution]) -> list[bool]:
    """Of each, whether coefficients times columns in their own units round away half the digits.

    The objective is that of columns less their centres, which rounds nothing away.
    """
    coefficients = np.concatenate([problem.outputs(one.at)[0] for one in solutions])
    centre = problem.linear.centre
    lost = np.finfo(float).eps * np.abs(coefficients * centre).sum(axis=1)
    if not lost.any():
        return [False] * len(solutions)
    few = problem.source.sample(SAMPLE)
    spread = np.std((few.X - centre) @ coefficients.T, axis=0)
    return [bool(one) for one in lost > _BLUR * spread]


def mean_loss_of(problem: Hilly, solution: Solution, settings: Settings) -> float:
    """That of all rows, without penalty, also where the objective is that of some of them."""
    objective = solution.objective
    if holds_out(settings.solver):
        objective = problem.point(solution.at, bend=False).objective
    return objective - problem.penalty.value(solution.at)


def fit_of(coefficients: Floats, intercepts: Floats, solution: Solution, **more: Any) -> Fit:
    """A solution with what else is known of it."""
    return Fit(
        coefficients=coefficients,
        intercepts=intercepts,
        objective=solution.objective,
        gap=solution.gap,
        converged=solution.converged,
        escapes=solution.escapes,
        iterations=solution.iterations,
        rank=solution.rank,
        history=columns_of(solution.history),
        path=path_of(solution.history),
        **more,
    )


def check_search(settings: Settings) -> None:
    """Raise `DataError` for a search that could not end."""
    whole = isinstance(settings.max_iter, Integral)
    if not settings.tol > 0 or not whole or settings.max_iter < 1:
        raise DataError(
            f"tol is {settings.tol!r} and max_iter {settings.max_iter!r}; expected a number above "
            "0, and a whole one of at least 1"
        )


def _solved(
    problem: Problem, lines: Lines | None, settings: Settings, heard: Heard | None, classes: int
) -> tuple[Problem, Solution, float | None]:
    """The problem as it was solved, its minimum, and the errors' scale if one was asked for."""
    tol, most = settings.tol, settings.max_iter
    descent = descent_of(settings.solver)
    if descent is not None:
        if settings.scale is not None:
            raise DataError(
                f"scale is {settings.scale!r}, and a descent walks down one loss to its end; take "
                "solver 'auto', or give the loss's parameter in units of y"
            )
        parts = parts_of(problem, descent, classes)
        return problem, walk_down(parts, constant_start(parts[0]), descent, tol, most, heard), None
    if settings.scale is not None:
        return solve_scaled(problem, settings.scale, settings.solver, tol, most)
    if lines is not None:
        return problem, _on_lines(problem, lines, settings), None
    return problem, solve(problem, settings.solver, tol, most, heard=heard), None


def _on_lines(problem: Problem, lines: Lines, settings: Settings) -> Solution:
    if not problem.penalty.none or settings.solver != "auto":
        raise DataError(
            f"{problem.loss.loss} has a kink at 0 and an exact solver of its own, for no penalty "
            "and solver 'auto'; a smooth neighbour takes the others: huber with a small delta"
        )
    return fit_lines(problem.source, problem.linear, lines, settings.tol)


def has_errors(problem: Hilly, solution: Solution) -> bool:
    """Whether coefficients have standard errors: no penalty chose them, and there is a minimum."""
    return problem.penalty.smooth and not solution.escapes


def _inference(
    problem: Problem, solution: Solution, lines: Lines | None, settings: Settings
) -> Inference | None:
    kind, density = settings.standard_errors, None
    if kind is None or not has_errors(problem, solution):
        return None
    if lines is not None:
        fits, alike = [(solution.at, lines)], kind == "classical"
        (density,) = densities_of(problem.source, problem.linear, fits, alike=alike)
        if density is None:
            return None
    return infer(problem, solution, kind, density)


def problem_of(source: Source, loss: ScoreLoss, settings: Settings) -> Problem:
    """What is to be minimised over the rows; raises `DataError` for a loss with a kink."""
    few = source.sample(SAMPLE)
    shape = shape_of(loss, few.y)
    exact = lines_of(loss.loss) is not None or descent_of(settings.solver) is not None
    if shape.kink is not None and not exact:
        raise DataError(
            f"{loss.loss} has a kink (its slope jumps at a score of {shape.kink:g}), which Newton "
            "steps cannot see; fit a smooth neighbour (huber, squared_hinge, expectile), or walk "
            "down with solver 'gd' or 'sgd', which prove nothing"
        )
    linear, penalty = linear_and_penalty(few, settings)
    return Problem(source, linear, loss, penalty, shape)


def linear_and_penalty(few: Rows, settings: Settings) -> tuple[Linear, Penalty]:
    """How scores come from rows like these, and what coefficients cost."""
    intercept = bool(settings.fit_intercept)
    centre = centre_of(few) if intercept else np.zeros(few.columns)
    share = settings.alpha, settings.l1_ratio
    penalty = penalty_of(settings.penalty, *share, few.columns, intercept)
    return Linear(centre, intercept), penalty


def certificate_of(solution: Solution, *, convex: bool, held_out: bool = False) -> str:
    """By what the gap is proved, or why it is not."""
    if held_out:
        return "none (the walk ended where its validation rows fared best)"
    if not convex:
        return "none (the loss is not convex: this is a valley, perhaps not the deepest)"
    if solution.escapes:
        return "none (the loss falls without end: there is no minimum)"
    if solution.gap is None:
        return "none"
    return "duality gap"
