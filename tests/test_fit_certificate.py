"""The proven gap against solvers that know nothing of it: HiGHS for lines, L-BFGS-B for curves.

What another solver finds is an upper bound on the minimum. So an objective above it by more than
the gap would refute the proof.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from scipy.special import xlogy

from offby.fit.classifier import LinearClassifier
from offby.fit.data.rows import Rows
from offby.fit.objective.certificate import certify
from offby.fit.objective.penalty import penalty_of
from offby.fit.objective.score import toward_score
from offby.fit.passes.blocks import Linear
from offby.fit.regressor import LinearRegressor
from offby.losses import from_text

PROBLEMS = 120  # and 1,000 of other seeds were run once: see issue 4
ROUNDING = 1e-11


def poisson(y, score):
    return 2 * (xlogy(y, y) - y * score - y + np.exp(score))


def gamma(y, score):
    return 2 * (y * np.exp(-score) - np.log(y) + score - 1)


def huber(y, score):
    away = np.abs(score - y)
    return np.where(away <= 1.345, away**2 / 2, 1.345 * (away - 1.345 / 2))


def logistic(y, score):
    return y * np.logaddexp(0, -score) + (1 - y) * np.logaddexp(0, score)


CURVES = {  # the formula written here once more, and its derivative towards the score
    "squared": (lambda y, s: (s - y) ** 2, lambda y, s: 2 * (s - y)),
    "huber:1.345": (huber, lambda y, s: np.clip(s - y, -1.345, 1.345)),
    "log_cosh": (
        lambda y, s: np.logaddexp(s - y, y - s) - np.log(2),
        lambda y, s: np.tanh(s - y),
    ),
    "expectile:0.9": (
        lambda y, s: np.where(s < y, 0.9, 0.1) * (s - y) ** 2,
        lambda y, s: 2 * np.where(s < y, 0.9, 0.1) * (s - y),
    ),
    "poisson": (poisson, lambda y, s: 2 * (np.exp(s) - y)),
    "gamma": (gamma, lambda y, s: 2 * (1 - y * np.exp(-s))),
    "logistic": (logistic, lambda y, s: 1 / (1 + np.exp(-s)) - y),
    "cost_logistic:1:5": (
        lambda y, s: 5 * y * np.logaddexp(0, -s) + (1 - y) * np.logaddexp(0, s),
        lambda y, s: -5 * y / (1 + np.exp(s)) + (1 - y) / (1 + np.exp(-s)),
    ),
}


@dataclass
class Drawn:
    """A small random problem, with a column of ones last where it has an intercept."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    loss: str
    penalty: str | None
    alpha: float
    intercept: bool

    @property
    def design(self):
        return np.hstack([self.X, np.ones((len(self.X), int(self.intercept)))])

    @property
    def l1_l2(self):
        l1 = {"l1": 1.0, "elasticnet": 0.5}.get(self.penalty, 0.0) * self.alpha
        l2 = {"l2": 1.0, "elasticnet": 0.5}.get(self.penalty, 0.0) * self.alpha
        places = np.append(np.ones(self.X.shape[1]), np.zeros(int(self.intercept)))
        return l1 * places, l2 * places

    def objective(self, at):
        value = CURVES[self.loss][0](self.y, self.design @ at)
        l1, l2 = self.l1_l2
        return np.average(value, weights=self.weight) + l1 @ abs(at) + l2 @ at**2 / 2

    def found_elsewhere(self):
        """The least objective that L-BFGS-B finds, over positive and negative parts."""
        l1, l2 = self.l1_l2
        size = self.design.shape[1]

        def look(parts):
            at = parts[:size] - parts[size:]
            slope = CURVES[self.loss][1](self.y, self.design @ at) * self.weight
            pull = self.design.T @ slope / self.weight.sum() + l2 * at
            smooth = self.objective(at) - l1 @ abs(at) + l1 @ (parts[:size] + parts[size:])
            return smooth, np.concatenate([pull + l1, l1 - pull])

        options = {"maxiter": 3000, "ftol": 1e-15, "gtol": 1e-12}
        bounds = [(0, None)] * (2 * size)
        with np.errstate(over="ignore"):
            best = minimize(look, np.zeros(2 * size), jac=True, bounds=bounds, options=options)
        return self.objective(best.x[:size] - best.x[size:])


def drawn(seed, losses=tuple(CURVES)):
    rng = np.random.default_rng(seed)
    loss = losses[seed % len(losses)]
    n, p = int(rng.integers(8, 40)), int(rng.integers(1, 5))
    features = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-1, 2)
    if rng.random() < 0.3:
        features[:, 0] = np.round(features[:, 0])  # ties
    score = features @ rng.normal(size=p) / max(np.abs(features).max(), 1.0)
    y = {
        "poisson": lambda: rng.poisson(np.exp(score)).astype(float),
        "gamma": lambda: rng.gamma(2.0, np.exp(score) / 2),
        "logistic": lambda: (rng.random(n) < 0.5).astype(float),
        "cost_logistic": lambda: (rng.random(n) < 0.3).astype(float),
    }.get(loss.split(":")[0], lambda: score + rng.standard_t(2, n))()
    if loss.endswith(("logistic", ":5")):
        y[:2] = 0, 1
    weight = rng.integers(1, 4, n).astype(float) if rng.random() < 0.5 else np.ones(n)
    penalty = [None, "l2", "l1", "elasticnet"][int(rng.integers(4))]
    if loss in ("logistic", "cost_logistic:1:5", "poisson") and penalty is None:
        penalty = "l2"  # without one there may be no minimum
    return Drawn(features, y, weight, loss, penalty, 10.0 ** rng.uniform(-3, 0), rng.random() < 0.7)


