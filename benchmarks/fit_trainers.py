"""What training XGBoost under offby's objectives costs, beside its own: processor time, in turns.

One thread each: XGBoost's threads spin while they wait, which would count as work. Run it with
`taskset -c 0 python benchmarks/fit_trainers.py`; `shown` gives the lines of the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xgboost as xgb
from timing import in_turns, machine

from offby import losses

ROWS, COLUMNS, ROUNDS = 200_000, 50, 20
PARAMS = {"tree_method": "hist", "max_depth": 6, "nthread": 1, "verbosity": 0}
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


def contenders(name: str, X: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], object]]:
    """Training with the built-in objective and with offby's, from the same constant."""
    loss, builtin = PAIRS[name]
    data = xgb.QuantileDMatrix(X, y)
    ours = loss.xgboost(y)
    base = {"base_score": ours.params["base_score"]}
    return {
        "built in": partial(xgb.train, {**PARAMS, **base, **builtin}, data, ROUNDS),
        "offby": partial(xgb.train, {**PARAMS, **ours.params}, data, ROUNDS, obj=ours.objective),
    }


def shown(rows: int = ROWS, rounds: int = 3) -> list[str]:
    """The table as lines of Markdown."""
    X, targets = table(rows)
    lines = [
        f"{rows:,} rows, {COLUMNS} columns, {ROUNDS} rounds; {machine()}; XGBoost "
        f"{xgb.__version__}. Processor seconds, the best of {rounds}.",
        "",
        "| loss | built in | offby | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name in PAIRS:
        best = in_turns(contenders(name, X, targets[name]), rounds, time.process_time)
        own, ours = best["built in"], best["offby"]
        lines.append(f"| `{name}` | {own:.2f} | {ours:.2f} | {ours / own:.2f} |")
    return lines


if __name__ == "__main__":
    print("\n".join(shown()))
