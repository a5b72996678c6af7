"""What training XGBoost under offby's objectives costs, beside its own objectives and NumPy's.

Of losses that XGBoost has, offby hands over XGBoost's own objective. For others its slopes are
worked out in Python: XGBoost hands scores over and copies slopes back, which costs time whatever
the objective does. NumPy's shortest, in float32 as XGBoost's documentation shows them, tell how
much; so the slopes of losses that XGBoost has are timed too.

`python benchmarks/fit_trainers.py [threads] [loss ...]`: on one thread by processor time, since
XGBoost's threads spin while they wait, and else by the wall clock. Contenders take turns, and
ratios are medians over the turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import xgboost as xgb
from timing import keep, machine

from offby import losses

ROWS, COLUMNS, ROUNDS = 1_000_000, 20, 50
PARAMS = {"tree_method": "hist", "max_depth": 6, "verbosity": 0}
PAIRS: dict[str, tuple[losses.Loss, dict[str, Any]]] = {
    "squared": (losses.Squared(), {"objective": "reg:squarederror"}),
    "logistic": (losses.Logistic(), {"objective": "binary:logistic"}),
    "poisson": (losses.Poisson(), {"objective": "count:poisson"}),
    "absolute": (losses.Absolute(), {"objective": "reg:absoluteerror"}),
    "pinball:0.9": (
        losses.Pinball(0.9),
        {"objective": "reg:quantileerror", "quantile_alpha": 0.9},
    ),
    "cost_weighted:1:4": (losses.CostWeighted(1, 4), {"objective": "binary:logistic"}),
    "expectile:0.8": (losses.Expectile(0.8), {"objective": "reg:squarederror"}),
}
"""Losses, and XGBoost's own objective of the same loss or, for the last two, its nearest."""


def squared(raw: np.ndarray, data: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Half the squared error, by hand."""
    return raw - data.get_label(), np.ones_like(raw)


def logistic(raw: np.ndarray, data: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Log loss, by hand."""
    chance = 1 / (1 + np.exp(-raw))
    return chance - data.get_label(), chance * (1 - chance)


def poisson(raw: np.ndarray, data: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Half the Poisson deviance, by hand."""
    mean = np.exp(raw)
    return mean - data.get_label(), mean * np.float32(np.exp(0.7))


def cost_weighted(raw: np.ndarray, data: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Log loss of which a miss costs four times a false alarm, by hand."""
    chance, truth = 1 / (1 + np.exp(-raw)), data.get_label()
    cost = np.where(truth == 1, np.float32(4), np.float32(1))
    return cost * (chance - truth), cost * chance * (1 - chance)


def expectile(raw: np.ndarray, data: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
    """The squared error of which one that is too low costs four times one too high, by hand."""
    error = raw - data.get_label()
    cost = np.where(error < 0, np.float32(0.8), np.float32(0.2))
    return cost * error, cost


BY_HAND = {
    "squared": squared,
    "logistic": logistic,
    "poisson": poisson,
    "cost_weighted:1:4": cost_weighted,
    "expectile:0.8": expectile,
}


def table(rows: int = ROWS) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features and a target for each loss."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, COLUMNS)).astype(np.float32)
    signal = X[:, 0] + np.sin(2 * X[:, 1]) - X[:, 2] * X[:, 3] / 2
    noisy = signal + rng.standard_t(4, rows)
    chosen = (rng.uniform(size=rows) < 1 / (1 + np.exp(-signal))).astype(float)
    return X, {
        "squared": noisy,
        "absolute": noisy,
        "pinball:0.9": noisy,
        "expectile:0.8": noisy,
        "logistic": chosen,
        "cost_weighted:1:4": chosen,
        "poisson": rng.poisson(np.exp(signal / 3)).astype(float),
    }


def contenders(
    name: str, X: np.ndarray, y: np.ndarray, threads: int, rounds: int
) -> dict[str, Callable[[], object]]:
    """Training with the built-in objective, offby's and NumPy's, all from the same constant."""
    loss, builtin = PAIRS[name]
    data = xgb.QuantileDMatrix(X, y)
    ours = loss.xgboost(y)
    told = {**PARAMS, "nthread": threads}
    base = {"base_score": ours.params["base_score"]}
    trained = partial(xgb.train, {**told, **ours.params}, data, rounds)
    own = partial(xgb.train, {**told, **base, **builtin}, data, rounds)
    each = {"built in": own, "offby": partial(trained, obj=ours.objective)}
    if name in BY_HAND:
        each["slopes"] = partial(trained, obj=lambda raw, d: ours.slopes(d.get_label(), raw))
        each["NumPy"] = partial(trained, obj=BY_HAND[name])
    return each


CONTENDERS = ("built in", "offby", "slopes", "NumPy")


def in_ratios(
    each: dict[str, Callable[[], object]], clock: Callable[[], float], turns: int
) -> dict[str, float]:
    """The median seconds of the built-in objective, and what the others take of its time."""
    seconds: dict[str, list[float]] = {name: [] for name in each}
    for _ in range(turns):
        for name, work in each.items():
            start = clock()
            work()
            seconds[name].append(clock() - start)
    own = seconds.pop("built in")
    ratios = {
        name: median(one / base for one, base in zip(taken, own, strict=True))
        for name, taken in seconds.items()
    }
    return {"built in": median(own), **ratios}


def shown(
    names: list[str], threads: int = 1, turns: int = 5, rows: int = ROWS, rounds: int = ROUNDS
) -> list[str]:
    """The table as lines of Markdown."""
    X, targets = table(rows)
    clock, kind = (
        (time.process_time, "processor seconds") if threads == 1 else (time.perf_counter, "seconds")
    )
    lines = [
        f"{rows:,} rows, {COLUMNS} columns, depth 6, {rounds} rounds, {threads} "
        f"thread{'s' * (threads > 1)}; "
        f"{machine()}; XGBoost {xgb.__version__}. Medians of {turns} turns.",
        "",
        f"| loss | XGBoost's | {kind} | offby, ratio | its slopes in Python | NumPy by hand |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name in names:
        found = in_ratios(contenders(name, X, targets[name], threads, rounds), clock, turns)
        cells = [f"{found[one]:.2f}" if one in found else "-" for one in CONTENDERS]
        own = PAIRS[name][1]["objective"]
        lines.append(f"| `{name}` | `{own}` | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    threads, *names = sys.argv[1:] or [""]
    if threads:
        lines = shown(names or list(PAIRS), int(threads))
    else:
        lines = [*shown(list(PAIRS)), "", *shown(list(BY_HAND), threads=2)]
        keep("fit: trainers", lines)
    print("\n".join(lines))
