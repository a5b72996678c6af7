"""Fitting a score for each of several classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from offby.errors import DataError
from offby.fit.explained import explained_of_classes
from offby.fit.fitted import Fit
from offby.fit.history import Heard
from offby.fit.inference import infer_classes
from offby.fit.linear import (
    SAMPLE,
    Settings,
    certificate_of,
    check_search,
    fit_of,
    linear_and_penalty,
)
from offby.fit.newton import minimise
from offby.fit.penalty import Penalty
from offby.fit.rows import Source
from offby.fit.softmax import SoftmaxProblem, contrasts_of
from offby.fit.solve import last_resort
from offby.losses import SoftmaxCrossEntropy


def fit_classes(
    source: Source, classes: int, settings: Settings, heard: Heard | None = None
) -> Fit:
    """Minimise the mean cross-entropy of the softmax of a score for each class, plus penalty.

    The y of `source` is the number of each row's class. Raises `DataError` for an l1 penalty.

    >>> from offby.fit.rows import Rows
    >>> rows = Rows(np.zeros((4, 1)), np.array([0.0, 0.0, 1.0, 2.0]))
    >>> ridge = Settings("l2", 1.0, 0.5, True, 1e-10, 100, "auto", None)
    >>> chances = np.exp(fit_classes(rows, 3, ridge).intercepts)
    >>> (chances / chances.sum()).round(9)
    array([0.5 , 0.25, 0.25])
    """
    check_search(settings)
    problem = problem_of_classes(source, classes, settings)
    how = settings.tol, settings.max_iter
    solution = minimise(problem, np.zeros(problem.size), *how, heard)
    if solution.escapes:
        held = replace(problem, penalty=last_resort(source, problem.linear, classes - 1))
        there = minimise(held, np.zeros(problem.size), *how).at
        objective = problem.point(there, bend=False).objective
        solution = replace(solution, at=there, objective=objective, gap=objective)
    kind = settings.standard_errors
    mean_loss = solution.objective - problem.penalty.value(solution.at)
    return fit_of(
        *problem.outputs(solution.at),
        solution,
        loss=SoftmaxCrossEntropy(),
        link="identity",
        certificate=certificate_of(solution, convex=True),
        rows=source.count,
        explained=explained_of_classes(source, mean_loss),
        inference=None if kind is None else infer_classes(problem, solution, kind),
    )


def problem_of_classes(source: Source, classes: int, settings: Settings) -> SoftmaxProblem:
    """The cross-entropy of these rows, as a function of contrasts of coefficients."""
    if settings.penalty not in (None, "l2") or settings.solver not in ("auto", "newton"):
        raise DataError(
            f"penalty is {settings.penalty!r}, solver {settings.solver!r}; {classes} classes at "
            "once are fitted with penalty None or 'l2' and solver 'auto'; take those, or fit "
            "each class against the rest: scikit-learn's OneVsRestClassifier around this does it"
        )
    linear, penalty = linear_and_penalty(source.sample(SAMPLE), settings)
    several = Penalty(np.tile(penalty.l1, classes - 1), np.tile(penalty.l2, classes - 1))
    return SoftmaxProblem(source, linear, contrasts_of(classes), several)
