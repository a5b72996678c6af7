"""What training XGBoost under offby's objectives costs, beside its own objectives and NumPy's.

XGBoost hands scores to an objective in Python and copies slopes back, which costs time whatever
the objective does: NumPy's shortest, in float32 as XGBoost's documentation shows them, tell how
much. `python benchmarks/fit_trainers.py [threads] [loss ...]`, on one thread by processor time,
since XGBoost's threads spin while they wait, and else by the wall clock: contenders take turns,
and ratios are medians over the turns.
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
}


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


BY_HAND = {"squared": squared, "logistic": logistic, "poisson": poisson}


def table(rows: int = ROWS) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features and a target for each loss."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, COLUMNS)).astype(np.float32)
    signal = X[:, 0] + np.sin(2 * X[:, 1]) - X[:, 2] * X[:, 3] / 2
    noisy = signal + rng.standard_t(4, rows)
    return X, {
        "squared": noisy,
        "absolute": noisy,
        "pinball:0.9": noisy,
        "logistic": (rng.uniform(size=rows) < 1 / (1 + np.exp(-signal))).astype(float),
        "poisson": rng.poisson(np.exp(signal / 3)).astype(float),
    }


def contenders(
    name: str, X: np.ndarray, y: np.ndarray, threads: int, rounds: int
) -> dict[str, Callable[[], object]]:
    """Training with the built-in objective, NumPy's and offby's, all from the same constant."""
    loss, builtin = PAIRS[name]
    data = xgb.QuantileDMatrix(X, y)
    ours = loss.xgboost(y)
    told = {**PARAMS, "nthread": threads}
    base = {"base_score": ours.params["base_score"]}
    trained = partial(xgb.train, {**told, **ours.params}, data, rounds)
    own = partial(xgb.train, {**told, **base, **builtin}, data, rounds)
    by_hand = {"NumPy": partial(trained, obj=BY_HAND[name])} if name in BY_HAND else {}
    return {"built in": own, **by_hand, "offby": partial(trained, obj=ours.objective)}


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
        f"| loss | built in, {kind} | NumPy by hand, ratio | offby, ratio |",
        "|---|---:|---:|---:|",
    ]
    for name in names:
        found = in_ratios(contenders(name, X, targets[name], threads, rounds), clock, turns)
        by_hand = f"{found['NumPy']:.2f}" if "NumPy" in found else "-"
        lines.append(f"| `{name}` | {found['built in']:.2f} | {by_hand} | {found['offby']:.2f} |")
    return lines


if __name__ == "__main__":
    threads, *names = sys.argv[1:] or [""]
    if threads:
        lines = shown(names or list(PAIRS), int(threads))
    else:
        lines = [*shown(list(PAIRS)), "", *shown(list(BY_HAND), threads=2)]
        keep("fit: trainers", lines)
    print("\n".join(lines))