def fitted(problem, **more):
    kind = LinearClassifier if problem.loss.endswith(("logistic", ":5")) else LinearRegressor
    model = kind(
        problem.loss,
        penalty=problem.penalty,
        alpha=problem.alpha,
        fit_intercept=problem.intercept,
        standard_errors=None,
        **more,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not determined|.*has no effect")
        model.fit(problem.X, problem.y, problem.weight)
    at = np.ravel(model.coef_)
    return model, np.append(at, model.intercept_) if problem.intercept else at


def refuted(problem):
    """What is wrong with the model and its gap, in words; nothing if nothing is."""
    model, at = fitted(problem)
    objective, elsewhere = problem.objective(at), problem.found_elsewhere()
    allowed = ROUNDING * max(1.0, abs(objective))
    if not model.converged_:
        return "not converged"
    if abs(objective - model.objective_) > allowed:
        return f"objective_ is {model.objective_!r}, and {objective!r} here"
    if model.gap_ > 1e-10 * objective + 1e-13:
        return f"converged with a gap of {model.gap_}"
    if objective > elsewhere + model.gap_ + allowed:
        return f"{objective!r} is above {elsewhere!r} by more than {model.gap_!r}"
    return ""


@pytest.mark.parametrize("part", range(4))
def test_no_solver_finds_less_than_the_gap_allows(part):
    wrong = {seed: refuted(drawn(seed)) for seed in range(part, PROBLEMS, 4)}
    assert {seed: why for seed, why in wrong.items() if why} == {}


def test_the_bound_holds_at_any_place_from_any_point_with_any_step():
    """Also far from the minimum, for steps that are no Newton steps, and where they do not lead."""
    for seed in range(200):
        problem = drawn(seed)
        rng = np.random.default_rng(seed)
        _, best = fitted(problem)
        p = problem.X.shape[1]
        linear = Linear(np.zeros(p), problem.intercept)
        penalty = penalty_of(problem.penalty, problem.alpha, 0.5, p, problem.intercept)
        size = 10.0 ** rng.uniform(-6, 0.5)
        at, step = best + size * rng.normal(size=best.size), size * rng.normal(size=best.size)
        rows, loss = (
            Rows(problem.X, problem.y, problem.weight),
            toward_score(from_text(problem.loss)),
        )
        for there in (at + step, best + size * rng.normal(size=best.size)):
            found = certify(rows, linear, loss, penalty, at, step, there)
            above = problem.objective(there) - problem.objective(best)
            assert found.objective == pytest.approx(problem.objective(there), rel=1e-9), seed
            assert above <= found.gap + ROUNDING * found.objective, seed


@pytest.mark.parametrize("seed", range(40))
def test_lines_reach_the_minimum_of_a_linear_program(seed):
    problem = drawn(seed, losses=("squared",))
    tau = [0.5, 0.1, 0.9][seed % 3]
    loss = "absolute" if tau == 0.5 else f"pinball:{tau}"
    model = LinearRegressor(loss, fit_intercept=problem.intercept, standard_errors=None)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not determined")
        model.fit(problem.X, problem.y, problem.weight)
    design, n = problem.design, len(problem.y)
    factor = 2.0 if tau == 0.5 else 1.0
    costs = factor / problem.weight.sum() * problem.weight
    best = linprog(
        np.concatenate([np.zeros(design.shape[1]), tau * costs, (1 - tau) * costs]),
        A_eq=np.hstack([design, np.eye(n), -np.eye(n)]),
        b_eq=problem.y,
        bounds=[(None, None)] * design.shape[1] + [(0, None)] * (2 * n),
    )
    assert model.converged_
    assert model.objective_ == pytest.approx(best.fun, rel=1e-9)
    assert model.objective_ <= best.fun + model.gap_ + 1e-12


def with_hard_columns(seed):
    """A problem without penalty; some have columns that say nothing new, or nothing at all."""
    problem, rng = drawn(seed), np.random.default_rng(seed)
    features = problem.X
    if rng.random() < 0.3:
        features = np.hstack([features, 2 * features[:, :1] - features[:, -1:]])
    if rng.random() < 0.3:
        features = np.hstack([features, np.full((len(features), 1), rng.integers(2))])
    return replace(problem, X=features, penalty=None), 10.0 ** rng.uniform(-7, 7, features.shape[1])


@pytest.mark.filterwarnings("ignore:.*not determined", "ignore:.*falls without end")
def test_the_units_of_columns_change_no_objective():
    for seed in range(80):
        problem, units = with_hard_columns(seed)
        plain, _ = fitted(problem)
        other, _ = fitted(replace(problem, X=problem.X * units))
        assert other.converged_ == plain.converged_, seed
        assert other.certificate_ == plain.certificate_, seed
        assert other.objective_ == pytest.approx(plain.objective_, rel=1e-8, abs=1e-10), seed


def test_errors_far_smaller_than_the_scores_they_are_differences_of():
    """Where a slope is next to 0, a score must move by more than its rounding to change it."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(20_000, 2))
        y = X @ [1.0, 2.0] + rng.lognormal(size=20_000) + 1e4
        model = LinearRegressor("huber:1", standard_errors=None).fit(X, y)
        assert model.converged_
        assert model.gap_ <= 1e-11 * model.objective_
