"""How fast linear models are fitted, against the solvers of scikit-learn and glum.

Run `python benchmarks/fit.py [--quick]`. Ratios are of processor time in one run. "Above" is how
far a peer's objective is above offby's, as a share of it; offby's own gap is the one it proves. A
peer that took five times as long as offby in the first round is not asked again.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from glum import GeneralizedLinearRegressor
from sklearn.linear_model import HuberRegressor, LogisticRegression, PoissonRegressor
from timing import keep, machine

from offby.fit import LinearClassifier, LinearRegressor

QUICK = "--quick" in sys.argv
ROWS = 100_000 if QUICK else 1_000_000
COLUMNS = 50
ROUNDS = 3
SLOW = 5  # times as long as offby: one round tells enough
Objective = Callable[[Any], float]


def features(correlated: bool) -> np.ndarray:
    """Independent columns, or neighbours correlated by 0.8 with spreads of several sizes."""
    generator = np.random.default_rng(0)
    independent = generator.normal(size=(ROWS, COLUMNS))
    if not correlated:
        return independent
    places = np.arange(COLUMNS)
    root = np.linalg.cholesky(0.8 ** np.abs(places[:, None] - places))
    return independent @ root.T * np.exp(generator.normal(size=COLUMNS) / 2)


def score_of(model: Any, X: np.ndarray) -> np.ndarray:
    """The linear score of each row."""
    return X @ np.ravel(model.coef_) + model.intercept_


def contenders(X: np.ndarray) -> dict[str, tuple[dict[str, Callable[[], Any]], Objective]]:
    """For each loss: whoever fits it, and what they all minimise."""
    generator = np.random.default_rng(1)
    score = X @ generator.normal(size=COLUMNS)
    score *= 1.5 / score.std()
    y = score + generator.standard_t(3, ROWS)
    label = (generator.random(ROWS) < 1 / (1 + np.exp(-score))).astype(np.int64)
    count = generator.poisson(np.exp(score / 2)).astype(float)
    ours: dict[str, Any] = {"standard_errors": None}

    def logistic(model: Any) -> float:
        found = score_of(model, X)
        loss = np.mean(np.logaddexp(0, found) - label * found)
        return float(loss + np.sum(model.coef_**2) / (2 * ROWS))

    def poisson(model: Any) -> float:
        found = score_of(model, X)
        return float(np.mean(np.exp(found) - count * found))

    def huber(model: Any) -> float:
        away = np.abs(y - score_of(model, X))
        return float(np.mean(np.where(away <= 1.345, away**2 / 2, 1.345 * (away - 1.345 / 2))))

    def glm(solver: str) -> Callable[[], Any]:
        peer = PoissonRegressor(alpha=0, solver=solver, tol=1e-8, max_iter=1000)
        return partial(peer.fit, X, count)

    def logit(solver: str) -> Callable[[], Any]:
        peer = LogisticRegression(C=1.0, solver=solver, tol=1e-8, max_iter=1000)
        return partial(peer.fit, X, label)

    def glum(family: str, truth: np.ndarray, alpha: float, solver: str) -> Callable[[], Any]:
        peer = GeneralizedLinearRegressor(
            family=family, alpha=alpha, l1_ratio=0, solver=solver, gradient_tol=1e-8, max_iter=1000
        )
        return partial(peer.fit, X, truth)

    ridge = LinearClassifier(penalty="l2", alpha=1 / ROWS, **ours)
    return {
        "logistic (l2)": (
            {
                "offby": partial(ridge.fit, X, label),
                "scikit-learn lbfgs": logit("lbfgs"),
                "scikit-learn newton-cholesky": logit("newton-cholesky"),
                "glum irls-ls": glum("binomial", label.astype(float), 1 / ROWS, "irls-ls"),
                "glum lbfgs": glum("binomial", label.astype(float), 1 / ROWS, "lbfgs"),
            },
            logistic,
        ),
        "poisson": (
            {
                "offby": partial(LinearRegressor("poisson", **ours).fit, X, count),
                "scikit-learn lbfgs": glm("lbfgs"),
                "scikit-learn newton-cholesky": glm("newton-cholesky"),
                "glum irls-ls": glum("poisson", count, 0.0, "irls-ls"),
                "glum lbfgs": glum("poisson", count, 0.0, "lbfgs"),
            },
            poisson,
        ),
        "huber": (
            {
                "offby": partial(LinearRegressor("huber:1.345", **ours).fit, X, y),
                # which finds a scale too, so its minimum is another
                "scikit-learn HuberRegressor": partial(
                    HuberRegressor(alpha=0, max_iter=1000).fit, X, y
                ),
            },
            huber,
        ),
    }


@dataclass(frozen=True)
class Run:
    """A fit with what it took: seconds by the clock, and of all processors together."""

    model: Any
    clock: float
    processor: float


def run(fit: Callable[[], Any]) -> Run:
    """Time one fit."""
    clock, processor = time.perf_counter(), time.process_time()
    model = fit()
    return Run(model, time.perf_counter() - clock, time.process_time() - processor)


def timed(work: dict[str, Callable[[], Any]]) -> dict[str, Run]:
    """The best run of each, in turns."""
    best: dict[str, Run] = {}
    for _ in range(ROUNDS):
        for name, fit in work.items():
            if name in best and best[name].processor > SLOW * best["offby"].processor:
                continue
            found = run(fit)
            if name not in best or found.processor < best[name].processor:
                best[name] = found
    return best


def rows_of(kind: str, loss: str, best: dict[str, Run], objective: Objective) -> list[str]:
    """A line of the long table for each solver."""
    ours, least = best["offby"].processor, objective(best["offby"].model)
    lines = []
    for name, found in best.items():
        above = f"{objective(found.model) / least - 1:.0e}"
        if name == "scikit-learn HuberRegressor":
            above = "another minimum"
        if name == "offby":
            above = f"gap {found.model.gap_ / found.model.objective_:.0e}"
        seconds = f"{found.clock:.2f} | {found.processor:.2f} | {found.processor / ours:.1f}×"
        lines.append(f"| {kind} | {loss} | {name} | {seconds} | {above} |")
    return lines


def verdict_of(kind: str, loss: str, best: dict[str, Run]) -> str:
    """A line of the short table: offby, and the best that each peer can do."""
    ours = best["offby"]
    cells = [kind, loss, f"{ours.processor:.2f}"]
    for peer in ("scikit-learn", "glum"):
        solvers = {name: found for name, found in best.items() if name.startswith(peer)}
        name = min(solvers, key=lambda name: solvers[name].processor, default=None)
        if name is None:
            cells += ["has no such loss", ""]
            continue
        ratio = solvers[name].processor / ours.processor
        cells += [
            f"{solvers[name].processor:.2f} ({name.removeprefix(peer + ' ')})",
            f"{ratio:.1f}×",
        ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print and keep two tables."""
    warnings.simplefilter("ignore")
    short = [
        "| columns | loss | offby, s | scikit-learn, s | ratio | glum, s | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    long = [
        "| columns | loss | solver | seconds | of processors | ratio | above |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in ("independent", "correlated"):
        for loss, (work, objective) in contenders(features(kind == "correlated")).items():
            best = timed(work)
            short.append(verdict_of(kind, loss, best))
            long += rows_of(kind, loss, best, objective)
    head = f"{ROWS:,} rows, {COLUMNS} columns; {machine()}. Ratios are of processor time."
    lines = [head, "", *short, "", *long]
    print("\n".join(lines))
    if not QUICK:
        keep("Linear models", lines)


if __name__ == "__main__":
    main()
