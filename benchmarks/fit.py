"""How fast linear models are fitted, against scikit-learn's solvers at the same or a worse minimum.

Run `python benchmarks/fit.py [--quick]`. Ratios are of processor time in one run. "Above" is how
far a peer's objective is above offby's, as a share of it.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import HuberRegressor, LogisticRegression, PoissonRegressor
from timing import keep, machine

from offby.fit import LinearClassifier, LinearRegressor

QUICK = "--quick" in sys.argv
ROWS = 100_000 if QUICK else 1_000_000
COLUMNS = 50
ROUNDS = 2 if QUICK else 3
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

    ridge = LinearClassifier(penalty="l2", alpha=1 / ROWS, **ours)
    return {
        "logistic (l2)": (
            {
                "offby": partial(ridge.fit, X, label),
                "lbfgs": logit("lbfgs"),
                "newton-cholesky": logit("newton-cholesky"),
            },
            logistic,
        ),
        "poisson": (
            {
                "offby": partial(LinearRegressor("poisson", **ours).fit, X, count),
                "lbfgs": glm("lbfgs"),
                "newton-cholesky": glm("newton-cholesky"),
            },
            poisson,
        ),
        "huber": (
            {
                "offby": partial(LinearRegressor("huber:1.345", **ours).fit, X, y),
                # which finds a scale too, so its minimum is another
                "HuberRegressor": partial(HuberRegressor(alpha=0, max_iter=1000).fit, X, y),
            },
            huber,
        ),
    }


def timed(work: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, Any]]:
    """The least processor seconds of each, in turns, and what it fitted."""
    best: dict[str, tuple[float, Any]] = {}
    for _ in range(ROUNDS):
        for name, fit in work.items():
            start = time.process_time()
            model = fit()
            seconds = time.process_time() - start
            if name not in best or seconds < best[name][0]:
                best[name] = seconds, model
    return best


def main() -> None:
    """Print and keep a table."""
    warnings.simplefilter("ignore")
    lines = [
        f"{ROWS:,} rows, {COLUMNS} columns; {machine()}.",
        "",
        "| columns | loss | solver | seconds | ratio | above |",
        "|---|---|---|---|---|---|",
    ]
    for kind in ("independent", "correlated"):
        for loss, (work, objective) in contenders(features(kind == "correlated")).items():
            best = timed(work)
            ours, least = best["offby"][0], objective(best["offby"][1])
            for name, (seconds, model) in best.items():
                above = "another minimum" if name == "HuberRegressor" else (
                    f"{objective(model) / least - 1:.0e}")  # fmt: skip
                ratio = f"{seconds / ours:.1f}×"
                lines.append(f"| {kind} | {loss} | {name} | {seconds:.2f} | {ratio} | {above} |")
    print("\n".join(lines))
    if not QUICK:
        keep("Linear models", lines)


if __name__ == "__main__":
    main()
