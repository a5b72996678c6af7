"""Fitting a score for each of several classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from offby.errors import DataError
from offby.fit.data.rows import Source
from offby.fit.fitted import Fit
from offby.fit.linear import (
    SAMPLE,
    Settings,
    certificate_of,
    check_search,
    fit_of,
    has_errors,
    linear_and_penalty,
    mean_loss_of,
)
from offby.fit.objective.places import Places
from offby.fit.objective.softmax import SoftmaxProblem
from offby.fit.solvers.descent import descent_of, holds_out, parts_of, walk_down
from offby.fit.solvers.history import Heard
from offby.fit.solvers.newton import Solution, minimise
from offby.fit.solvers.solve import held_back, last_resort
from offby.fit.statistics.explained import explained_of_classes
from offby.fit.statistics.inference import infer_classes
from offby.losses import SoftmaxCrossEntropy


def fit_classes(
    source: Source, classes: int, settings: Settings, heard: Heard | None = None
) -> Fit:
    """Minimise the mean cross-entropy of the softmax of a score for each class, plus penalty.

    The y of `source` is the number of each row's class. Raises `DataError` for a solver that takes
    one score alone.

    >>> from offby.fit.data.rows import Rows
    >>> rows = Rows(np.zeros((4, 1)), np.array([0.0, 0.0, 1.0, 2.0]))
    >>> ridge = Settings("l2", 1.0, 0.5, True, 1e-10, 100, "auto", None)
    >>> chances = np.exp(fit_classes(rows, 3, ridge).intercepts)
    >>> (chances / chances.sum()).round(9)
    array([0.5 , 0.25, 0.25])
    """
    check_search(settings)
    problem = problem_of_classes(source, classes, settings)
    solution = _solved(problem, settings, heard)
    kind = settings.standard_errors if has_errors(problem, solution) else None
    return fit_of(
        *problem.outputs(solution.at),
        solution,
        loss=SoftmaxCrossEntropy(),
        link="identity",
        certificate=certificate_of(solution, convex=True, held_out=holds_out(settings.solver)),
        rows=source.count,
        explained=explained_of_classes(source, mean_loss_of(problem, solution, settings)),
        inference=None if kind is None else infer_classes(problem, solution, kind),
    )


def _solved(problem: SoftmaxProblem, settings: Settings, heard: Heard | None) -> Solution:
    """From where all classes are alike, by Newton steps or by a descent."""
    start, how = np.zeros(problem.places.size), (settings.tol, settings.max_iter)
    descent = descent_of(settings.solver)
    if descent is not None:
        parts = parts_of(problem, descent, problem.places.classes)
        return walk_down(parts, start, descent, *how, heard)
    found = minimise(problem, start, *how, heard)
    if not found.escapes:
        return found
    last = last_resort(problem.source, problem.linear).of(problem.places.columns)
    return held_back(problem, replace(problem, penalty=last), start, found, *how)


def problem_of_classes(source: Source, classes: int, settings: Settings) -> SoftmaxProblem:
    """The cross-entropy of these rows, as a function of coefficients or of their contrasts."""
    if settings.solver not in ("auto", "newton") and descent_of(settings.solver) is None:
        raise DataError(
            f"solver is {settings.solver!r}; {classes} classes at once are fitted with 'auto', "
            "'newton', 'gd', 'sgd', 'adam' or a Descent; take those, or fit each class against the "
            "rest: scikit-learn's OneVsRestClassifier around this does it"
        )
    linear, penalty = linear_and_penalty(source.sample(SAMPLE), settings)
    places = Places.of(classes, linear, one_by_one=not penalty.smooth)
    return SoftmaxProblem(source, linear, places, penalty.of(places.columns))
